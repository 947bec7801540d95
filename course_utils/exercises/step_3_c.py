"""Exercises of Step 3, sections 5 and 6: a checked citation, silence, trusted sources."""

from course_utils.exercises import Exercise

PAGES = ["Goods may come back within 17 days.", "Boots come back within 7 days. Laces cost 2.50 euros.", "Boots: 7 days, no more."]
CITE = "import re\ndef check_citation(reply, passages):\n"
SILENT = "    if ' '.join(reply.lower().split()).strip(' .!') == \"i don't know\":\n        return 'silent'\n"
NUMBERS = "    cited = [int(n) for n in re.findall(r'\\[(\\d+)\\]', reply)]\n    if not cited:\n        return 'no source'\n"
UNKNOWN = "    if not all(1 <= n <= len(passages) for n in cited):\n        return 'unknown source'\n"
ANSWER = "    answer = re.sub(r'\\[\\d+\\]', '', reply).strip(' .,').lower()\n"
FOUND = "    found = [re.search(rf'(?<!\\w){re.escape(answer)}(?!\\w)', passages[n - 1].lower()) for n in cited]\n"
END = "    return 'holds' if answer and all(found) else 'not there'\n"

CHECK_CITATION = Exercise(
    name="5.check_citation",
    function="check_citation",
    cases=(
        (("7 days [2]", PAGES), "holds"),
        (("7 days [1]", PAGES), "not there"),
        (("7 DAYS [2] [3].", PAGES), "holds"),
        (("7 days [2][1]", PAGES), "not there"),
        (("i don't  know!", PAGES), "silent"),
        (("I don't know. [2]", PAGES), "not there"),
        (("7 days", PAGES), "no source"),
        (("7 days [0]", PAGES), "unknown source"),
        (("7 days [2] [4]", PAGES), "unknown source"),
        (("2.50 euros, [2]", PAGES), "holds"),
        (("2?50 euros [2]", PAGES), "not there"),
        (("[2]", PAGES), "not there"),
        (("", []), "no source"),
    ),
    solution=CITE + SILENT + NUMBERS + UNKNOWN + ANSWER + FOUND + END,
    mistakes=(
        CITE + SILENT + NUMBERS + UNKNOWN + ANSWER + "    found = [answer in passages[n - 1].lower() for n in cited]\n" + END,
        CITE + SILENT + NUMBERS + UNKNOWN + ANSWER + FOUND + END.replace("all(found)", "any(found)"),
        CITE + SILENT + NUMBERS + UNKNOWN.replace("1 <= n", "n") + ANSWER + FOUND + END,
        CITE + SILENT + NUMBERS + UNKNOWN + ANSWER + FOUND.replace("re.escape(answer)", "answer") + END,
        CITE + SILENT + NUMBERS + UNKNOWN + ANSWER + FOUND + END.replace("answer and ", ""),
        CITE + NUMBERS + UNKNOWN + ANSWER + FOUND + END,
        CITE + SILENT + NUMBERS + UNKNOWN + ANSWER.replace(".lower()", "") + FOUND + END,
    ),
)

COUNT = (
    "def abstain(replies, golds):\n    silent = sum(r is None for r in replies)\n    empty = sum(g is None for g in golds)\n"
    "    both = sum(r is None and g is None for r, g in zip(replies, golds))\n"
)
WRONG = "    wrong = sum(r is not None and r != g for r, g in zip(replies, golds))\n"
SHARES = "    return (both / silent if silent else 0.0, both / empty if empty else 0.0, wrong)\n"

ABSTAIN = Exercise(
    name="5.abstain",
    function="abstain",
    cases=(
        ((["a", None, None, "x"], ["a", None, "b", None]), (0.5, 0.5, 1)),
        (([None, None, None], [None, "a", "b"]), (1 / 3, 1.0, 0)),
        ((["a", "b"], ["a", "b"]), (0.0, 0.0, 0)),
        ((["a", "c", "x"], ["a", "b", None]), (0.0, 0.0, 2)),
        (([None, None], ["a", "b"]), (0.0, 0.0, 0)),
        ((["", None], ["a", None]), (1.0, 1.0, 1)),
        (([], []), (0.0, 0.0, 0)),
        (([None, "y", "z", None], [None, None, None, None]), (1.0, 0.5, 2)),
    ),
    solution=COUNT + WRONG + SHARES,
    mistakes=(
        COUNT + WRONG + "    return (both / empty if empty else 0.0, both / silent if silent else 0.0, wrong)\n",
        COUNT + WRONG + "    return (both / max(1, len(replies)), both / empty if empty else 0.0, wrong)\n",
        COUNT + "    wrong = sum(r is not None and g is not None and r != g for r, g in zip(replies, golds))\n" + SHARES,
        COUNT + "    wrong = sum(r != g for r, g in zip(replies, golds))\n" + SHARES,
        COUNT.replace("r is None", "not r") + WRONG + SHARES,
        COUNT + WRONG + "    return (both / silent, both / empty, wrong)\n",
    ),
)

SHOW = "def may_show(cited, sources, trusted):\n"
FOLDERS = "    names = [s.split('/')[0] for s in sources]\n"
RANGE = "    if not cited or not all(1 <= n <= len(sources) for n in cited):\n        return False\n"
EVERY = "    return all(names[n - 1] in trusted for n in cited)\n"
SOURCES = ["handbook", "post", "handbook/returns", "handbook-of-a-stranger"]

MAY_SHOW = Exercise(
    name="6.may_show",
    function="may_show",
    cases=(
        (([1], SOURCES, {"handbook"}), True),
        (([2], SOURCES, {"handbook"}), False),
        (([1, 3], SOURCES, {"handbook"}), True),
        (([3, 2], SOURCES, {"handbook"}), False),
        (([4], SOURCES, {"handbook"}), False),
        (([], SOURCES, {"handbook"}), False),
        (([0], ["post", "handbook"], {"handbook"}), False),
        (([1, 5], SOURCES, {"handbook"}), False),
        (([1, 2], SOURCES, {"handbook", "post"}), True),
        (([1], SOURCES, set()), False),
        (([1], [], {"handbook"}), False),
    ),
    solution=SHOW + FOLDERS + RANGE + EVERY,
    mistakes=(
        SHOW + FOLDERS + RANGE + EVERY.replace("all(", "any("),
        SHOW + FOLDERS + RANGE.replace("not cited or ", "") + EVERY,
        SHOW + FOLDERS + RANGE.replace("1 <= n <= len", "n <= len") + EVERY,
        SHOW + FOLDERS.replace("s.split('/')[0]", "s") + RANGE + EVERY,
        SHOW + RANGE + "    return all(any(sources[n - 1].startswith(t) for t in trusted) for n in cited)\n",
        SHOW + FOLDERS + "    cited = [n for n in cited if 1 <= n <= len(sources)]\n    return bool(cited) and " + EVERY[11:],
    ),
)

EXERCISES = (CHECK_CITATION, ABSTAIN, MAY_SHOW)
