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
