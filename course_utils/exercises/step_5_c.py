"""Exercises of Step 5, section 5: from which score on a search is worth its call, and what a router's errors cost."""

from course_utils.exercises import Exercise

BEST_THRESHOLD = Exercise(
    name="5.best_threshold",
    function="best_threshold",
    cases=(
        (([0.1, 0.4, 0.6, 0.9], [False, False, True, True], 1, 1), (0.6, 0)),
        (([0.1, 0.4, 0.6, 0.9], [False, True, False, True], 1, 1), (0.9, 1)),
        (([0.1, 0.4, 0.6, 0.9], [False, True, False, True], 3, 1), (0.4, 1)),
        (([0.2, 0.8], [True, False], 1, 1), (float("inf"), 1)),
        (([0.5, 0.5, 0.5], [True, True, False], 1, 1), (0.5, 1)),
        (([0.3, 0.7], [False, False], 1, 1), (float("inf"), 0)),
        (([0.3, 0.7], [True, True], 1, 5), (0.3, 0)),
        (([], [], 1, 1), (float("inf"), 0)),
    ),
    solution="""
def best_threshold(scores, needed, missed, needless):
    def cost(threshold):
        called = [score >= threshold for score in scores]
        return sum(missed if need and not call else needless if call and not need else 0 for need, call in zip(needed, called))

    best = min([*sorted(set(scores), reverse=True)], key=cost, default=float("inf"))
    best = best if scores and cost(best) < cost(float("inf")) else float("inf")
    return best, cost(best)
""",
    mistakes=(
        "def best_threshold(scores, needed, missed, needless):\n    def cost(t):\n"
        "        return sum(missed if n and s < t else needless if s >= t and not n else 0 for s, n in zip(scores, needed))\n"
        "    best = min(sorted(set(scores)), key=cost, default=float('inf'))\n    return best, cost(best)",
        "def best_threshold(scores, needed, missed, needless):\n    def cost(t):\n"
        "        return sum((s >= t) != n for s, n in zip(scores, needed))\n"
        "    best = min([float('inf'), *sorted(set(scores), reverse=True)], key=cost)\n    return best, cost(best)",
        "def best_threshold(scores, needed, missed, needless):\n    def cost(t):\n"
        "        return sum(missed if n and s <= t else needless if s > t and not n else 0 for s, n in zip(scores, needed))\n"
        "    best = min([float('inf'), *sorted(set(scores), reverse=True)], key=cost)\n    return best, cost(best)",
        "def best_threshold(scores, needed, missed, needless):\n    def cost(t):\n"
        "        return sum(missed if n and s < t else needless if s >= t and not n else 0 for s, n in zip(scores, needed))\n"
        "    best = min([*sorted(set(scores)), float('inf')], key=cost)\n    return best, cost(best)",
    ),
)

EXERCISES = (BEST_THRESHOLD,)
