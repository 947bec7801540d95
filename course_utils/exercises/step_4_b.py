"""Exercise of Step 4, section 3: a table of facts in which a later value replaces an earlier one."""

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

EXERCISES = (NOTE_FACTS,)
