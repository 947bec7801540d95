"""Exercises of Step 1."""

from course_utils.exercises import Exercise  # noqa: F401

EXERCISES = ()
