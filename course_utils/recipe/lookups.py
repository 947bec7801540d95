"""Pages where a thing that was told before is asked again: who reads them well has learned to look back."""

from course_utils.recipe import problems, world
from course_utils.recipe import split as parts

LAYOUTS = (
    "{key} -> {value}",
    "{key}: {value}",
    "{key} = {value}",
    "{key} | {value}",
    "Input: {key}\nOutput: {value}",
    "Q: {key}\nA: {value}",
    "Text: {key}\nLabel: {value}",
    "The {key} is in the {value}.",
    "{key} likes {value}.",
    "[{key}] {value}",
)


def _drawer(rng):
    """A way to draw words of one sort: invented, known, letters, numbers, signs or two words."""
    lexicon = parts.load("lexicon")
    known = lexicon[rng.choice(("thing", "animal", "food", "place"))]
    return rng.choice(
        (
            lambda: problems.invent_word(rng),
            lambda: world.invent(rng, capital=rng.random() < 0.5),
            lambda: rng.choice(known).partition("|")[0],
            lambda: rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            lambda: str(rng.randint(0, 999)),
            lambda: "".join(rng.choices("#*@+%&!?", k=2)),
            lambda: f"{rng.choice(known).partition('|')[0]} {rng.randint(1, 9)}",
        )
    )


def _several(rng, draw, count):
    found = {}
    for _ in range(20 * count):
        found[draw()] = None
        if len(found) == count:
            break
    return list(found)


def page(rng):
    """A list of pairs told in one layout, each two to four times in random order; values may be few labels."""
    keys = _several(rng, _drawer(rng), rng.randint(3, 12))
    labels = _several(rng, _drawer(rng), rng.choice((2, 2, 3, 4, len(keys))))
    value_of = {key: rng.choice(labels) for key in keys}
    layout, gap = rng.choice(LAYOUTS), rng.choice(("\n", "\n", "\n\n"))
    lines = []
    for _ in range(rng.choice((2, 3, 4))):
        lines += [layout.format(key=key, value=value_of[key]) for key in rng.sample(keys, len(keys))]
    return gap.join(lines)
