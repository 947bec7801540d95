"""Names that nobody has heard of, for goods and all else that has one: to be copied, never guessed."""

import re

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.people import upper_first

LETTERS = "ABCDEFGHJKLMNPRTVWXZ"


def two_words(rng):
    """Two common words in small letters, such as "silver heron"."""
    lists = parts.load("strange_names")
    return f"{rng.choice(lists['firsts'])} {rng.choice(lists['seconds'])}"


def with_capitals(text):
    """Every word with a capital: "silver heron" -> "Silver Heron"."""
    return " ".join(map(upper_first, text.split(" ")))


def code(rng):
    """Letters and a number as machines have them, such as "KX 40"."""
    letters = parts.decent(lambda: "".join(rng.choices(LETTERS, k=rng.choice((1, 2, 2, 3)))))
    number = rng.choice((rng.randint(2, 99), rng.randint(2, 99) * 10, rng.randint(100, 9999)))
    return f"{letters}{rng.choice((' ', ' ', '-', ''))}{number}"


def name(rng, codes=True):
    """A name: "Brakadel", "Brakadel Boot", "Silver Heron", "KX 40", "Heron 12", "moss lantern"; `codes` allows "KX 40"."""
    lists, kind = parts.load("strange_names"), rng.random()
    second = rng.choice(lists["seconds"])
    if kind < 0.22:
        return world.invent(rng)
    if kind < 0.4:
        return f"{world.invent(rng)} {upper_first(second) if rng.random() < 0.6 else second}"
    if kind < 0.6:
        return with_capitals(two_words(rng))
    if kind < 0.72:
        other = with_capitals(two_words(rng))
        return f"{other} {rng.choice(lists['more'])}" if rng.random() < 0.5 else f"{world.invent(rng)} {other}"
    if kind < 0.8 and codes:
        return code(rng)
    if kind < 0.88:
        return f"{rng.choice((world.invent(rng), upper_first(second)))} {rng.randint(2, rng.choice((12, 99, 900)))}"
    return two_words(rng) if rng.random() < 0.6 else f"{world.invent(rng, capital=False)} {second}"


def plural(text):
    """The plural of a name that ends with a common word: "silver heron" -> "silver herons"."""
    if re.search(r"(?:s|x|z|ch|sh)$", text):
        return text + "es"
    return text[:-1] + "ies" if re.search(r"[^aeiou]y$", text) else text + "s"
