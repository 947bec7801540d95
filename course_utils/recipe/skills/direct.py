"""Word problems answered with the bare number."""

from course_utils.recipe.skills import _problem

SKILL = "direct"
score = _problem.score


def generate(rng, split):
    """One example; see _problem.generate."""
    return _problem.generate(rng, split, SKILL)
