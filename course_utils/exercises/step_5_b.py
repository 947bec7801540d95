"""Exercises of Step 5, sections 2 and 3: a mask for a choice, a result cut to a limit, the program inside a reply."""

from course_utils.exercises import Exercise

TOKENS = ["to", "a", "st", "stove", "ster", "tent", "ten", "t", " ", "", "en", "x", "toaster"]

ALLOWED_NEXT = Exercise(
    name="2.allowed_next",
    function="allowed_next",
    cases=(
        ((TOKENS, ["tent", "stove"], ""), ["st", "stove", "tent", "ten", "t"]),
        ((TOKENS, ["toaster", "toast"], "toa"), ["st", "ster"]),
        ((TOKENS, ["tent", "stove"], "ten"), ["t"]),
        ((TOKENS, ["tent", "stove"], "tent"), []),
        ((TOKENS, ["tent", "stove"], "x"), []),
        ((TOKENS, ["a tent"], "a"), [" "]),
        ((TOKENS, [], ""), []),
        (([], ["tent"], "t"), []),
        ((["t", "t", "te"], ["tent"], ""), ["t", "t", "te"]),
    ),
    solution="""
def allowed_next(tokens, choices, written):
    return [token for token in tokens if token and any(choice.startswith(written + token) for choice in choices)]
""",
    mistakes=(
        "def allowed_next(tokens, choices, written):\n    return [t for t in tokens if any(c.startswith(t) for c in choices)]",
        "def allowed_next(tokens, choices, written):\n    return [t for t in tokens if t and any(written + t in c for c in choices)]",
        "def allowed_next(tokens, choices, written):\n"
        "    return [t for t in tokens if any(c.startswith(written + t) for c in choices)]",
        "def allowed_next(tokens, choices, written):\n    rests = [c[len(written):] for c in choices]\n"
        "    return [t for t in tokens if t and any(rest.startswith(t) for rest in rests)]",
        "def allowed_next(tokens, choices, written):\n"
        "    return list(dict.fromkeys(t for t in tokens if t and any(c.startswith(written + t) for c in choices)))",
    ),
)

CLIP = Exercise(
    name="2.clip",
    function="clip",
    cases=(
        (("abcdefghij", 10), "abcdefghij"),
        (("abcdefghijklmnopqrstuvwxyz", 20), "abcde [16 cut] vwxyz"),
        (("x" * 1000, 40), "x" * 14 + " [972 cut] " + "x" * 14),
        (("x" * 1_000_000, 30), "x" * 8 + " [999984 cut] " + "x" * 8),
        (("abcdef", 5), "abcde"),
        (("abcdefghijklmnop", 12), "a [14 cut] p"),
        (("abcdefghijklmnop", 11), "abcdefghijk"),
        (("", 5), ""),
        (("abc", 0), ""),
    ),
    solution="""
def clip(text, limit):
    if len(text) <= limit:
        return text
    side = limit // 2
    while side > 0:
        note = f" [{len(text) - 2 * side} cut] "
        if 2 * side + len(note) <= limit:
            return text[:side] + note + text[-side:]
        side -= 1
    return text[:limit]
""",
    mistakes=(
        "def clip(text, limit):\n    return text[:limit]",
        "def clip(text, limit):\n    if len(text) <= limit:\n        return text\n    side = limit // 2\n"
        "    return text[:side] + f' [{len(text) - 2 * side} cut] ' + text[-side:]",
        "def clip(text, limit):\n    if len(text) <= limit:\n        return text\n    note = f' [{len(text) - limit} cut] '\n"
        "    side = (limit - len(note)) // 2\n    return text[:side] + note + text[-side:]",
        "def clip(text, limit):\n    side = limit // 2\n    while side >= 0:\n        note = f' [{len(text) - 2 * side} cut] '\n"
        "        if 2 * side + len(note) <= limit:\n            return text[:side] + note + text[-side:]\n        side -= 1\n"
        "    return text[:limit]",
    ),
)

PROGRAM_OF = Exercise(
    name="3.program_of",
    function="program_of",
    cases=(
        (("a = 2\nprint(a)",), "a = 2\nprint(a)"),
        (("```python\na = 2\nprint(a)\n```",), "a = 2\nprint(a)"),
        (("Sure! Here it is:\n```\nprint(7)\n```\nIt prints 7.",), "print(7)"),
        (("```python\nprint(1)\n```\nNo, better:\n```python\nprint(2)\n```",), "print(2)"),
        (("```py\na = 2\nprint(a)",), "a = 2\nprint(a)"),
        (("  \n",), ""),
        (("```\n```",), ""),
        (("if 2 > 1:\n    print(3)\n",), "if 2 > 1:\n    print(3)"),
        (('print("a ``` b")',), 'print("a ``` b")'),
    ),
    solution=r"""
import re

def program_of(reply):
    blocks = re.findall(r"^```[\w ]*\n(.*?)(?:^```|\Z)", reply, re.DOTALL | re.MULTILINE)
    return (blocks[-1] if blocks else reply).strip("\n ")
""",
    mistakes=(
        "def program_of(reply):\n    return reply.replace('```python', '').replace('```', '').strip()",
        "import re\ndef program_of(reply):\n    found = re.search(r'```(?:python)?\\n(.*?)```', reply, re.DOTALL)\n"
        "    return (found[1] if found else reply).strip()",
        "import re\ndef program_of(reply):\n    blocks = re.findall(r'```\\w*\\n(.*?)```', reply, re.DOTALL)\n"
        "    return (blocks[-1] if blocks else reply).strip()",
        "def program_of(reply):\n    return reply.split('```')[1].strip() if '```' in reply else reply.strip()",
    ),
)

EXERCISES = (ALLOWED_NEXT, CLIP, PROGRAM_OF)
