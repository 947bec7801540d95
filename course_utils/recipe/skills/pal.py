"""Word problems answered with a Python program."""

from course_utils.metrics import same_number
from course_utils.program import run_program
from course_utils.recipe.skills import _problem

SKILL = "pal"


def generate(rng, split):
    """One example; see _problem.generate."""
    return _problem.generate(rng, split, SKILL)


def score(reply, example):
    """1.0 where the program runs and prints the right number."""
    result = run_program(reply)
    return float(result.status == "ok" and same_number(result.output.strip(), example["gold"]))
