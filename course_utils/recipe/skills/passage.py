"""Short answers from a passage; "I don't know." when the passage lacks the answer."""

import re

from course_utils.recipe import handbook, world
from course_utils.recipe import split as parts
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import _notes
from course_utils.recipe.skills._echo import repeats

SKILL = "passage"
UNKNOWN = _notes.UNKNOWN
MORE = 15  # words that a reply may have beyond the answer; the passage copied is no short answer


def _lore_value(rng, kind, split):
    """A value of a fact: drawn from a list, from a range such as "2-40", or of a kind such as "month"."""
    lists, more = parts.load("world_lore")["lists"], parts.load("world_goods")
    if kind in lists:
        return rng.choice(lists[kind])
    if "-" in kind:
        return str(rng.randint(*map(int, kind.split("-"))))
    if kind in ("colours", "streets"):
        return rng.choice(more[kind])
    return {
        "word": lambda: world.invent(rng),
        "small": lambda: world.invent(rng, capital=False),
        "person": lambda: f"{world.first_name(rng, split)} {world.invent(rng)}",
        "town": lambda: world.town(rng),
        "team": lambda: rng.choice(parts.load("lexicon")["team"]).removeprefix("the "),
        "title": lambda: " ".join(rng.choice(lists[f"title_{place}"]) for place in ("first", "second")),
        "month": lambda: rng.choice(more["months"]),
        "day": lambda: rng.choice(more["days"]),
        "clock": lambda: world.clock(rng, 6, 20),
        "price": lambda: rng.choice(world.CURRENCIES).format(world.price_text(rng, 2, 90)),
    }[kind]()


def lore(rng, split):
    """An entry of an invented encyclopedia: (opening, [(sentence, question, short answer, full answer)])."""
    kinds = parts.load("world_lore")["kinds"]
    entry = kinds[rng.choice(tuple(kinds))]
    name, year, facts = _lore_value(rng, entry["name"], split), rng.randint(1300, 1930), []
    for fact in entry["facts"].values():
        if fact["value"] == "year":
            value = str(year)
            year += rng.randint(20, 80)
        else:
            value = _lore_value(rng, fact["value"], split)
        say = parts.pick(rng, fact["say"], split).format(x=name, v=value, V=upper_first(value))
        ask = parts.pick(rng, fact["ask"], split).format(x=name)
        facts.append((say, ask, value, upper_first(say)))
    rng.shuffle(facts)
    return upper_first(rng.choice(entry["opening"]).format(x=name)), facts


def _shop_facts(rng, shop, split):
    """Facts of a shop in random order: [(sentence, question, short answer, full answer)]."""
    rules, book, lists = shop["rules"], parts.load("world_facts"), parts.load("passage")
    facts = []
    for topic in rng.sample(sorted(book), 8):
        ask = parts.pick(rng, book[topic]["ask"], split).format(**rules)
        reply = rng.choice(book[topic]["reply"]).format(**rules)
        facts.append((world.fact_sentence(rng, shop, topic, split), ask, rules[topic], upper_first(reply)))
    style = rng.randrange(12) if rng.random() < 0.7 else None
    for item in shop["items"][:4]:
        say = world.catalogue_line(rng, item, style)
        ask = parts.pick(rng, lists["price_ask"], split).format(**_slots(item))
        reply = rng.choice(lists["price_reply"]).format(**_slots(item))
        facts.append((say + ("" if say.endswith(".") else "."), ask, item["price"], reply))
    if rng.random() < 0.3:
        item = shop["items"][0]
        say = parts.pick(rng, lists["stock_say"], split).format(**_slots(item)).rstrip(".") + "."
        facts[-1] = (
            upper_first(say),
            parts.pick(rng, lists["stock_ask"], split).format(**_slots(item)),
            str(item["stock"]),
            rng.choice(lists["stock_reply"]).format(**_slots(item)),
        )
    rng.shuffle(facts)
    return facts


def _from_handbook(rng, split):
    """One section of a shop's handbook and a question about it, in the form that _passage() returns."""
    book = handbook.make_handbook(rng, split, size=2)
    section = rng.choice(book["sections"])
    rows = [row for row in book["questions"] if row["section"] == section["id"]]
    inside = [(row["question"], row["gold"]) for row in rows if row["gold"]]
    known = rng.random() >= 0.33
    row = rng.choice([row for row in rows if (row["gold"] is not None) == known])
    answer = row["gold"] or UNKNOWN
    facts = [("", ask, gold, upper_first(gold)) for ask, gold in inside]
    return [section["text"]], row["question"], answer, answer, None, facts


def _slots(item):
    return {"item": item["name"], "price": item["price"], "stock": item["stock"]}


def _passage(rng, split):
    """(sentences, question, short answer, full answer, shop or None, facts told); UNKNOWN if lacking."""
    if rng.random() < 0.3:
        return _from_handbook(rng, split)
    known = rng.random() >= 0.33
    count = rng.choice((1, 2, 3, 3, 4, 5, 6))
    if rng.random() < 0.5:
        opening, facts = lore(rng, split)
        count = min(count, len(facts) - 1)
        inside, outside = facts[:count], facts[count:]
        sentences = [opening, *(upper_first(say) for say, *_ in inside)]
        if not known and rng.random() < 0.3:
            others = lore(rng, split)[1]
            outside = [fact for fact in others if "its" not in fact[1] and " it " not in fact[1]]
        shop = None
    else:
        shop = world.make_shop(rng, split)
        facts = _shop_facts(rng, shop, split)
        inside, outside = facts[:count], facts[count:]
        sentences = [upper_first(say) for say, *_ in inside]
    told = " ".join(sentences)
    asked = {ask for _, ask, *_ in inside}
    outside = [fact for fact in outside if fact[1] not in asked and fact[2] not in told]
    known = known or not outside
    fact = rng.choice(inside if known else outside)
    if not known:
        return sentences, fact[1], UNKNOWN, UNKNOWN, shop, inside
    return sentences, fact[1], fact[2], fact[3], shop, inside


def _wrap(rng, text):
    """The passage between delimiters."""
    marks = ("---", "```", '"""', "###", "***", "doc", "text", "passage", '"')
    mark = rng.choice((*marks, "Text:", "Passage:", "Document:", "Context:", "Notes:", "", ""))
    if mark in ("doc", "text", "passage"):
        return f"<{mark}>{text}</{mark}>" if rng.random() < 0.5 else f"<{mark}>\n{text}\n</{mark}>"
    if mark == '"':
        return f'"{text}"'
    if mark.endswith(":"):
        return f"{mark} {text}" if "\n" not in text and rng.random() < 0.6 else f"{mark}\n{text}"
    return f"{mark}\n{text}\n{mark}" if mark else text


def _lay_out(rng, sentences, shop):
    if rng.random() < 0.15:
        return "\n".join(f"- {line}" for line in sentences)
    if shop and rng.random() < 0.2:
        return "\n".join(sentences)
    return " ".join(sentences)


def _user_prompt(rng, sentences, question, shop, split):
    lists = parts.load("passage")
    kind = "ask_idk" if rng.random() < 0.45 else "ask"
    instruction = parts.pick(rng, lists[kind], split)
    body = _wrap(rng, _lay_out(rng, sentences, shop))
    asked = f"{rng.choice(('Question: ', 'Question: ', 'Q: ', '', ''))}{question}"
    gap = rng.choice(("\n", "\n\n"))
    order = rng.random()
    if order < 0.6:
        prompt = gap.join((instruction, body, asked))
    elif order < 0.75:
        prompt = gap.join((instruction, asked, body))
    elif order < 0.9:
        prompt = gap.join((body, instruction, asked))
    else:
        prompt = gap.join((body, f"{instruction} {question}"))
    return prompt + (f"{gap}Answer:" if asked[0] == "Q" and rng.random() < 0.3 and order < 0.6 else "")


def _page(rng, split):
    """A passage followed by question and answer lines, as running text."""
    sentences, _, _, _, shop, inside = _passage(rng, split)
    text = _lay_out(rng, sentences, shop)
    if shop and rng.random() < 0.4:
        text = f"{shop['name']}, {shop['domain']}\n\n{text}"
    marks = rng.choice((("Q: ", "A: "), ("Question: ", "Answer: "), ("Customer: ", "Shop: ")))
    full = marks[0] == "Customer: " or rng.random() < 0.3
    lines = [
        f"{marks[0]}{ask}\n{marks[1]}{reply if full else _notes.answer_text(short)}"
        for _, ask, short, reply in rng.sample(inside, min(len(inside), rng.choice((1, 2, 2, 3))))
    ]
    if rng.random() < 0.3:
        other = _shop_facts(rng, shop, split) if shop else []
        asked = {ask for _, ask, *_ in inside}
        told = " ".join(sentences)
        other = [fact for fact in other if fact[2] not in told and fact[1] not in asked]
        if other:
            lines.insert(rng.randint(0, len(lines)), f"{marks[0]}{other[0][1]}\n{marks[1]}{UNKNOWN}")
    return text + "\n\n" + "\n".join(lines)


def generate(rng, split):
    """One question about a passage or an everyday note; in about a third of them the text lacks the answer."""
    if rng.random() < 0.5:
        return {"skill": SKILL} | _notes.generate(rng, split)
    sentences, question, short, full, shop, _ = _passage(rng, split)
    if shop and rng.random() < 0.45:
        role = parts.pick(rng, parts.load("passage")["system"], split)
        role = role.format(shop=shop["name"], domain=shop["domain"])
        facts = _lay_out(rng, sentences, shop)
        gap = " " if rng.random() < 0.33 and not facts.startswith("-") else "\n"
        system = role + gap + (facts if rng.random() < 0.8 else _wrap(rng, facts))
        messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
        reply = full
    else:
        messages = [{"role": "user", "content": _user_prompt(rng, sentences, question, shop, split)}]
        reply = _notes.answer_text(short)
    messages.append({"role": "assistant", "content": reply})
    return {"skill": SKILL, "messages": messages, "plain": _page(rng, split), "gold": short}


def _normal(text):
    text = re.sub(r"[^\w$€£%@.:-]", " ", text.lower())
    return " ".join(re.sub(r"[.:-]+(?=\s|$)", " ", text).strip(" .").split())


def holds(reply, gold):
    """True if a short reply contains the answer."""
    short = len(reply.split()) <= len(gold.split()) + MORE
    return short and f" {_normal(gold)} " in f" {_normal(reply)} "


def score(reply, example):
    """1.0 if a short reply contains the answer, or is exactly "I don't know." where the text lacks it."""
    if example["gold"] == UNKNOWN:
        return float(reply.strip() == UNKNOWN)
    return float(holds(reply, example["gold"]) and not repeats(reply, example))
