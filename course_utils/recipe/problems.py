"""Word problems from hand-written schemas, each told in three forms: direct, chain of thought, program.

A schema (recipe/data/problems/*.yaml) gives wordings for every fact, the question and every step;
this module draws words and numbers, checks the arithmetic and writes the text.
"""

import functools
import re
from fractions import Fraction

import yaml

from course_utils.recipe import split

FORMS = ("direct", "cot", "pal")
PLACE = re.compile(r"\{([a-z]\w*)(?:\.(\w+)|:(\w+))?\}")
PRONOUNS = {
    "f": {"he": "she", "him": "her", "his": "her"},
    "m": {"he": "he", "him": "him", "his": "his"},
    "n": {"he": "they", "him": "them", "his": "their"},
}
NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()
INVENTABLE = {"thing", "toy", "plant", "tool", "material", "city", "team", "container", "animal", "person"}


@functools.lru_cache(maxsize=None)
def schemas(part="train", long=False):
    """The schemas of one part: "train", "heldout" or "all". Held out by the hash of the id, about one in eight.

    `long` gives those of three to eight steps in the folder problems/long, which enter training later (see mix.py).
    """
    found = []
    for path in sorted((split.FOLDER / "problems" / ("long" if long else "")).glob("*.yaml")):
        found += (
            yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or []
        )
    if part == "all":
        return tuple(found)
    return tuple(item for item in found if split.held_out("schema " + item["id"]) == (part == "heldout"))


@functools.lru_cache(maxsize=None)
def _expression(source):
    return compile(str(source), "schema", "eval")


def _evaluate(source, values):
    """Evaluate a schema's expression over Fractions; the files are our own, written by hand."""
    return eval(_expression(source), {"__builtins__": {}}, values)  # noqa: S307


def show_number(value):
    """Write an exact number as people do: 7, 2.5, 3.25. None where it has more than two decimals."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    if (value * 100).denominator == 1:
        text = f"{float(value):.2f}"
        return text[:-1] if text.endswith("0") else text
    return None


def draw_numbers(rng, schema, low=None, high=None):
    """Draw the schema's numbers until every step comes out; returns {name: Fraction} with the results of the steps.

    `low` and `high` stretch the ranges (for numbers of more digits); Errors: ValueError after 400 vain draws
    """
    for _ in range(400):
        values = {}
        try:
            for name, spec in schema["numbers"].items():
                if isinstance(spec, list):
                    start, end = (Fraction(_evaluate(bound, values)) for bound in spec[:2])
                    if high and not isinstance(spec[1], str) and end >= 20:
                        start, end = Fraction(low), Fraction(high)
                    scale = 10 ** (spec[2] if len(spec) > 2 else 0)
                    values[name] = Fraction(rng.randint(int(start * scale), int(end * scale)), scale)
                else:
                    values[name] = Fraction(_evaluate(spec, values))
            for name, source, _ in schema["steps"]:
                values[name] = Fraction(_evaluate(source, values))
        except (ValueError, ZeroDivisionError):
            continue
        decimals = schema.get("decimals", False)
        if all(v >= 0 and show_number(v) and (decimals or v.denominator == 1) for v in values.values()):
            return values
    raise ValueError(f"schema {schema['id']}: no draw of its numbers comes out")


def invent_word(rng):
    """A word that no language has, so that the model learns to copy what it never saw."""
    return split.decent(lambda: _syllables(rng))


def _syllables(rng):
    syllables = [
        rng.choice("b c d f g h j k l m n p r s t v w z bl br ch cl dr fl gr pl sh sl st th tr".split())
        + rng.choice("a e i o u ai ea oo".split())
        for _ in range(rng.randint(1, 3))
    ]
    return "".join(syllables) + rng.choice("b d g k l m n p r t x sk nt".split())


def draw_word(rng, category, part):
    """One word of a category as a dict of its forms."""
    if category == "person":
        names = split.load("names")
        gender = rng.choice("fffmmmn")
        name = invent_word(rng).capitalize() if rng.random() < 0.08 else split.pick(rng, names[gender], part)
        forms = {"": name, **PRONOUNS[gender]}
        return forms | {key.capitalize(): word.capitalize() for key, word in PRONOUNS[gender].items()}
    if category in INVENTABLE and rng.random() < 0.12:
        word = invent_word(rng)
        return {"": word.capitalize(), "one": word} if category in ("city", "team") else {"": word + "s", "one": word}
    one, _, many = rng.choice(split.load("lexicon")[category]).partition("|")
    return {"": many or one, "one": one}


def _draw_slots(rng, schema, part):
    slots, used = {}, set()
    for name, category in (schema.get("slots") or {}).items():
        for _ in range(20):
            forms = draw_word(rng, category, part)
            if forms[""] not in used:
                break
        used.add(forms[""])
        slots[name] = forms
    return slots


class Telling:
    """Fills the places of wordings and remembers in which order the numbers came up in the text."""

    def __init__(self, rng, slots, values):
        self.slots, self.values, self.order, self.money = slots, values, [], set()
        self.words = {
            name for name, value in values.items() if value.denominator == 1 and value <= 20 and rng.random() < 0.12
        }

    def fill(self, wording, calc=None, plain=False):
        """`plain` keeps digits (for chains); `calc` is the equation for the place {calc}."""

        def put(match):
            name, form, count = match.groups()
            if name == "calc":
                return calc
            if name in self.values:
                if not plain and name not in self.order:
                    self.order.append(name)
                value = self.values[name]
                if wording[: match.start()].endswith("$") and value.denominator > 1:
                    self.money.add(name)  # 2.5 dollars are written $2.50, here and wherever the number is copied
                elif name in self.words and not plain and wording[: match.start()][-1:] != "$":
                    return NUMBER_WORDS[int(value)]
                return self.show(name, value)
            forms = self.slots[name]
            if count:
                return forms["one"] if self.values[count] == 1 else forms[""]
            return forms[form or ""]

        text = PLACE.sub(put, wording)
        return re.sub(r"(^|[.!?] )([a-z])", lambda start: start[1] + start[2].upper(), text)

    def show(self, name, value):
        """A number as the text wrote it."""
        return f"{float(value):.2f}" if name in self.money else show_number(value)


def _fillers(rng, slots):
    people = [forms for forms in slots.values() if "he" in forms]
    values, texts = {}, []
    for kind, chance in (("plain", 0.3), ("numbers", 0.1)):
        if rng.random() < chance:
            text = rng.choice(split.load("fillers")[kind])
            if "{p" in text and not people:
                continue
            if kind == "numbers":
                values["filler"] = Fraction(rng.randint(2, 90))
                text = text.replace("{d}", "{filler}")
            texts.append(text)
    return texts, values, ({"p": rng.choice(people)} if people else {})


def draw(rng, part="train", schema=None, low=None, high=None, filler=True):
    """One problem: {"id", "type", "question", "answer", "steps", "numbers", "operations"}.

    `steps` are the sentences of the chain; `program` is the Python text; `answer` is a string such as "43".
    """
    schema = schema or rng.choice(schemas(part))
    values = draw_numbers(rng, schema, low, high)
    slots = _draw_slots(rng, schema, part)
    extra, extra_values, extra_slots = _fillers(rng, slots) if filler else ([], {}, {})
    given = {name: value for name, value in values.items() if name in schema["numbers"]} | extra_values
    telling = Telling(rng, slots, given)
    facts = [rng.choice(wordings) for wordings in schema.get("facts") or []]
    if schema.get("order") == "free":
        rng.shuffle(facts)
    parts = [(wording, telling) for wording in facts]
    for wording in extra:
        parts.insert(rng.randint(0, len(parts)), (wording, None))
    sentences = []
    for wording, teller in parts + [(rng.choice(schema["question"]), telling)]:
        if teller is None:
            telling.slots = slots | extra_slots
        sentences.append(telling.fill(wording))
        telling.slots = slots
    steps, equations, known = [], [], dict(given)
    for name, source, wordings in schema["steps"]:
        known[name] = values[name]
        written = re.sub(r"[a-z]\w*", lambda match: telling.show(match.group(), values[match.group()]), str(source))
        calc = f"{written} = {show_number(values[name])}"
        equations.append(calc)
        telling.values = known
        steps.append(telling.fill(rng.choice(wordings), calc=calc, plain=True))
    return {
        "id": schema["id"],
        "type": schema["type"],
        "question": " ".join(sentences),
        "operations": len(steps),
        "answer": show_number(values[schema["answer"]]),
        "steps": steps,
        "equations": equations,
        "program": _program(schema, telling),
    }


def _program(schema, telling):
    """Copy the numbers in the order of the text, then compute: copying and choosing are learned apart."""
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    names, lines = {}, []
    for name in telling.order:
        names[name] = next(letters)
        lines.append(f"{names[name]} = {telling.show(name, telling.values[name])}")
    last = len(schema["steps"]) - 1
    for number, (name, source, _) in enumerate(schema["steps"]):
        source = re.sub(r"[a-z]\w*", lambda match: names.get(match.group(), match.group()), str(source))
        if number == last:
            lines.append(f"print({source})")
        else:
            names[name] = next(letters)
            lines.append(f"{names[name]} = {source}")
    return "\n".join(lines)


def reply(problem, form):
    """The reply that teaches one form: the bare number, the chain with "The answer is N.", or the program."""
    if form == "direct":
        return problem["answer"]
    if form == "pal":
        return problem["program"]
    return " ".join(problem["steps"]) + f" The answer is {problem['answer']}."


def respell(rng, text):
    """Other habits of writing: spaced punctuation, lower case, a missing full stop."""
    draw_ = rng.random()
    if draw_ < 0.10:
        return re.sub(r"(?<=\w)([.?,])(?=\s|$)", r" \1", text)
    return text.lower() if draw_ < 0.13 else text
