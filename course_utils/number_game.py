"""The number game: join numbers with + - * / until one is left. Legal steps, an exact solver, a checker, random play.

Every result on the way is a whole number, zero or above. A step reads "8 - 2 = 6 (left: 6 6)". No model is needed here.
"""

import ast
import operator
import re
from collections import namedtuple
from fractions import Fraction
from functools import lru_cache

SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
STEP = re.compile(r"\s*(\d+) ([-+*/]) (\d+) = (\d+) \(left: (\d+(?: +\d+)*)\)\s*")
LONGEST = 200  # characters of an expression that is still read

# left: the numbers left, a sorted tuple; target: the number to reach; steps: the steps so far, as text
State = namedtuple("State", "left target steps")


@lru_cache(maxsize=100_000)
def moves(numbers):
    """Every next step from a sorted tuple of numbers: ((larger, sign, smaller, result, numbers left), ...)."""
    found = {}
    for i in range(len(numbers)):
        for j in range(i + 1, len(numbers)):
            low, high = numbers[i], numbers[j]
            rest = numbers[:i] + numbers[i + 1 : j] + numbers[j + 1 :]
            results = [("+", high + low), ("-", high - low), ("*", high * low)]
            if low and high % low == 0:
                results.append(("/", high // low))
            for sign, result in results:
                found[high, sign, low] = (high, sign, low, result, tuple(sorted((*rest, result))))
    return tuple(found.values())


def step_text(move):
    """A step as text.

    Example: step_text((8, "-", 2, 6, (6, 6))) -> "8 - 2 = 6 (left: 6 6)"
    """
    high, sign, low, result, left = move
    return f"{high} {sign} {low} = {result} (left: {' '.join(map(str, left))})"


def left_after(step, numbers):
    """The numbers left after a step in text, as a sorted tuple; None where the step is not legal.

    Example: left_after("8 - 2 = 6 (left: 6 6)", (2, 6, 8)) -> (6, 6)
    """
    found = STEP.fullmatch(step)
    if not found:
        return None
    first, second, result = (int(found[place]) for place in (1, 3, 4))
    larger, smaller = (second, first) if found[2] in "+*" and first < second else (first, second)
    left = tuple(sorted(map(int, found[5].split())))
    return left if (larger, found[2], smaller, result, left) in moves(tuple(sorted(numbers))) else None


@lru_cache(maxsize=300_000)
def reach(numbers):
    """Every whole number that a sorted tuple of numbers can become, each number used once."""
    if len(numbers) == 1:
        return frozenset(numbers)
    return frozenset().union(*(reach(left) for *_, left in moves(numbers)))


@lru_cache(maxsize=100_000)
def solve(numbers, target):
    """The exact solver: the moves from the numbers to the target, always the same ones; None where there are none."""
    if len(numbers) == 1:
        return () if numbers[0] == target else None
    for move in sorted(moves(numbers), key=lambda move: (move[3] > 40, "*+-/".index(move[1]), -move[3])):
        if target in reach(move[4]):
            return (move, *solve(move[4], target))
    return None


@lru_cache(maxsize=100_000)
def luck(numbers, target):
    """The exact chance in [0, 1] that random legal play reaches the target; every next state is equally likely."""
    after = {left for *_, left in moves(numbers)}
    return sum(luck(left, target) for left in sorted(after)) / len(after) if after else float(numbers == (target,))


def evaluate(text):
    """The exact value of an expression of + - * / and whole numbers, and the numbers used.

    It is read as a syntax tree and never run.

    Returns (fraction, sorted list)
    Errors:  ValueError for anything else
    """
    used = []

    def walk(node):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            used.append(node.value)
            return Fraction(node.value)
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
            return SIGNS[type(node.op)](walk(node.left), walk(node.right))
        raise ValueError(text)

    try:
        if len(text) > LONGEST:
            raise ValueError(text)
        return walk(ast.parse(text.strip(), mode="eval").body), sorted(used)
    except (SyntaxError, ZeroDivisionError, RecursionError, MemoryError) as error:
        raise ValueError(text) from error


def reaches(reply, numbers, target):
    """Whether a reply ends with an expression of exactly these numbers that is worth the target.

    What stands behind "Answer:" and before "=" counts.
    Example: reaches("Answer: 8 * (5 - 2)", (2, 5, 8), 24) -> True
    """
    try:
        return evaluate(reply.rpartition("Answer:")[2].split("=")[0]) == (target, sorted(numbers))
    except ValueError:
        return False
