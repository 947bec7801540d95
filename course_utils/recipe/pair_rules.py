"""Pairs about the rules and the prices of invented shops, each with near texts of the same shop."""

import functools

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.people import upper_first

SPANS = ("days", "days", "weeks", "working days", "months")


def joined(rng, right, others, hard, widest=3):
    """The right fact and others as [(text, topics)], each text of one to `widest` sentences."""
    width, rest = rng.choice((1, 1, 2, 3)), iter(others)
    found = []
    for start in ([right], *([] for _ in range(hard))):
        facts = start + [fact for fact, _ in zip(rest, range(min(width, widest) - len(start)))]
        rng.shuffle(facts)
        if facts:
            found.append((" ".join(upper_first(say) for _, say in facts), tuple(topic for topic, _ in facts)))
    return found


def _near(rng, topic):
    """The other topics of a shop's rules, often those close to the topic first."""
    close = {other for group in parts.load("rank")["near"] if topic in group for other in group}
    others = [other for other in parts.load("world_facts") if other != topic and {topic, other} != {"fee", "free"}]
    rng.shuffle(others)
    return sorted(others, key=lambda other: other not in close) if rng.random() < 0.7 else others


@functools.cache
def _asked(situations):
    """Every (topic, question) on the rules of shops: in the words of the rules, or as a customer's situation."""
    asks = parts.load("rank")["shop"] if situations else {t: x["ask"] for t, x in parts.load("world_facts").items()}
    return tuple((topic, ask) for topic, texts in asks.items() for ask in texts)


def shop_rule(rng, split, hard, situations=False):
    """A question about a rule of a shop, and sentences of its handbook."""
    topic, ask = parts.pick(rng, _asked(situations), split)
    shop = world.make_shop(rng, split, size=1)
    facts = [(other, world.fact_sentence(rng, shop, other, split)) for other in (topic, *_near(rng, topic))]
    return topic, ask.format(**shop["rules"]), joined(rng, facts[0], facts[1:], hard)


def shop_situation(rng, split, hard):
    """A customer's situation, and sentences of the handbook."""
    return shop_rule(rng, split, hard, situations=True)


def _fill_rule(rng, text, currency):
    """A rule of pairs.yaml with invented values."""
    lists = parts.load("world_goods")
    spans = [f"{rng.randint(2, 30)} {rng.choice(SPANS)}" for _ in range(2)]
    prices = [currency.format(world.price_text(rng, 2, 60)) for _ in range(2)]
    values = dict(d=spans[0], e=spans[1], p=prices[0], q=prices[1], n=rng.randint(2, 12), t=world.clock(rng, 8, 20))
    return text.format(**values, w=rng.choice(lists["days"]), m=rng.choice(lists["months"]), s=world.invent(rng))


def _house(rng, split, hard, form):
    """A question about a house rule; held-out draws ask about topics that training never meets."""
    rules, currency = parts.load("pairs")["rules"], rng.choice(world.CURRENCIES)
    topic = parts.pick(rng, tuple(rules), split)
    ask = parts.pick(rng, rules[topic][form], "train") if split == "train" else rng.choice(rules[topic][form])
    open_to = [other for other in rules if other != topic and (split == "heldout" or not parts.held_out(other))]
    others = rng.sample(open_to, 3 * hard + 2)
    facts = [(other, _fill_rule(rng, rng.choice(rules[other]["say"]), currency)) for other in (topic, *others)]
    return topic, _fill_rule(rng, ask, currency), joined(rng, facts[0], facts[1:], hard)


def house_rule(rng, split, hard):
    """A question in the words of a house rule, and rules of the house."""
    return _house(rng, split, hard, "ask")


def house_situation(rng, split, hard):
    """A customer's situation, and rules of a house."""
    return _house(rng, split, hard, "need")


def price(rng, split, hard):
    """The price or stock of an article, and lines of the catalogue."""
    lists, shop = parts.load("passage"), world.make_shop(rng, split, size=3 * hard + 4)
    style, lines = rng.choice((None, rng.randrange(12))), []
    kind = rng.choice(("price", "price", "stock"))
    for item in shop["items"]:
        say = world.catalogue_line(rng, item, style)
        if kind == "stock":
            say = parts.pick(rng, lists["stock_say"], split).format(item=item["name"], stock=item["stock"])
        lines.append((f"{kind} {item['name']}", say.rstrip(".") + "."))
    query = parts.pick(rng, lists[f"{kind}_ask"], split).format(item=shop["items"][0]["name"])
    return lines[0][0], query, joined(rng, lines[0], lines[1:], hard)


def same_fact(rng, split, hard):
    """Two wordings of one rule of one shop; near texts tell other rules of it."""
    shop = world.make_shop(rng, split, size=1)
    topic = rng.choice(tuple(parts.load("world_facts")))
    facts = [(other, world.fact_sentence(rng, shop, other, split)) for other in (topic, *_near(rng, topic)[:hard])]
    return topic, world.fact_sentence(rng, shop, topic, split), joined(rng, facts[0], facts[1:], hard, widest=1)


def same_question(rng, split, hard):
    """A situation and the plain question for it; near texts ask something else."""
    topic, query = parts.pick(rng, _asked(True), split)
    rules, plain = world.make_shop(rng, split, size=1)["rules"], parts.load("world_facts")
    asks = [(t, parts.pick(rng, plain[t]["ask"], split).format(**rules)) for t in (topic, *_near(rng, topic)[:hard])]
    return topic, query, joined(rng, asks[0], asks[1:], hard, widest=1)
