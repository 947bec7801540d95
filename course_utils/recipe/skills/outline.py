"""Skeleton of thought: the outline of an answer, one point written out, and the whole answer."""

import functools
import re

from course_utils.recipe import split as parts
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills._echo import repeats

SKILL = "outline"
NUMBERS = ("three", "four", "five", "six")
LONGEST = 40
LEANING = ("It ", "That ", "Then ", "Otherwise ", "They ", "This ", "Them ", "Some ", "There ")
COMMON = frozenset(
    "the and for are was not you has its can who how why may any all one two out off but about after again also always"
    " away before down each enough even every from good have into just keep last look make"
    " many more most much must never often only other over same should some soon take than that their them then there"
    " they this time very want what when where which will with your does need would like well gives give".split()
)


@functools.lru_cache(maxsize=None)
def _topics(split):
    """The topics of one part with their points: ((topic, ((point, sentences), ...)), ...)."""
    rows = []
    for topic, lines in parts.load("outline")["topics"].items():
        if parts.held_out(topic) == (split == "heldout"):
            cells = [line.split(" | ") for line in lines]
            rows.append((topic, tuple((point, tuple(sentences)) for point, *sentences in cells)))
    return tuple(rows)


@functools.lru_cache(maxsize=None)
def _content(text):
    """The words of a text that carry sense, without endings."""
    words = re.findall(r"[a-z]+", text.lower())
    return frozenset(re.sub(r"(ing|ed|es|s|e)$", "", word) for word in words if len(word) > 2 and word not in COMMON)


def _numbered(lines):
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def _draw(rng, split):
    """A topic, a question about it, some of its points in their order, and all of its points."""
    topic, points = rng.choice(_topics(split))
    question = parts.pick(rng, parts.load("outline")["questions"], split).replace("{t}", topic)
    count = rng.randint(3, min(6, len(points)))
    chosen = [points[place] for place in sorted(rng.sample(range(len(points)), count))]
    return topic, question, chosen, points


def _fill(rng, text, question, chosen, place):
    """An instruction with the question, the outline and the point put in."""
    word = NUMBERS[len(chosen) - 3]
    number = word if rng.random() < 0.5 else str(len(chosen))
    values = {
        "{q}": question,
        "{n}": number,
        "{N}": upper_first(number),
        "{d}": str(len(chosen)),
        "{o}": _numbered(point for point, _ in chosen),
        "{k}": str(place + 1),
        "{p}": chosen[place][0],
    }
    for slot, value in values.items():
        text = text.replace(slot, value)
    return text


def _detail(rng, sentences):
    """One sentence of a point that can stand alone."""
    return rng.choice([said for said in sentences if not said.startswith(LEANING)] or sentences)


def _reply(rng, kind, chosen, place):
    if kind == "outline":
        return _numbered(point for point, _ in chosen)
    if kind == "full":
        return _numbered(f"{point}: {_detail(rng, sentences)}" for point, sentences in chosen)
    sentences = chosen[place][1][:2]
    return sentences[0] if rng.random() < 0.15 else " ".join(sentences)


def _plain(rng, split):
    """A page of advice: a title, and points with their sentences."""
    topic, question, chosen, _ = _draw(rng, split)
    title = rng.choice(parts.load("outline")["titles"]).replace("{t}", topic).replace("{T}", upper_first(topic))
    if rng.random() < 0.3:
        title = question
    style = rng.random()
    if style < 0.3:
        outline = _numbered(point for point, _ in chosen)
        return "\n\n".join([title, outline, *(f"{point}. {' '.join(said)}" for point, said in chosen)])
    if style < 0.6:
        return f"{title}\n" + _numbered(f"{point}: {_detail(rng, said)}" for point, said in chosen)
    if style < 0.8:
        return f"{title}\n\n" + "\n\n".join(f"{point}\n{' '.join(said)}" for point, said in chosen)
    return f"{title}\n" + " ".join(f"{point}. {' '.join(said)}" for point, said in chosen)


def generate(rng, split):
    """One outline, one point of an outline written out, or one whole answer in points."""
    lists = parts.load("outline")
    _, question, chosen, points = _draw(rng, split)
    kind = rng.choices(("outline", "expand", "full"), (40, 40, 20))[0]
    place = rng.randrange(len(chosen))
    messages = []
    if kind == "expand" and rng.random() < 0.25:
        ask = _fill(rng, parts.pick(rng, lists["outline"], split), question, chosen, 0)
        messages = [
            {"role": "user", "content": ask},
            {"role": "assistant", "content": _reply(rng, "outline", chosen, 0)},
        ]
        wording = parts.pick(rng, lists["again"], split)
    else:
        wording = parts.pick(rng, lists[kind], split)
    messages.append({"role": "user", "content": _fill(rng, wording, question, chosen, place)})
    reply = _reply(rng, kind, chosen, place)
    messages.append({"role": "assistant", "content": reply})
    return {
        "skill": SKILL,
        "messages": messages,
        "plain": _plain(rng, split),
        "gold": reply,
        "kind": kind,
        "question": question,
        "chosen": chosen,
        "place": place,
        "points": points,
    }


def _score_list(reply, example, least):
    """1.0 if the lines are as many as asked for, distinct, on the topic and of at least `least` words."""
    lines = [re.sub(r"^\s*\d+[.)]\s*", "", line).strip() for line in reply.strip().split("\n")]
    known = _content(example["question"])
    titles = {point.lower() for point, _ in example["points"]}
    known = known.union(*(_content(f"{point} {' '.join(said)}") for point, said in example["points"]))
    right = (
        len(lines) == len(example["chosen"])
        and len({line.lower() for line in lines}) == len(lines)
        and all(least <= len(line.split()) <= LONGEST for line in lines)
        and all(line.lower() in titles or _content(line) & known for line in lines)
    )
    return float(right)


def _score_point(reply, example):
    """1.0 if a short reply says something new and shares two content words with its point, not more with another."""
    found = _content(reply)
    shared = [len(found & _content(f"{point} {' '.join(said)}")) for point, said in example["chosen"]]
    mine = shared[example["place"]]
    new = found - _content(f"{example['question']} {' '.join(point for point, _ in example['chosen'])}")
    return float(len(reply.split()) <= LONGEST and mine >= 2 and mine == max(shared) and len(new) >= 1)


def score(reply, example):
    """1.0 for a list of the right length and topic, or for a text about the point asked for."""
    if repeats(reply, example):
        return 0.0
    if example["kind"] == "expand":
        return _score_point(reply, example)
    return _score_list(reply, example, 1 if example["kind"] == "outline" else 5)
