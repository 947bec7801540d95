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

IS_ARITHMETIC = Exercise(
    name="4.is_arithmetic",
    function="is_arithmetic",
    cases=(
        (("2 + 3 * (4 - 1)",), True),
        (("-7 // 2 % 3 / 1.5",), True),
        (("2 ** 9",), False),
        (("abs(-3)",), False),
        (("x + 1",), False),
        (("1 +",), False),
        (("",), False),
        (("True + 1",), False),
        (("2j * 2",), False),
        (("'a' * 3",), False),
        (("1\n2",), False),
        (("1 if 2 else 3",), False),
        (("1 < 2",), False),
        (("~5 + (1 | 2)",), False),
        (("1 +" * 66 + " 1",), True),
        (("1 +" * 67 + " 1",), False),
        (("1\0",), False),
        (("[1, 2]",), False),
        (("5",), True),
    ),
    solution="""
import ast

def is_arithmetic(text):
    allowed = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv,
               ast.Mod, ast.UAdd, ast.USub)
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval"))) if len(text) <= 200 else []
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    numbers = (type(node.value) in (int, float) for node in nodes if isinstance(node, ast.Constant))
    return bool(nodes) and all(isinstance(node, allowed) for node in nodes) and all(numbers)
""",
    mistakes=(
        "import re\ndef is_arithmetic(text):\n    return len(text) <= 200 and bool(re.fullmatch(r'[-+*/%(). 0-9]+', text))",
        "import ast\ndef is_arithmetic(text):\n    try:\n        tree = ast.parse(text, mode='eval')\n"
        "    except (SyntaxError, ValueError):\n        return False\n"
        "    return len(text) <= 200 and not any(isinstance(n, (ast.Call, ast.Name, ast.Pow)) for n in ast.walk(tree))",
        "import ast\ndef is_arithmetic(text):\n    good = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.Add,\n"
        "            ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.UAdd, ast.USub)\n    try:\n"
        "        tree = ast.parse(text, mode='eval')\n    except (SyntaxError, ValueError):\n        return False\n"
        "    numbers = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]\n"
        "    return len(text) <= 200 and all(isinstance(n, good) for n in ast.walk(tree)) and all(\n"
        "        isinstance(number, (int, float)) for number in numbers)",
        "import ast\ndef is_arithmetic(text):\n    good = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.operator,\n"
        "            ast.unaryop)\n    try:\n        tree = ast.parse(text, mode='eval')\n"
        "    except (SyntaxError, ValueError):\n        return False\n"
        "    numbers = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]\n"
        "    return len(text) <= 200 and all(isinstance(n, good) for n in ast.walk(tree)) and all(\n"
        "        type(number) in (int, float) for number in numbers)",
    ),
)

EXERCISES = (IS_ARITHMETIC, BEST_THRESHOLD)
