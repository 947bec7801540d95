"""What stands in the slots of the staff's talks: goods, orders, sums and towns that nobody has heard of."""

import re

from course_utils.recipe import strange, world
from course_utils.recipe import split as parts

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
SOUNDS_AN = re.compile(r"[AEFHILMNORSX](?=[^a-z]|$)")  # a letter that is spoken by its name, as in "an MX 40"


def product(rng, thing):
    """A product that takes "the" or "a" before it; some names end in the thing that it is."""
    kind = rng.random()
    if kind < 0.15:
        return world.invent(rng, capital=False)
    if kind < 0.4:
        return f"{world.invent(rng) if rng.random() < 0.7 else strange.with_capitals(strange.two_words(rng))} {thing}"
    return strange.name(rng)


def order(rng):
    """An order number in one of several layouts."""
    digits = str(rng.randint(1000, 999_999))
    letters = "".join(rng.choices("ABCDEFGHJKLMNPRTVWXZ", k=2))
    return rng.choice((digits, digits, f"#{digits}", f"{letters}-{digits}", f"{letters[0]}{digits}", f"{digits}-{letters[0]}"))


def values(rng, split, shop, item, named):
    """A value for each slot; `named` is how often {i} has a name instead of a plain word."""
    low, (day, other) = rng.randint(2, 30), rng.sample(DAYS, 2)
    thing = item["thing"]
    called = rng.choice((item["name"], product(rng, thing))) if rng.random() < named else thing
    first, second = (rng.choice((4, 40, 400)) for _ in range(2))
    found = {"i": called, "n": str(low), "m": str(low + rng.randint(1, 30)), "d": day, "e": other}
    found["k"] = str(rng.randint(1, 12))
    found |= {"o": order(rng), "t": shop["city"], "f": world.invent(rng), "x": strange.name(rng)}
    found |= {"p": product(rng, thing), "c": rng.choice(parts.load("world_goods")["colours"])}
    found |= {"a": _sum(rng, shop, first), "w": _first_name(rng, split)}
    rivals = {
        "q": lambda: product(rng, thing),
        "b": lambda: _sum(rng, shop, second),
        "s": lambda: _first_name(rng, split),
    }
    for slot, other in (("q", "p"), ("b", "a"), ("s", "w")):
        found[slot] = next(value for value in iter(rivals[slot], None) if value != found[other])
    return found


def _sum(rng, shop, low):
    return shop["currency"].format(world.price_text(rng, low, low * 9))


def _first_name(rng, split):
    return world.invent(rng) if rng.random() < 0.4 else world.first_name(rng, split)


def fill(text, found):
    """The text with its slots filled, "an" where "a" stands before a word that asks for it."""
    text = re.sub(r"\b([Aa]) \{(\w)\}", lambda slot: slot[1] + article(found[slot[2]])[1:], text)
    return re.sub(r"\{(\w)\}", lambda slot: found[slot[1]], text).strip()


def article(word):
    """The word with "a" or "an" before it, as it is spoken."""
    return f"an {word}" if SOUNDS_AN.match(word) else world.article(word)
