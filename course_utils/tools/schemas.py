"""What a model is told about a Python function, and whether the arguments of a call fit what it was told."""

import inspect
import math
import typing

from course_utils.prompts import short
from course_utils.settings import CourseError

TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
# type -> (in words, whether a value has it)
KINDS = {
    "string": ("a text", lambda value: isinstance(value, str)),
    "integer": ("a whole number", lambda value: type(value) is int),
    "number": ("a number", lambda value: type(value) is int or type(value) is float and math.isfinite(value)),
    "boolean": ("true or false", lambda value: type(value) is bool),
}


def _of_type(hint):
    """The JSON schema of a parameter's type, or None."""
    if typing.get_origin(hint) is not typing.Literal:
        return {"type": TYPES[hint]} if hint in list(TYPES) else None
    values = list(typing.get_args(hint))
    texts = len(values) > 1 and all(isinstance(value, str) for value in values)
    return {"enum": values, "type": "string"} if texts else None


def schema_of(function):
    """What a model is told about a function, in OpenAI's form: {"type": "function", "function": {...}}.

    Its name, its docstring on one line, its parameters with their types; one without a default is required.
    Types:   str, int, float, bool, Literal of two texts or more
    Errors:  CourseError for a parameter without such a type, for *args and **kwargs, for a missing docstring
    Example: schema_of(price)["function"]["parameters"]["required"] -> ["product"]
    Source:  JSON Schema, https://json-schema.org
    """
    hints, properties, required = typing.get_type_hints(function), {}, []
    if not (function.__doc__ or "").strip():
        raise CourseError(f"The function {function.__name__} has no docstring: say in one sentence what it does.")
    for name, parameter in inspect.signature(function).parameters.items():
        entry = _of_type(hints.get(name))
        if entry is None or parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            types = "str, int, float, bool or a Literal of texts"
            raise CourseError(f"The parameter {name} of {function.__name__} has no type for a schema: use {types}.")
        if parameter.default is parameter.empty:
            required.append(name)
        else:
            entry["default"] = parameter.default
        properties[name] = dict(sorted(entry.items()))
    shape = {"properties": properties} | ({"required": required} if required else {}) | {"type": "object"}
    told = {"name": function.__name__, "description": " ".join(function.__doc__.split()), "parameters": shape}
    return {"type": "function", "function": told}


def fault_of(arguments, schema):
    """Why the arguments of a call do not fit a tool's schema: (fault, sentence for the model); ("", "") where they fit.

    The first that is true: "missing argument", "unknown argument", "wrong type", "wrong value". Strict: "2" is no
    number, 2.0 no whole number, true no number.
    Does not cover: lists, objects, ranges, formats
    Example: fault_of({"order": "7"}, schema)[1] -> 'The argument "order" must be a whole number, not "7".'
    """
    shape = schema["function"]["parameters"]
    properties = shape["properties"]
    for name in shape.get("required", ()):
        if name not in arguments:
            return "missing argument", f"The argument {short(name)} is missing."
    for name in arguments:
        if name not in properties:
            known = ", ".join(properties) or "none"
            return "unknown argument", f"There is no argument {short(name)}; the arguments are: {known}."
    for name, kind in properties.items():
        words, fits = KINDS[kind["type"]]
        fault = name in arguments and not fits(arguments[name]) and "wrong type"
        if not fault and name in arguments and arguments[name] not in kind.get("enum", [arguments[name]]):
            fault, words = "wrong value", "one of " + ", ".join(map(short, kind["enum"]))
        if fault:
            return fault, f"The argument {short(name)} must be {words}, not {short(arguments[name])}."
    return "", ""
