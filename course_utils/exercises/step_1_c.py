"""Exercises of Step 1, part C: what models do well, choosing a model, serving it."""

from course_utils.exercises import Exercise

FULL = '{"name": "Mia", "qty": 2, "city": null}'

READ_JSON = Exercise(
    name="6.read_json",
    function="read_json",
    cases=(
        ((FULL, ["qty", "name"]), {"qty": 2, "name": "Mia"}),
        (("Sure! Here it is: " + FULL + " Anything else?", ["name", "city"]), {"name": "Mia", "city": None}),
        (('```json\n{"a": {"b": 1}}\n```', ["a"]), {"a": {"b": 1}}),
        (('{"name": "Mi', ["name", "qty"]), {"name": None, "qty": None}),
        (("I cannot do that.", ["name"]), {"name": None}),
        (('{"name": Mia}', ["name"]), {"name": None}),
        (('{"other": 1}', ["name"]), {"name": None}),
    ),
    solution='''
import json

def read_json(reply, keys):
    first, last = reply.find("{"), reply.rfind("}")
    try:
        found = json.loads(reply[first : last + 1]) if first >= 0 else {}
    except ValueError:
        found = {}
    return {key: found.get(key) for key in keys}
''',
    mistakes=(
        "import json\ndef read_json(reply, keys):\n    found = json.loads(reply)\n    return {k: found.get(k) for k in keys}",
        "import json\ndef read_json(reply, keys):\n    try:\n        return json.loads(reply)\n    except ValueError:\n"
        "        return {k: None for k in keys}",
        "import json\ndef read_json(reply, keys):\n    a, b = reply.find('{'), reply.find('}')\n    try:\n"
        "        found = json.loads(reply[a:b + 1])\n    except ValueError:\n        found = {}\n"
        "    return {k: found.get(k) for k in keys}",
        "import json\ndef read_json(reply, keys):\n    a, b = reply.find('{'), reply.rfind('}')\n    try:\n"
        "        found = json.loads(reply[a:b + 1])\n    except ValueError:\n        found = {}\n"
        "    return {k: found[k] for k in keys if k in found}",
    ),
)

RUBRIC = Exercise(
    name="6.rubric",
    function="rubric_score",
    cases=(
        (("The sea is blue,\nMia sings to you.", ["Mia", "sea"], 2), 1.0),
        (("The sea is blue,\n\nMia sings to you.\n", ["Mia", "gulls"], 2), 0.5),
        (("One line with Mia", ["Mia"], 4), 0.0),
        (("A PARTY\nin town\nfor all\nof us", ["art", "party"], 4), 0.5),
        (("a\nb\nc\nd\ne", ["a"], 4), 0.0),
        (("a\nb", [], 2), 1.0),
        (("The old drums play\nfor (mia) today", ["Old drums", "Mia", "sun"], 2), 2 / 3),
    ),
    solution=r'''
import re

def rubric_score(text, words, lines):
    if len([line for line in text.split("\n") if line.strip()]) != lines:
        return 0.0
    found = [bool(re.search(rf"\b{re.escape(word.lower())}\b", text.lower())) for word in words]
    return sum(found) / len(found) if found else 1.0
''',
    mistakes=(
        "def rubric_score(text, words, lines):\n    if len(text.split('\\n')) != lines:\n        return 0.0\n"
        "    return sum(w.lower() in text.lower() for w in words) / len(words) if words else 1.0",
        "def rubric_score(text, words, lines):\n    if len([x for x in text.split('\\n') if x.strip()]) != lines:\n"
        "        return 0.0\n    return sum(w.lower() in text.lower() for w in words) / max(1, len(words))",
        "import re\ndef rubric_score(text, words, lines):\n    if len([x for x in text.split('\\n') if x.strip()]) != lines:\n"
        "        return 0.0\n    return sum(bool(re.search(r'\\b' + w + r'\\b', text)) for w in words) / len(words) if words else 1.0",
        "import re\ndef rubric_score(text, words, lines):\n    if len([x for x in text.split('\\n') if x.strip()]) < lines:\n"
        "        return 0.0\n    return sum(bool(re.search(r'\\b' + w.lower() + r'\\b', text.lower())) for w in words)"
        " / len(words) if words else 1.0",
    ),
)

LEADERS = Exercise(
    name="7.leaders",
    function="leaders",
    cases=(
        (({"mistral wind": 80, "blue lamp": 82, "old boot": 40}, 100), ["blue lamp", "mistral wind"]),
        (({"a": 8000, "b": 8200, "c": 8190}, 10_000), ["b", "c"]),
        (({"only": 3}, 10), ["only"]),
        (({"z": 50, "m": 50}, 50), ["m", "z"]),
        (({"a": 0, "b": 1}, 2), ["a", "b"]),
        (({"a": 730, "b": 760, "c": 700, "d": 640}, 1000), ["a", "b"]),
    ),
    solution='''
from course_utils import measures

def leaders(correct, n):
    bar = measures.wilson(max(correct.values()), n)[0]
    return sorted(name for name, right in correct.items() if measures.wilson(right, n)[1] >= bar)
''',
    mistakes=(
        "def leaders(correct, n):\n    return [max(correct, key=correct.get)]",
        "from course_utils import measures\ndef leaders(correct, n):\n    bar = measures.wilson(max(correct.values()), n)[0]\n"
        "    return sorted(m for m, r in correct.items() if r / n >= bar)",
        "from course_utils import measures\ndef leaders(correct, n):\n    bar = measures.wilson(max(correct.values()), n)[0]\n"
        "    return [m for m, r in correct.items() if measures.wilson(r, n)[1] >= bar]",
        "from course_utils import measures\ndef leaders(correct, n):\n    bar = max(correct.values()) / n\n"
        "    return sorted(m for m, r in correct.items() if measures.wilson(r, n)[1] >= bar)",
    ),
)

BREAK_EVEN = Exercise(
    name="7.break_even",
    function="break_even",
    cases=(
        ((0.01, 500.0, 0, 10**9), 50_000),
        ((0.01, 500.0, 1000, 10**9), 51_000),
        ((0.25, 100.1, 0, 10**6), 401),
        ((0.5, 100.0, 10, 209), None),
        ((0.5, 100.0, 10, 210), 210),
        ((2.0, 0.0, 50, 100), 0),
    ),
    solution='''
import math

def break_even(cost, rent, free, capacity):
    requests = free + math.ceil(rent / cost) if rent > 0 else 0
    return requests if requests <= capacity else None
''',
    mistakes=(
        "import math\ndef break_even(cost, rent, free, capacity):\n    r = math.ceil(rent / cost)\n"
        "    return r if r <= capacity else None",
        "def break_even(cost, rent, free, capacity):\n    r = free + int(rent / cost)\n    return r if r <= capacity else None",
        "import math\ndef break_even(cost, rent, free, capacity):\n    return free + math.ceil(rent / cost) if rent else 0",
        "import math\ndef break_even(cost, rent, free, capacity):\n    r = free + math.ceil(rent / cost) if rent else 0\n"
        "    return r if r < capacity else None",
    ),
)

LAYERS = Exercise(
    name="7.layers_on_gpu",
    function="layers_on_gpu",
    cases=(
        ((1000, 10, 100, 1, 50, 100), 6),
        ((1000, 4, 100, 1, 50, 100), 4),
        ((1000, 10, 100, 0, 50, 0), 10),
        ((50, 10, 100, 1, 50, 100), 0),
        ((1000, 10, 100, 2, 400, 0), 1),
        ((8 * 10**9, 32, 129 * 10**6, 4096, 8192, 10**9), 32),
        ((4 * 10**9, 32, 129 * 10**6, 4096, 8192, 10**9), 18),
    ),
    solution='''
def layers_on_gpu(gpu_bytes, layers, layer_bytes, kv_bytes_per_token, tokens, fixed_bytes):
    each = layer_bytes + kv_bytes_per_token * tokens
    return max(0, min(layers, (gpu_bytes - fixed_bytes) // each))
''',
    mistakes=(
        "def layers_on_gpu(g, n, b, kv, t, f):\n    return max(0, min(n, (g - f) // b))",
        "def layers_on_gpu(g, n, b, kv, t, f):\n    return min(n, (g - f) // (b + kv * t))",
        "def layers_on_gpu(g, n, b, kv, t, f):\n    return max(0, (g - f) // (b + kv * t))",
        "def layers_on_gpu(g, n, b, kv, t, f):\n    return max(0, min(n, g // (b + kv * t)))",
        "def layers_on_gpu(g, n, b, kv, t, f):\n    return max(0, min(n, (g - f - kv * t) // b))",
    ),
)

WAIT = Exercise(
    name="8.wait_s",
    function="wait_s",
    cases=(
        ((0, 0.5, 8.0, None, 1.0), 0.5),
        ((3, 0.5, 8.0, None, 1.0), 4.0),
        ((6, 0.5, 8.0, None, 1.0), 8.0),
        ((6, 0.5, 8.0, None, 0.5), 4.0),
        ((0, 0.5, 8.0, 3.0, 0.7), 3.0),
        ((0, 0.5, 8.0, 20.0, 1.0), 20.0),
        ((2, 1.0, 8.0, 0, 0.75), 3.0),
    ),
    solution='''
def wait_s(attempt, base_s, cap_s, retry_after_s, jitter):
    wait = min(cap_s, base_s * 2**attempt) * jitter
    return wait if retry_after_s is None else max(wait, retry_after_s)
''',
    mistakes=(
        "def wait_s(a, b, c, r, j):\n    w = min(c, b * 2 * a) * j\n    return w if r is None else max(w, r)",
        "def wait_s(a, b, c, r, j):\n    w = min(c, b * 2**a * j)\n    return w if r is None else max(w, r)",
        "def wait_s(a, b, c, r, j):\n    w = b * 2**a * j\n    return w if r is None else max(w, r)",
        "def wait_s(a, b, c, r, j):\n    w = b * 2**a * j if r is None else max(b * 2**a * j, r)\n    return min(c, w)",
        "def wait_s(a, b, c, r, j):\n    w = min(c, b * 2**a) * j\n    return w if r is None else r",
    ),
)

EXERCISES = (READ_JSON, RUBRIC, LEADERS, BREAK_EVEN, LAYERS, WAIT)
