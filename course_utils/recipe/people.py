"""Persons, towns and small joins for the skills that are about talking."""

from course_utils.recipe import split as parts


def made_up(rng):
    """A name nobody has, of two or three syllables, such as "Belori"."""
    syllables = parts.load("talk")["syllables"]
    return parts.decent(lambda: "".join(rng.choices(syllables, k=rng.choice((2, 2, 3))))).capitalize()


def person(rng, split):
    """A first name: mostly a known one, sometimes a made-up one. Held-out names never talk in training."""
    if rng.random() < 0.75:
        return parts.pick(rng, parts.load("talk")["names"], split)
    for _ in range(50):
        name = made_up(rng)
        if parts.held_out(name) == (split == "heldout"):
            return name
    return name


def word(rng, kind):
    """A word of one kind of the list "talk", such as "towns" or "pets"."""
    return rng.choice(parts.load("talk")[kind])


def a(noun):
    """The noun with "a" or "an" before it."""
    if noun.startswith("pair of"):
        return f"a {noun}"
    return f"an {noun}" if noun[0].lower() in "aeio" or noun.startswith(("umb", "ugl")) else f"a {noun}"


def upper_first(text):
    """The text with its first letter in upper case, the rest as it was."""
    return text[:1].upper() + text[1:]


def expand(rng, text):
    """Replace each "[one|two|three]" of a text by one of its parts; a part may be empty."""
    while "[" in text:
        head, _, tail = text.rpartition("[")
        options, _, rest = tail.partition("]")
        text = head + rng.choice(options.split("|")) + rest
    return text
