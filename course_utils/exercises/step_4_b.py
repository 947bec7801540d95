"""Exercises of Step 4, section 3: facts that are replaced, turns that are near in meaning."""

from course_utils.exercises import Exercise

NOTE_FACTS = Exercise(
    name="3.note_facts",
    function="note_facts",
    cases=(
        (({}, {"name": "Mia", "town": None}, "I am Mia."), {"name": "Mia"}),
        (({"town": "Orle", "day": "Monday"}, {"town": "Fenmark"}, "I moved to Fenmark."), {"town": "Fenmark", "day": "Monday"}),
        (({"name": "Mia"}, {"name": None, "day": "Friday"}, "Friday is fine."), {"name": "Mia", "day": "Friday"}),
        (({"name": "Mia"}, {"name": "Tom"}, "I would like tomatoes."), {"name": "Mia"}),
        (({}, {"name": "Tom"}, "It is about Tomlin."), {}),
        (({"order": "17"}, {"order": 4711}, "It is order 4711."), {"order": "4711"}),
        (({"order": "17"}, {"order": ""}, "Hello!"), {"order": "17"}),
        (({"name": "Mia"}, None, "Hello!"), {"name": "Mia"}),
        (({}, {"name": "Mia"}, "my name is mia"), {}),
    ),
    solution=r"""
import re

def note_facts(known, found, message):
    facts = dict(known)
    for key, value in (found or {}).items():
        text = "" if value is None else str(value)
        if text and re.search(rf"\b{re.escape(text)}\b", message):
            facts[key] = text
    return facts
""",
    mistakes=(
        # believes whatever the model found
        "def note_facts(known, found, message):\n"
        "    return {**known, **{key: str(value) for key, value in (found or {}).items() if value}}",
        # a missing value deletes the old one
        "import re\ndef note_facts(known, found, message):\n    facts = {**known, **(found or {})}\n"
        "    return {k: str(v) for k, v in facts.items() if v and (k not in (found or {}) or re.search(rf'\\b{v}\\b', message))}",
        # the first value wins for ever
        "import re\ndef note_facts(known, found, message):\n    facts = dict(known)\n    for key, value in (found or {}).items():\n"
        "        if value and re.search(rf'\\b{re.escape(str(value))}\\b', message):\n            facts.setdefault(key, str(value))\n"
        "    return facts",
        # a part of a word is enough
        "def note_facts(known, found, message):\n    facts = dict(known)\n    for key, value in (found or {}).items():\n"
        "        if value and str(value) in message:\n            facts[key] = str(value)\n    return facts",
    ),
)

NEAREST_TURNS = Exercise(
    name="3.nearest_turns",
    function="nearest_turns",
    cases=(
        (([1.0, 0.0], [[0.9, 0.1], [0.0, 1.0], [0.8, 0.2]], 2), [0, 2]),
        (([1.0, 0.0], [[0.5, 0.5], [0.0, 1.0], [3.0, 0.0]], 2), [0, 2]),
        (([1.0, 0.0], [[2.0, 2.0], [0.9, 0.1]], 1), [1]),
        (([0.0, 1.0], [[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]], 1), [2]),
        (([1.0, 1.0], [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 0.0]], 2), [1, 2]),
        (([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], 9), [0, 1]),
        (([1.0, 0.0], [[0.0, 0.0], [-1.0, 0.0]], 1), [0]),
        (([1.0, 0.0], [], 2), []),
        (([1.0, 0.0], [[1.0, 0.0]], 0), []),
    ),
    solution="""
import math

def nearest_turns(query, vectors, k):
    def cosine(one, other):
        lengths = math.hypot(*one) * math.hypot(*other)
        return sum(a * b for a, b in zip(one, other)) / lengths if lengths else 0.0

    scores = [round(cosine(query, vector), 12) for vector in vectors]
    best = sorted(range(len(vectors)), key=lambda place: (-scores[place], -place))[:k]
    return sorted(best)
""",
    mistakes=(
        # the dot product lets long vectors win
        "def nearest_turns(query, vectors, k):\n    scores = [sum(a * b for a, b in zip(query, v)) for v in vectors]\n"
        "    return sorted(sorted(range(len(vectors)), key=lambda i: (-scores[i], -i))[:k])",
        # among equals the older turn is taken
        "import math\ndef nearest_turns(query, vectors, k):\n    def cosine(v):\n        size = math.hypot(*query) * math.hypot(*v)\n"
        "        return round(sum(a * b for a, b in zip(query, v)) / size, 12) if size else 0.0\n"
        "    return sorted(sorted(range(len(vectors)), key=lambda i: -cosine(vectors[i]))[:k])",
        # best first instead of in the order of the talk
        "import math\ndef nearest_turns(query, vectors, k):\n    def cosine(v):\n        size = math.hypot(*query) * math.hypot(*v)\n"
        "        return round(sum(a * b for a, b in zip(query, v)) / size, 12) if size else 0.0\n"
        "    best = sorted(range(len(vectors)), key=lambda i: (cosine(vectors[i]), i), reverse=True)\n    return best[:k]",
        # a vector of zeros stops it
        "import math\ndef nearest_turns(query, vectors, k):\n    def cosine(v):\n"
        "        return round(sum(a * b for a, b in zip(query, v)) / (math.hypot(*query) * math.hypot(*v)), 12)\n"
        "    return sorted(sorted(range(len(vectors)), key=lambda i: (-cosine(vectors[i]), -i))[:k])",
    ),
)

EXERCISES = (NOTE_FACTS, NEAREST_TURNS)
