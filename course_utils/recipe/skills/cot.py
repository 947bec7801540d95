"""Word problems answered with a chain of thought."""

from course_utils.recipe.skills import _problem

SKILL = "cot"
score = _problem.score


def generate(rng, split):
    """One example; see _problem.generate."""
    return _problem.generate(rng, split, SKILL)
