"""Conversations with many kinds of facts: told in passing, corrected, also about others, asked for much later."""

import re

from course_utils.recipe import split as parts
from course_utils.recipe.people import a, upper_first
from course_utils.recipe.skills._chat_values import somebody, value

UNKNOWN = "I do not know"


def _fill(text, new, old="", who=""):
    """Put the value into {v}, the old one into {o} and a person into {p}; sentences begin with a capital letter."""
    for slot, word in (("{v}", new), ("{o}", old)):
        if word:
            text = text.replace(f" a {slot}", f" {a(word)}").replace(slot, word)
    text = re.sub(r"(?<=[.!?] )\{p\}", lambda _: upper_first(who), text).replace("{p}", who)
    return upper_first(text)


def small_talk(rng, split):
    """One turn of small talk or shop talk: (said, reply)."""
    said, *replies = parts.pick(rng, parts.load("chat_more")["talk"], split).split(" | ")
    return said, rng.choice(replies)


def fitting(said):
    """The replies to this small talk at the end of a text."""
    talk = (line.split(" | ") for line in parts.load("chat_more")["talk"])
    return {reply for says, *replies in talk if said.endswith(says) for reply in replies}


def _wrapped(rng, split, said):
    """What is told, at times with another sentence before or after it."""
    data, way = parts.load("chat_more"), rng.random()
    said = said if said[-1] in ".!?" or way >= 0.48 else f"{said}."
    if way < 0.22:
        return f"{parts.pick(rng, data['before'], split)} {said}"
    if way < 0.4:
        return f"{said} {parts.pick(rng, data['after'], split)}"
    if way < 0.48:
        return f"{parts.pick(rng, data['before'], split)} {said} {parts.pick(rng, data['after'], split)}"
    return said[:-1] if said.endswith(".") and way > 0.94 else said


def _own(rng, split, facts):
    """Turns that tell the user's facts; some are corrected at once, and then `facts` holds the new value."""
    data, units, waiting = parts.load("chat_more"), [], ""
    for index, (kind, first) in enumerate(list(facts.items())):
        said = _fill(parts.pick(rng, data["facts"][kind]["say"], split), first)
        if index + 1 < len(facts) and rng.random() < 0.2:
            waiting += f"{said}{'' if said[-1] in '.!?' else '.'} "
            continue
        reply = _fill(parts.pick(rng, data["acks"], split), first)
        units.append([(_wrapped(rng, split, waiting + said), reply)])
        new = value(rng, split, data["facts"][kind]["value"])
        if not waiting and rng.random() < 0.15 and new not in first and first not in new:
            facts[kind] = new
            units[-1].append(_corrected(rng, split, rng.choice(("quick", "quick", kind)), new, first))
        waiting = ""
    return units


def _corrected(rng, split, kind, new, old):
    """A turn that corrects a fact, by a line of its kind or by a quick one for all of them."""
    data = parts.load("chat_more")
    lines = data["quick"] if kind == "quick" else data["facts"][kind]["fix"]
    said = _fill(parts.pick(rng, lines, split), new, old)
    return said, _fill(parts.pick(rng, data["fix_acks"], split), new, old)


def _others(rng, split, facts):
    """Facts about one or two other people, mostly of kinds that the user told of himself: {(kind, person): value}."""
    data, told = parts.load("chat_more")["facts"], {}
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        kind = rng.choice(tuple(facts)) if rng.random() < 0.8 else rng.choice(tuple(data))
        who, new = somebody(rng, split), value(rng, split, data[kind]["value"])
        taken = " ".join(name for _, names in told for name in names)
        near = [facts.get(kind, ""), *told.values()]
        if not any(old and (new in old or old in new) for old in near) and not any(name in taken for name in who):
            told[kind, who] = new
    return told


def _tell_of(rng, split, kind, who, new):
    data = parts.load("chat_more")
    said = _fill(parts.pick(rng, data["facts"][kind]["other"], split), new, who=who[0])
    reply = _fill(parts.pick(rng, data["acks_other"], split), new, who=who[2])
    return [(_wrapped(rng, split, said), reply)]


def _between(rng, split, most):
    """Turns of small talk; half of them from the older list."""
    turns = []
    for _ in range(most):
        if rng.random() < 0.25:
            older = [pair for pair in parts.load("chat")["talk"] if "oodbye" not in pair[1][0]]
            says, replies = rng.choice(older)
            turns.append((parts.pick(rng, says, split), rng.choice(replies)))
        else:
            turns.append(small_talk(rng, split))
    return [turn for number, turn in enumerate(turns) if turn not in turns[:number]]


def _talk(rng, split, facts, others):
    """All turns before the questions, in random order, with small talk between them and at times a late correction."""
    units = _own(rng, split, facts) + [_tell_of(rng, split, *key, new) for key, new in others.items()]
    rng.shuffle(units)
    turns = []
    for unit in units:
        turns += unit + _between(rng, split, rng.choice((0, 0, 0, 0, 1, 1, 2)))
    if rng.random() < 0.2:
        kind = rng.choice(tuple(facts))
        new = value(rng, split, parts.load("chat_more")["facts"][kind]["value"])
        if not any(new in old or old in new for old in (facts[kind], *others.values())):
            turns.append(_corrected(rng, split, kind, new, facts[kind]))
            facts[kind] = new
    return turns + _between(rng, split, rng.randint(5, 12) if rng.random() < 0.1 else rng.choice((0, 0, 0, 1, 2)))


def _mine(name):
    """What belongs to the user as he says it: "your seat" is "my seat"."""
    return re.sub(r"\byou\b", "I", name.replace("your", "my"))


def _asked(rng, split, wordings, name, who=""):
    """A question in its own words, or by the name of the fact, at times with a sentence around it."""
    data = parts.load("chat_more")
    question = _fill(parts.pick(rng, wordings, split), "", who=who)
    if rng.random() < 0.25:
        question = upper_first(parts.pick(rng, data["np_frames"], split).replace("{p}", name))
    if question[-1] != "?" or rng.random() < 0.35:
        return parts.pick(rng, data["recall_frames"], split).replace("{q}", question)
    frame = parts.pick(rng, parts.load("chat")["recall_frames"], split)
    return upper_first(frame.replace("{q}", question).replace("{r}", _small_first(question)))


def _small_first(text):
    """The text with a small first letter, but for the word "I" and names."""
    return text if re.match(r"I\b", text) else text[:1].lower() + text[1:]


def _ask_own(rng, split, kind, known):
    fact = parts.load("chat_more")["facts"][kind]
    question = _asked(rng, split, fact["ask"], _mine(fact["np"]))
    if known is None:
        return (question, f"{UNKNOWN}. You did not tell me {fact['np']}."), [UNKNOWN]
    return (question, _fill(rng.choice(fact["tell"]), known)), [known]


def _ask_of(rng, split, kind, who, known):
    fact = parts.load("chat_more")["facts"][kind]
    question = _asked(rng, split, fact["ask_other"], fact["of"].replace("{p}", who[1]), who[1])
    if known is None:
        return (question, f"{UNKNOWN}. You did not tell me {fact['of'].replace('{p}', who[2])}."), [UNKNOWN]
    return (question, _fill(fact["other"][0], known, who=who[2])), [known]


def _kinds(rng):
    """One to four kinds of facts of which no question could mean two."""
    data, chosen = parts.load("chat_more"), []
    for kind in rng.sample(tuple(data["facts"]), rng.choice((1, 1, 2, 2, 3, 4))):
        if not any(kind in group and set(group) & set(chosen) for group in data["clash"]):
            chosen.append(kind)
    return chosen


def _not_told(rng, split, facts, others):
    """A question about the user's own fact where only another person's was told, or the other way round."""
    data = parts.load("chat_more")
    clash = {kind for group in data["clash"] if set(group) & set(facts) for kind in group}
    told = [kind for kind, _ in others]
    free = [kind for kind in data["facts"] if kind not in facts and kind not in clash and kind not in told]
    own = [kind for kind in told if kind not in facts and kind not in clash]
    if own and rng.random() < 0.7:
        return _ask_own(rng, split, rng.choice(own), None)
    if rng.random() < 0.35 and not others:
        return _ask_of(rng, split, rng.choice(tuple(facts)), somebody(rng, split), None)
    return _ask_own(rng, split, rng.choice(free), None)


def recall(rng, split):
    """(system, turns, gold words): facts told by the user or noted in the system message, and questions about some."""
    data, system = parts.load("chat_more"), None
    facts = {kind: value(rng, split, data["facts"][kind]["value"]) for kind in _kinds(rng)}
    others = _others(rng, split, facts)
    if rng.random() < 0.1:
        notes = [_fill(data["facts"][kind]["other"][0], new, who="the user") for kind, new in facts.items()]
        for (kind, who), new in others.items():
            notes.append(_fill(data["facts"][kind]["other"][0], new, who=_of_user(who[0])))
        system = parts.pick(rng, parts.load("chat")["notes"], split).replace("{f}", " ".join(notes))
        turns = _between(rng, split, rng.choice((0, 0, 1, 2)))
    else:
        if rng.random() < 0.35:
            system = parts.pick(rng, data["systems"], split)
        turns = _talk(rng, split, facts, others)
    asked = [_ask_own(rng, split, kind, known) for kind, known in facts.items()]
    asked += [_ask_of(rng, split, *key, known) for key, known in others.items()]
    rng.shuffle(asked)
    asked = asked[: rng.choice((1, 1, 1, 2, 3))]
    if rng.random() < 0.12:
        asked = asked[1:] + [_not_told(rng, split, facts, others)]
    return system, turns + [turn for turn, _ in asked], asked[-1][1]


def _of_user(name):
    return re.sub(r"^my ", "the user's ", name)
