"""Composed word problems: start facts, events and a question are drawn one by one and put together.

This module draws the structure; story_world.py its numbers, story_parts.py and story_text.py its sentences.
"""

import functools
import itertools
import math
import random

from course_utils.recipe import split, story_parts, story_text
from course_utils.recipe.story_world import EVENTS, World

STARTS = ("told", "packs", "parts")
SECONDS = ("told2", "more", "fewer", "twice", "half")
ASKED = ("end", "need", "share", "groups", "value")
WEIGHTS = {"told": 3, "packs": 1.5, "gain": 4, "lose": 4, "packs_gain": 1.5, "each_lose": 1.5, "transfer": 2}
LABELS = {"told": "known", "end": "now"}
LENGTHS = (0.45, 0.27, 0.18, 0.10)
SHARES = {"end": 18, "start": 4, "change": 4, "need": 3, "share": 2, "groups": 2, "value": 2, "total": 4, "diff": 4}


def name(structure):
    """The id of a structure: its start, its events and what is asked."""
    start, second, events, asked = structure
    start, asked = LABELS.get(start, start), LABELS.get(asked, asked)
    return "story " + "+".join(filter(None, (start, second, *events, asked)))


@functools.lru_cache(maxsize=None)
def _known_structures():
    return tuple(_all_structures())


def _all_structures():
    for length in range(5):
        for events in itertools.product(EVENTS, repeat=length) if length < 4 else ():
            yield from ((start, "", events, asked) for start in STARTS for asked in ASKED)
            if length:
                yield "some", "", events, "start"
        simple = itertools.product(("gain", "lose"), repeat=length) if 0 < length < 4 else ()
        for events in simple:
            for at in range(length):
                yield "told", "", (*events[:at], events[at] + "?", *events[at + 1 :]), "change"
        kinds = ("gain", "lose", "gain2", "lose2", "transfer", "transfer2")
        for events in itertools.product(kinds, repeat=length) if length < 3 else ():
            for start, second, asked in itertools.product(STARTS, SECONDS, ("end", "end2", "total", "diff")):
                yield start, second, events, asked


@functools.lru_cache(maxsize=None)
def structures(part, base):
    """All structures of one part that the sentences of a base can tell: {operations: {asked: list}}."""
    found = {}
    for structure in _known_structures():
        if split.held_out(name(structure)) != (part == "heldout") or not story_parts.can_tell(base, structure):
            continue
        length = _operations(structure)
        if 1 <= length <= 4:
            asked = structure[3].rstrip("2")
            found.setdefault(length, {}).setdefault(asked, []).append(structure)
    return {length: {kind: _weighted(items) for kind, items in kinds.items()} for length, kinds in found.items()}


@functools.lru_cache(maxsize=None)
def _operations(structure):
    """How many operations a structure takes; 0 where a part of it does not matter for the answer."""
    world = _world(random.Random(0), structure)
    return len(world.steps) if world and world.prune() else 0


def _weighted(items):
    """The structures with their cumulated weights: everyday ones come more often."""
    weights = [math.prod(WEIGHTS.get(part.rstrip("2?"), 1) for part in (item[0], *item[2])) for item in items]
    return items, list(itertools.accumulate(weights))


def _world(rng, structure, **sizes):
    for _ in range(60):
        try:
            return World(rng, structure, **sizes)
        except ValueError:
            continue
    return None


def draw(rng, part="train", low=None, high=None):
    """One composed problem, a dict as problems.draw gives it; held-out structures come only with "heldout"."""
    while True:
        domain = story_parts.draw_domain(rng)
        choices = structures(part, domain["base"])
        length = rng.choices((1, 2, 3, 4), LENGTHS)[0]
        if length not in choices:
            continue
        asked = sorted(choices[length])
        kind = rng.choices(asked, [SHARES[one] for one in asked])[0]
        found, weights = choices[length][kind]
        structure = rng.choices(found, cum_weights=weights)[0]
        if structure[0] == "parts" and not (domain.get("color") or domain["base"] in story_parts.MONEY):
            continue
        scale = story_parts.draw_scale(rng, domain)
        world = _world(rng, structure, scale=scale, low=low, high=high)
        if world:
            world.prune()
            return story_text.tell(rng, part, domain, world) | {"id": name(structure)}
