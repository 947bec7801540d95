"""Every exercise's check passes its solution, rejects at least three planted mistakes and survives the stub."""

import pytest

from course_utils import exercises

ALL = exercises.exercises()


def built(source, name):
    scope = {}
    exec(compile(source, f"exercise {name}", "exec"), scope)
    return scope[name]


@pytest.mark.parametrize("exercise", ALL.values(), ids=list(ALL))
def test_the_solution_passes(exercise):
    assert exercises.judge(exercise, built(exercise.solution, exercise.function)).startswith("passed")


@pytest.mark.parametrize("exercise", ALL.values(), ids=list(ALL))
def test_planted_mistakes_are_rejected(exercise):
    assert len(exercise.mistakes) >= 3
    for mistake in exercise.mistakes:
        verdict = exercises.judge(exercise, built(mistake, exercise.function))
        assert verdict.startswith("case "), (verdict, mistake)


@pytest.mark.parametrize("exercise", ALL.values(), ids=list(ALL))
def test_the_stub_is_survived(exercise):
    def stub(*arguments):
        raise NotImplementedError

    assert exercises.judge(exercise, stub) == "not attempted yet"


def test_a_wrong_case_names_its_call():
    exercise = exercises.Exercise("0.half", "half", (((8,), 4),), "", ())
    assert exercises.judge(exercise, lambda x: x * 2) == "case 1 of 1 differs: half(8) should be 4, got 16"
    assert exercises.judge(exercise, lambda x: x / 0).startswith("case 1 of 1: half(8) stopped with ZeroDivisionError")
    exercise = exercises.Exercise("0.apply", "apply", (((list(range(99)), len), 99),), "", ())
    verdict = exercises.judge(exercise, lambda x, f: x.clear() or "a" * 999)  # the call as it was, its middle left out
    assert "apply([0, 1, 2" in verdict and "98], len) should be 99, got 'aaa" in verdict and len(verdict) < 220


def test_a_function_that_empties_what_it_gets_is_judged_the_same_twice():
    rows = (["a", "b"], {"x": [1, 2]})
    exercise = exercises.Exercise("0.pop", "take", ((rows, "b"), (rows, "b")), "", ())

    def take(letters, numbers):
        numbers["x"].clear()
        return letters.pop()

    assert exercises.judge(exercise, take) == exercises.judge(exercise, take) == "passed 2 of 2"
    assert "OverflowError" in exercises.judge(exercises.Exercise("0.big", "big", (((), 0.5),), "", ()), lambda: 10**400)
