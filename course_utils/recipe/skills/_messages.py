"""Everyday messages, reviews and sentences of many voices with their classes, and layouts to ask for the class."""

from course_utils.recipe import split as parts
from course_utils.recipe import strange, world
from course_utils.recipe.people import expand, upper_first
from course_utils.recipe.skills import _classes

KINDS = ("request", "review", "tone", "form", "tense")  # of classify, to which this module adds texts
ASKED, ASKED_WEIGHTS = ("request", "review", "tone", "form", "tense", "negation", "words"), (12, 6, 2, 2, 2, 1, 2)
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def _plural(rng):
    lists = parts.load("messages")
    some = rng.choice(lists["plurals"])
    return some if rng.random() < 0.6 else f"{world.invent(rng)} {some}"


def fill(rng, text, shop):
    """The text with all its slots and alternatives filled; things have strange names half of the time."""
    values = world.slots(rng, shop)
    name = strange.name(rng) if rng.random() < 0.7 else f"{world.invent(rng)} {values['thing']}"
    values |= {"product": world.invent(rng), "things": _plural(rng)}
    values |= {"n": rng.randint(2, 9), "time": world.clock(rng, 8, 19)}
    if rng.random() < 0.5:
        values |= {"thing": name, "a_thing": world.article(name)}
    if rng.random() < 0.2:
        values["item"] = strange.name(rng)
    days = [day for day in parts.load("world_goods")["days"] if day != values["day"]]
    return expand(rng, text).format(**values, day2=rng.choice(days))


def message(rng, kind, label, shop, split):
    """A text of a class; a customer's message sometimes has a greeting or a name below it."""
    lists = parts.load("messages")
    text = parts.pick(rng, lists[kind][label], split)
    greets = text.lower().startswith(("dear", "hi ", "hi,", "hello", "good morning", "i am {name}", "to {name}"))
    if kind == "request" and not greets and rng.random() < 0.15:
        text = f"{rng.choice(lists['openings'])} {text}"
    if kind == "request" and rng.random() < 0.12:
        text = f"{text} {rng.choice(lists['closings'])}"
    text = fill(rng, text, shop)
    way = rng.random()
    if kind in ("request", "review") and way < 0.08:
        return text.lower() if way < 0.03 else text.rstrip(".?!")
    return text


def _known(rng, kind, label, shop, split):
    """A text of the older, plainer lists, or None where there are none."""
    if kind == "request":
        return world.make_request(rng, shop, label, split)
    if kind == "review" and label != "neutral":
        return world.make_review(rng, shop, label, split, pieces=1)
    return world.make_reply(rng, shop, label, split=split) if kind == "tone" else None


def _classes_of(rng, kind, most):
    """Two to `most` classes of a kind in random order."""
    names = list(parts.load("messages")[kind])
    if kind == "review" and (most < 6 or rng.random() < 0.75):
        names.remove("neutral")
        return rng.sample(names, 2)
    return rng.sample(names, rng.randint(2, min(most, len(names))))


def task(rng, kind, split, most=4):
    """Labels of a task, and a function drawing a text for a label and a side."""
    if kind == "words":
        return _classes.TASKS["words"](rng)
    shop = world.make_shop(rng, split, size=4)
    return _classes_of(rng, kind, most), lambda label, side: message(rng, kind, label, shop, side)


def _shown(rng, kind, labels):
    """The labels as the question writes them: sometimes other words for them, sometimes capitals."""
    names = parts.load("messages")["label_names"].get(kind)
    shown = list(labels)
    if names and rng.random() < 0.25:
        number = rng.randrange(min(len(names[label]) for label in labels))
        shown = [names[label][number] for label in labels]
    way = rng.random()
    return [name.upper() if way < 0.04 else upper_first(name) if way < 0.14 else name for name in shown]


def _either(rng, labels):
    """The labels in a row with "or"."""
    labels = [f'"{label}"' for label in labels] if rng.random() < 0.08 else labels
    way = rng.random()
    if way < 0.12:
        return " or ".join(labels)
    return ", ".join(labels[:-1]) + (", or " if way < 0.24 and len(labels) > 2 else " or ") + labels[-1]


def _row(rng, labels):
    """The labels in a row without "or"."""
    way = rng.random()
    if way < 0.12:
        return ", ".join(labels[:-1]) + " and " + labels[-1]
    if way < 0.25:
        return ", ".join(f'"{label}"' for label in labels)
    return rng.choice((", ", ", ", ", ", " / ", "; ")).join(labels)


def _layout(rng, kind, split):
    lists = parts.load("messages")
    own = {"request": "topic_layouts", "review": "sentiment_layouts"}.get(kind)
    return parts.pick(rng, lists[own if own and rng.random() < 0.35 else "layouts"], split)


def ask(rng, nouns, split):
    """A question for the class of one text in one of the layouts: kind, prompt, labels as shown, the right one."""
    kind = rng.choices(ASKED, ASKED_WEIGHTS)[0]
    labels, draw = task(rng, kind, split, most=6)
    gold = rng.choice(labels)
    text = draw(gold, split)
    if rng.random() < 0.25:
        text = _known(rng, kind, gold, world.make_shop(rng, split, size=4), split) or text
    shown = _shown(rng, kind, labels)
    noun, aspect = rng.choice(nouns.get(kind, nouns["tense"])), rng.choice(parts.load("messages")["aspects"][kind])
    prompt = _layout(rng, kind, split).format(
        text=text,
        labels=_either(rng, shown),
        list=_row(rng, shown),
        bullets="\n".join(f"- {name}" for name in shown),
        number=NUMBERS[len(shown)],
        noun=noun,
        Noun=upper_first(noun),
        a_noun=world.article(noun),
        aspect=aspect,
        Aspect=upper_first(aspect),
        tag=rng.choice((noun, noun, "text", "input")),
        n=rng.randint(1, 400),
    )
    return kind, prompt, shown, shown[labels.index(gold)]
