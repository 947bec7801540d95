"""Chains of prompts: nodes and a state, votes, tree search, structured output."""

from course_utils.chains.drawing import draw, draw_tree
from course_utils.chains.graph import END, Asker, Visit, run
from course_utils.chains.voting import majority, vote_hits

__all__ = ["END", "Asker", "Visit", "draw", "draw_tree", "majority", "run", "vote_hits"]
