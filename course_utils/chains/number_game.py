"""The number game: join numbers with + - * / until one is left. Legal steps, an exact solver, a checker, random play.

Every result on the way is a whole number, zero or above. No model is needed here.
"""

import ast
import operator
import re
from collections import namedtuple
from fractions import Fraction
from functools import cache
from itertools import permutations

SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
LONGEST = 200  # signs of an expression that is still read

# left: the numbers left, a sorted tuple; target: the number to reach; steps: the steps so far, as text
State = namedtuple("State", "left target steps")


@cache
def moves(left):
    """All legal steps from the numbers left: {text of the step: the numbers left after it, sorted}.

    Example: moves((2, 8))["8 - 2 = 6 (left: 6)"] -> (6,)
    """
    found = {}
    for i, j in permutations(range(len(left)), 2):
        a, b, rest = left[i], left[j], [left[k] for k in range(len(left)) if k not in (i, j)]
        results = {"+": a + b, "-": a - b, "*": a * b, "/": a // b if b and a % b == 0 else -1}
        for sign, result in results.items():
            after = tuple(sorted([*rest, result]))
            if result >= 0:
                found[f"{a} {sign} {b} = {result} (left: {' '.join(map(str, after))})"] = after
    return found


@cache
def solve(left, target):
    """The exact solver: the steps from the numbers to the target, or None where there are none. It tries everything.

    Example: solve((2, 4, 6), 24) -> ("2 + 4 = 6 (left: 6 6)", ...) or another way that is right
    """
    if len(left) == 1:
        return () if left == (target,) else None
    ways = ((step, solve(after, target)) for step, after in moves(left).items())
    return next(((step, *way) for step, way in ways if way is not None), None)


@cache
def luck(left, target):
    """The exact chance in [0, 1] that random legal play reaches the target; every next state is equally likely."""
    after = sorted(set(moves(left).values()))
    return sum(luck(one, target) for one in after) / len(after) if after else float(left == (target,))


def _worth(node):
    """The exact value of an expression's syntax tree; an error for anything but whole numbers and + - * /."""
    if isinstance(node, ast.BinOp):
        return SIGNS[type(node.op)](_worth(node.left), _worth(node.right))
    if type(node.value) is not int:
        raise ValueError(node.value)
    return Fraction(node.value)


def reaches(reply, game):
    """Whether a reply ends with an expression of exactly the numbers of the game that is worth the target.

    What stands behind "Answer:" and before "=" counts. It is read as a syntax tree and never run.
    Example: reaches("Answer: 8 * (5 - 2)", State((2, 5, 8), 24, ())) -> True
    """
    text = reply.rpartition("Answer:")[2].split("=")[0].strip()
    if len(text) > LONGEST:
        return False
    try:
        value = _worth(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, AttributeError, KeyError, ZeroDivisionError, RecursionError, MemoryError):
        return False
    return value == game.target and sorted(map(int, re.findall(r"\d+", text))) == sorted(game.left)
