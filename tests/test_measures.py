"""Intervals, paired tests and records, checked against known values and by simulation."""

import random

import pytest

from course_utils import measures
from course_utils.settings import CourseError


@pytest.mark.parametrize(
    "correct, n, low, high",
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (7, 10, 0.3968, 0.8922),
        (50, 100, 0.4038, 0.5962),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_equals_published_values(correct, n, low, high):
    assert measures.wilson(correct, n) == pytest.approx((low, high), abs=1e-3)


def test_an_interval_never_leaves_its_share_out():
    """Rounding put the end of some intervals a hair beyond a share of 0 or 1, and a bar chart refused to draw them."""
    for n in range(1, 400):
        for correct in (0, 1, n - 1, n):
            low, high = measures.wilson(correct, n)
            assert 0 <= low <= correct / n <= high <= 1, (correct, n)


def test_intervals_hold_the_truth_in_about_95_of_100_repeats():
    rng, inside = random.Random(0), {"share": 0, "mean": 0}
    for repeat in range(300):
        hits = [rng.random() < 0.7 for _ in range(60)]
        values = [rng.gauss(2.0, 1.0) for _ in range(60)]
        share, mean = measures.share("s", hits), measures.mean("m", values, draws=400, seed=repeat)
        inside["share"] += share.low <= 0.7 <= share.high
        inside["mean"] += mean.low <= 2.0 <= mean.high
    assert all(270 <= count <= 299 for count in inside.values()), inside


def test_groups_that_hang_together_widen_the_interval():
    values = [float(group % 2) for group in range(20) for _ in range(10)]
    groups = [group for group in range(20) for _ in range(10)]
    alone, together = measures.mean("m", values), measures.mean("m", values, groups=groups)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_paired_test_finds_a_real_gain_and_not_a_shuffled_one():
    before, after = [0] * 60, [1] * 20 + [0] * 40
    gain, p = measures.paired("gain", after, before)
    assert gain.value == pytest.approx(1 / 3) and gain.low > 0 and p < 0.001
    rng = random.Random(1)
    noise = [rng.random() < 0.5 for _ in range(60)], [rng.random() < 0.5 for _ in range(60)]
    assert measures.paired("noise", *noise)[1] > 0.05
    assert measures.paired("same", before, before)[1] == 1.0
    with pytest.raises(CourseError, match="same cases"):
        measures.paired("wrong", [1], [1, 0])


def test_holm_equals_the_textbook_example():
    assert measures.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert measures.holm([]) == []


def test_a_claim_is_printed_and_counted(capsys, monkeypatch):
    monkeypatch.setattr(measures, "_claims", {})
    assert measures.claim("1.yes", True, "one is one") and not measures.claim("1.no", False, "one is two")
    measures.recap()
    shown = capsys.readouterr().out
    assert "claim 1.yes: holds | one is one" in shown and "claim 1.no: does not hold | one is two" in shown
    assert "1 of 2 claims hold" in shown


def test_a_live_value_is_held_against_the_record(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(measures, "RECORDS", tmp_path)
    monkeypatch.setenv("COURSE_RECORD", "step")
    assert measures.cases(40, 200) == 200
    measures.compare("step", measures.share("skill", [True] * 140 + [False] * 60))
    monkeypatch.delenv("COURSE_RECORD")
    assert measures.cases(40, 200) == 40
    near, far = measures.share("skill", [True] * 30 + [False] * 10), measures.share("skill", [True] * 8 + [False] * 32)
    assert measures.compare("step", near) and not measures.compare("step", far)
    assert "True" in capsys.readouterr().out
    with pytest.raises(CourseError, match="does not hold 'other'"):
        measures.compare("step", measures.share("other", [True]))
    with pytest.raises(CourseError, match="no record 'nothing'"):
        measures.record("nothing")


def test_the_band_holds_nearly_all_honest_repeats():
    rng, inside = random.Random(4), 0
    for _ in range(200):
        recorded = measures.share("x", [rng.random() < 0.8 for _ in range(200)])
        inside += measures.in_band(measures.share("x", [rng.random() < 0.8 for _ in range(40)]), recorded)
    assert 182 <= inside <= 200


def test_nothing_measured_is_an_error():
    with pytest.raises(CourseError, match="Nothing was measured"):
        measures.mean("empty", [])


def test_the_band_of_a_mean_comes_from_its_own_spread(capsys):
    recorded = measures.mean("tokens", [40.0, 44.0] * 50)
    assert measures.in_band(measures.Measure("tokens", 42.3, 0, 0, 100), recorded)
    assert not measures.in_band(measures.Measure("tokens", 45.0, 0, 0, 100), recorded)
    narrow = measures.mean("rubric", [0.45, 0.47] * 50)  # as a share it would reach from 0.32 to 0.60
    assert not measures.in_band(measures.Measure("rubric", 0.40, 0, 0, 100), narrow)
    assert measures.in_band(measures.share("right", [True] * 40 + [False] * 60), measures.share("right", [True, False] * 50))
