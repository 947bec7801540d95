"""Exercises of Step 5, sections 1 and 2: rows of a CSV text, parameters of a function, arguments of nearly the right type."""

from typing import Literal

from course_utils.exercises import Exercise

ROWS_OF = Exercise(
    name="1.rows_of",
    function="rows_of",
    cases=(
        (("name,price\nlamp,12\nvase,7",), [{"name": "lamp", "price": 12}, {"name": "vase", "price": 7}]),
        (("name,price\nlamp,12.50\nvase,-7",), [{"name": "lamp", "price": 12.5}, {"name": "vase", "price": -7}]),
        (('name,note\n"lamp, large",old\nvase,"he said ""no"""',),
         [{"name": "lamp, large", "note": "old"}, {"name": "vase", "note": 'he said "no"'}]),
        (("name,price\nlamp,\n\nvase,3\n",), [{"name": "lamp", "price": None}, {"name": "vase", "price": 3}]),
        (("code,day\n007,1e3\n12,2026-05-01",), [{"code": "007", "day": "1e3"}, {"code": 12, "day": "2026-05-01"}]),
        (("name,price",), []),
        (("a\n0\nnan\ninf",), [{"a": 0}, {"a": "nan"}, {"a": "inf"}]),
        (("",), []),
    ),
    same=lambda got, expected: got == expected and [[type(v) for v in r.values()] for r in got] == [
        [type(v) for v in r.values()] for r in expected
    ],
    solution=r"""
import csv
import io
import re

def rows_of(text):
    def value(cell):
        if cell == "":
            return None
        if re.fullmatch(r"-?(0|[1-9]\d*)", cell):
            return int(cell)
        return float(cell) if re.fullmatch(r"-?(0|[1-9]\d*)\.\d+", cell) else cell

    reader = csv.DictReader(io.StringIO(text))
    return [{name: value(cell) for name, cell in row.items()} for row in reader]
""",
    mistakes=(
        "def rows_of(text):\n    head, *lines = text.split('\\n')\n    names = head.split(',')\n"
        "    value = lambda cell: int(cell) if cell.lstrip('-').isdigit() else cell\n"
        "    return [dict(zip(names, map(value, line.split(',')))) for line in lines if line]",
        "import csv, io\ndef rows_of(text):\n    return list(csv.DictReader(io.StringIO(text)))",
        "import csv, io\ndef rows_of(text):\n    def value(cell):\n        try:\n            number = float(cell)\n"
        "            return int(number) if number == int(number) else number\n        except (ValueError, OverflowError):\n"
        "            return cell or None\n    return [{k: value(v) for k, v in row.items()} for row in csv.DictReader(io.StringIO(text))]",
        "import csv, io\ndef rows_of(text):\n    def value(cell):\n        try:\n            return int(cell)\n"
        "        except ValueError:\n            pass\n        try:\n            return float(cell)\n        except ValueError:\n"
        "            return cell\n    return [{k: value(v) for k, v in row.items()} for row in csv.DictReader(io.StringIO(text))]",
    ),
)


def price(product: str):
    """Give a price."""


def order(item: str, pieces: int = 1, express: bool = False):
    """Order it."""


def weigh(grams: float, kind: Literal["light", "heavy"]):
    """Weigh it."""


def now():
    """Tell the time."""


def late(day: str = "today", *, limit: int):
    """Count what is late."""


def bare(name, size: int):
    """No type for the first one."""


PARAMETERS_OF = Exercise(
    name="2.parameters_of",
    function="parameters_of",
    cases=(
        ((price,), {"properties": {"product": {"type": "string"}}, "required": ["product"], "type": "object"}),
        (
            (order,),
            {
                "properties": {"item": {"type": "string"}, "pieces": {"type": "integer"}, "express": {"type": "boolean"}},
                "required": ["item"], "type": "object",
            },
        ),
        (
            (weigh,),
            {
                "properties": {"grams": {"type": "number"}, "kind": {"type": "string", "enum": ["light", "heavy"]}},
                "required": ["grams", "kind"], "type": "object",
            },
        ),
        ((now,), {"properties": {}, "required": [], "type": "object"}),
        (
            (late,),
            {
                "properties": {"day": {"type": "string"}, "limit": {"type": "integer"}}, "required": ["limit"],
                "type": "object",
            },
        ),
        ((bare,), None),
    ),
    solution="""
import inspect
import typing

TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}

def parameters_of(function):
    hints, properties, required = typing.get_type_hints(function), {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name)
        if typing.get_origin(hint) is typing.Literal:
            properties[name] = {"type": "string", "enum": list(typing.get_args(hint))}
        elif hint in TYPES:
            properties[name] = {"type": TYPES[hint]}
        else:
            return None
        if parameter.default is parameter.empty:
            required.append(name)
    return {"properties": properties, "required": required, "type": "object"}
""",
    mistakes=(
        "TYPES = {str: 'string', int: 'integer', float: 'number', bool: 'boolean'}\ndef parameters_of(function):\n"
        "    properties = {name: {'type': TYPES.get(kind, 'string')} for name, kind in function.__annotations__.items()}\n"
        "    return {'properties': properties, 'required': list(properties), 'type': 'object'}",
        "import inspect, typing\nTYPES = {str: 'string', int: 'integer', float: 'number', bool: 'boolean'}\n"
        "def parameters_of(function):\n    names = inspect.signature(function).parameters\n    properties = {}\n"
        "    for name, hint in typing.get_type_hints(function).items():\n"
        "        if typing.get_origin(hint) is typing.Literal:\n"
        "            properties[name] = {'type': 'string', 'enum': list(typing.get_args(hint))}\n        else:\n"
        "            properties[name] = {'type': TYPES[hint]}\n"
        "    required = [n for n in properties if names[n].default is names[n].empty]\n"
        "    return {'properties': properties, 'required': required, 'type': 'object'}",
        "import inspect\nTYPES = {str: 'string', int: 'integer', float: 'number', bool: 'integer'}\ndef parameters_of(function):\n"
        "    properties, required = {}, []\n    for name, its in inspect.signature(function).parameters.items():\n"
        "        if its.annotation not in TYPES:\n            return None\n        properties[name] = {'type': TYPES[its.annotation]}\n"
        "        required += [name] if not its.default else []\n"
        "    return {'properties': properties, 'required': required, 'type': 'object'}",
    ),
)

KINDS = {"order": "integer", "grams": "number", "express": "boolean", "product": "string"}

MEND = Exercise(
    name="2.mend",
    function="mend",
    cases=(
        (({"order": "4056"}, KINDS), {"order": 4056}),
        (({"order": 4056, "product": "4056"}, KINDS), {"order": 4056, "product": "4056"}),
        (({"grams": "12.5", "order": "12.5"}, KINDS), {"grams": 12.5, "order": "12.5"}),
        (({"express": "true", "grams": "7"}, KINDS), {"express": True, "grams": 7.0}),
        (({"express": "False", "order": "no"}, KINDS), {"express": False, "order": "no"}),
        (({"express": "yes", "order": " 12 "}, KINDS), {"express": "yes", "order": " 12 "}),
        (({"order": True, "grams": "nan", "other": "3"}, KINDS), {"order": True, "grams": "nan", "other": "3"}),
        (({"order": "-3", "grams": "1e999"}, KINDS), {"order": -3, "grams": "1e999"}),
        (({"order": ["3"], "product": 7}, KINDS), {"order": ["3"], "product": 7}),
        (({}, KINDS), {}),
    ),
    same=lambda got, expected: got == expected and [type(v) for v in got.values()] == [type(v) for v in expected.values()],
    solution=r"""
import re

def mend(arguments, kinds):
    found = {}
    for name, value in arguments.items():
        kind = kinds.get(name)
        if isinstance(value, str):
            if kind == "integer" and re.fullmatch(r"-?[0-9]+", value):
                value = int(value)
            elif kind == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
                value = float(value)
            elif kind == "boolean" and value.lower() in ("true", "false"):
                value = value.lower() == "true"
        found[name] = value
    return found
""",
    mistakes=(
        "def mend(arguments, kinds):\n    makers = {'integer': int, 'number': float, 'boolean': bool, 'string': str}\n"
        "    return {name: makers[kinds[name]](value) for name, value in arguments.items()}",
        "def mend(arguments, kinds):\n    found = dict(arguments)\n    for name, value in arguments.items():\n        try:\n"
        "            if kinds.get(name) == 'integer':\n                found[name] = int(value)\n"
        "            if kinds.get(name) == 'number':\n                found[name] = float(value)\n"
        "            if kinds.get(name) == 'boolean':\n                found[name] = {'true': True, 'false': False}[value.lower()]\n"
        "        except (ValueError, TypeError, KeyError, AttributeError):\n            pass\n    return found",
        "import json\ndef mend(arguments, kinds):\n    found = {}\n    for name, value in arguments.items():\n        try:\n"
        "            found[name] = json.loads(value) if isinstance(value, str) and kinds.get(name) != 'string' else value\n"
        "        except ValueError:\n            found[name] = value\n    return found",
        "def mend(arguments, kinds):\n    return arguments",
    ),
)

EXERCISES = (ROWS_OF, PARAMETERS_OF, MEND)
