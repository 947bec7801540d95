"""Exercises of Step 2, sections 4 and 5: an exact solver with fractions, reading an outline, the gain of a batch."""

from course_utils.exercises import Exercise

MAKES = Exercise(
    name="4.makes",
    function="makes",
    cases=(
        (([4, 6], 24), True),
        (([3, 3, 8, 8], 24), True),
        (([1, 1, 1, 1], 24), False),
        (([24], 24), True),
        (([7, 5], 7), False),
        (([5, 2], -3), True),
        (([2, 9], 4), False),
        (([0, 6], 6), True),
        (([2, 2, 6, 9], 24), True),
        (([], 0), False),
    ),
    solution="""
from fractions import Fraction
from itertools import permutations

def makes(numbers, target):
    numbers = [Fraction(number) for number in numbers]
    if len(numbers) < 2:
        return numbers == [target]
    for i, j in permutations(range(len(numbers)), 2):
        a, b = numbers[i], numbers[j]
        rest = [number for k, number in enumerate(numbers) if k not in (i, j)]
        results = [a + b, a - b, a * b] + ([a / b] if b else [])
        if any(makes([*rest, result], target) for result in results):
            return True
    return False
""",
    mistakes=(
        # whole numbers only
        "from itertools import permutations\ndef makes(n, t):\n    if len(n) < 2:\n        return n == [t]\n"
        "    for i, j in permutations(range(len(n)), 2):\n        a, b = n[i], n[j]\n"
        "        rest = [x for k, x in enumerate(n) if k not in (i, j)]\n"
        "        results = [a + b, a - b, a * b] + ([a // b] if b and a % b == 0 else [])\n"
        "        if any(makes([*rest, r], t) for r in results):\n            return True\n    return False",
        # floats, compared exactly
        "from itertools import permutations\ndef makes(n, t):\n    if len(n) < 2:\n        return n == [t]\n"
        "    for i, j in permutations(range(len(n)), 2):\n        a, b = n[i], n[j]\n"
        "        rest = [x for k, x in enumerate(n) if k not in (i, j)]\n"
        "        results = [a + b, a - b, a * b] + ([a / b] if b else [])\n"
        "        if any(makes([*rest, r], t) for r in results):\n            return True\n    return False",
        # floats, rounded: the next number counts as the target
        "from itertools import permutations\ndef makes(n, t):\n    if len(n) < 2:\n        return [round(x) for x in n] == [t]\n"
        "    for i, j in permutations(range(len(n)), 2):\n        a, b = n[i], n[j]\n"
        "        rest = [x for k, x in enumerate(n) if k not in (i, j)]\n"
        "        results = [a + b, a - b, a * b] + ([a / b] if b else [])\n"
        "        if any(makes([*rest, r], t) for r in results):\n            return True\n    return False",
        # some numbers may stay unused
        "from fractions import Fraction\nfrom itertools import permutations\ndef makes(n, t):\n    n = [Fraction(x) for x in n]\n"
        "    if t in n:\n        return True\n    for i, j in permutations(range(len(n)), 2):\n        a, b = n[i], n[j]\n"
        "        rest = [x for k, x in enumerate(n) if k not in (i, j)]\n"
        "        results = [a + b, a - b, a * b] + ([a / b] if b else [])\n"
        "        if any(makes([*rest, r], t) for r in results):\n            return True\n    return False",
        # one order of each pair only
        "from fractions import Fraction\nfrom itertools import combinations\ndef makes(n, t):\n    n = [Fraction(x) for x in n]\n"
        "    if len(n) < 2:\n        return n == [t]\n    for i, j in combinations(range(len(n)), 2):\n        a, b = n[i], n[j]\n"
        "        rest = [x for k, x in enumerate(n) if k not in (i, j)]\n"
        "        results = [a + b, a - b, a * b] + ([a / b] if b else [])\n"
        "        if any(makes([*rest, r], t) for r in results):\n            return True\n    return False",
        # division by zero
        "from fractions import Fraction\nfrom itertools import permutations\ndef makes(n, t):\n    n = [Fraction(x) for x in n]\n"
        "    if len(n) < 2:\n        return n == [t]\n    for i, j in permutations(range(len(n)), 2):\n        a, b = n[i], n[j]\n"
        "        rest = [x for k, x in enumerate(n) if k not in (i, j)]\n"
        "        if any(makes([*rest, r], t) for r in [a + b, a - b, a * b, a / b]):\n            return True\n    return False",
    ),
)

LIST = "1. Weigh the flour\n2. Knead the dough:\n3. Let it rise"

READ_OUTLINE = Exercise(
    name="5.read_outline",
    function="read_outline",
    cases=(
        ((LIST, 6), ["Weigh the flour", "Knead the dough", "Let it rise"]),
        ((LIST, 2), ["Weigh the flour", "Knead the dough"]),
        (("Here are the points:\n\n  1) Take water\n  2) Take 2 maps\n\nGood luck!", 6), ["Take water", "Take 2 maps"]),
        (("1. Take\n1.5 litres of water\n2. Take a map", 6), ["Take", "Take a map"]),
        (("1. Test it\n2. test it\n3. Try it\n", 2), ["Test it", "Try it"]),
        (("10. Ten\n11.   Eleven  :  \n12.\n13. :", 9), ["Ten", "Eleven"]),
        (("", 3), []),
        ((LIST, 0), []),
    ),
    solution=r'''
import re

def read_outline(text, most):
    found = {}
    for line in text.splitlines():
        point = re.match(r"\s*\d+[.)]\s+(.+)", line)
        heading = point[1].strip().rstrip(":").strip() if point else ""
        if heading:
            found.setdefault(heading.lower(), heading)
    return list(found.values())[:most]
''',
    mistakes=(
        "def read_outline(text, most):\n    return [line.split('. ', 1)[1] for line in text.splitlines() if '. ' in line][:most]",
        "import re\ndef read_outline(text, most):\n"
        "    found = [re.sub(r'^\\s*\\d+[.)]\\s*', '', x).strip().rstrip(':').strip() for x in text.splitlines() if x.strip()]\n"
        "    return list({x.lower(): x for x in found[::-1] if x}.values())[::-1][:most]",
        "import re\ndef read_outline(text, most):\n    found = re.findall(r'(?m)^ *\\d+[.)] +(.+)$', text)\n"
        "    return [x.strip().rstrip(':').strip() for x in found if x.strip(' :')][:most]",
        "import re\ndef read_outline(text, most):\n    found = {}\n"
        "    for x in re.findall(r'(?m)^ *\\d+[.)] +(.+)$', text)[:most]:\n        x = x.strip().rstrip(':').strip()\n"
        "        if x:\n            found.setdefault(x.lower(), x)\n    return list(found.values())",
        "import re\ndef read_outline(text, most):\n    found = {}\n    for x in re.findall(r'(?m)^ *\\d+[.)] +(.+)$', text):\n"
        "        x = x.strip()\n        if x:\n            found.setdefault(x.lower(), x)\n    return list(found.values())[:most]",
        "import re\ndef read_outline(text, most):\n    found = {}\n    for x in re.findall(r'(?m)^ *\\d[.)] +(.+)$', text):\n"
        "        x = x.strip().rstrip(':').strip()\n        if x:\n            found.setdefault(x.lower(), x)\n"
        "    return list(found.values())[:most]",
    ),
)

SPEED_UP = Exercise(
    name="5.speed_up",
    function="speed_up",
    cases=(
        ((0, [20, 20, 20, 20, 20, 20], 0), 6.0),
        ((30, [20, 20, 20, 20, 20, 20], 0), 3.0),
        ((30, [20, 20, 20, 20, 20, 20], 1), 1.0),
        ((10, [5, 10, 30], 0), 1.375),
        ((10, [5, 10, 30], 0.5), 55 / 47.5),
        ((34, [], 0.2), 1.0),
        ((0, [0, 0], 0.2), 1.0),
        ((0, [], 0.2), 1.0),
        ((5, [0, 8, 0], 0.7), 1.0),
    ),
    solution="""
def speed_up(outline, points, extra):
    batch = 0
    for step in range(1, max(points, default=0) + 1):
        running = sum(tokens >= step for tokens in points)
        batch += 1 + extra * (running - 1)
    return (outline + sum(points)) / (outline + batch) if outline + batch else 1.0
""",
    mistakes=(
        "def speed_up(o, p, e):\n    return (o + sum(p)) / (o + max(p, default=0)) if o + sum(p) else 1.0",
        "def speed_up(o, p, e):\n    b = max(p, default=0) * (1 + e * (len(p) - 1))\n    return (o + sum(p)) / (o + b) if o + b else 1.0",
        "def speed_up(o, p, e):\n    b = sum(1 + e * (sum(t >= s for t in p) - 1) for s in range(1, max(p, default=0) + 1))\n"
        "    return sum(p) / b if b else 1.0",
        "def speed_up(o, p, e):\n    b = sum(1 + e * (sum(t > s for t in p) - 1) for s in range(1, max(p, default=0) + 1))\n"
        "    return (o + sum(p)) / (o + b) if o + b else 1.0",
        "def speed_up(o, p, e):\n    b = sum(1 + e * (sum(t >= s for t in p) - 1) for s in range(1, max(p) + 1))\n"
        "    return (o + sum(p)) / (o + b)",
    ),
)

EXERCISES = (MAKES, READ_OUTLINE, SPEED_UP)
