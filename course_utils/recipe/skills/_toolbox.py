"""Tools for function calling: drawn from data/tools.yaml or invented, with requests, results and replies."""

import functools
import json
import operator
import re

from course_utils.recipe import people, world
from course_utils.recipe import split as parts

SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
SLOT = re.compile(r"\{([^{}]+)\}")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def invented(rng, split):
    """A made-up word in lower case; held-out ones never appear in training."""
    for _ in range(50):
        word = world.invent(rng, capital=False)
        if parts.held_out(word) == (split == "heldout"):
            break
    return word


def _order(rng):
    return rng.choice(("A", "B-", "K", "NR-", "R", "", "")) + str(rng.randint(100, 99999))


def _date(rng):
    return f"{rng.randint(2024, 2031)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _code(rng):
    letters = "".join(rng.choices("ABCDEFGHKLMNPRSTUVWXZ", k=rng.choice((1, 2, 2, 3))))
    return letters + rng.choice(("", "-")) + str(rng.randint(1, 9999))


def _expression(rng):
    first, last = rng.choice("+-*"), rng.choice("+-")
    text = f"{rng.randint(2, 90)} {first} {rng.randint(2, 90)}"
    return f"{text} {last} {rng.randint(2, 90)}" if rng.random() < 0.5 else text


def _email(rng, split):
    return f"{people.person(rng, split).lower()}@{world.invent(rng, capital=False)}.example"


def _half(rng, low, high):
    whole = rng.randint(low, high)
    return whole if rng.random() < 0.4 else round(whole + rng.randint(1, 19) / 20, 2)


def value(rng, kind, split):
    """A value of one kind of data/tools.yaml, such as "order", "int 1-9" or "small|large"."""
    if "|" in kind:
        return rng.choice(kind.split("|"))
    name, _, span = kind.partition(" ")
    if span:
        low, high = map(int, span.split("-"))
        return rng.randint(low, high) if name == "int" else _half(rng, low, high)
    makers = {
        "order": lambda: _order(rng),
        "person": lambda: people.person(rng, split),
        "town": lambda: people.word(rng, "towns") if rng.random() < 0.6 else world.town(rng),
        "item": lambda: people.word(rng, "items"),
        "date": lambda: _date(rng),
        "time": lambda: f"{rng.randint(6, 22):02}:{rng.choice(('00', '15', '20', '30', '45'))}",
        "code": lambda: _code(rng),
        "email": lambda: _email(rng, split),
        "made": lambda: world.invent(rng),
        "plate": lambda: f"{_code(rng)[0]}{rng.choice('ABCDEFGH')}-{rng.randint(10, 9999)}",
        "address": lambda: f"{rng.choice(parts.load('tools')['values']['street'])} {rng.randint(1, 120)}",
        "orders": lambda: [_order(rng) for _ in range(rng.choice((2, 2, 3)))],
        "expression": lambda: _expression(rng),
        "flag": lambda: rng.random() < 0.5,
        "True": lambda: True,
    }
    if name in makers:
        return makers[name]()
    values = parts.load("tools")["values"]
    return rng.choice(values[name]) if name in values else people.word(rng, name)


def compute(formula, values):
    """The value of "a * b" or of the expression held in a slot: from left to right, "*" before "+" and "-"."""
    words = " ".join(str(values.get(word, word)) for word in formula.split()).split()
    numbers, at = [float(words[0])], 1
    while at < len(words):
        sign, number = words[at], float(words[at + 1])
        if sign in "*/":
            numbers[-1] = SIGNS[sign](numbers[-1], number)
        else:
            numbers.append(number if sign == "+" else -number)
        at += 2
    total = round(sum(numbers), 2)
    return int(total) if total == int(total) else total


def wording(text):
    """A wording of the data: (text, its slots, fixed arguments)."""
    say, _, fixed = text.partition(" | ")
    pairs = (pair.split("=", 1) for pair in fixed.split(", ") if pair)
    return say, tuple(SLOT.findall(say)), {key: json.loads(shown) for key, shown in pairs}


def _parse(name, entry):
    takes = []
    for key, text in entry["takes"].items():
        text, _, note = str(text).partition("; ")
        optional = text.startswith("optional ")
        kind = text.removeprefix("optional ").split(" ", 1)
        takes.append((key, kind[0], kind[1], note, optional))
    gives = {key: str(kind) for key, kind in entry["gives"].items()}
    return dict(entry) | {"key": name, "name": name, "takes": tuple(takes), "gives": gives}


@functools.lru_cache(maxsize=None)
def written():
    """The hand-written tools: {name: tool}."""
    return {name: _parse(name, entry) for name, entry in parts.load("tools")["tools"].items()}


def _fill_words(entry, first, second):
    if isinstance(entry, str):
        return entry.replace("@x", first).replace("@y", second)
    if isinstance(entry, dict):
        return {_fill_words(key, first, second): _fill_words(item, first, second) for key, item in entry.items()}
    return tuple(_fill_words(item, first, second) for item in entry) if isinstance(entry, tuple) else entry


def make_tool(rng, split):
    """A tool that nobody has seen, with invented words in its name and parameters."""
    entry = _fill_words(rng.choice(parts.load("tools")["shapes"]), invented(rng, split), invented(rng, split))
    name = rng.choice(entry["name"])
    return _parse(name, entry) | {"domain": f"invented {name}", "name": restyle(rng, name)}


def restyle(rng, name):
    """A name in snake_case, camelCase or kebab-case."""
    way = rng.random()
    if way < 0.15:
        head, *rest = name.split("_")
        return head + "".join(word.capitalize() for word in rest)
    return name.replace("_", "-") if way < 0.2 else name


def dress(rng, tool, split):
    """Give a tool the names shown to the model: some tools and parameters are called otherwise than in the data."""
    name, shown = tool["name"], {key: key for key, *_ in tool["takes"]}
    way = rng.random()
    if way < 0.15:
        name = invented(rng, split)
    elif way < 0.3 and tool["name"] == tool["key"]:
        name = restyle(rng, name)
    kinds = [kind for _, _, kind, _, _ in tool["takes"]]
    aliases = parts.load("tools")["aliases"]
    for key, _, kind, _, _ in tool["takes"]:
        if kind in aliases and kinds.count(kind) == 1 and rng.random() < 0.3:
            other = rng.choice(aliases[kind])
            shown[key] = shown[key] if other in shown.values() else other
        elif rng.random() < 0.05:
            shown[key] = restyle(rng, key)
    return tool | {"name": name, "shown": shown}


def describe(rng, tool, style):
    """The tool's line in the system message: its JSON as chat templates write it."""
    properties = {}
    for key, form, kind, note, _ in tool["takes"]:
        entry = {"type": form}
        if note and rng.random() < 0.8:
            entry["description"] = note
        if "|" in kind and rng.random() < 0.6:
            entry["enum"] = kind.split("|")
        properties[tool["shown"][key]] = entry
    required = [tool["shown"][key] for key, *_, optional in tool["takes"] if not optional]
    shape = {"properties": properties, "required": required, "type": "object"}
    if style:
        shape = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": tool["name"], "description": tool["tells"], "parameters": shape}}


def call_text(tool, arguments):
    """The assistant's call as the template renders it; arguments in the order of the parameters."""
    given = {tool["shown"][key]: arguments[key] for key, *_ in tool["takes"] if key in arguments}
    shown = json.dumps(given, ensure_ascii=False)
    return f'<tool_call>\n{{"name": {json.dumps(tool["name"])}, "arguments": {shown}}}\n</tool_call>'


def fill(text, values):
    """Put values into the slots of a text."""
    return SLOT.sub(lambda slot: as_text(values[slot[1]]) if slot[1] in values else slot[0], text)


def as_text(shown):
    """A value as words of a sentence."""
    if isinstance(shown, (list, tuple)):
        return ", ".join(map(str, shown[:-1])) + f" and {shown[-1]}" if len(shown) > 1 else str(shown[0])
    return str(shown)


def spell(rng, text, values):
    """Fill a request; a small whole number is sometimes spelled out."""
    if rng.random() < 0.2 and not re.search(r"[%*+=]| x ", text):
        small = {key: NUMBERS[n] for key, n in values.items() if type(n) is int and 2 <= n <= 12}
        values = values | small
    return fill(text, values)


def answer(rng, tool, values, split):
    """What the tool returns and the reply to it: (result, reply, words that the reply must hold)."""
    result = {}
    for key, kind in tool["gives"].items():
        result[key] = compute(kind[2:], values) if kind.startswith("= ") else value(rng, kind, split)
    known = values | result
    fit = [say for say in tool["says"] if all(slot in known for slot in SLOT.findall(say))]
    reply = people.upper_first(fill(rng.choice(fit), known))
    must = [as_text(shown) for shown in result.values() if shown is not True] or [as_text(v) for v in values.values()]
    return result, reply, [text for text in must if text in reply]


def holds(text, word):
    """True if a text holds a word or number as a whole, in any case."""
    return re.search(rf"(?<![\w])(?<!\d[.,]){re.escape(word)}(?!\w|[.,]\d)", text, re.IGNORECASE) is not None
