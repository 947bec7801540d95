"""Scores of replies."""

import math

import pytest

from course_utils.metrics import (
    distinct_n,
    entropy_bits,
    entropy_nats,
    entropy_of,
    exact_match,
    final_number,
    same_number,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The answer is 43.", 43), ("$1,043.50", 1043.5), ("It costs $ 12.", 12), ("5 - 7 = -2", -2), ("7-2", 2),
        ("20%", 20), ("20 %", 20), ("3 + 4 = 7, so 7 apples", 7), ("no number", None), ("", None), (".5", 0.5),
        ("-0.25", -0.25), ("-$3.50", -3.5), ("1,2,3", 3), ("in 2024, 15", 15), ("x=3", 3), ("\u22124", -4), ("room12", 12),
        ("1" * 400, None), ("12,000,000", 12000000), ("18.0", 18),
    ],
)  # fmt: skip
def test_final_number(text, number):
    assert final_number(text) == number


def test_same_number():
    assert same_number("18", 18.0) and same_number(18, "18") and same_number("The answer is 18.", 18)
    assert same_number("0.333333333", 1 / 3) and same_number("$1,200", 1200)
    assert not same_number("18", 19) and not same_number("", 0) and not same_number(None, 0)
    assert not same_number(float("nan"), float("nan")) and not same_number(True, 1)
    assert not same_number(1000000, 1000002) and same_number(10**15, 10**15 + 1)


def test_texts():
    assert exact_match(" Paris. ", "paris") == 1 and exact_match("Paris", "Rome") == 0
    assert distinct_n(["a b a b"], 1) == 0.5 and distinct_n(["a b c"], 2) == 1 and distinct_n([""], 2) == 0


def test_entropy():
    assert entropy_bits([0.25] * 4) == pytest.approx(2) and entropy_nats([1.0]) == 0
    assert entropy_nats([0.5, 0.5]) == pytest.approx(math.log(2))
    assert entropy_of("aabb") == pytest.approx(1) and entropy_of([]) == 0
