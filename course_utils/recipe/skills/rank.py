"""Ranking passages: which of some numbered passages answers a question, or whether one passage does."""

import functools

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import _encyclopedia as book

SKILL = "rank"


def _list(name):
    return parts.load("rank")[name]


@functools.lru_cache(maxsize=1)
def _plain_questions():
    """Every (topic, question) of the shop rules in the words of the rules."""
    return tuple((topic, ask) for topic, texts in parts.load("world_facts").items() for ask in texts["ask"])


@functools.lru_cache(maxsize=1)
def _other_questions():
    """Every (topic, question) of the shop rules in other words."""
    return tuple((topic, ask) for topic, asks in _list("shop").items() for ask in asks)


@functools.lru_cache(maxsize=1)
def _needs():
    """Every (group, place in the group, need) of the products."""
    return tuple(
        (number, place, need)
        for number, group in enumerate(_list("products"))
        for place, (_, _, *needs) in enumerate(group)
        for need in needs
    )


def _near(rng, topic, topics):
    """The other topics in random order, most often those close to the asked one first."""
    close = {other for group in _list("near") if topic in group for other in group}
    others = [other for other in topics if other != topic and {topic, other} != {"fee", "free"}]
    rng.shuffle(others)
    return sorted(others, key=lambda other: other not in close) if rng.random() < 0.7 else others


def _shop(rng, split, count):
    """A question about a shop's rules, the passage that answers it and others of the shop."""
    shop = world.make_shop(rng, split, size=1)
    pool = _other_questions() if rng.random() < 0.6 else _plain_questions()
    topic, question = parts.pick(rng, pool, split)
    topics = [topic, *_near(rng, topic, tuple(parts.load("world_facts")))]
    passages = [world.fact_sentence(rng, shop, other) for other in topics[:count]]
    more = rng.sample(topics[count:], count)
    wide = rng.choice((0.0, 0.4, 0.8))
    for i, other in enumerate(more):
        if rng.random() < wide:
            pair = [passages[i], world.fact_sentence(rng, shop, other)]
            passages[i] = " ".join(pair if rng.random() < 0.6 else pair[::-1])
    return question.format(**shop["rules"]), passages


def _product(rng, split, count):
    """A need in other words (or a plain question), the product for it and others, mostly of its kind."""
    number, place, need = parts.pick(rng, _needs(), split)
    groups = _list("products")
    right = groups[number][place]
    if rng.random() < 0.25:
        need = parts.pick(rng, _list("plain_needs"), split).format(p=right[0])
    others = [item for item in groups[number] if item != right]
    rng.shuffle(others)
    far = [rng.choice(groups[other]) for other in rng.sample(range(len(groups)), count) if other != number]
    chosen = ([right, *others, *far] if rng.random() < 0.75 else [right, *far, *others])[:count]
    passages = []
    for _, text, *_ in chosen:
        price = f" Price: {rng.randint(4, 90)} euros." if rng.random() < 0.3 else ""
        passages.append(text.format(w=book.coin(rng, split)) + price)
    return need, passages


def _entry(rng, split, count):
    """A question about an encyclopedia, the entry with the answer and others close to it."""
    entry = book.make_entry(rng, split)
    facts = book.facts_of(entry)
    key = rng.choice(tuple(facts))
    question = upper_first(parts.pick(rng, facts[key]["ask"], split).format(x=entry["name"]))
    passages = [" ".join(book.write(rng, split, entry, key, rng.choice(("start", "later")))[0])]
    if rng.random() < 0.6:
        passages.append(" ".join(book.write(rng, split, entry, key, "nowhere")[0]))
    while len(passages) < count:
        other = book.make_entry(rng, split, entry["kind"] if rng.random() < 0.8 else None, entry["base"])
        passages.append(" ".join(book.write(rng, split, other, key if other["kind"] == entry["kind"] else None)[0]))
    return question, passages


def _case(rng, split):
    """(question, passages), of which the first is the one that answers."""
    count = rng.choice((3, 3, 4, 5))
    return rng.choices((_shop, _product, _entry), weights=(4, 3, 3))[0](rng, split, count)


def _number(rng, passages):
    """Shuffled numbered passages as text, and the number of the first one."""
    order = rng.sample(range(len(passages)), len(passages))
    mark = rng.choice(_list("marks"))
    lines = [mark.format(i=number, p=passages[i]) for number, i in enumerate(order, start=1)]
    return rng.choice(("\n", "\n", "\n\n")).join(lines), order.index(0) + 1


def _page(rng, split):
    """Questions with their passages as running text."""
    question, passages = _case(rng, split)
    if rng.random() < 0.5:
        return f"Question: {question}\nText: {passages[0]}"
    text, best = _number(rng, passages)
    return f"{text}\n\nQuestion: {question}\nBest: {best}"


def generate(rng, split):
    """The number of the best passage, or a yes or no about one passage."""
    question, passages = _case(rng, split)
    if rng.random() < 0.5:
        text, best = _number(rng, passages)
        prompt = parts.pick(rng, _list("best"), split).format(q=question, p=text)
        reply = f"Best: {best}"
    else:
        fits = rng.random() < 0.5
        passage = passages[0 if fits else rng.randrange(1, len(passages))]
        prompt = parts.pick(rng, _list("judge"), split).format(q=question, p=passage)
        reply = "yes" if fits else "no"
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
    return {"skill": SKILL, "messages": messages, "plain": _page(rng, split), "gold": reply}


def score(reply, example):
    """1.0 where the reply is the right number or the right word."""
    return float(reply.strip().rstrip(".").lower() == example["gold"].lower())
