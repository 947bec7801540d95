"""Measures: a value is never shown without its n, its 95 % interval, a floor and a control."""

import json
import math
import os
import random
from dataclasses import asdict, dataclass

from course_utils.settings import DATA, CourseError, write_atomic

Z95 = 1.959963984540054
RECORDS = DATA / "records"


@dataclass(frozen=True)
class Measure:
    """One measured value with the interval that 95 of 100 repeats would give. `n` counts the cases."""

    name: str
    value: float
    low: float
    high: float
    n: int
    unit: str = ""

    def __str__(self):
        return (
            f"{self.name:<34} {self.value:7.3f} in [{self.low:.3f}, {self.high:.3f}]  n={self.n} {self.unit}".rstrip()
        )


def wilson(correct, n):
    """Wilson's 95 % interval of a share: (low, high), both in [0, 1]; (0, 1) when nothing was measured.

    Source:  Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953
    """
    if n == 0:
        return 0.0, 1.0
    share, z2 = correct / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))  # rounding never leaves the share out


def share(name, hits):
    """Measure the share of hits in a list of True/False (or 0/1) with Wilson's interval."""
    hits = [bool(hit) for hit in hits]
    low, high = wilson(sum(hits), len(hits))
    return Measure(name, sum(hits) / max(1, len(hits)), low, high, len(hits))


def mean(name, values, unit="", draws=2000, groups=None, seed=0):
    """Measure a mean with a percentile bootstrap interval; with `groups` whole groups are redrawn together."""
    values = [float(value) for value in values]
    if not values:
        raise CourseError(f"Nothing was measured for {name!r}: give at least one value.")
    bags = {}
    for index, value in enumerate(values):
        bags.setdefault(groups[index] if groups else index, []).append(value)
    bags, rng, means = list(bags.values()), random.Random(seed), []
    for _ in range(draws):
        drawn = rng.choices(bags, k=len(bags))
        means.append(sum(map(sum, drawn)) / sum(map(len, drawn)))
    means.sort()
    low, high = means[int(0.025 * draws)], means[min(draws - 1, int(0.975 * draws))]
    return Measure(name, sum(values) / len(values), low, high, len(values), unit)


def paired(name, after, before, draws=4000, seed=0):
    """Measure the mean difference after - before on the same cases, and its two-sided p by sign flips.

    Returns (Measure of the difference, p). Both lists hold one number for each case, in the same order.
    """
    if len(after) != len(before):
        raise CourseError("A paired comparison needs the same cases on both sides: give two lists of one length.")
    differences = [float(a) - float(b) for a, b in zip(after, before)]
    observed, rng = abs(sum(differences)), random.Random(seed)
    moved = [d for d in differences if d]
    extreme = sum(abs(sum(d if rng.random() < 0.5 else -d for d in moved)) >= observed - 1e-12 for _ in range(draws))
    return mean(name, differences, seed=seed), (extreme + 1) / (draws + 1)


def holm(p_values):
    """Holm's step-down correction for several tests: corrected p values in the given order.

    Source:  Holm 1979, https://www.jstor.org/stable/4615733
    """
    order, corrected, running = sorted(range(len(p_values)), key=p_values.__getitem__), [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = running
    return corrected


def show(*measures, floor=None, control=None, ratio=None):
    """Print measures on neighbouring lines, then the floor, the control and the ratio where they are given."""
    for measure in measures:
        print(measure)
    for label, other in (("floor", floor), ("control", control)):
        if other is not None:
            text = str(other) if isinstance(other, Measure) else f"{'':<34} {other:7.3f}"
            print(f"  {label}: {text.strip()}")
    if ratio is not None:
        print(f"  ratio: {ratio:.2f}")


_claims = {}


class Verdict(int):
    """True or False that a notebook does not show as a cell's value: what it says is printed already."""

    def _ipython_display_(self):
        pass


def claim(name, holds, sentence):
    """Print whether a claim holds here and remember it for the recap. `run` counts these lines.

    `name` is "section.word", such as "5.few_shot"; returns `holds` as a bool
    """
    _claims[name] = (bool(holds), sentence)
    print(f"claim {name}: {'holds' if holds else 'does not hold'} | {sentence}")
    return Verdict(bool(holds))


def claims():
    """The claims of this run: {name: (holds, sentence)}."""
    return dict(_claims)


def recap():
    """Print a table of all claims of this run, and how many held."""
    for name, (holds, sentence) in _claims.items():
        print(f"{'yes' if holds else 'NO ':<4} {name:<24} {sentence}")
    print(f"{sum(holds for holds, _ in _claims.values())} of {len(_claims)} claims hold")


def recording():
    """The name of the record that this run writes, or None in an ordinary run (variable COURSE_RECORD)."""
    return os.environ.get("COURSE_RECORD")


def cases(live, recorded):
    """How many cases to measure: `live` in an ordinary run, `recorded` where a committed record is being written."""
    return recorded if recording() else live


def rows(folder, name, live=None, recorded=None):
    """Rows of a small data set in assets/data: all, or the first `live` of them (`recorded` where a record is written).

    Errors:  CourseError if there is no such data set
    Example: rows("step1", "customers", live=60, recorded=200)
    """
    path = DATA / folder / f"{name}.jsonl"
    if not path.is_file():
        raise CourseError(f"There is no data set {folder}/{name}: restore assets/data with `git checkout assets`.")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[: cases(live, recorded) if live else None]]


def record(name):
    """Read a committed record: {"facts": {...}, "measures": {key: Measure}}.

    Errors:  CourseError if there is no such record
    """
    path = RECORDS / f"{name}.json"
    if not path.is_file():
        raise CourseError(f"There is no record {name!r}: restore assets/data/records with `git checkout assets`.")
    found = json.loads(path.read_text(encoding="utf-8"))
    found["measures"] = {key: Measure(**value) for key, value in found["measures"].items()}
    return found


def compare(step, measured):
    """Hold a live measure of a share against the committed record of its step; prints the band, returns True inside.

    Where a record is being written (`python3 -m course_utils run 1 --record`), the measure goes into the record.
    """
    if recording():
        path = RECORDS / f"{step}.json"
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"facts": {}, "measures": {}}
        kept["measures"][measured.name] = asdict(measured)
        write_atomic(path, json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        return Verdict(True)
    kept = record(step)["measures"]
    if measured.name not in kept:
        raise CourseError(
            f"The record of {step} does not hold {measured.name!r}: write it with "
            "`python3 -m course_utils run --record`."
        )
    return Verdict(in_band(measured, kept[measured.name]))


def in_band(measured, recorded):
    """Compare a live measure with a committed record: prints the band, returns True if it lies inside.

    The band is the 95 % prediction interval for the live n: the record's own uncertainty and the live draw add up.
    """
    p = (recorded.value * recorded.n + 1) / (recorded.n + 2)
    variance, least, most = p * (1 - p), 0.0, 1.0
    bounds = wilson(recorded.value * recorded.n, recorded.n) if 0 <= recorded.value <= 1 else (math.inf, math.inf)
    if max(abs(recorded.low - bounds[0]), abs(recorded.high - bounds[1])) > 1e-3:  # a mean: its interval shows its spread
        variance, least, most = ((recorded.high - recorded.low) / (2 * Z95)) ** 2 * recorded.n, -math.inf, math.inf
    half = Z95 * math.sqrt(variance * (1 / recorded.n + 1 / max(1, measured.n))) + 0.5 / max(1, measured.n)
    low, high = max(least, recorded.value - half), min(most, recorded.value + half)
    inside = low <= measured.value <= high
    print(f"{measured.name}: {measured.value:.2f} in [{low:.2f}, {high:.2f}] (record, n={recorded.n}): {inside}")
    return inside
