"""The whole text of a composed story: the order of its sentences, joins, distractors, pronouns, chain and program."""

import re
from fractions import Fraction

from course_utils.recipe import problems, split, story_parts
from course_utils.recipe.story_parts import Teller, lines

SECONDS = ("told2", "more", "fewer", "twice", "half")
JOINS = (" and ", " and ", ", and then ", ", and later ", ", but then ", ", and ")
OBJECT = re.compile(r"\b(for|to|of|by|from|with|behind|gives?|gave|lets?|paid|pays) \{([pq])\}(?! (?:has|had|have)\b)")
REPEATED = {"": "he", "o": "him", "s": "his"}


def tell(rng, part, domain, world):
    """The problem's dict (without its id) for a world whose computations are pruned."""
    teller = Teller(rng, part, domain, world)
    texts = _distract(teller, _compose(teller))
    if rng.random() < 0.1:
        texts.insert(0, rng.choice([text for text in split.load("fillers")["plain"] if "{" not in text]))
    given = {name: world.values[name] for name in (*world.given, *teller.extra)}
    telling = problems.Telling(rng, teller.names, given)
    sentences, focus = [], None
    for text in texts:
        text, slots, focus = _refer(teller, text, focus)
        telling.slots = slots
        sentences.append(telling.fill(text))
    telling.slots, telling.values = teller.names, given | world.values
    steps, equations = _chain(rng, world, telling)
    schema = {"steps": [step[:3] for step in world.steps]}
    return {
        "type": "story",
        "question": " ".join(sentences),
        "operations": len(steps),
        "answer": problems.show_number(world.values[world.answer]),
        "steps": steps,
        "equations": equations,
        "program": problems._program(schema, telling),
    }


def _chain(rng, world, telling):
    steps, equations = [], []
    for name, source, kind, left, right in world.steps:
        written = re.sub(r"[a-z]\w*", lambda found: telling.show(found.group(), telling.values[found.group()]), source)
        calc = f"{written} = {problems.show_number(world.values[name])}"
        wording = rng.choice(_steps(kind)).replace("{a}", "{" + left + "}").replace("{b}", "{" + str(right) + "}")
        equations.append(calc)
        steps.append(telling.fill(wording, calc=calc, plain=True))
    return steps, equations


def _steps(kind):
    return tuple(split.load("stories")["steps"][kind].strip().split("\n"))


def _compose(teller):
    """The sentences in order, their places still open."""
    rng, beats = teller.rng, teller.world.beats
    first, events = beats[0], [beat for beat in beats[1:-1] if beat[0] not in SECONDS + ("told",)]
    facts = [beat for beat in beats[1:-1] if beat[0] in SECONDS]
    told = [beat for beat in beats if beat[0] == "told"]
    asked = beats[-1][0]
    simple = first[0] == "start" and not facts and bool(events) and events[0][0] in ("gain", "lose")
    if simple and asked == "end" and len(events) == 1 and rng.random() < 0.06:
        return _in_one(teller, first, events[0])
    if simple and not told and rng.random() < 0.12:
        for event in events:
            teller.add(teller.framed(teller.clause(event, tense=0)))
        teller.add(teller.sentence("start_late", names=first[2]))
    elif told and asked == "start" and len(events) == 1 and rng.random() < 0.3:
        teller.add(teller.sentence("told_first", names=told[0][2]))
        clause = teller.clause(events[0], tense=0)
        timed = story_parts.TIMED.search(clause)
        teller.add(("Before this, {C}." if timed else teller.pick(lines("", "back_frames"))).replace("{C}", clause))
    else:
        if not (first[0] == "some" and events[0][0] in ("gain", "lose") and rng.random() < 0.4):
            teller.add(teller.sentence(first[0], names=first[2]))
        for kind, holder, names in facts:
            teller.add(teller.sentence(kind, holder, names))
        last = events.pop() if events and asked in ("end", "total", "diff") and rng.random() < 0.2 else None
        _add_events(teller, events)
        for beat in told:
            teller.add(teller.sentence("told", names=beat[2]))
        if last:
            frame, clause = teller.pick(lines("", "merge_frames")), teller.clause(last, tense=1)
            teller.add(frame.replace("{C}", clause).replace("{Q}", _question(teller)))
            return teller.texts
    _ask(teller)
    return teller.texts


def _in_one(teller, first, event):
    start = ""
    while not start.startswith("{p}") and not start.startswith("there "):
        start = story_parts.conjugate(teller.pick(lines(teller.base, "start")), 1)
        start = start.replace("There ", "there ")
    teller.add(start)
    clause = teller.clause(event, tense=1)
    clause = clause[4:] if clause.startswith("{p} ") and start.startswith("{p} ") else clause
    start = teller._bind(start, "p", first[2]).rstrip(".")
    return [f"If {start} and {clause}, {_question(teller)}?"]


def _add_events(teller, events):
    rng, joined = teller.rng, False
    for event in events:
        unknown = event[0].endswith("?")
        clause = teller.clause(event, unknown=unknown)
        if unknown:
            teller.unknown = teller.last
        before = teller.texts[-1] if teller.texts else ""
        single = before.endswith(".") and not joined and ". " not in before and "{q" not in before
        same = before.startswith("{p} ") and clause.startswith("{p} ")
        if single and same and rng.random() < 0.45:
            teller.texts[-1] = before[:-1] + rng.choice(JOINS[2:] if ", " in before else JOINS) + clause[4:] + "."
            joined = True
        elif single and not same and rng.random() < 0.2:
            teller.texts[-1] = before[:-1] + rng.choice((", and ", ", and then ", ", but then ")) + clause + "."
            joined = True
        else:
            teller.add(teller.framed(clause))
            joined = False


def _question(teller):
    """The question as a clause, such as "how many {x} does {p} have now"."""
    asked, holder, _ = teller.world.beats[-1]
    if asked == "change":
        money = teller.base in story_parts.MONEY
        return story_parts.asked_change(teller.unknown).replace("{H}", "how much money" if money else "how many {x}")
    falls = any(beat[0].rstrip("?") in ("lose", "each_lose", "halve", "transfer") for beat in teller.world.beats)
    left = asked == "end" and falls and not teller.world.second and teller.rng.random() < 0.45
    left = left and bool(lines(teller.base, "ask_left"))
    text = teller.pick(lines(teller.base, "ask_left" if left else "ask_" + asked.rstrip("2")))
    if asked == "start" and len(teller.world.events) > 1:
        text = text.replace(" before that", " at the very start")
    return teller._bind(text, holder, ())


def _ask(teller):
    asked, holder, names = teller.world.beats[-1]
    if asked in ("need", "share", "groups", "value"):
        teller.add(teller.sentence(asked, holder, names))
    elif asked != "change" and teller.rng.random() < 0.15:
        text = teller._bind(teller.pick(lines(teller.base, "noun_" + asked.rstrip("2"))), holder, ())
        frames = lines("", "noun_frames")
        if text.startswith("how "):
            frames = tuple(frame for frame in frames if not frame.startswith(("What", "Give")))
        teller.add(teller.pick(frames).replace("{T}", text))
    else:
        question = _question(teller)
        teller.add(question[0].upper() + question[1:] + "?")


def _distract(teller, texts):
    """In about a third of the stories a sentence with a number that changes nothing."""
    rng = teller.rng
    if rng.random() > 0.34:
        return texts
    kinds = ["fillers_place"]
    if teller.personal:
        kinds = ["fillers_number", "fillers_number", "fillers_other", "fillers_other"]
        if "{p" in texts[-1] and teller.base == "person" and "units" not in teller.domain:
            kinds.append("fillers")
    if teller.world.second or any(beat[0].startswith("transfer") for beat in teller.world.beats):
        kinds = kinds[:1]
    kind = rng.choice(kinds)
    places = [at for at, text in enumerate(texts) if ("{x}" in text or "$" in text) and not text.startswith("That")]
    places = [at for at in places if at or kind == "fillers_number"]
    if places:
        text = teller.sentence(kind, names=("d0",), base="")
        high = teller.world.high
        small = high is None or kind in ("fillers_number", "fillers_place")
        value = rng.randint(2, 40) if small else rng.randint(int(teller.world.low), int(high))
        teller.extra["d0"] = teller.world.values["d0"] = Fraction(value)
        texts.insert(rng.choice(places), text)
    return texts


def _refer(teller, text, focus):
    """Decide between name and pronoun: (the text, the slots to fill it with, who is in focus after it)."""
    allowed = "pq" if teller.personal else ()
    if teller.personal:
        text = OBJECT.sub(r"\1 {\2.o}", text)
    found = [m[1] for m in story_parts.PERSONS.finditer(text)]
    people = list(dict.fromkeys(who for who in found if who in allowed or who == "o2"))
    if not people:
        return text, teller.names, focus
    who = people[0]
    if len(people) > 1:
        return text, teller.names, None
    if focus == who and teller.rng.random() < 0.65:
        return text, teller.names | {who: teller.pronouns[who]}, who
    seen = []

    def put(match):
        form = match[2] or ""
        if match[1] != who or form not in REPEATED:
            return match[0]
        seen.append(form)
        return match[0] if len(seen) == 1 else "{" + who + "." + REPEATED[form] + "}"

    return re.sub(r"\{(\w+)(?:\.(\w+))?\}", put, text), teller.names, who
