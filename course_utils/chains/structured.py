"""Structured output: read a reply as one JSON object of a schema, say in one sentence what is wrong, ask once more.

A schema is a pydantic model class, or a dictionary {field: type} for small cases; (str, None) as a type allows null.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

from course_utils.prompts import short

FAULTS = (
    "empty", "no object", "cut off", "not JSON", "text around", "double field", "missing field", "unknown field",
    "wrong type", "wrong value",
)  # fmt: skip
AGAIN = "{sentence} Write the JSON object again."
NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"} | {list: "a list", dict: "an object"}


@dataclass(frozen=True)
class Parsed:
    """What a reply holds: a checked `value` (model instance or dict), or one of FAULTS and a sentence about it."""

    value: object = None
    fault: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class Outcome:
    """The checked value of one prompt (None where every try failed), and what each try gave."""

    value: object
    tries: list = field(default_factory=list)
    replies: list = field(default_factory=list)


class _Double(ValueError):
    pass


def _pairs(pairs):
    names = [name for name, _ in pairs]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise _Double(double)
    return dict(pairs)


def _no_constant(name):
    raise ValueError(f"{name} is no JSON number")


DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_no_constant)


def _read(text):
    """The JSON object that a text is: (dict, None), or (None, Parsed with the fault)."""
    start = text.find("{")
    if not text:
        return None, Parsed(None, "empty", "The reply is empty: answer with one JSON object.")
    if start < 0:
        return None, Parsed(None, "no object", "The reply holds no JSON object: write { and } around the fields.")
    try:
        found, end = DECODER.raw_decode(text, start)
    except _Double as error:
        return None, Parsed(None, "double field", f"The field {short(str(error))} stands twice: write each field once.")
    except RecursionError:
        return None, Parsed(None, "not JSON", "The JSON is nested too deeply: write one flat object.")
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError) and (error.pos >= len(text) or error.msg.startswith("Unterminated")):
            return None, Parsed(None, "cut off", "The JSON object breaks off: close every text and every bracket.")
        return None, Parsed(None, "not JSON", f"The object is no valid JSON ({error}): mend it.")
    if text[:start] or text[end:]:
        return None, Parsed(None, "text around", "Text stands around the JSON object: answer with the object alone.")
    return found, None


def _missing(name):
    return Parsed(None, "missing field", f"The field {short(name)} is missing: add it.")


def _unknown(name):
    return Parsed(None, "unknown field", f"The field {short(name)} was not asked for: leave it out.")


def _against_dict(found, schema):
    for name in schema:
        if name not in found:
            return _missing(name)
    for name in found:
        if name not in schema:
            return _unknown(name)
    for name, kinds in schema.items():
        kinds, value = kinds if isinstance(kinds, tuple) else (kinds,), found[name]
        fits = value is None and None in kinds or type(value) in kinds or type(value) is int and float in kinds
        if not fits:
            wanted = " or ".join("null" if kind is None else NAMES[kind] for kind in kinds)
            return Parsed(None, "wrong type", f"The field {short(name)} must be {wanted}, not {short(value)}.")
    return Parsed(found)


def _against_model(found, schema, context):
    from pydantic import ValidationError

    try:
        return Parsed(schema.model_validate(found, strict=True, context=context))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    name, kind = ".".join(map(str, first["loc"])), first["type"]
    if kind == "missing":
        return _missing(name)
    if kind == "extra_forbidden":
        return _unknown(name)
    said = first["msg"].removeprefix("Value error, ")
    fault = "wrong type" if kind.endswith(("_type", "_parsing", "_from_float")) else "wrong value"
    where = f"The field {short(name)} is wrong" if name else "The record is wrong"
    return Parsed(None, fault, f"{where}: {said[:1].lower()}{said[1:].rstrip('.')}.")


def parse(text, schema, context=None):
    """Read a reply as exactly one JSON object of a schema; never raises for what a model wrote.

    Strict: no text around the object, no field twice, no unknown field in a dictionary's schema, "2" is no number.
    `context` reaches the validators of a pydantic model (such as {"note": the text that was read}).
    Returns a Parsed: a value, or one of FAULTS with a sentence that a model or a person can act on.
    Example: parse('{"city": 7}', {"city": str}).fault -> "wrong type"
    Does not cover: whether the values are right; a record of nulls may have a valid form
    """
    found, fault = _read(text.strip())
    if fault:
        return fault
    return _against_dict(found, schema) if isinstance(schema, dict) else _against_model(found, schema, context)


def retry_messages(prompt, reply, sentence):
    """The conversation that asks again: the prompt, the faulty reply, what was wrong with it.

    `prompt` is one user message as text, or a list of messages.
    """
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
    return [
        *messages,
        {"role": "assistant", "content": reply},
        {"role": "user", "content": AGAIN.format(sentence=sentence)},
    ]


def ask_records(ask, prompts, schema, contexts=None):
    """Ask for a record of a schema for each prompt; where the first try fails, once more with the fault's sentence.

    `ask` takes a list of prompts (texts or lists of messages) and returns their replies. Returns one Outcome each.
    """
    contexts = contexts or [None] * len(prompts)
    replies = [[reply] for reply in ask(list(prompts))]
    tries = [[parse(said[0], schema, context)] for said, context in zip(replies, contexts)]
    failed = [index for index, tried in enumerate(tries) if tried[0].fault]
    again = ask([retry_messages(prompts[i], replies[i][0], tries[i][0].sentence) for i in failed]) if failed else []
    for index, reply in zip(failed, again):
        replies[index].append(reply)
        tries[index].append(parse(reply, schema, contexts[index]))
    return [Outcome(tried[-1].value, tried, said) for tried, said in zip(tries, replies)]


def report(outcomes):
    """One line: how many records came at once, after the second try, not at all, and why not.

    Example: "60 prompts: 51 records at once, 5 at the second try, 4 not (cut off 3, wrong value 1)"
    """
    at_once = sum(not outcome.tries[0].fault for outcome in outcomes)
    faults = Counter(outcome.tries[-1].fault for outcome in outcomes if outcome.tries[-1].fault)
    why = ", ".join(f"{name} {faults[name]}" for name in FAULTS if faults[name])
    failed, total = sum(faults.values()), len(outcomes)
    second = total - at_once - failed
    line = f"{total} prompts: {at_once} records at once, {second} at the second try, {failed} not"
    return f"{line} ({why})" if why else line
