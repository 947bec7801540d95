"""Word problems answered with a Python program."""

import functools

from course_utils.metrics import same_number
from course_utils.recipe.skills import _problem
from course_utils.sandbox import runner

SKILL = "pal"


def generate(rng, split):
    """One example; see _problem.generate."""
    return _problem.generate(rng, split, SKILL)


@functools.lru_cache(maxsize=1000)
def _printed(program):
    result = runner.run(program)
    return result.output.strip() if result.status == "ok" else ""


def score(reply, example):
    """1.0 where the program runs and prints the right number."""
    return float(same_number(_printed(reply), example["gold"]))
