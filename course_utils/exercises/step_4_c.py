"""Exercises of Step 4, sections 4 to 6: a file after a kill, keys of two users, which turns go into the prompt."""

from course_utils.exercises import Exercise, same

RECOVER = Exercise(
    name="4.recover",
    function="recover",
    cases=(
        (('{"n": 1}\n{"n": 2}\n',), [{"n": 1}, {"n": 2}]),
        (('{"n": 1}\n{"n": 2}\n{"n": ',), [{"n": 1}, {"n": 2}]),
        (('{"n": 1}\n{"n": 2}',), [{"n": 1}]),
        (("",), []),
        (('{"n"',), []),
        (('\n{"n": 1}\n\n{"n": 2}\n\n',), [{"n": 1}, {"n": 2}]),
        (('{"n": 1}\n{"n": \n{"n": 3}\n',), None),
        (('{"t": "one\u2028two"}\n{"t": "three\\nfour"}\n',), [{"t": "one\u2028two"}, {"t": "three\nfour"}]),
        (("null\n0\n",), [None, 0]),
    ),
    solution=r"""
import json

def recover(text):
    whole, _, torn = text.rpartition("\n")
    try:
        return [json.loads(line) for line in whole.split("\n") if line]
    except ValueError:
        return None
""",
    mistakes=(
        "import json\ndef recover(text):\n    return [json.loads(line) for line in text.splitlines() if line]",
        "import json\ndef recover(text):\n    found = []\n    for line in text.split('\\n'):\n        try:\n"
        "            found.append(json.loads(line))\n        except ValueError:\n            pass\n    return found",
        "import json\ndef recover(text):\n    whole = text.rpartition('\\n')[0]\n    try:\n"
        "        return [json.loads(line) for line in whole.splitlines() if line]\n    except ValueError:\n        return None",
        "import json\ndef recover(text):\n    try:\n        return [json.loads(line) for line in text.split('\\n') if line]\n"
        "    except ValueError:\n        return None",
        "import json\ndef recover(text):\n    whole = text.rpartition('\\n')[0]\n    try:\n"
        "        return [json.loads(line) for line in whole.split('\\n')]\n    except ValueError:\n        return None",
        "import json\ndef recover(text):\n    found = []\n    for line in text.rpartition('\\n')[0].split('\\n'):\n        try:\n"
        "            value = json.loads(line) if line else None\n        except ValueError:\n            return None\n"
        "        if value:\n            found.append(value)\n    return found",
    ),
)


def _same_groups(got, expected):
    """Whether two lists of texts are equal at the same places: the texts themselves are free."""
    if not isinstance(got, list) or not all(isinstance(key, str) for key in got) or len(got) != len(expected):
        return False
    return same([got.index(key) for key in got], [expected.index(key) for key in expected])


KEYS = Exercise(
    name="5.keys",
    function="keys",
    cases=(
        (([("ann", "boots"), ("bob", "boots"), ("ann", "tents"), ("ann", "boots")],), ["a", "b", "c", "a"]),
        (([],), []),
        (([("a", "b/c"), ("a/b", "c"), ("a/b/c", ""), ("", "a/b/c")],), ["a", "b", "c", "d"]),
        (([("ab", "c"), ("a", "bc"), ("ab", "c")],), ["a", "b", "a"]),
        (([('a", "b', "c"), ("a", 'b", "c'), ("a\\", "b"), ("a", "\\b")],), ["a", "b", "c", "d"]),
        (([("Ann", "x"), ("ann", "x"), ("ann ", "x"), ("ann", " x")],), ["a", "b", "c", "d"]),
        (([("a", "b"), ("b", "a"), ("안", "나"), ("안나", "")],), ["a", "b", "c", "d"]),
        (([("1:a", "b"), ("1", "a:b"), ("a_b", "c"), ("a", "b_c"), ("a\0", "b"), ("a", "\0b")],), list("abcdef")),
    ),
    same=_same_groups,
    solution="""
import json

def keys(pairs):
    return [json.dumps([user, name]) for user, name in pairs]
""",
    mistakes=(
        "def keys(pairs):\n    return [f'{user}/{name}' for user, name in pairs]",
        "def keys(pairs):\n    return [user + name for user, name in pairs]",
        "def keys(pairs):\n    return [name for user, name in pairs]",
        "def keys(pairs):\n    return [f'\"{user}\", \"{name}\"' for user, name in pairs]",
        "def keys(pairs):\n    return [' '.join(sorted((repr(user), repr(name)))) for user, name in pairs]",
        "def keys(pairs):\n    return [repr((user.strip().lower(), name)) for user, name in pairs]",
        "def keys(pairs):\n    return [f'{user}\\0{name}' for user, name in pairs]",
        "def keys(pairs):\n    return list(dict.fromkeys(repr(pair) for pair in pairs))",
        "def keys(pairs):\n    return [tuple(pair) for pair in pairs]",
    ),
)

CHOSEN_TURNS = Exercise(
    name="6.chosen_turns",
    function="chosen_turns",
    cases=(
        (([20, 30, 10, 25, 15], [0.1, 0.9, 0.3, 0.2, 0.8], 45, 1), [1, 3, 4]),
        (([20, 30, 10, 25, 15], [0.1, 0.9, 0.3, 0.2, 0.8], 40, 1), [1, 3, 4]),
        (([20, 30, 10, 25, 15], [0.1, 0.9, 0.3, 0.2, 0.8], 39, 2), [1, 2, 4]),
        (([20, 5, 90, 10], [0.5, 0.4, 0.1, 0.2], 40, 1), [0, 3]),
        (([50, 60], [0.2, 0.1], 40, 1), [0]),
        (([10, 10, 10], [0.4, 0.4, 0.4], 10, 1), [1, 2]),
        (([10, 10, 10], [0.4, 0.4, 0.4], 100, 2), [0, 1, 2]),
        (([10, 10, 10], [0.1, 0.2, 0.3], 0, 5), [0, 1, 2]),
        (([10, 10, 10], [0.1, 0.2, 0.3], 10, 0), [2]),
        (([], [], 10, 2), []),
    ),
    solution="""
def chosen_turns(sizes, scores, budget, k):
    first, left = len(sizes), budget
    while first > 0 and sizes[first - 1] <= left:
        first -= 1
        left -= sizes[first]
    older = sorted(range(first), key=lambda turn: (-scores[turn], -turn))
    return sorted(older[:k]) + list(range(first, len(sizes)))
""",
    mistakes=(
        "def chosen_turns(sizes, scores, budget, k):\n    best = sorted(range(len(sizes)), key=lambda t: (-scores[t], -t))\n"
        "    return sorted(best[:k])",
        "def chosen_turns(sizes, scores, budget, k):\n    first, left = len(sizes), budget\n"
        "    while first > 0 and sizes[first - 1] < left:\n        first -= 1\n        left -= sizes[first]\n"
        "    older = sorted(range(first), key=lambda t: (-scores[t], -t))\n"
        "    return sorted(older[:k]) + list(range(first, len(sizes)))",
        "def chosen_turns(sizes, scores, budget, k):\n    kept, left = [], budget\n"
        "    for turn in reversed(range(len(sizes))):\n        if sizes[turn] <= left:\n            kept.append(turn)\n"
        "            left -= sizes[turn]\n    older = [t for t in range(len(sizes)) if t not in kept]\n"
        "    older.sort(key=lambda t: (-scores[t], -t))\n    return sorted(older[:k] + kept)",
        "def chosen_turns(sizes, scores, budget, k):\n    first, left = len(sizes), budget\n"
        "    while first > 0 and sizes[first - 1] <= left:\n        first -= 1\n        left -= sizes[first]\n"
        "    older = sorted(range(first), key=lambda t: -scores[t])\n"
        "    return sorted(older[:k]) + list(range(first, len(sizes)))",
        "def chosen_turns(sizes, scores, budget, k):\n    first, left = len(sizes), budget\n"
        "    while first > 0 and sizes[first - 1] <= left:\n        first -= 1\n        left -= sizes[first]\n"
        "    older = sorted(range(first), key=lambda t: (-scores[t], -t))\n"
        "    return older[:k] + list(range(first, len(sizes)))",
        "def chosen_turns(sizes, scores, budget, k):\n    first, left = len(sizes), budget\n"
        "    while first > 0 and sizes[first - 1] <= left:\n        first -= 1\n        left -= sizes[first]\n"
        "    best = sorted(range(len(sizes)), key=lambda t: (-scores[t], -t))[:k]\n"
        "    return sorted(set(best) | set(range(first, len(sizes))))",
    ),
)

EXERCISES = (RECOVER, KEYS, CHOSEN_TURNS)
