"""Everyday notes with questions about two or three things of the same kind: for the skill "passage"."""

import re
import string

from course_utils.recipe import split as parts
from course_utils.recipe import strange, world
from course_utils.recipe.people import expand, upper_first

UNKNOWN = "I don't know."
WORDS = dict(thing="thing", food="food", animal="animal", cloth="clothing", tool="tool")
HALVES = {15: "quarter past {}", 30: "half past {}", 45: "quarter to {}"}
HOURS = "one two three four five six seven eight nine ten eleven twelve".split()


def _clock(minutes, style):
    """A time of day in one of six styles; in words where the quarter allows it."""
    hour, minute = divmod(minutes, 60)
    half = (hour - 1) % 12 + 1
    if style == "words" and minute in HALVES:
        return HALVES[minute].format(HOURS[half % 12 if minute == 45 else half - 1])
    if style == "words" and minute == 0:
        return f"{HOURS[half - 1]} o'clock"
    if style in (" am", "am"):
        return f"{half}{f':{minute:02}' if minute else ''}{style.replace('a', 'a' if hour < 12 else 'p')}"
    return f"{hour}{'.' if style == '.' else ':'}{minute:02}"


def _code(rng):
    """A number with letters, as on a ticket or a locker."""
    letters = "".join(rng.choices("ABCDEFGHKLMNPRSTVWXZ", k=rng.choice((1, 1, 2, 3))))
    return f"{letters}{rng.choice(('', '-', '-', '/', ' '))}{rng.randint(2, 9999)}"


def _decimal(rng):
    return f"{rng.randint(0, 40)}.{rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 25, 35, 75))}"


def _date(rng, style):
    month = rng.choice(parts.load("world_goods")["months"])
    return style.format(day=rng.randint(1, 28), month=month, short=month[:3])


def _draw(rng, kind, split, style):
    """One value of a kind of slot."""
    lists, goods, lexicon = parts.load("notes"), parts.load("world_goods"), parts.load("lexicon")
    if kind in lists:
        return rng.choice(lists[kind])
    if kind in WORDS:
        return rng.choice(lexicon[WORDS[kind]]).split("|")[0]
    if kind.rstrip("s") in WORDS:
        return rng.choice(lexicon[WORDS[kind.rstrip("s")]]).split("|")[1]
    return {
        "person": lambda: world.first_name(rng, split),
        "full": lambda: f"{world.first_name(rng, split)} {world.invent(rng)}",
        "family": lambda: world.invent(rng),
        "word": lambda: world.invent(rng),
        "small": lambda: world.invent(rng, capital=False),
        "name": lambda: strange.name(rng),
        "title": lambda: strange.name(rng, codes=False),
        "town": lambda: world.town(rng),
        "street": lambda: f"{rng.randint(1, 190)} {rng.choice(goods['streets'])}",
        "road": lambda: rng.choice(goods["streets"]),
        "day": lambda: rng.choice(goods["days"]),
        "month": lambda: rng.choice(goods["months"]),
        "date": lambda: _date(rng, style["date"]),
        "colour": lambda: rng.choice(goods["colours"]),
        "price": lambda: style["currency"].format(world.price_text(rng, 1, rng.choice((20, 95, 400)))),
        "n": lambda: str(rng.randint(2, rng.choice((12, 40, 99)))),
        "big": lambda: str(rng.randint(100, 9899)),
        "few": lambda: str(rng.randint(2, 9)),
        "many": lambda: str(rng.randint(11, 99)),
        "low": lambda: style["currency"].format(world.price_text(rng, 2, 19)),
        "high": lambda: style["currency"].format(world.price_text(rng, 21, 160)),
        "gram": lambda: str(rng.randrange(50, 960, 10)),
        "warm": lambda: str(rng.randint(15, 31)),
        "heat": lambda: str(rng.randint(780, 1290)),
        "dec": lambda: _decimal(rng),
        "year": lambda: str(rng.randint(1890, 2024)),
        "code": lambda: _code(rng),
        "phone": lambda: world.phone(rng),
    }[kind]()


def _holds(text, part):
    """True if a part stands in a text as whole words."""
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text, re.IGNORECASE) is not None


def _values(rng, text, split):
    """A value for each slot of a note: of one kind all differ, and times of day come in order."""
    names = sorted({field for _, field, _, _ in string.Formatter().parse(text) if field})
    style = {
        "currency": rng.choice(world.CURRENCIES),
        "date": rng.choice(("{day} {month}", "{month} {day}", "{day} {short}")),
        "clock": rng.choice((":", ":", ".", " am", "am", "words")),
    }
    times = [name for name in names if name.startswith("clock")]
    step = 15 if style["clock"] == "words" else 5
    minutes = sorted(rng.sample(range(7 * 60, 12 * 60 if step == 15 else 22 * 60, step), len(times)))
    values = {name: _clock(minute, style["clock"]) for name, minute in zip(times, minutes)}
    for name in names:
        while name not in values:
            value = _draw(rng, re.sub(r"\d+$", "", name), split, style)
            if not any(_holds(one, value) or _holds(value, one) for one in values.values()):
                values[name] = value
    return values


def draw(rng, split):
    """A note and what may be asked: (text, [(wordings of a question, answer)], questions without an answer)."""
    lines = parts.pick(rng, parts.load("notes")["notes"], split).strip().split("\n")
    note = [expand(rng, line) for line in lines if not line.startswith("?")]
    asked = [line[1:].split(" | ") for line in lines if line.startswith("?")]
    values = _values(rng, "\n".join(lines), split)
    facts, lacking = [], []
    for answer, *questions in asked:
        questions = [upper_first(question.strip().format(**values)) for question in questions]
        if answer.strip() == "-":
            lacking.append((questions, UNKNOWN))
        else:
            facts.append((questions, answer.strip().format(**values)))
    told = [(upper_first if line[0] == "{" else str)(line.format(**values)) for line in note]
    return "\n".join(told), facts, lacking


def _careless(rng, question):
    """The question, now and then without its capital or its question mark."""
    if rng.random() < 0.08 and question.split()[0] in ("What", "Who", "When", "Where", "How", "Which"):
        question = question[0].lower() + question[1:]
    return question.rstrip("?") if rng.random() < 0.06 else question


def _prompt(rng, note, question, kind, split):
    """Note and question in one of the layouts, the note now and then in quotes."""
    lists = parts.load("notes")
    frame = rng.choice(lists[kind]) if kind == "bare" else parts.pick(rng, lists[kind], split)
    marks = [f"“{note}”"] + [f"{mark}{note}{mark}" for mark in "'\"" if mark not in note]
    if '"{note}"' in frame:
        marks = [note]
    if re.search(r"^\{note\}$", frame, re.MULTILINE):
        marks.append("> " + note.replace("\n", "\n> "))
    note = rng.choice(marks) if rng.random() < 0.35 else note
    if re.search(r"\{q\}$", frame, re.MULTILINE):
        question = _careless(rng, question)
    return frame.format(note=note, q=question)


def _page(rng, note, facts, lacking):
    """A note followed by question and answer lines, as running text."""
    marks = rng.choice((("Q: ", "A: "), ("Question: ", "Answer: "), ("", ""), ("- ", "  ")))
    chosen = rng.sample(facts, min(len(facts), rng.choice((1, 2, 2, 3))))
    if lacking and rng.random() < 0.25:
        chosen.insert(rng.randint(0, len(chosen)), rng.choice(lacking))
    lines = [f"{marks[0]}{rng.choice(asks)}\n{marks[1]}{answer_text(answer)}" for asks, answer in chosen]
    return note + "\n\n" + "\n".join(lines)


def answer_text(short):
    """The short answer as a reply: a capital letter first, but e-mail addresses as they are."""
    return short if "@" in short else upper_first(short)


def generate(rng, split):
    """One question about a note; only where the instruction speaks of it may the note lack the answer."""
    note, facts, lacking = draw(rng, split)
    kind = rng.choices(("frames", "frames_idk", "bare"), weights=(0.5, 0.35, 0.15))[0]
    unknown = kind == "frames_idk" and lacking and rng.random() < 0.6
    questions, short = rng.choice(lacking if unknown else facts)
    prompt = _prompt(rng, note, rng.choice(questions), kind, split)
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer_text(short)}]
    return {"messages": messages, "plain": _page(rng, note, facts, lacking), "gold": short}
