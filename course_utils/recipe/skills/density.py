"""Chain of density: a sparse summary, denser summaries of the same length, and texts cut to a number of words."""

import re

from course_utils.recipe import split as parts
from course_utils.recipe import world

SKILL = "density"
OFF = 0.15


def _value(rng, split, kind):
    """A name, number or word of one kind."""
    lists, talk = parts.load("world_goods"), parts.load("talk")
    draw = {
        "year": lambda: str(rng.randint(1650, 2019)),
        "small": lambda: str(rng.randint(3, 29)),
        "days": lambda: str(rng.randint(2, 12)),
        "mid": lambda: str(rng.randint(40, 960)),
        "big": lambda: str(rng.randrange(1100, 90000, 10)),
        "person": lambda: f"{world.first_name(rng, split)} {world.invent(rng)}",
        "town": lambda: world.town(rng),
        "river": lambda: world.invent(rng),
        "month": lambda: rng.choice(lists["months"]),
        "day": lambda: rng.choice(lists["days"]),
        "clock": lambda: f"{rng.randint(4, 11)}:{rng.choice(('00', '15', '30', '45'))} pm",
        "street": lambda: rng.choice(lists["streets"]),
        "money": lambda: f"{rng.randint(2, 90)} {rng.choice(('euros', 'dollars', 'crowns', 'pounds'))}",
        "millions": lambda: f"{rng.randint(2, 90)} million {rng.choice(('euros', 'dollars', 'crowns', 'pounds'))}",
        "hobby": lambda: rng.choice(talk["hobbies"]),
        "food": lambda: rng.choice(talk["foods"]),
        "machine": lambda: parts.pick(rng, parts.load("density")["machines"], split),
    }
    return draw[kind]()


def draw_article(rng, split):
    """An article of an invented thing: {"text", "name", "what", "town", "facts"}; a fact has verb and entities."""
    kinds = parts.load("density")["kinds"]
    kind = kinds[rng.choice(tuple(kinds))]
    name = world.invent(rng)
    if kind.get("who"):
        name = f"{world.first_name(rng, split)} {name}"
    town = world.town(rng)
    what = rng.choice(kind["what"]).format(town=town)
    facts, used = [], {town}
    for fact in rng.sample(kind["facts"], rng.randint(5, 7)):
        values = {slot: _value(rng, split, fact[slot]) for slot in "vw" if slot in fact}
        if used & set(values.values()):
            continue
        used |= set(values.values())
        long, verb = (rng.choice(fact[form]).format(x=name, **values) for form in ("long", "verb"))
        facts.append({"long": long, "verb": verb, "entities": list(values.values())})
    opening = f"{name} is {what}."
    return {"name": name, "what": what, "town": town, "facts": facts, "opening": opening, "who": kind.get("who", False)}


def _text(article, facts):
    return " ".join([article["opening"], *(fact["long"] for fact in facts)])


def _join(verbs):
    return verbs[0] if len(verbs) == 1 else ", ".join(verbs[:-1]) + " and " + verbs[-1]


def _dense(article, facts):
    """Sentences that hold the facts in as few words as possible."""
    verbs = [fact["verb"] for fact in facts]
    again = article["name"].split()[-1] if article["who"] else "It"
    if not verbs:
        return [article["opening"]]
    first = 1 if len(verbs) in (1, 2, 4) else 2
    sentences = [f"{article['name']}, {article['what']}, {_join(verbs[:first])}."]
    rest = verbs[first:]
    for place in range(0, len(rest), 3):
        sentences.append(f"{again} {_join(rest[place:place + 3])}.")
    return sentences


def _count(text):
    return len(text.split())


def _fill(rng, sentences, words):
    """The sentences with filler between them, as near to the number of words as possible."""
    fillers = parts.load("density")["fillers"]
    have, best = _count(" ".join(sentences)), []
    for _ in range(30):
        size, chosen = have, []
        for filler in rng.sample(fillers, len(fillers)):
            if size + _count(filler) <= words + 1:
                chosen.append(filler)
                size += _count(filler)
        if abs(words - size) < abs(words - have - sum(map(_count, best))):
            best = chosen
        if size == words:
            break
    return " ".join([sentences[0], *best[:1], *sentences[1:], *best[1:]])


def _chain(rng, article):
    """A sparse summary and denser ones of the same length: [(summary, entities that are new in it)]."""
    facts = list(article["facts"])
    rng.shuffle(facts)
    sizes = [rng.choice((0, 1, 1))]
    while len(sizes) < 4 and sizes[-1] < len(facts):
        sizes.append(min(len(facts), sizes[-1] + rng.choice((1, 1, 2))))
    words = max(_count(" ".join(_dense(article, facts[: sizes[-1]]))), rng.randint(24, 34))
    chain = []
    for before, size in zip([0, *sizes], sizes):
        summary = _fill(rng, _dense(article, facts[:size]), words)
        chain.append((summary, [entity for fact in facts[before:size] for entity in fact["entities"]]))
    return chain


def _reply(summary, missing):
    return f"Missing: {'; '.join(missing)}\nSummary: {summary}"


def _put(text, **values):
    for slot, value in values.items():
        text = text.replace("{" + slot + "}", value)
    return text


def _plain(rng, split):
    """An article with its summaries, or with its dense form."""
    article = draw_article(rng, split)
    text = _text(article, article["facts"])
    if rng.random() < 0.3:
        return f"{text}\n\nIn short: {' '.join(_dense(article, article['facts']))}"
    chain = _chain(rng, article)
    rounds = [f"Summary: {chain[0][0]}", *(_reply(*step) for step in chain[1:])]
    return "\n\n".join([text, *rounds])


def _turns(rng, split, article, text):
    """The messages of sparse and denser summaries, and what the score needs."""
    lists, chain = parts.load("density"), _chain(rng, article)
    first = chain[0][0]
    words = str(_count(first) if rng.random() < 0.5 else 5 * round(_count(first) / 5))
    prompt = _put(parts.pick(rng, lists["sparse"], split), a=text, n=words)
    if rng.random() < 0.33:
        return [prompt, first], {"kind": "sparse", "words": int(words), "wanted": [article["name"]], "old": []}
    last = rng.randrange(1, len(chain))
    summary, missing = chain[last]
    known = [article["name"], article["town"], *(entity for _, new in chain[:last] for entity in new)]
    more = {"kind": "densify", "words": _count(chain[last - 1][0]), "wanted": missing, "old": known, "given": False}
    if rng.random() < 0.35:
        turns = [prompt, first]
        for step in chain[1 : last + 1]:
            turns += [parts.pick(rng, lists["again"], split), _reply(*step)]
        return turns, more
    more["given"] = rng.random() < 0.3
    wording = parts.pick(rng, lists["given" if more["given"] else "densify"], split)
    prompt = _put(wording, a=text, s=chain[last - 1][0], m="; ".join(missing))
    return [prompt, _reply(summary, missing)], more


def generate(rng, split):
    """One sparse summary, one denser summary, or one text made shorter."""
    article = draw_article(rng, split)
    if rng.random() < 0.3:
        facts = rng.sample(article["facts"], rng.randint(2, min(5, len(article["facts"]))))
        text, reply = _text(article, facts), " ".join(_dense(article, facts))
        words = _count(reply) + rng.randint(0, 4)
        wanted = [article["name"], article["town"], *(entity for fact in facts for entity in fact["entities"])]
        turns = [_put(parts.pick(rng, parts.load("density")["compress"], split), a=text, n=str(words)), reply]
        more = {"kind": "compress", "words": words, "wanted": wanted, "old": []}
    else:
        text = _text(article, article["facts"])
        turns, more = _turns(rng, split, article, text)
    messages = [
        {"role": ("user", "assistant")[place % 2], "content": content} for place, content in enumerate(turns)
    ]
    every = [entity for fact in article["facts"] for entity in fact["entities"]]
    return {
        "skill": SKILL,
        "messages": messages,
        "plain": _plain(rng, split),
        "gold": turns[-1],
        "article": text,
        "entities": every,
        **more,
    }


def _invented(reply, article):
    """True if a number or a name inside a sentence of the reply is not in the article."""
    known = set(re.findall(r"\w+", article))
    names = re.findall(r"(?<![.:;!?\"\n] )(?<=\s)[A-Z]\w+|\d+", reply)
    return any(name not in known for name in names)


def _share(entities, text):
    found = [bool(re.search(rf"(?<!\w){re.escape(entity)}(?!\w)", text)) for entity in entities]
    return sum(found) / len(found) if found else 1.0


def score(reply, example):
    """The share of wanted entities in the summary; 0 if it has another length or names what the article lacks."""
    head, mark, tail = reply.partition("Summary:")
    summary = (tail if mark else reply).strip()
    words, kind = example["words"], example["kind"]
    short = kind == "compress" or _count(summary) >= words * (1 - OFF)
    if not summary or not short or _count(summary) > words * (1 + OFF) or _invented(summary, example["article"]):
        return 0.0
    wanted = example["wanted"]
    if kind == "sparse":
        many = sum(_share([entity], summary) for entity in example["entities"]) > 2
        return _share(wanted, summary) * (0.5 if many else 1.0)
    if kind == "densify" and not example["given"]:
        listed = [part.strip() for part in head.replace("Missing:", "").split(";") if part.strip()]
        wanted = [part for part in listed if part in example["article"] and part not in example["old"]]
        if not wanted or len(wanted) < len(listed):
            return 0.0
    return _share(wanted, summary) * _share(example["old"], summary)
