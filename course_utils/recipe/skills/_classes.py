"""Tasks of classification that need no shop: words, numbers, nonsense, forms of sentences, tenses and spelling."""

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import rewrite


def _words(rng):
    lists = parts.load("classify")["words"]
    names = sorted(lists)
    classes = rng.sample(names, rng.choice((2, 2, 3, 4)))
    if rng.random() < 0.2:
        target = classes[0]
        others = [name for name in names if name != target]
        return [target, f"not {target}"], lambda label, side: parts.pick(
            rng, lists[target if label == target else rng.choice(others)], side
        )
    return classes, lambda label, side: parts.pick(rng, lists[label], side)


def _numbers(rng):
    """Even or odd, small or large, in digits."""
    size = rng.choice((10, 100, 1000))
    if rng.random() < 0.6:
        return ["even", "odd"], lambda label, side: str(2 * rng.randrange(1, size) + (label == "odd"))
    edge = rng.choice((50, 100, 500))
    return ["small", "large"], lambda label, side: str(
        rng.randint(1, edge // 2) if label == "small" else rng.randint(edge * 2, edge * 20)
    )


def _nonsense(rng):
    """Invented words told apart by their ending or their first letters."""
    pieces = ("ko", "mi", "zun", "dar", "pel", "oss", "ita", "une", "ag", "eth")
    ends = rng.sample(pieces, rng.choice((2, 2, 3)))
    in_front = rng.random() < 0.3
    labels = [f"{world.invent(rng, capital=False)[:6]}" for _ in ends]
    if len(set(labels)) < len(labels):
        labels = ["first", "second", "third"][: len(ends)]
    piece = dict(zip(labels, ends))

    def draw(label, side):
        stem = world.invent(rng, capital=False)[: rng.randint(2, 5)]
        return piece[label] + stem if in_front else stem + piece[label]

    return labels, draw


def _forms(rng):
    """Questions, statements, commands and exclamations."""
    labels = rng.sample(("question", "statement", "command", "exclamation"), rng.choice((2, 2, 3, 4)))

    def draw(label, side):
        if label == "command":
            return rewrite._pair(rng, side, "polite")[0]
        source, forms = rewrite._forms(rng, side)
        return {"question": forms["question"], "statement": source, "exclamation": forms["excited"]}[label]

    return labels, draw


def _tenses(rng):
    """Past, present and future; or with and without "not"."""
    pair = rng.choice((["past", "future"], ["past", "present"], ["past", "present", "future"], ["yes", "no"]))

    def draw(label, side):
        source, forms = rewrite._forms(rng, side)
        while forms["past"] == source:  # "They cut the bread." may be both
            source, forms = rewrite._forms(rng, side)
        return {"past": forms["past"], "future": forms["future"], "no": forms["negative"]}.get(label, source)

    return (["with not", "without not"] if pair[0] == "yes" else pair), lambda label, side: draw(
        {"with not": "no", "without not": "yes"}.get(label, label), side
    )


def _spelling(rng):
    """Short and long words, or words by their first letter."""
    lists = parts.load("classify")["words"]
    words = [word for name in sorted(lists) for word in lists[name] if word.isalpha() and word.islower()]
    if rng.random() < 0.5:
        groups = {"short": [w for w in words if len(w) < 5], "long": [w for w in words if len(w) > 7]}
    else:
        groups = {letter.upper(): [w for w in words if w[0] == letter] for letter in rng.sample("abcdfghlmprst", 2)}
    return list(groups), lambda label, side: parts.pick(rng, tuple(groups[label]), side)


def glossary(rng):
    """A page on words and their classes; it holds the words set aside, too."""
    lists, lines = parts.load("classify")["words"], []
    way = rng.randrange(3)
    for name in rng.sample(sorted(lists), rng.randint(2, 5)):
        some = rng.sample(lists[name], rng.randint(3, 8))
        if way == 0:
            lines.append(f"{upper_first(name)}: {', '.join(some)}")
        elif way == 1:
            lines += [f"{word}: {name}" for word in some[:3]]
        else:
            lines.append(f"{upper_first(', '.join(some[:-1]))} and {some[-1]} belong to the group {name}.")
    if way == 1:
        rng.shuffle(lines)
    return "\n".join(lines)


TASKS = {
    "words": _words,
    "number": _numbers,
    "nonsense": _nonsense,
    "form": _forms,
    "tense": _tenses,
    "spelling": _spelling,
}
