"""The router of ShopBot: what customers write, by what is wanted. It is fitted on these rows and on nothing else.

Most rows fill a frame of recipe/data/router_requests.yaml, the others are draws of the recipe's generators, from their
training parts. A hash of the frame, or of what a text was drawn from, sets rows aside for dev and test, so no frame
stands in two parts. The course's own shop and ShopBench are not in them.
"""

import hashlib
import random
import re

from course_utils.recipe import pairs, problems, split, stories, world
from course_utils.recipe.data_sets import data_set, lines
from course_utils.recipe.people import a, upper_first
from course_utils.recipe.skills import chat, classify, extract, passage, poem, revise, sql, summary

FILLED = 2  # rows for each training frame with slots; one for each other frame
LONGEST = 240  # characters of a draw
RULES = ("shop_rule", "shop_situation", "house_rule", "house_situation", "same_question", "lore", "entry", "price")


def part_of(frame):
    """The part that a frame belongs to, the same one on every machine: two in nine are for test, one for dev."""
    return ("dev", "test", "test", *("train",) * 6)[hashlib.sha256(frame.encode("utf-8")).digest()[0] % 9]


def _value(rng, slot):
    """A value for a slot; invented names are drawn anew each time."""
    lists = split.load("router_requests")["slots"]
    if slot in lists:
        return rng.choice(lists[slot])
    draws = {
        "order": lambda: rng.choice(("", "", "", "#", "no. ")) + str(rng.randint(1000, 9999)),
        "date": lambda: f"{rng.randint(1, 28)} {rng.choice(lists['month'])}",
        "price": lambda: world.price_text(rng, 31, 240),
        "fee": lambda: world.price_text(rng, 3, 29),
        "town": lambda: world.town(rng),
        "place": lambda: world.invent(rng),
        "item": lambda: f"{world.invent(rng)} {rng.choice(lists['make'])}",
        "name": lambda: world.first_name(rng),
    }
    return draws[slot]()


def filled(rng, frame):
    """A frame with its slots filled; {thing2} is another thing than {thing}."""
    values = {}
    for name in re.findall(r"{(\w+)}", frame):
        while values.get(name) is None or list(values.values()).count(values[name]) > 1:
            values[name] = _value(rng, name.rstrip("23"))
        frame = frame.replace(f"a {{{name}}}", a(values[name])).replace(f"{{{name}}}", values[name])
    return upper_first(frame) if values else frame


def _dressed(rng, text):
    """Some texts with a greeting, with a closing word, in small letters, or without the last mark: all kinds alike."""
    lists, way = split.load("router_requests"), rng.random()
    if "\n" in text or way < 0.6:
        return text
    if way < 0.72:
        return f"{rng.choice(lists['opens'])} {text}"
    if way < 0.82:
        return f"{text} {filled(rng, rng.choice(lists['closes']))}"
    return text.rstrip("?.") if way < 0.9 else text.lower()


def _opening(text):
    """The first three words of a text: texts that begin alike count as one wording."""
    return " ".join(re.findall(r"[a-z]+", text.lower())[:3])


def _said(rng, skill):
    """The first message of a user in a fresh example of a skill's training part, one that needs no system message."""
    while (first := skill.generate(rng, "train")["messages"][0])["role"] != "user":
        pass
    return first["content"]


def _asked(rng, *topics):
    """A customer's message to an invented shop."""
    return upper_first(world.make_request(rng, world.make_shop(rng, size=4), rng.choice(topics)))


def _review(rng, label):
    return world.make_review(rng, world.make_shop(rng, size=4), label, pieces=1)


# Each draw gives a text and what it was drawn from, which sets it aside as the frame does for the others.
def _sum(rng):
    if rng.random() < 0.6:
        found = problems.draw(rng, schema=rng.choice(problems.schemas("train")), filler=rng.random() < 0.3)
    else:
        found = stories.draw(rng)
    return found["question"], str(found["id"])


def _plain(rng):
    way = rng.random()
    if way < 0.2:
        text = _asked(rng, "thanks") if way < 0.08 else _review(rng, "positive")
    elif way < 0.6:
        kind = rng.choice(tuple(split.load("chat")["facts"]))
        asked = chat._ask(rng, "train", chat._question(rng, "train", kind))
        text = asked if way < 0.4 else chat._small_talk(rng, "train")[0]
    else:
        text = _said(rng, rng.choice((classify, extract, passage, poem)))
    return text, _opening(text)


def _manner(rng):
    way = rng.random()
    if way < 0.6:
        text = _asked(rng, "complaint") if way < 0.2 else _review(rng, "negative")
    else:
        text = _said(rng, rng.choice((summary, revise)))
    return text, _opening(text)


def _fact(rng):
    if rng.random() < 0.75:
        found = pairs.pair(rng, kind=rng.choice(RULES))
        return found["query"], found["topic"]
    text = _asked(rng, "opening hours", "size")
    return text, _opening(text)


def _order(rng):
    asked = [one["content"] for one in sql.generate(rng, "train")["messages"] if one["role"] == "user"]
    text = asked[0].splitlines()[-1]
    return text, _opening(text)


DRAWS = {"plain": (_plain, 170), "sum": (_sum, 100), "fact": (_fact, 80), "order": (_order, 25), "manner": (_manner, 90)}


@data_set
def routing_requests():
    """Filled frames, and draws: {"text", "kind", "split"}. No text stands twice."""
    rng, rows, seen = random.Random("routing requests"), [], set()

    def keep(text, kind, part):
        if text not in seen:
            seen.add(text)
            rows.append({"text": text, "kind": kind, "split": part})

    for kind, frames in split.load("router_requests")["frames"].items():
        for frame in frames:
            part = part_of(frame)
            for _ in range(FILLED if part == "train" and "{" in frame else 1):
                text = filled(rng, frame)
                keep(_dressed(rng, text) if part == "train" else text, kind, part)
    for kind, (draw, count) in DRAWS.items():
        goal = len(rows) + count
        while len(rows) < goal:
            text, source = draw(rng)
            if len(text) <= LONGEST:
                keep(text.strip(), kind, part_of(source))
    return {"shopbot/requests.jsonl": lines(rows)}
