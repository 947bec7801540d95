"""The locked process: one order in, one answer out, nothing else. Started by runner.py, never imported by it."""

import collections
import datetime
import decimal
import fractions
import functools
import importlib
import io
import json
import math
import os
import random
import sys
from types import FunctionType

from course_utils.sandbox import confinement, language

ANSWER_SIZE = 10_000  # letters and items
NUMBERS = (fractions.Fraction, decimal.Decimal)
WRITTEN_OUT = (*NUMBERS, datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
LISTS, SETS = (list, tuple, collections.deque), (set, frozenset)
TABLES = (dict, collections.Counter, collections.defaultdict, collections.OrderedDict)
NOTHING = object()
PROGRAM = language.PROGRAM


class Full(BaseException):
    """The program printed too much."""


class Printed(io.TextIOBase):
    """Keeps what a program prints, up to a number of characters."""

    def __init__(self, room):
        self.room, self.parts = room, []

    def write(self, text):
        self.room -= len(text)
        if self.full():
            raise Full
        self.parts.append(text)
        return len(text)

    def full(self):
        return self.room < 0


def plain(value, room, depth=0):
    """A value as data for JSON, of exactly these types: an object of another type could carry code.

    Errors:  ValueError if it is something else, too large, too deep or not finite
    Example: plain((1, Fraction(1, 2)), [9]) -> [1, "1/2"]
    """
    kind = type(value)
    room[0] -= 1 + (len(value) if kind is str else 0)
    if room[0] < 0:
        raise ValueError("the answer is too large")
    if depth > 20:
        raise ValueError("the answer is nested too deeply")
    if kind is int and value.bit_length() > 4000:
        raise ValueError("the number is too large")
    if kind is float and not math.isfinite(value):
        raise ValueError("the answer is not a finite number")
    if kind in (bool, int, float, str, type(None)):
        return value
    if kind in WRITTEN_OUT:
        return plain(str(value), room)
    if kind in LISTS:
        return [plain(item, room, depth + 1) for item in value]
    if kind in SETS:
        return sorted((plain(item, room, depth + 1) for item in value), key=repr)
    if kind in TABLES:
        return {str(plain(key, room, depth + 1)): plain(item, room, depth + 1) for key, item in value.items()}
    raise ValueError(f"an answer of type {kind.__name__} is not data")


def _answer(names, printed):
    """What a program answers: solution(), else `answer`, else what it printed, else NOTHING."""
    if type(names.get("solution")) is FunctionType:
        return names["solution"]()
    return names.get("answer", "".join(printed.parts).strip() if printed.parts else NOTHING)


def _complaint(error):
    """An exception as one line with the last line of the program that it passed: "NameError: ... (line 2)"."""
    step, line = error.__traceback__, None
    while step:
        line = step.tb_lineno if step.tb_frame.f_code.co_filename == PROGRAM else line
        step = step.tb_next
    try:
        text = " ".join(str(error)[:300].split("\n"))
    except BaseException:  # its text may be too deep, too long or too large to write
        text = "a message that cannot be shown"
    return type(error).__name__ + f": {text}" * bool(text) + f" (line {line})" * bool(line)


def _execute(code, names, printed):
    """Run a program. Returns (status, answer, error)."""
    try:
        exec(code, names)
        value = _answer(names, printed)
        if printed.full():  # the program has caught Full
            raise Full
        if value is NOTHING:
            return "no_answer", None, "the program printed nothing"
        try:
            return "ok", plain(value, [ANSWER_SIZE]), ""
        except (ValueError, RecursionError) as error:
            return "bad_answer", None, f"{error}."
    except Full:
        printed.parts.clear()
        return "output_limit", None, "the program printed too much."
    except MemoryError:
        return "memory", None, "the program needs too much memory."
    except BaseException as error:  # the program may raise what it likes, SystemExit too
        return "error", None, _complaint(error)


def run_program(order, facades):
    """Check and run one program. Returns {"status", "answer", "error", "output"}."""
    printed = Printed(order["output_limit"])
    try:
        if order["language"]:
            code, names = language.prepare(order["source"], facades, printed.write)
        else:
            code, names, sys.stdout = compile(order["source"], PROGRAM, "exec"), {"__name__": "__main__"}, printed
    except language.Refused as error:
        status, answer, why = "rejected", None, str(error)
    except SyntaxError as error:
        status, answer, why = "rejected", None, f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    except Exception as error:  # RecursionError, MemoryError, ValueError: the parser gave up
        status, answer, why = "rejected", None, f"the program cannot be read ({type(error).__name__})."
    else:
        status, answer, why = _execute(code, names, printed)
    return {"status": status, "answer": answer, "error": why, "output": "".join(printed.parts)}


def main():
    """Read the order, import, shut the door, then look at what a model wrote."""
    order = json.loads(sys.stdin.buffer.readline())
    channel, nothing = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)

    def send(**reply):
        data = json.dumps(reply | {"nonce": order["nonce"]}).encode() + b"\n"
        while data:
            data = data[os.write(channel, data) :]

    if "sql" in order:
        from course_utils.sandbox import query

        job = query.run_query
    else:
        job = functools.partial(run_program, facades=language.load())
    for name in order["preload"]:
        importlib.import_module(name)
    random.seed(0)  # the same program gives the same answer twice
    active, missing = confinement.enter(order["memory_mb"], order["cpu_s"], order["system"])
    sys.path.clear()  # only now: the locks are imported modules, too
    sys.meta_path.clear()  # a codec is a module that Python imports by a name from the program
    send(layers=active, missing=missing)
    sys.setrecursionlimit(600)
    try:
        send(**job(order))
    except MemoryError:
        send(status="memory", error="the answer needs too much memory.")
    os._exit(0)
