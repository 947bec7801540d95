"""Exercises of Step 4, sections 1 and 2: what falls out of the window, the last turns, how fast a cost grows."""

from course_utils.exercises import Exercise

WHAT_IS_LOST = Exercise(
    name="1.what_is_lost",
    function="what_is_lost",
    cases=(
        (([20, 10, 30, 15], 50), ([0], 1)),
        (([20, 10, 30, 15], 45), ([0, 1], None)),
        (([20, 10, 30, 15], 75), ([], None)),
        (([20, 10, 30, 15], 200), ([], None)),
        (([20, 10, 30, 15], 5), ([0, 1, 2], 3)),
        (([20, 10], 0), ([0, 1], None)),
        (([], 10), ([], None)),
    ),
    solution="""
def what_is_lost(sizes, window):
    gone, left = [], window
    for place in range(len(sizes) - 1, -1, -1):
        if left <= 0:
            gone.insert(0, place)
        elif sizes[place] > left:
            return list(range(place)), place
        left -= sizes[place]
    return gone, None
""",
    mistakes=(
        # keeps whole messages only and never tears one
        "def what_is_lost(sizes, window):\n    left, place = window, len(sizes)\n"
        "    while place and sizes[place - 1] <= left:\n        place -= 1\n        left -= sizes[place]\n"
        "    return list(range(place)), None",
        # calls the first message on the border torn even where it fits exactly
        "def what_is_lost(sizes, window):\n    left, place = window, len(sizes)\n"
        "    while place and sizes[place - 1] < left:\n        place -= 1\n        left -= sizes[place]\n"
        "    return (list(range(place - 1)), place - 1) if place else ([], None)",
        # the newest fall out instead of the oldest
        "def what_is_lost(sizes, window):\n    left = window\n    for place, size in enumerate(sizes):\n"
        "        if size > left:\n            return list(range(place + 1, len(sizes))), place\n        left -= size\n"
        "    return [], None",
        # saves the system message, which a cut by tokens does not
        "def what_is_lost(sizes, window):\n    left, gone, torn = window - sum(sizes[:1]), [], None\n"
        "    for place in range(len(sizes) - 1, 0, -1):\n        if left <= 0:\n            gone.insert(0, place)\n"
        "        elif sizes[place] > left:\n            torn = place\n        left -= sizes[place]\n    return gone, torn",
    ),
)


_SYSTEM = ("system", "Be kind.")
_TALK = [("user", "one"), ("assistant", "1"), ("user", "two"), ("assistant", "2"), ("user", "three"), ("assistant", "3")]

LAST_TURNS = Exercise(
    name="2.last_turns",
    function="last_turns",
    cases=(
        ((_TALK, 2), _TALK[2:]),
        (([_SYSTEM, *_TALK], 1), [_SYSTEM, *_TALK[4:]]),
        (([_SYSTEM, *_TALK, ("user", "four")], 2), [_SYSTEM, *_TALK[4:], ("user", "four")]),
        ((_TALK, 9), _TALK),
        (([_SYSTEM, *_TALK], 0), [_SYSTEM]),
        (([], 3), []),
        (([("user", "a"), ("assistant", "1"), ("assistant", "2")], 1), [("user", "a"), ("assistant", "1"), ("assistant", "2")]),
        (([_SYSTEM, ("user", "a"), ("user", "b")], 1), [_SYSTEM, ("user", "b")]),
    ),
    solution="""
def last_turns(messages, k):
    system = [message for message in messages[:1] if message[0] == "system"]
    starts = [place for place, message in enumerate(messages) if message[0] == "user"]
    if k <= 0 or not starts:
        return system
    return system + messages[starts[-min(k, len(starts))]:]
""",
    mistakes=(
        # counts messages in pairs
        'def last_turns(messages, k):\n    system = [m for m in messages[:1] if m[0] == "system"]\n'
        "    rest = messages[len(system):]\n    return system + (rest[-2 * k:] if k else [])",
        # the system message falls out
        'def last_turns(messages, k):\n    starts = [i for i, m in enumerate(messages) if m[0] == "user"]\n'
        "    return messages[starts[-min(k, len(starts))]:] if k > 0 and starts else []",
        # k = 0 keeps everything, because [-0:] is the whole list
        'def last_turns(messages, k):\n    system = [m for m in messages[:1] if m[0] == "system"]\n'
        '    starts = [i for i, m in enumerate(messages) if m[0] == "user"]\n'
        "    return system + (messages[starts[-k:][0]:] if starts else [])",
        # the question that has no reply yet is not counted as a turn
        'def last_turns(messages, k):\n    system = [m for m in messages[:1] if m[0] == "system"]\n'
        '    starts = [i for i, m in enumerate(messages) if m[0] == "user" and i + 1 < len(messages)]\n'
        "    return system + (messages[starts[-min(k, len(starts))]:] if k > 0 and starts else [])",
    ),
)

GROWTH = Exercise(
    name="2.growth",
    function="growth",
    cases=(
        (([10, 100], [50, 500]), 1.0),
        (([1, 2, 4, 8], [3, 12, 48, 192]), 2.0),
        (([10, 20, 40], [70, 70, 70]), 0.0),
        (([4, 16], [8, 16]), 0.5),
        (([1, 2, 4], [1, 4, 8]), 1.5),
        (([40, 10, 20], [1600, 100, 400]), 2.0),
        (([8, 16, 32, 64], [1000, 3000, 11000, 41000]), 1.7947125),
    ),
    solution="""
import math

def growth(lengths, totals):
    xs, ys = [math.log(n) for n in lengths], [math.log(total) for total in totals]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)
""",
    mistakes=(
        # the slope without logarithms
        "def growth(lengths, totals):\n    x, y = sum(lengths) / len(lengths), sum(totals) / len(totals)\n"
        "    return sum((a - x) * (b - y) for a, b in zip(lengths, totals)) / sum((a - x) ** 2 for a in lengths)",
        # only the first and the last point
        "import math\ndef growth(lengths, totals):\n"
        "    return math.log(totals[-1] / totals[0]) / math.log(lengths[-1] / lengths[0])",
        # a line through the origin
        "import math\ndef growth(lengths, totals):\n    xs, ys = [math.log(n) for n in lengths], [math.log(t) for t in totals]\n"
        "    return sum(a * b for a, b in zip(xs, ys)) / sum(a * a for a in xs)",
        # logarithm of the totals only
        "import math\ndef growth(lengths, totals):\n    ys = [math.log(t) for t in totals]\n"
        "    x, y = sum(lengths) / len(lengths), sum(ys) / len(ys)\n"
        "    return sum((a - x) * (b - y) for a, b in zip(lengths, ys)) / sum((a - x) ** 2 for a in lengths)",
    ),
)

EXERCISES = (WHAT_IS_LOST, LAST_TURNS, GROWTH)
