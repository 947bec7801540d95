"""Zero- to eight-shot classification with meaningful labels or arbitrary ones that only examples explain.

Held-out questions ask for words that no training question asks for; that an owl is an animal stands in plain pages
of training, since nobody can guess the class of a word never seen.
"""

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.skills import _classes, _messages

SKILL = "classify"
SHOTS, SHOT_WEIGHTS = range(9), (6, 2, 4, 1, 4, 1, 1, 1, 3)
NOUNS = {
    "review": ("review", "text", "sentence", "comment", "opinion"),
    "request": ("message", "text", "request", "mail"),
    "words": ("word", "item", "text", "input"),
    "number": ("number", "input", "item"),
    "nonsense": ("word", "input", "item"),
    "tone": ("reply", "text", "sentence", "message"),
    "form": ("sentence", "text", "line", "input"),
    "tense": ("sentence", "text", "line", "input"),
    "spelling": ("word", "input", "item"),
}
ASKED = 0.35  # the share of single questions in the layouts of _messages
OPEN, CLOSE = "\x01", "\x02"  # stand around the label of each solved example until the prompt is complete
KINDS, KIND_WEIGHTS = tuple(NOUNS), (8, 6, 6, 2, 2, 2, 2, 2, 1)


def _task(rng, kind, split):
    """The meaningful labels of a task, and a function drawing an input for a label and a side."""
    if kind in _classes.TASKS:
        return _classes.TASKS[kind](rng)
    shop = world.make_shop(rng, split, size=4)
    if kind == "review":
        return list(world.LABELS), lambda label, side: world.make_review(
            rng, shop, label, side, pieces=rng.choice((1, 1, 1, 2))
        )
    if kind == "tone":
        return ["polite", "rude"], lambda label, side: world.make_reply(rng, shop, label, split=side)
    topics = rng.sample(world.TOPICS, rng.choice((2, 3, 4, 4)))
    return topics, lambda label, side: world.make_request(rng, shop, label, side)


def _any_task(rng, kind, split):
    """Like _task; half of the texts of customers, tones and sentences come from the lists of many voices."""
    if kind not in _messages.KINDS or rng.random() < 0.5:
        return _task(rng, kind, split)
    return _messages.task(rng, "negation" if kind == "tense" and rng.random() < 0.3 else kind, split)


def _arbitrary(rng, count):
    """Labels without a meaning: letters, digits, short words or invented pieces."""
    lists = parts.load("classify")
    way = rng.random()
    if way < 0.2:
        return ["A", "B", "C", "D"][:count]
    if way < 0.4:
        return rng.sample(lists["letters"], count)
    if way < 0.75:
        return rng.sample(lists["label_words"], count)
    labels = []
    while len(labels) < count:
        label = world.invent(rng, capital=False)[: rng.randint(3, 6)]
        if label not in labels:
            labels.append(label)
    return labels


def _examples(rng, labels, draw, count):
    """`count` different (input, label) pairs; the first ones cover every label when there are enough."""
    order = []
    while len(order) < count:
        order += rng.sample(labels, len(labels)) if rng.random() < 0.8 else [rng.choice(labels)]
    pairs, seen = [], set()
    for label in order[:count]:
        for _ in range(20):
            text = draw(label, "train")
            if text not in seen:
                break
        seen.add(text)
        pairs.append((text, label))
    rng.shuffle(pairs)
    return pairs


def _name_labels(rng, labels):
    labels = rng.sample(labels, len(labels))
    way = rng.random()
    if way < 0.5:
        return ", ".join(labels[:-1]) + " or " + labels[-1]
    if way < 0.75:
        return ", ".join(labels)
    if way < 0.9:
        return "/".join(labels)
    return ", ".join(f'"{label}"' for label in labels[:-1]) + f' or "{labels[-1]}"'


def _form(rng, kind, meaningful):
    lists = parts.load("classify")
    own = {"review": "review_forms", "request": "request_forms"}.get(kind)
    if own and meaningful and rng.random() < 0.6:
        return rng.choice(lists[own]).replace("|", "\n")
    while True:
        form = rng.choice(lists["forms"])
        if ("Review" not in form or kind == "review") and ("Topic" not in form or kind == "request"):
            return form.replace("|", "\n")


def _instruction(rng, kind, labels, named, meaningful, split):
    lists = parts.load("classify")
    if not named:
        return parts.pick(rng, lists["examples"], split)
    group = {"review": "sentiment", "request": "topic"}.get(kind)
    wordings = lists[group] if meaningful and group and rng.random() < 0.4 else lists["meaningful"]
    names = _name_labels(rng, labels)
    return parts.pick(rng, wordings, split).format(noun=rng.choice(NOUNS[kind]), labels=names)


def _set_up(rng, split):
    """Kind of task, labels as shown, the pairs with the asked one last, whether the labels mean something."""
    kind = rng.choices(KINDS, KIND_WEIGHTS)[0]
    shots = rng.choices(SHOTS, SHOT_WEIGHTS)[0]
    labels, draw = _any_task(rng, kind, split)
    meaningful = kind != "nonsense" and rng.random() < 0.5
    if not meaningful:
        shots = shots if shots > 1 or rng.random() < 0.04 else rng.choice((2, 4, 4, 6, 8, 8))
        if shots and shots < len(labels):
            shots = len(labels)
    if kind in ("review", "request", "tone") and shots > 6 and rng.random() < 0.3:
        shots = 6
    pairs = _examples(rng, labels, draw, shots)
    asked = rng.choice(labels)
    for _ in range(20):
        text = draw(asked, split)
        if all(text != other for other, _ in pairs):
            break
    shown = labels if meaningful else _arbitrary(rng, len(labels))
    name = dict(zip(labels, shown))
    return kind, shown, [(x, name[y]) for x, y in pairs] + [(text, name[asked])], meaningful


def _prompt(rng, kind, labels, pairs, meaningful, split):
    form = _form(rng, kind, meaningful)
    seen = {y for _, y in pairs[:-1]}
    named = seen != set(labels) or rng.random() < (0.75 if meaningful else 0.45)
    instruction = _instruction(rng, kind, labels, named, meaningful, split)
    if len(pairs) == 1 and rng.random() < 0.5:
        text = pairs[0][0]
        return f"{instruction}\n\n{text}" if rng.random() < 0.6 else f'{instruction}\n"{text}"'
    lines = [form.format(x=x, y=f"{OPEN}{y}{CLOSE}") for x, y in pairs[:-1]]
    lines.append(form.format(x=pairs[-1][0], y="").rstrip(" )"))
    gap = "\n\n" if "\n" in form and rng.random() < 0.5 else "\n"
    body = gap.join(lines)
    return body if not named and rng.random() < 0.3 else f"{instruction}\n\n{body}"


def _parts(prompt):
    """The prompt as (text, is it the label of a solved example) pairs; a label keeps the space before it."""
    found = []
    for piece in prompt.split(OPEN):
        label, _, rest = piece.rpartition(CLOSE)
        if label:
            before = found.pop()[0]
            found += [(before.removesuffix(" "), False), (" " * before.endswith(" ") + label, True)]
        found.append((rest, False))
    return found


def _page(rng, split):
    """A page of solved examples, or of words with their classes, as running text."""
    if rng.random() < 0.25:
        return _classes.glossary(rng)
    kind = rng.choices(KINDS, KIND_WEIGHTS)[0]
    labels, draw = _any_task(rng, kind, split)
    meaningful = kind != "nonsense" and rng.random() < 0.5
    pairs = _examples(rng, labels, draw, rng.randint(3, 10))
    shown = dict(zip(labels, labels if meaningful else _arbitrary(rng, len(labels))))
    form = _form(rng, kind, meaningful)
    gap = "\n\n" if "\n" in form and rng.random() < 0.5 else "\n"
    body = gap.join(form.format(x=x, y=shown[y]) for x, y in pairs)
    if rng.random() < 0.35:
        titles = parts.load("classify")["review_titles" if kind == "review" else "titles"]
        body = rng.choice(titles).format(shop=world.invent(rng), page=rng.randint(1, 90)) + "\n\n" + body
    return body


def _asked(rng, split):
    """An example without solved ones, in a layout of its own."""
    kind, prompt, labels, gold = _messages.ask(rng, NOUNS, split)
    return {
        "skill": SKILL,
        "messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": gold}],
        "parts": [(prompt, False)],
        "plain": _page(rng, split),
        "gold": gold,
        "shots": 0,
        "meaningful": True,
        "kind": kind,
        "floor": 1 / len(labels),
    }


def generate(rng, split):
    """One classification example; the reply is the bare label."""
    if rng.random() < ASKED:
        return _asked(rng, split)
    kind, labels, pairs, meaningful = _set_up(rng, split)
    pieces = _parts(_prompt(rng, kind, labels, pairs, meaningful, split))
    prompt = "".join(text for text, _ in pieces)
    gold = pairs[-1][1]
    before = [y for _, y in pairs[:-1]]
    majority = max(labels, key=before.count) if before else None
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": gold}]
    return {
        "skill": SKILL,
        "messages": messages,
        "parts": pieces,
        "plain": _page(rng, split),
        "gold": gold,
        "shots": len(before),
        "meaningful": meaningful,
        "kind": kind,
        "floor": float(majority == gold) if before else 1 / len(labels),
    }


def score(reply, example):
    """1.0 if the reply is the label (case and outer spaces ignored), else 0.0."""
    return float(reply.strip().lower() == example["gold"].strip().lower())
