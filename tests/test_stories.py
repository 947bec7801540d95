"""Composed stories: programs give the answer, structures set aside stay aside, draws repeat, numbers stretch."""

import random
import re

from course_utils.recipe import schemas, split, stories


def _draws(count=300, seed=1, **options):
    rng = random.Random(seed)
    return [stories.draw(rng, **options) for _ in range(count)]


def test_programs_and_chains_give_the_answer():
    for problem in _draws():
        assert abs(schemas._run(problem["program"]) - float(problem["answer"])) < 1e-6
        assert problem["equations"][-1].endswith(f"= {problem['answer']}")
        assert len(problem["steps"]) == len(problem["equations"]) == problem["operations"] <= 4
        for step, equation in zip(problem["steps"], problem["equations"]):
            written, result = equation.split(" = ")
            assert equation in step
            assert abs(eval(written) - float(result)) < 1e-6


def test_no_place_is_left_open():
    for problem in _draws(400) + _draws(200, part="heldout"):
        assert not re.search(r"[{}\[\]<>]|  ", problem["question"] + " ".join(problem["steps"]))


def test_structures_set_aside_stay_aside():
    assert not any(split.held_out(problem["id"]) for problem in _draws(400))
    assert all(split.held_out(problem["id"]) for problem in _draws(100, part="heldout"))


def test_draws_repeat():
    assert _draws(50, seed=3) == _draws(50, seed=3)


def test_numbers_stretch():
    problems = _draws(100, low=10000, high=9999999)
    large = [problem for problem in problems if re.search(r"= \d{5,}", problem["program"])]
    assert len(large) > 90
