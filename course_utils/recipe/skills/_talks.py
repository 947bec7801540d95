"""Whole talks between a customer and staff; for all talks the values of their slots and the layout of lines."""

import re

from course_utils.recipe import people, strange, world
from course_utils.recipe import split as parts

SLOT = re.compile(r"(?P<start>^|(?<=[.?!] ))?(?:\b(?P<article>[Aa]) )?\{(?P<name>\w+)\}")


def thing(rng, split, goods):
    """An item of a list of goods, in one case of three with the name of an invented maker or model before it."""
    noun, kind = parts.pick(rng, parts.load("summary")[goods], split), rng.random()
    if kind < 0.2:
        return f"{world.invent(rng, capital=rng.random() < 0.7)} {noun}"
    if kind < 0.27:
        return f"{strange.with_capitals(strange.two_words(rng))} {noun}"
    return f"{strange.code(rng)} {noun}" if kind < 0.33 else noun


def wares(rng):
    """Several goods of one kind, one in three with the name of an invented maker."""
    noun = rng.choice(parts.load("summary")["wares"])
    return f"{world.invent(rng, capital=rng.random() < 0.7)} {noun}" if rng.random() < 0.33 else noun


def _apart(draw, count):
    """Values of which none holds another."""
    found = []
    while len(found) < count:
        value = draw()
        if not any(value.lower() in other.lower() or other.lower() in value.lower() for other in found):
            found.append(value)
    return found


def _times(rng):
    """A time before noon and two later ones."""
    lists = parts.load("summary")
    late = _apart(lambda: world.clock(rng, 13, 19) if rng.random() < 0.5 else rng.choice(lists["times"]), 2)
    return world.clock(rng, 8, 11), *late


def _number(rng):
    return rng.choice(("", "", "A", "B-", "K", "NR-")) + str(rng.randint(100, 99999))


def _dates(rng, months):
    """A date in each month, "3 May" or "May 3"."""
    form = rng.choice(("{0} {1}", "{0} {1}", "{1} {0}"))
    return [form.format(rng.randint(1, 28), month) for month in months]


def values(rng, split, goods):
    """A value for every slot of the talks, the item from the list of goods named."""
    lists, more = parts.load("summary"), parts.load("world_goods")
    found = {slot: rng.choice(lists[key]) for slot, key in lists["simple"].items()}
    days, colours, months = (rng.sample(more[key], size) for key, size in (("days", 3), ("colours", 2), ("months", 2)))
    found |= dict(zip(("A", "B", "w", "z", "w2"), _apart(lambda: people.person(rng, split), 5)))
    found |= dict(zip("ij", _apart(lambda: thing(rng, split, goods), 2)))
    found |= dict(zip(("x", "y", "x2"), _apart(lambda: strange.name(rng), 3)))
    found |= dict(zip("def", days)) | dict(zip("ck", colours)) | dict(zip("st", _times(rng)))
    found |= dict(zip(("v", "v2"), _apart(lambda: world.town(rng), 2)))
    found |= dict(zip(("l", "l2"), _apart(lambda: wares(rng), 2)))
    currency, percent = rng.choice(world.CURRENCIES), rng.choice(("%", " percent"))
    shown = _dates(rng, months)
    return found | {
        "me": found["A"],
        "you": found["B"],
        "job": rng.choice(parts.load("talk")["jobs"]),
        "p": currency.format(world.price_text(rng, 5, 90)),
        "q": currency.format(world.price_text(rng, 91, 480)),
        "q2": currency.format(rng.randrange(20, 205, 5)),
        "h": str(rng.randint(2, 9)),
        "n": str(rng.randint(10, 30)),
        "g": str(rng.randint(31, 240)),
        "o": _number(rng),
        "o2": _number(rng),
        "r": f"{rng.randint(3, 20)}{percent}",
        "r2": f"{rng.randint(21, 40)}{percent}",
        "m": months[0],
        "date": shown[0],
        "date2": shown[1],
        "street": f"{rng.randint(1, 99)} {rng.choice(more['streets'])}",
        "street2": f"{rng.randint(100, 190)} {rng.choice(more['streets'])}",
        "phone": world.phone(rng),
        "size": str(rng.randint(34, 40)),
        "size2": str(rng.randint(41, 48)),
        "no": "",
    }


def fill(text, found):
    """The text with its slots filled: with the right article, in upper case where a sentence begins."""

    def one(match):
        name = match["name"]
        value = found[name] if name in found else people.upper_first(found[name.lower()])
        if match["article"]:
            value = people.a(value)
        first = match["start"] is not None or match["article"] == "A"
        return people.upper_first(value) if first else value

    return SLOT.sub(one, text)


def join(lines, labels, found, form="{0}: {1}"):
    """The lines of a script with labels; lines of one speaker in a row become one."""
    rows = []
    for speaker, text in lines:
        text = fill(text, found)
        if rows and rows[-1][0] == speaker:
            rows[-1][1] += " " + text
        else:
            rows.append([speaker, text])
    return "\n".join(form.format(labels[speaker], text) for speaker, text in rows)


def speakers(rng, found):
    """Two labels for the lines, and the values of the slots as the summary names the two."""
    if rng.random() < 0.4:
        return (found["A"], found["B"]), found
    *labels, shop = rng.choice(parts.load("summary")["speakers"])
    return labels, found | {"A": f"the {labels[0].lower()}", "B": shop}


def layout(rng):
    """How a line is written: mostly "Name: text"."""
    return "{0}: {1}" if rng.random() < 0.75 else rng.choice(parts.load("summary")["layouts"])


def whole(rng, split):
    """A talk that was written in one piece: (lines as [(speaker, text)], sums, keys, values of the slots)."""
    talks = parts.load("summary")["talks"]
    by_start = {talk["lines"]: talk for talk in talks}
    talk = by_start[parts.pick(rng, tuple(by_start), split)]
    texts = people.expand(rng, talk["lines"]).splitlines()
    start = talk.get("turn", 0)
    lines = [((start + place) % 2, text) for place, text in enumerate(texts)]
    sums = [people.expand(rng, said) for said in talk["sum"].splitlines()]
    return lines, sums, talk["keys"], values(rng, split, talk.get("of", "things"))
