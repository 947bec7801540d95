"""Pairs about invented things, goods, persons and words, each with near texts of the same kind."""

import functools

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.pair_rules import joined
from course_utils.recipe.people import a, person, upper_first, word
from course_utils.recipe.skills import _encyclopedia as book
from course_utils.recipe.skills import density, passage


def lore(rng, split, hard):
    """A question about an invented thing: sentences on it, and the same fact of another thing."""
    opening, facts = passage.lore(rng, split)
    facts = [(ask, say) for say, ask, *_ in facts]
    texts = joined(rng, facts[0], facts[1:], hard, widest=2)
    if rng.random() < 0.4:
        texts = [(f"{opening} {text}", topics) for text, topics in texts]
    return facts[0][0], facts[0][0], texts


def entry(rng, split, hard):
    """A question about an encyclopedia: the entry with the answer, and entries of the same kind."""
    entry = book.make_entry(rng, split)
    key = rng.choice(tuple(book.facts_of(entry)))
    query = parts.pick(rng, book.facts_of(entry)[key]["ask"], split).format(x=entry["name"])
    texts = [(" ".join(book.write(rng, split, entry, key, rng.choice(("start", "later")))[0]), (query,))]
    while len(texts) <= hard:
        other = entry if len(texts) == 1 else book.make_entry(rng, split, entry["kind"], entry["base"])
        place = "nowhere" if other is entry else "start"
        texts.append((" ".join(book.write(rng, split, other, key, place)[0]), ()))
    return query, query, texts


@functools.cache
def _needs():
    """Every (group, place in the group, need) of the products."""
    groups = parts.load("rank")["products"]
    return tuple((g, i, need) for g, group in enumerate(groups) for i, row in enumerate(group) for need in row[2:])


def need(rng, split, hard, plain=False):
    """A need in other words (or the name of a product), the product for it and others of its group."""
    groups = parts.load("rank")["products"]
    group, place, query = parts.pick(rng, _needs(), split)
    if plain:
        query = parts.pick(rng, parts.load("rank")["plain_needs"], split).format(p=groups[group][place][0])
    others = rng.sample([row for row in groups[group] if row is not groups[group][place]], min(hard, 3))
    others += [rng.choice(rng.choice([rows for rows in groups if rows is not groups[group]])) for _ in range(hard - 3)]
    texts = []
    for name, text, *_ in (groups[group][place], *others):
        price = f" Price: {rng.randint(4, 90)} euros." if rng.random() < 0.3 else ""
        texts.append((text.format(w=book.coin(rng, split)) + price, (name,)))
    return groups[group][place][0], query, texts


def product(rng, split, hard):
    """The name of a product, the product and others of its group."""
    return need(rng, split, hard, plain=True)


def _told(rng, split, kind):
    """A value of something that a user tells about himself."""
    source = parts.load("chat")["kinds"][kind]
    if source in ("phone", "clock"):
        return world.phone(rng) if source == "phone" else world.clock(rng, 5, 22)
    if "-" in source:
        return str(rng.randint(*map(int, source.split("-"))))
    return person(rng, split) if source == "person" else word(rng, source)


def memory(rng, split, hard):
    """A question about something that a user told earlier, and what else the user told."""
    data, told = parts.load("chat")["facts"], []
    for kind in rng.sample(tuple(data), 3 * hard + 2):
        value = _told(rng, split, kind)
        slots = {"{A}": upper_first(a(value)), "{a}": a(value), "{v}": value, "{V}": upper_first(value)}
        say = parts.pick(rng, data[kind]["say"], split)
        told.append((f"my {kind}", functools.reduce(lambda text, slot: text.replace(*slot), slots.items(), say)))
    kind = told[0][0].removeprefix("my ")
    clash = {"pet": "my pet_name", "pet_name": "my pet", "holiday": "my town", "town": "my holiday"}.get(kind)
    others = [fact for fact in told[1:] if fact[0] != clash]
    return told[0][0], parts.pick(rng, data[kind]["ask"], split), joined(rng, told[0], others, hard)


def article(rng, split, hard):
    """A fact in short and the sentence of an article that tells it at length."""
    article = density.draw_article(rng, split)
    facts = [(f"{article['name']} {fact['verb']}", fact["long"]) for fact in article["facts"]]
    rng.shuffle(facts)
    return facts[0][0], f"{facts[0][0]}.", joined(rng, facts[0], facts[1:], hard, widest=2)


def advice(rng, split, hard):
    """A question how to do something, and a piece of advice; near texts are advice on other things."""
    data = parts.load("outline")
    first = parts.pick(rng, tuple(data["topics"]), split)
    others = [topic for topic in data["topics"] if topic != first and (split == "heldout") >= parts.held_out(topic)]
    topics = [first, *rng.sample(others, hard)]
    query = parts.pick(rng, data["questions"], split).replace("{t}", topics[0])
    lines = [rng.choice(data["topics"][topic]).split(" | ") for topic in topics]
    return topics[0], query, [(f"{cells[0]}. {' '.join(cells[1:])}", (topic,)) for topic, cells in zip(topics, lines)]


def use(rng, split, hard):
    """A task and the thing for it."""
    data = parts.load("words")
    tools = rng.sample(tuple(data["uses"]), hard + 1)
    query = parts.pick(rng, data["asks"]["tool"], split).replace("{y}", data["uses"][tools[0]].replace("your", "my"))
    return tools[0], query, [(f"You use {a(tool)} to {data['uses'][tool]}.", (tool,)) for tool in tools]
