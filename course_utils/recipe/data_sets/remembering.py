"""Step 4: facts told at a known turn of a talk, corrections, questions in other words, talks to sum up again and again.

A number in `turns` stands for that line of step4/small_talk.jsonl. Everything the user says is a wording that training
never sees, but for the talks of `rounds`, where some kinds of facts have no wording set aside.
"""

import functools
import random
import re
from collections import Counter

from course_utils.metrics import stands_in
from course_utils.recipe import split
from course_utils.recipe.data_sets import data_set, lines
from course_utils.recipe.skills import chat, summary

PLANNED = ("name", "town", "order_number", "order", "day")  # an entity memory has a field for each of these
UNPLANNED = ("job", "hobby", "food", "pet")
ANY = ("name", "town", "order_number", "order", "job", "hobby", "food", "pet", "friend")  # many values each
CLASH = ({"order", "order_number"}, {"pet", "pet_name"}, {"town", "holiday"})  # one question could mean both
UNASKED = ("What do I always eat on my birthday?",)  # what was said does not answer it
ROWS, TURNS, BLOCK = 108, 12, 4
LONG_TURNS, LONG_FACTS = 20, 6
ROUNDS = 5
COMMON = set(
    "a an and are as at can could did do does for from give have i if in is it me mention mine my not of on one or please "
    "remember remind say still tell that the this to told was we what when where which who with you your".split()
)


@functools.lru_cache(maxsize=1)
def small_talk():
    """(said, reply) pairs in wordings set aside; nobody says goodbye in the middle of a talk."""
    rng, pairs = random.Random("small talk of Step 4"), []
    for says, replies in split.load("chat")["talk"]:
        if not any("oodbye" in reply for reply in replies):
            pairs += [(said, rng.choice(replies)) for said in says if split.held_out(said)]
    rng.shuffle(pairs)
    return pairs


def _tell(rng, kind, value, wording=None):
    fact = split.load("chat")["facts"][kind]
    said = chat._fill(wording or split.pick(rng, fact["say"], "heldout"), value)
    return said, chat._fill(rng.choice(fact["ack"]), value)


@functools.lru_cache(maxsize=1)
def trained_questions():
    """Questions that training may ask. A wording set aside can still be one of them: it may equal a filled frame."""
    data = split.load("chat")
    asked = {ask for fact in data["facts"].values() for ask in fact["ask"] if not split.held_out(ask)}
    frames = [frame for frame in data["np_frames"] if not split.held_out(frame)]
    return asked | {frame.replace("{p}", one) for frame in frames for fact in data["facts"].values() for one in fact["np"]}


def _question(rng, kind):
    while (question := chat._question(rng, "heldout", kind)) in {*UNASKED, *trained_questions()}:
        pass
    return question


def _others(rng, kinds, count, taken):
    """`count` kinds that do not clash with each other or with those taken."""
    chosen = list(taken)
    for kind in rng.sample(kinds, len(kinds)):
        clash = any(kind in pair and pair & set(chosen) for pair in CLASH)
        if len(chosen) < len(taken) + count and kind not in chosen and not clash:
            chosen.append(kind)
    return chosen[len(taken) :]


def _talk(rng, told, length):
    """Turns of a talk: what is told at its place, small talk (as numbers) elsewhere. `told` is {turn: (said, reply)}."""
    filler = iter(rng.sample(range(len(small_talk())), length - len(told)))
    return [list(told[turn]) if turn in told else next(filler) for turn in range(length)]


def _texts(turns):
    pairs = small_talk()
    return [" ".join(pairs[turn] if isinstance(turn, int) else turn) for turn in turns]


def _alone(values, turns):
    """Whether each value of {turn: value} stands in its own turn only."""
    texts = _texts(turns)
    return all(
        stands_in(value, text) == (place == turn) for turn, value in values.items() for place, text in enumerate(texts)
    )


@data_set
def talk_lines():
    """Small talk, one pair in each line."""
    return {"step4/small_talk.jsonl": lines([{"said": said, "reply": reply} for said, reply in small_talk()])}


@data_set
def facts():
    """A fact that a user tells, the reply, a note about it and a question; rows 9 apart are of one kind, values never repeat."""
    rng, rows, used = random.Random("facts over a distance"), [], set()
    words = " ".join(_texts(range(len(small_talk()))))
    while len(rows) < ROWS:
        kind = ANY[len(rows) % len(ANY)]
        value = chat._value(rng, "heldout", kind)
        if (kind, value) in used or stands_in(value, words):
            continue
        used.add((kind, value))
        said, reply = _tell(rng, kind, value)
        note = chat._fill(rng.choice(split.load("chat")["third"][kind]), value)
        row = {"kind": kind, "said": said, "reply": reply, "note": note, "question": _question(rng, kind), "gold": value}
        rows.append(row)
    return {"step4/facts.jsonl": lines(rows)}


@data_set
def conversations():
    """Talks of 12 turns with four facts, at least one in each four turns; the asked one stands in each third equally often."""
    rng, rows = random.Random("conversations with four facts"), []
    while len(rows) < ROWS:
        number = len(rows)
        planned = number // 3 % 2 == 0
        asked = (PLANNED if planned else UNPLANNED)[number // 6 % (5 if planned else 4)]
        kinds = [asked, *_others(rng, PLANNED, 1 if planned else 2, [asked])]
        kinds += _others(rng, UNPLANNED, 4 - len(kinds), kinds)
        blocks = [block for block in range(3) if block != number % 3] + [rng.randrange(3)]
        places = [number % 3 * BLOCK + rng.randrange(BLOCK)]
        places += [block * BLOCK + rng.randrange(BLOCK) for block in blocks]
        if len(set(places)) < 4 or len(kinds) < 4:
            continue
        values = {place: chat._value(rng, "heldout", kind) for place, kind in zip(places, kinds)}
        told = {place: _tell(rng, kind, values[place]) for place, kind in zip(places, kinds)}
        turns = _talk(rng, told, TURNS)
        if not _alone(values, turns):
            continue
        row = {"kind": asked, "planned": planned, "distance": TURNS - places[0], "question": _question(rng, asked)}
        rows.append(row | {"gold": values[places[0]], "facts": [values[place] for place in sorted(places)], "turns": turns})
    return {"step4/conversations.jsonl": lines(rows)}


@data_set
def corrections():
    """Talks of 12 turns: a fact in the first four, corrected in the next four, two other facts, then a question."""
    rng, rows = random.Random("corrected facts"), []
    while len(rows) < ROWS:
        kind = PLANNED[len(rows) % len(PLANNED)]
        places = [rng.randrange(BLOCK), BLOCK + rng.randrange(BLOCK), *rng.sample(range(TURNS), 2)]
        if len(set(places)) < 4:
            continue
        kinds = [kind, kind, *_others(rng, PLANNED, 1, [kind])]
        kinds += _others(rng, UNPLANNED, 1, kinds)
        values = {place: chat._value(rng, "heldout", one) for place, one in zip(places, kinds)}
        told = {place: _tell(rng, one, values[place]) for place, one in zip(places, kinds)}
        old, new = values[places[0]], values[places[1]]
        fact = split.load("chat")["facts"][kind]
        told[places[1]] = (chat._correction(rng, "heldout", fact, old, new), told[places[1]][1])
        turns = _talk(rng, told, TURNS)
        if not _alone(values, turns):
            continue
        row = {"kind": kind, "told": places[0], "fixed": places[1], "old": old, "new": new}
        rows.append(row | {"question": _question(rng, kind), "turns": turns})
    return {"step4/corrections.jsonl": lines(rows)}


def content(text):
    """The words of a text that carry meaning, cut to four letters: "name" and "named" are one."""
    return {word[:4] for word in re.findall(r"[a-z]+", text.lower()) if word not in COMMON}


def _both_ways():
    """(kind, wording that shares words with the question, wording that shares none, question), all set aside."""
    data, found = split.load("chat"), []
    for kind, fact in data["facts"].items():
        says = [text for text in fact["say"] if split.held_out(text)]
        asks = [text for text in fact["ask"] if split.held_out(text)]
        asks += [frame.replace("{p}", one) for frame in data["np_frames"] if split.held_out(frame) for one in fact["np"]]
        asks = [ask for ask in dict.fromkeys(asks) if ask not in {*UNASKED, *trained_questions()}]
        bare = {text: content(re.sub(r"\{\w\}", "", text)) for text in says}
        for ask in asks:
            shared = [text for text in says if bare[text] & content(ask)]
            apart = [text for text in says if not bare[text] & content(ask)]
            found += [(kind, one, other, ask) for one in shared for other in apart]
    return found


@data_set
def questions():
    """Talks of 20 turns with six facts; the asked one, in the first 14, is told in the question's words or in other words."""
    rng, rows, choices = random.Random("in the same words and in others"), [], _both_ways()
    counts = Counter(kind for kind, *_ in choices)
    kinds = sorted(kind for kind, count in counts.items() if count > 1)
    while len(rows) < ROWS:
        kind = kinds[len(rows) % len(kinds)]
        _, same, other, question = rng.choice([choice for choice in choices if choice[0] == kind])
        places = [rng.randrange(14)]
        places += rng.sample([turn for turn in range(LONG_TURNS) if turn != places[0]], LONG_FACTS - 1)
        told_kinds = [kind, *_others(rng, sorted(split.load("chat")["facts"]), LONG_FACTS - 1, [kind])]
        values = {place: chat._value(rng, "heldout", one) for place, one in zip(places, told_kinds)}
        told = {place: _tell(rng, one, values[place]) for place, one in zip(places, told_kinds)}
        said, reply = _tell(rng, kind, values[places[0]], other)
        told[places[0]] = (said, reply)
        turns = _talk(rng, told, LONG_TURNS)
        if not _alone(values, turns):
            continue
        same = chat._fill(same, values[places[0]])
        row = {"kind": kind, "turn": places[0], "gold": values[places[0]], "question": question}
        rows.append(row | {"same_words": same, "other_words": said, "turns": turns})
    return {"step4/questions.jsonl": lines(rows)}


@data_set
def rounds():
    """Talks of five blocks to be summed up one after the other: two turns each, one of them tells a fact."""
    rng, rows, data = random.Random("summed up in rounds"), [], split.load("summary")
    while len(rows) < ROWS:
        kinds = rng.sample(tuple(data["memory"]), ROUNDS)
        values = [summary._told(rng, "heldout", kind) for kind in kinds]
        talk, blocks = rng.sample(data["chatter"], ROUNDS), []
        for kind, value, idle in zip(kinds, values, talk):
            fact = data["memory"][kind]
            told = [summary._put(split.pick(rng, fact["say"], "heldout"), value), summary._put(rng.choice(fact["ack"]), value)]
            blocks.append([told, list(idle)] if rng.random() < 0.5 else [list(idle), told])
        texts = [" ".join(text for turn in block for text in turn) for block in blocks]
        if all(stands_in(value, text) == (i == j) for i, value in enumerate(values) for j, text in enumerate(texts)):
            rows.append({"facts": values, "blocks": blocks})
    return {"step4/rounds.jsonl": lines(rows)}
