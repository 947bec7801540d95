"""Exercises with offline checks. A notebook calls `check("4.top_p", top_p)` directly below the learner's stub."""

import copy
import math
from dataclasses import dataclass, field
from importlib import import_module

from course_utils.measures import Verdict
from course_utils.settings import CourseError

MODULES = tuple(f"step_{step}_{part}" for step in range(1, 6) for part in "abc")


@dataclass(frozen=True)
class Exercise:
    """One exercise. `cases` are (arguments, expected); solution and mistakes are source texts that define `function`.

    `same(got, expected)` may replace the comparison (numbers to 1e-6, sequences one by one).
    """

    name: str
    function: str
    cases: tuple
    solution: str
    mistakes: tuple
    same: object = field(default=None, compare=False)


def exercises():
    """All exercises by name, in the order of the course."""
    found = {}
    for module in MODULES:
        for exercise in import_module(f"course_utils.exercises.{module}").EXERCISES:
            found[exercise.name] = exercise
    return found


def same(got, expected):
    """True where two values agree: numbers to 1e-6, tensors and sequences one by one, the rest by ==."""
    if hasattr(got, "tolist"):
        got = got.tolist()
    if hasattr(expected, "tolist"):
        expected = expected.tolist()
    if isinstance(expected, bool) or isinstance(got, bool):
        return got is expected
    if isinstance(expected, (int, float)) and isinstance(got, (int, float)):
        return math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-6)
    if isinstance(expected, (list, tuple)) and isinstance(got, (list, tuple)):
        return len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(expected, dict) and isinstance(got, dict):
        return got.keys() == expected.keys() and all(same(got[key], value) for key, value in expected.items())
    return got == expected


def judge(exercise, function):
    """What the check says about a function, as one line. Never raises for what the learner wrote."""
    total = len(exercise.cases)
    for number, (arguments, expected) in enumerate(exercise.cases, 1):
        case = f"case {number} of {total}"
        try:
            got = function(*copy.deepcopy(arguments))  # a learner may change what was handed over
            right, shown = (exercise.same or same)(got, expected), _short(got)
        except NotImplementedError:
            return "not attempted yet"
        except Exception as error:  # the learner's own mistake is shown as a sentence, not as a traceback
            return f"{case}: {_call(exercise, arguments)} stopped with {type(error).__name__}: {error}"
        if not right:
            return f"{case} differs: {_call(exercise, arguments)} should be {_short(expected)}, got {shown}"
    return f"passed {total} of {total}"


def _call(exercise, arguments):
    """The call as the learner would write it, such as `wait_s(0, 0.5)`, shortened."""
    return f"{exercise.function}({_short(*arguments)})"


def _short(*values):
    """The values on one line of at most 80 characters; a longer one loses its middle."""
    plain = [value.tolist() if hasattr(value, "tolist") else value for value in values]
    text = ", ".join(getattr(value, "__name__", None) or repr(value) for value in plain)
    return text if len(text) <= 80 else f"{text[:38]} ... {text[-37:]}"


def check(name, function):
    """Print what the exercise's check says about the learner's function. Returns True where all cases pass.

    Errors:  CourseError for an unknown exercise
    """
    if name not in exercises():
        raise CourseError(f"There is no exercise {name!r}: the names are {', '.join(exercises())}.")
    verdict = judge(exercises()[name], function)
    print(f"exercise {name}: {verdict}")
    return Verdict(verdict.startswith("passed"))


def solution(name):
    """Print the solution of an exercise. Try the three hints first."""
    if name not in exercises():
        raise CourseError(f"There is no exercise {name!r}: the names are {', '.join(exercises())}.")
    print(exercises()[name].solution.strip())
