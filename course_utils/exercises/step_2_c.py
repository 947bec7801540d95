"""Exercises of Step 2, sections 6 to 8: denser summaries, choosing a wording, faults of a reply."""

from course_utils.exercises import Exercise

MISSING = Exercise(
    name="6.missing",
    function="missing",
    cases=(
        ((["Mia Borso", "12", "Tolvin"], "Mia Borso keeps 1200 birds.", 3), ["12", "Tolvin"]),
        ((["Ann", "Monday", "Ruk"], "Anna comes on Monday.", 2), ["Ann", "Ruk"]),
        ((["5.5 miles"], "They walked 545 miles.", 2), ["5.5 miles"]),
        ((["b", "a", "c", "d"], "Nothing of it.", 2), ["b", "a"]),
        ((["Tor", "Ulm", "Tor"], "", 5), ["Tor", "Ulm"]),
        ((["May"], "It may rain.", 3), ["May"]),
        ((["30 (old) euros", "Kem"], "It costs 30 (old) euros, says Kem!", 3), []),
        (([], "A short text.", 3), []),
    ),
    solution=r'''
import re

def missing(entities, summary, most):
    found = [one for one in entities if not re.search(rf"(?<!\w){re.escape(one)}(?!\w)", summary)]
    return list(dict.fromkeys(found))[:most]
''',
    mistakes=(
        "def missing(entities, summary, most):\n    return list(dict.fromkeys(e for e in entities if e not in summary))[:most]",
        "import re\ndef missing(entities, summary, most):\n    found = [e for e in entities if not re.search(rf'(?<!\\w){e}(?!\\w)',"
        " summary)]\n    return list(dict.fromkeys(found))[:most]",
        "import re\ndef missing(entities, summary, most):\n    found = [e for e in entities if not re.search("
        "rf'(?<!\\w){re.escape(e)}(?!\\w)', summary)]\n    return list(dict.fromkeys(found))",
        "import re\ndef missing(entities, summary, most):\n    found = [e for e in entities if not re.search("
        "rf'(?<!\\w){re.escape(e)}(?!\\w)', summary)]\n    return found[:most]",
        "import re\ndef missing(entities, summary, most):\n    found = [e for e in entities if not re.search("
        "rf'(?<!\\w){re.escape(e)}(?!\\w)', summary, re.IGNORECASE)]\n    return list(dict.fromkeys(found))[:most]",
        "import re\ndef missing(entities, summary, most):\n    found = {e for e in entities if not re.search("
        "rf'(?<!\\w){re.escape(e)}(?!\\w)', summary)}\n    return sorted(found)[:most]",
    ),
)

CHOOSE = Exercise(
    name="7.choose",
    function="choose",
    cases=(
        (({"first": [1, 0, 1, 0], "other": [1, 1, 0, 0]}, 2), ("other", 0.5, -0.5)),
        (({"first": [1, 0, 0, 0, 1], "b": [0, 1, 1, 1, 1], "c": [1, 0, 1, 1, 0]}, 2), ("first", 0.0, 0.0)),
        (({"a": [0, 0, 1], "z": [1, 1, 1], "y": [1, 1, 0]}, 2), ("z", 1.0, 0.0)),
        (({"a": [0, 1, 1, 1], "b": [1, 0, 0, 0], "c": [1, 0, 1, 1]}, 1), ("b", 1.0, -1.0)),
        (({"only": [1, 0, 1]}, 1), ("only", 0.0, 0.0)),
        (({"a": [0, 0, 1, 0, 0, 0, 0], "b": [1, 1, 0, 1, 0, 0, 0]}, 3), ("b", 1 / 3, 0.25)),
        (({"a": [1, 0, 0, 1], "b": [0, 0, 1, 1], "c": [1, 1, 1, 0]}, 3), ("c", 2 / 3, -1.0)),
    ),
    solution="""
def choose(hits, n_dev):
    def shares(name):
        dev, new = hits[name][:n_dev], hits[name][n_dev:]
        return sum(dev) / len(dev), sum(new) / len(new)

    best = max(hits, key=lambda name: shares(name)[0])
    (dev, new), (first_dev, first_new) = shares(best), shares(next(iter(hits)))
    return best, dev - first_dev, new - first_new
""",
    mistakes=(
        "def choose(hits, n):\n    s = lambda v: sum(v) / len(v)\n    a = next(iter(hits))\n    b = max(hits, key=lambda k: s(hits[k]))\n"
        "    return b, s(hits[b][:n]) - s(hits[a][:n]), s(hits[b][n:]) - s(hits[a][n:])",
        "def choose(hits, n):\n    s = lambda v: sum(v) / len(v)\n    a = next(iter(hits))\n"
        "    b = max(hits, key=lambda k: s(hits[k][n:]))\n"
        "    return b, s(hits[b][:n]) - s(hits[a][:n]), s(hits[b][n:]) - s(hits[a][n:])",
        "def choose(hits, n):\n    s = lambda v: sum(v) / len(v)\n    a = next(iter(hits))\n"
        "    b = max(reversed(list(hits)), key=lambda k: s(hits[k][:n]))\n"
        "    return b, s(hits[b][:n]) - s(hits[a][:n]), s(hits[b][n:]) - s(hits[a][n:])",
        "def choose(hits, n):\n    s = lambda v: sum(v) / len(v)\n    a = next(iter(hits))\n"
        "    b = max(hits, key=lambda k: s(hits[k][:n]))\n"
        "    return b, s(hits[b][:n]) - s(hits[a][:n]), s(hits[b]) - s(hits[a])",
        "def choose(hits, n):\n    s = lambda v: sum(v) / len(v)\n    b = max(hits, key=lambda k: s(hits[k][:n]))\n"
        "    return b, s(hits[b][:n]), s(hits[b][n:])",
        "def choose(hits, n):\n    a = sorted(hits)[-1]\n    s = lambda v: sum(v) / len(v)\n"
        "    b = max(hits, key=lambda k: s(hits[k][:n]))\n"
        "    return b, s(hits[b][:n]) - s(hits[a][:n]), s(hits[b][n:]) - s(hits[a][n:])",
    ),
)

SCHEMA = {"name": str, "quantity": int}
BODY = (
    "import json\ndef fault(reply, schema):\n    try:\n        found = json.loads(reply)\n    except ValueError:\n"
    "        return 'not JSON'\n    if not isinstance(found, dict):\n        return 'not an object'\n"
)

FAULT = Exercise(
    name="8.fault",
    function="fault",
    cases=(
        (('{"name": "Mia", "quantity": 2}', SCHEMA), ""),
        (('{"quantity": null, "name": null}', SCHEMA), ""),
        (('Sure! {"name": "Mia", "quantity": 2}', SCHEMA), "not JSON"),
        (("", SCHEMA), "not JSON"),
        (("[1, 2]", SCHEMA), "not an object"),
        (('{"colour": "red", "quantity": "2"}', SCHEMA), "missing name"),
        (('{"name": 7, "city": "Orle", "quantity": "2"}', SCHEMA), "unknown city"),
        (('{"quantity": "2", "name": "Mia"}', SCHEMA), "type of quantity"),
        (('{"quantity": "2", "name": 2}', SCHEMA), "type of name"),
        (('{"name": "Mia", "quantity": true}', SCHEMA), "type of quantity"),
        (("{}", {}), ""),
        (("null", {}), "not an object"),
    ),
    solution="""
import json

def fault(reply, schema):
    try:
        found = json.loads(reply)
    except ValueError:
        return "not JSON"
    if not isinstance(found, dict):
        return "not an object"
    for name in schema:
        if name not in found:
            return f"missing {name}"
    for name in found:
        if name not in schema:
            return f"unknown {name}"
    for name, kind in schema.items():
        if found[name] is not None and type(found[name]) is not kind:
            return f"type of {name}"
    return ""
""",
    mistakes=(
        BODY + "    for n, k in schema.items():\n        if n not in found:\n            return f'missing {n}'\n"
        "    for n in found:\n        if n not in schema:\n            return f'unknown {n}'\n"
        "    for n, k in schema.items():\n        if found[n] is not None and not isinstance(found[n], k):\n"
        "            return f'type of {n}'\n    return ''",
        BODY + "    for n, k in schema.items():\n        if n not in found:\n            return f'missing {n}'\n"
        "    for n, k in schema.items():\n        if found[n] is not None and type(found[n]) is not k:\n"
        "            return f'type of {n}'\n    return ''",
        BODY + "    for n, k in schema.items():\n        if n not in found:\n            return f'missing {n}'\n"
        "    for n in found:\n        if n not in schema:\n            return f'unknown {n}'\n"
        "    for n, k in schema.items():\n        if type(found[n]) is not k:\n            return f'type of {n}'\n    return ''",
        BODY + "    for n, k in schema.items():\n        if found.get(n) is None:\n            return f'missing {n}'\n"
        "    for n in found:\n        if n not in schema:\n            return f'unknown {n}'\n"
        "    for n, k in schema.items():\n        if type(found[n]) is not k:\n            return f'type of {n}'\n    return ''",
        BODY.replace("json.loads(reply)", "json.loads(reply[reply.find('{'):reply.rfind('}') + 1])")
        + "    for n in schema:\n        if n not in found:\n            return f'missing {n}'\n"
        "    for n in found:\n        if n not in schema:\n            return f'unknown {n}'\n"
        "    for n, k in schema.items():\n        if found[n] is not None and type(found[n]) is not k:\n"
        "            return f'type of {n}'\n    return ''",
        BODY + "    for n in found:\n        if n not in schema:\n            return f'unknown {n}'\n"
        "    for n in schema:\n        if n not in found:\n            return f'missing {n}'\n"
        "    for n, k in schema.items():\n        if found[n] is not None and type(found[n]) is not k:\n"
        "            return f'type of {n}'\n    return ''",
    ),
)

EXERCISES = (MISSING, CHOOSE, FAULT)
