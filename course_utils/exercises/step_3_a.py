"""Exercises of Step 3, sections 2 and 3: chunks of whole sentences, rank fusion, recall and MRR."""

from course_utils.exercises import Exercise

ONE, TWO, THREE, FOUR = "A tent.", "It is red.", "We sell it here.", "Ask us."
LONG = "Far more words than fit into one chunk."


def planted(solution, *pairs):
    """The solution with a mistake in it: each old text, which must stand in it, is replaced by the new one."""
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        if old not in solution:
            raise ValueError(f"{old!r} does not stand in the solution.")
        solution = solution.replace(old, new)
    return solution


PACKED = """
def pack(sentences, size, overlap):
    def words(some):
        return sum(len(sentence.split()) for sentence in some)

    chunks, chunk = [], []
    for sentence in sentences:
        if chunk and words(chunk + [sentence]) > size:
            chunks.append(chunk)
            chunk = chunk[max(0, len(chunk) - overlap):]
            while chunk and words(chunk + [sentence]) > size:
                chunk = chunk[1:]
        chunk = chunk + [sentence]
    return chunks + [chunk] if chunk else chunks
"""

PACK = Exercise(
    name="2.pack",
    function="pack",
    cases=(
        (([ONE, TWO, THREE, FOUR], 5, 0), [[ONE, TWO], [THREE], [FOUR]]),
        (([ONE, TWO, THREE, FOUR], 6, 1), [[ONE, TWO], [THREE, FOUR]]),
        (([ONE, TWO, THREE, FOUR], 7, 1), [[ONE, TWO], [TWO, THREE], [THREE, FOUR]]),
        (([ONE, FOUR, ONE, TWO], 7, 2), [[ONE, FOUR, ONE], [FOUR, ONE, TWO]]),
        (([ONE, FOUR, ONE, TWO, TWO], 6, 2), [[ONE, FOUR, ONE], [ONE, TWO], [TWO, TWO]]),
        (([THREE, THREE], 2, 1), [[THREE], [THREE]]),
        (([ONE, LONG, FOUR], 4, 1), [[ONE], [LONG], [FOUR]]),
        (([ONE, FOUR], 100, 5), [[ONE, FOUR]]),
        (([ONE, TWO], 4, 9), [[ONE], [TWO]]),
        (([], 5, 1), []),
    ),
    solution=PACKED,
    mistakes=(
        # chunk[-0:] is the whole chunk
        planted(PACKED, "max(0, len(chunk) - overlap):", "-overlap:", "while chunk and", "while overlap and chunk and"),
        # what is repeated may be too long
        planted(PACKED, "while chunk and words", "while False and words"),
        # repeats all or nothing
        planted(PACKED, "while chunk and", "if chunk and", "chunk = chunk[1:]", "chunk = []"),
        # counts sentences where words are meant
        planted(PACKED, "sum(len(sentence.split()) for sentence in some)", "len(some)"),
        # the last chunk is forgotten
        planted(PACKED, "return chunks + [chunk] if chunk else chunks", "return chunks"),
        # no sentences give one empty chunk
        planted(PACKED, "return chunks + [chunk] if chunk else chunks", "return chunks + [chunk]"),
        # a chunk must be smaller than the size
        planted(PACKED, "> size", ">= size"),
    ),
)

FUSED = """
from fractions import Fraction

def fuse(rankings, c):
    points = {}
    for ranking in rankings:
        met = set()
        for rank, name in enumerate(ranking, 1):
            if name not in met:
                met.add(name)
                points[name] = points.get(name, 0) + Fraction(1, c + rank)
    return sorted(points, key=lambda name: (-points[name], name))
"""

FUSE = Exercise(
    name="3.fuse",
    function="fuse",
    cases=(
        (([["a", "b", "c"], ["b", "d"]], 60), ["b", "a", "d", "c"]),
        (([["x", "a", "b", "y"], ["z", "c", "d", "y"]], 60), ["y", "x", "z", "a", "c", "b", "d"]),
        (([["x", "a", "b", "y"], ["z", "c", "d", "y"]], 0), ["x", "z", "a", "c", "y", "b", "d"]),
        (([["b", "a"], ["a", "b"]], 60), ["a", "b"]),
        (([["b", "b", "a"], ["c", "a"]], 0), ["b", "c", "a"]),
        (([["a", "b", "b", "b"]], 0), ["a", "b"]),
        (([["p", "q", "r"], ["q", "r", "p"], ["r", "p", "q"]], 7), ["p", "q", "r"]),
        (([[], ["a"]], 60), ["a"]),
        (([], 60), []),
    ),
    solution=FUSED,
    mistakes=(
        # ranks from 0
        planted(FUSED, "enumerate(ranking, 1)", "enumerate(ranking)"),
        # a name that stands twice in a list counts twice
        planted(FUSED, "if name not in met", "if True"),
        # doubles are dropped before the ranks are counted
        planted(FUSED, "enumerate(ranking, 1)", "enumerate(dict.fromkeys(ranking), 1)"),
        # the constant is ignored
        planted(FUSED, "c + rank", "60 + rank"),
        # equals stay as they were met
        planted(FUSED, "(-points[name], name)", "-points[name]"),
        # a second list adds nothing
        planted(FUSED, "points.get(name, 0) + F", "max(points.get(name, 0), 0) + 0 if name in points else F"),
    ),
)

SCORED = """
def scores(results, right, k):
    counted = [(names, good) for names, good in zip(results, right) if good]
    if not counted:
        return 0.0, 0.0
    recall = sum(len(good & set(names[:k])) / len(good) for names, good in counted) / len(counted)
    first = [next((1 / rank for rank, name in enumerate(names, 1) if name in good), 0.0) for names, good in counted]
    return recall, sum(first) / len(counted)
"""

SCORES = Exercise(
    name="3.scores",
    function="scores",
    cases=(
        (([["a", "b", "c"]], [{"a"}], 1), (1.0, 1.0)),
        (([["a", "b", "c"]], [{"c"}], 2), (0.0, 1 / 3)),
        (([["a", "b", "c"]], [{"b", "c"}], 2), (0.5, 0.5)),
        (([["a", "b"], ["b", "a"]], [{"a"}, {"a"}], 1), (0.5, 0.75)),
        (([["a", "b"], ["b", "a"]], [{"z"}, {"b", "z"}], 5), (0.25, 0.5)),
        (([["a"], ["b"]], [set(), {"b"}], 1), (1.0, 1.0)),
        (([[], ["b"]], [{"a"}, {"b"}], 3), (0.5, 0.5)),
        (([["a"]], [set()], 1), (0.0, 0.0)),
        (([], [], 1), (0.0, 0.0)),
    ),
    solution=SCORED,
    mistakes=(
        # found or not, whatever the number of right names
        planted(SCORED, "len(good & set(names[:k])) / len(good)", "bool(good & set(names[:k]))"),
        # MRR within the first k only
        planted(SCORED, "enumerate(names, 1)", "enumerate(names[:k], 1)"),
        # questions without a right name count as misses
        planted(SCORED, " if good]", "]", "/ len(good)", "/ max(1, len(good))"),
        # precision
        planted(SCORED, "/ len(good)", "/ k"),
        # ranks from 0: the first place is worth 1 / 0, so one was added below the line
        planted(SCORED, "1 / rank for rank", "1 / (1 + rank) for rank"),
        # nothing to count is an error
        planted(SCORED, "if not counted", "if False"),
    ),
)

EXERCISES = (PACK, FUSE, SCORES)
