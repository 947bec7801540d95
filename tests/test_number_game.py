"""The number game: its legal steps, the solver against a plain search, the checker on replies, chance by playing."""

import random
import re

import pytest

from course_utils.number_game import left_after, luck, moves, reaches, solve, step_text

GAME = (2, 4, 8, 12)


def reachable(numbers):
    """Every number that the game can reach, written the long way."""
    if len(numbers) == 1:
        return set(numbers)
    found = set()
    for i, a in enumerate(numbers):
        for j, b in enumerate(numbers):
            if i != j:
                rest = [number for k, number in enumerate(numbers) if k not in (i, j)]
                results = [a + b, a * b, *([a - b] if a >= b else []), *([a // b] if b and a % b == 0 else [])]
                found |= set().union(*(reachable([*rest, result]) for result in results))
    return found


def drawn(seed):
    rng = random.Random(seed)
    return tuple(sorted(rng.choices(range(14), k=rng.choice((1, 2, 3, 4))))), rng.randint(0, 36)


@pytest.mark.parametrize("seed", range(60))
def test_the_solver_finds_a_way_where_there_is_one_and_each_step_is_legal(seed):
    left, target = drawn(seed)
    steps = solve(left, target)
    assert (steps is not None) == (target in reachable(left))
    for step in steps or ():
        larger, sign, smaller, result, after = step
        assert result == {"+": larger + smaller, "-": larger - smaller, "*": larger * smaller, "/": larger / (smaller or -1)}[sign]
        left = left_after(step_text(step), left)
        assert left == after
    assert steps is None or left == (target,)


def test_no_step_is_negative_or_broken():
    assert {move[-1] for move in moves((3, 8))} == {(11,), (5,), (24,)}
    assert (4,) in {move[-1] for move in moves((2, 8))} and not any("/ 0" in step_text(move) for move in moves((0, 5)))
    assert moves((7,)) == moves(()) == ()


@pytest.mark.parametrize(
    ("step", "left"),
    [
        ("8 - 2 = 6 (left: 4 6 12)", (4, 6, 12)),
        (" 8 / 2 = 4 (left: 12 4 4) ", (4, 4, 12)),
        ("2 + 8 = 10 (left: 4 10 12)", (4, 10, 12)),  # + and * in either order
        ("2 - 8 = -6 (left: -6 4 12)", None),
        ("2 - 8 = 6 (left: 4 6 12)", None),
        ("2 / 8 = 4 (left: 4 4 12)", None),
        ("8 - 2 = 5 (left: 4 5 12)", None),
        ("8 - 2 = 6 (left: 6 12)", None),  # a number is lost
        ("8 - 2 = 6 (left: 4 6 8 12)", None),  # a number is kept that was used
        ("8 - 3 = 5 (left: 4 5 12)", None),
        ("8 + 8 = 16 (left: 4 12 16)", None),
        ("8 - 2 = 6", None),
        ("", None),
    ],
)
def test_steps_in_text(step, left):
    assert left_after(step, GAME) == left


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("(8 - 4) * 12 / 2", True),
        ("8 - 4 = 4 (left: 2 4 12)\n...\nAnswer: (8 - 4) * 12 / 2", True),
        ("(8 - 4) * 12 / 2 = 24", True),
        ("12 + 8 + 4", False),  # one number is missing
        ("(8 - 4) * 12", False),
        ("(8 - 4 * 12 / 2", False),
        ("8 + 4 + 12 + 2", False),
        ("24 + 0 * (2 + 4 + 8 + 12)", False),
        ("12 / (2 - 2) + 8 + 4", False),
        ("2 ** 4 + 8 * 12 - 88", False),
        ("exit()", False),
        ("'24'", False),
        ("True", False),
        ("", False),
        ("(" * 5000, False),
        ("-" * 150 + "1", False),
    ],
)
def test_replies(reply, right):
    assert reaches(reply, GAME, 24) is right


@pytest.mark.parametrize("left", [(2, 3), (1, 5, 6), (2, 3, 8)])
def test_luck_is_what_random_play_gives(left):
    rng, wins = random.Random(0), 0
    for _ in range(4000):
        state = left
        while len(state) > 1:
            state = rng.choice(sorted({move[-1] for move in moves(state)}))
        wins += state == (24,) if left != (2, 3) else state == (6,)
    assert wins / 4000 == pytest.approx(luck(left, 6 if left == (2, 3) else 24), abs=0.03)
