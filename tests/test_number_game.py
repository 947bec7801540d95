"""The number game: its legal steps, the solver against a plain search, the checker on replies, chance by playing."""

import random
import re

import pytest

from course_utils.chains.number_game import State, luck, moves, reaches, solve

GAME = State((2, 4, 8, 12), 24, ())


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
        first, sign, second, result = re.match(r"(\d+) (.) (\d+) = (\d+) ", step).groups()
        assert result_of(int(first), sign, int(second)) == int(result)
        left = moves(left)[step]
    assert steps is None or left == (target,)


def result_of(first, sign, second):
    return {"+": first + second, "-": first - second, "*": first * second, "/": first / second if second else None}[sign]


def test_no_step_is_negative_or_broken():
    assert set(moves((3, 8)).values()) == {(11,), (5,), (24,)}
    assert (4,) in moves((2, 8)).values() and not any("/ 0" in step for step in moves((0, 5)))
    assert moves((7,)) == moves(()) == {}


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
    assert reaches(reply, GAME) is right


@pytest.mark.parametrize("left", [(2, 3), (1, 5, 6), (2, 3, 8)])
def test_luck_is_what_random_play_gives(left):
    rng, wins = random.Random(0), 0
    for _ in range(4000):
        state = left
        while len(state) > 1:
            state = rng.choice(sorted(set(moves(state).values())))
        wins += state == (24,) if left != (2, 3) else state == (6,)
    assert wins / 4000 == pytest.approx(luck(left, 6 if left == (2, 3) else 24), abs=0.03)
