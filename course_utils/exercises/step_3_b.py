"""Exercises of Step 3, sections 4 and 7: the exact nearest neighbours, the pages of a chunk."""

from course_utils.exercises import Exercise

VECTORS = [[0.6, 0.8], [1.0, 0.0], [0.8, 0.6], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]
FACTS = [
    {"kind": "rule", "year": 2}, {"kind": "price", "year": 1}, {"kind": "rule", "year": 1},
    {"kind": "rule", "year": 2}, {"kind": "rule"}, {"kind": "price", "year": 2},
]  # fmt: skip

NEAREST = Exercise(
    name="4.nearest",
    function="nearest",
    cases=(
        ((VECTORS, FACTS, [1.0, 0.0], 2, {}), [1, 3]),
        ((VECTORS, FACTS, [1.0, 0.0], 3, {"kind": "rule"}), [3, 2, 0]),
        ((VECTORS, FACTS, [1.0, 0.0], 1, {"kind": "rule", "year": 1}), [2]),
        ((VECTORS, FACTS, [0.0, 1.0], 9, {"year": 2}), [0, 3, 5]),
        ((VECTORS, FACTS, [0.0, 1.0], 2, {"kind": "poem"}), []),
        ((VECTORS, FACTS, [1.0, 0.0], 0, {}), []),
        (([], [], [1.0, 0.0], 3, {}), []),
        ((VECTORS, FACTS, [0.0, -1.0], 2, {}), [1, 3]),
        (([[3.0, 0.0], [1.0, 0.0], [9.0, 1.0]], [{}, {}, {}], [0.0, 2.0], 3, {}), [2, 0, 1]),
    ),
    solution="""
def nearest(vectors, metadatas, query, k, where):
    def score(place):
        return sum(a * b for a, b in zip(vectors[place], query))

    def fits(facts):
        return all(name in facts and facts[name] == value for name, value in where.items())

    places = [place for place, facts in enumerate(metadatas) if fits(facts)]
    return sorted(places, key=lambda place: -score(place))[:k]
""",
    mistakes=(
        # filters after the k best were taken: too few come back
        "def nearest(v, m, q, k, w):\n    score = lambda p: sum(a * b for a, b in zip(v[p], q))\n"
        "    best = sorted(range(len(v)), key=lambda p: -score(p))[:k]\n"
        "    return [p for p in best if all(m[p].get(n) == x for n, x in w.items())]",
        # among equals the last one first
        "def nearest(v, m, q, k, w):\n    score = lambda p: sum(a * b for a, b in zip(v[p], q))\n"
        "    ps = [p for p in range(len(v)) if all(m[p].get(n) == x for n, x in w.items())]\n"
        "    return sorted(ps, key=lambda p: (-score(p), -p))[:k]",
        # one filter is enough
        "def nearest(v, m, q, k, w):\n    score = lambda p: sum(a * b for a, b in zip(v[p], q))\n"
        "    ps = [p for p in range(len(v)) if not w or any(m[p].get(n) == x for n, x in w.items())]\n"
        "    return sorted(ps, key=lambda p: -score(p))[:k]",
        # a row without the field passes
        "def nearest(v, m, q, k, w):\n    score = lambda p: sum(a * b for a, b in zip(v[p], q))\n"
        "    ps = [p for p in range(len(v)) if all(m[p].get(n, x) == x for n, x in w.items())]\n"
        "    return sorted(ps, key=lambda p: -score(p))[:k]",
        # the farthest
        "def nearest(v, m, q, k, w):\n    score = lambda p: sum(a * b for a, b in zip(v[p], q))\n"
        "    ps = [p for p in range(len(v)) if all(m[p].get(n) == x for n, x in w.items())]\n"
        "    return sorted(ps, key=score)[:k]",
        # places among the rows that pass, not among all
        "def nearest(v, m, q, k, w):\n"
        "    rows = [x for x, f in zip(v, m) if all(f.get(n) == y for n, y in w.items())]\n"
        "    score = lambda p: sum(a * b for a, b in zip(rows[p], q))\n"
        "    return sorted(range(len(rows)), key=lambda p: -score(p))[:k]",
    ),
)

PAGES_OF = Exercise(
    name="7.pages_of",
    function="pages_of",
    cases=(
        (([100, 50, 80], 0, 40), [1]),
        (([100, 50, 80], 90, 120), [1, 2]),
        (([100, 50, 80], 90, 160), [1, 2, 3]),
        (([100, 50, 80], 60, 100), [1]),
        (([100, 50, 80], 100, 150), [2]),
        (([100, 0, 80], 90, 110), [1, 3]),
        (([100, 50, 80], 70, 70), []),
        (([0, 0, 10], 0, 10), [3]),
        (([100, 50], 140, 999), [2]),
        (([], 0, 5), []),
    ),
    solution="""
def pages_of(lengths, start, end):
    found, first = [], 0
    for number, length in enumerate(lengths, 1):
        if max(first, start) < min(first + length, end):
            found.append(number)
        first += length
    return found
""",
    mistakes=(
        # a chunk that ends at a border touches the next page
        "def pages_of(lengths, start, end):\n    found, first = [], 0\n    for n, x in enumerate(lengths, 1):\n"
        "        if start < first + x and first <= end:\n            found.append(n)\n        first += x\n"
        "    return found",
        # counted from 0
        "def pages_of(lengths, start, end):\n    found, first = [], 0\n    for n, x in enumerate(lengths):\n"
        "        if max(first, start) < min(first + x, end):\n            found.append(n)\n        first += x\n"
        "    return found",
        # empty pages are not counted, so all later numbers are wrong
        "def pages_of(lengths, start, end):\n    found, first = [], 0\n"
        "    for n, x in enumerate([y for y in lengths if y], 1):\n"
        "        if max(first, start) < min(first + x, end):\n            found.append(n)\n        first += x\n"
        "    return found",
        # from the first page to the last one, empty ones too
        "def pages_of(lengths, start, end):\n    found, first = [], 0\n    for n, x in enumerate(lengths, 1):\n"
        "        if max(first, start) < min(first + x, end):\n            found.append(n)\n        first += x\n"
        "    return list(range(found[0], found[-1] + 1)) if found else []",
        # the page where it begins, and no other
        "def pages_of(lengths, start, end):\n    first = 0\n    for n, x in enumerate(lengths, 1):\n"
        "        if first <= start < first + x:\n            return [n]\n        first += x\n    return []",
    ),
)

EXERCISES = (NEAREST, PAGES_OF)
