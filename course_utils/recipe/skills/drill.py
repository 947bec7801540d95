"""Plain arithmetic: one operation, so that chains can rely on it."""

import re
from fractions import Fraction

from course_utils.metrics import same_number
from course_utils.recipe import split as split_
from course_utils.recipe.problems import show_number

SKILL = "drill"
NUMBER = re.compile(r"-?\$?[\d,]*\.?\d+\.?")
SIGNS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


def _number(rng, digits):
    return rng.randint(0 if digits == 1 else 10 ** (digits - 1), 10**digits - 1)


def equation(rng):
    """(left, sign, right, result) with numbers that suit the sign; every one-digit product comes up often."""
    sign = rng.choice("++--**/")
    if sign in "+-":
        left, right = _number(rng, rng.choice((1, 2, 2, 3, 3, 4))), _number(rng, rng.choice((1, 2, 2, 3, 3)))
        if sign == "-" and right > left:
            left, right = right, left
        if rng.random() < 0.15:
            left, right = (
                Fraction(left) + Fraction(rng.randint(0, 99), 100),
                Fraction(right) + Fraction(rng.randint(0, 9), 10),
            )
            left, right = max(left, right), min(left, right)
        return left, sign, right, left + right if sign == "+" else left - right
    small, other = rng.randint(0, 12), _number(rng, rng.choice((1, 1, 2, 2, 3)))
    if sign == "*":
        left, right = (small, other) if rng.random() < 0.5 else (other, small)
        return left, sign, right, left * right
    small = max(1, small)
    return small * other, sign, small, other


def generate(rng, split):
    """A question such as "What is 23 + 45?" with the bare result, or an equation page as plain text."""
    left, sign, right, result = equation(rng)
    left, right, gold = show_number(left), show_number(right), show_number(result)
    wording = split_.pick(rng, split_.load("problem_wordings")["drill"], split)
    asked = wording.format(left=left, right=right, sign=sign if rng.random() < 0.8 else SIGNS[sign])
    lines = [f"{left} {sign} {right} = {gold}"]
    for _ in range(rng.randint(3, 20)):
        a, s, b, c = equation(rng)
        lines.append(f"{show_number(a)} {s} {show_number(b)} = {show_number(c)}")
    return {
        "skill": SKILL,
        "gold": gold,
        "plain": "\n".join(lines),
        "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": gold}],
    }


def score(reply, example):
    """1.0 for the right number and nothing else."""
    text = reply.strip()
    return float(bool(NUMBER.fullmatch(text)) and same_number(text, example["gold"]))
