"""Exercises of Step 2, sections 1 to 3: chains, chains of thought, votes."""

import json

from course_utils.exercises import Exercise


class Function:
    """A function of a chain's state that shows its name in messages."""

    def __init__(self, name, function):
        self.name, self.function = name, function

    def __call__(self, state):
        return self.function(state)

    def __repr__(self):
        return self.name


_add = Function("add_1", lambda state: {"n": state["n"] + 1})
_double = Function("double", lambda state: {"n": state["n"] * 2})
_until_ten = Function("again_below_10", lambda state: "add" if state["n"] < 10 else None)
_odd = Function("double_if_odd", lambda state: "double" if state["n"] % 2 else "add")

LINE = {"add": (_add, "double"), "double": (_double, None)}
LOOP = {"add": (_add, _until_ten)}
ENDLESS = {"a": (_add, "b"), "b": (_double, "a")}
BRANCH = {"start": (_add, _odd), "add": (_add, None), "double": (_double, None)}


def _without_trace(got, expected):
    return isinstance(got, tuple) and len(got) == 2 and (got[0], list(got[1])) == expected


RUN_CHAIN = Exercise(
    name="1.run_chain",
    function="run_chain",
    cases=(
        ((LINE, {"n": 1}, 9), ({"n": 4}, ["add", "double"])),
        ((LOOP, {"n": 7, "kept": "x"}, 9), ({"n": 10, "kept": "x"}, ["add", "add", "add"])),
        ((BRANCH, {"n": 1}, 9), ({"n": 3}, ["start", "add"])),
        ((BRANCH, {"n": 2}, 9), ({"n": 6}, ["start", "double"])),
        ((ENDLESS, {"n": 0}, 3), ({"n": 3}, ["a", "b", "a"])),
        ((ENDLESS, {"n": 5}, 0), ({"n": 5}, [])),
        (({}, {"n": 1}, 5), ({"n": 1}, [])),
    ),
    same=_without_trace,
    solution="""
def run_chain(nodes, state, limit):
    name, path = next(iter(nodes), None), []
    while name is not None and len(path) < limit:
        function, following = nodes[name]
        state = state | function(state)
        path.append(name)
        name = following(state) if callable(following) else following
    return state, path
""",
    mistakes=(
        "def run_chain(nodes, state, limit):\n    path = []\n    for name, (function, following) in nodes.items():\n"
        "        state = state | function(state)\n        path.append(name)\n    return state, path",
        "def run_chain(nodes, state, limit):\n    name, path = next(iter(nodes), None), []\n    while name is not None:\n"
        "        function, following = nodes[name]\n        state = state | function(state)\n        path.append(name)\n"
        "        if len(path) >= limit:\n            break\n        name = following(state) if callable(following) else following\n"
        "    return state, path",
        "def run_chain(nodes, state, limit):\n    name, path = next(iter(nodes), None), []\n"
        "    while name is not None and len(path) < limit:\n        function, following = nodes[name]\n"
        "        following = following(state) if callable(following) else following\n        state = state | function(state)\n"
        "        path.append(name)\n        name = following\n    return state, path",
        "def run_chain(nodes, state, limit):\n    name, path = next(iter(nodes), None), []\n"
        "    while name is not None and len(path) < limit:\n        function, following = nodes[name]\n"
        "        state = function(state)\n        path.append(name)\n"
        "        name = following(state) if callable(following) else following\n    return state, path",
    ),
)


class Texts:
    """A stand-in for a model: attempt number -> text, and how it is printed in a message."""

    def __init__(self, *texts):
        self.texts, self.__name__ = texts, f"texts{texts!r}"

    def __call__(self, attempt):
        return self.texts[attempt]


RETRY = Exercise(
    name="1.with_retry",
    function="with_retry",
    cases=(
        ((Texts('{"a": 1}'), json.loads, 3), ({"a": 1}, 1)),
        ((Texts("no", '{"a": 2}', '{"a": 3}'), json.loads, 3), ({"a": 2}, 2)),
        ((Texts("no", "never", "not at all"), json.loads, 3), (None, 3)),
        ((Texts("no", "7"), int, 2), (7, 2)),
        ((Texts("0"), int, 1), (0, 1)),
        ((Texts("x", "y"), int, 1), (None, 1)),
        ((Texts(), int, 0), (None, 0)),
    ),
    solution="""
def with_retry(call, parse, tries):
    for attempt in range(tries):
        text = call(attempt)
        try:
            return parse(text), attempt + 1
        except ValueError:
            pass
    return None, tries
""",
    mistakes=(
        "def with_retry(call, parse, tries):\n    return parse(call(0)), 1",
        "def with_retry(call, parse, tries):\n    for attempt in range(tries):\n        try:\n"
        "            return parse(call(0)), attempt + 1\n        except ValueError:\n            pass\n    return None, tries",
        "def with_retry(call, parse, tries):\n    for attempt in range(tries):\n        try:\n            value = parse(call(attempt))\n"
        "        except ValueError:\n            value = None\n        if value:\n            return value, attempt + 1\n    return None, tries",
        "def with_retry(call, parse, tries):\n    for attempt in range(tries + 1):\n        try:\n"
        "            return parse(call(attempt)), attempt + 1\n        except ValueError:\n            pass\n    return None, tries",
    ),
)

CHAIN_ANSWER = Exercise(
    name="2.chain_answer",
    function="chain_answer",
    cases=(
        (("5 + 6 = 11. The answer is 11.",), "11"),
        (("The answer is 1,250 dollars.",), "1250"),
        (("3 - 6.5 = -3.5. The answer is -3.5.",), "-3.5"),
        (("The answer is 4. No, wait. The answer is $2.50.",), "2.50"),
        (("First 5 + 6 = 11, then 11 * 2",), None),
        (("5 + 6 = 11. The answer is",), None),
        (("",), None),
    ),
    solution=r"""
import re

def chain_answer(text):
    _, phrase, rest = text.rpartition("The answer is")
    found = re.search(r"-?\d[\d,]*(?:\.\d+)?", rest) if phrase else None
    return found[0].replace(",", "") if found else None
""",
    mistakes=(
        "import re\ndef chain_answer(text):\n    found = re.findall(r'-?\\d[\\d,]*(?:\\.\\d+)?', text)\n"
        "    return found[-1].replace(',', '') if found else None",
        "import re\ndef chain_answer(text):\n    found = re.search(r'The answer is \\$?(-?[\\d,.]+)', text)\n"
        "    return found[1].replace(',', '') if found else None",
        "import re\ndef chain_answer(text):\n    found = re.findall(r'The answer is \\$?(-?\\d+)', text)\n"
        "    return found[-1] if found else None",
        "import re\ndef chain_answer(text):\n    found = re.findall(r'The answer is \\$?(\\d[\\d,]*(?:\\.\\d+)?)', text)\n"
        "    return found[-1].replace(',', '') if found else None",
    ),
)

WEIGHTED_VOTE = Exercise(
    name="3.weighted_vote",
    function="weighted_vote",
    cases=(
        ((["9", "8", "9"], [1, 1, 1]), "9"),
        ((["9", "8", "9"], [0.2, 0.7, 0.3]), "8"),
        ((["7.0", "8", "07", None], [1, 1.5, 1, 9]), "7.0"),
        ((["3", "4"], [1, 1]), "3"),
        (([None, None], [1, 1]), None),
        (([], []), None),
        ((["yes", "no", "no"], [1, 1, 0.5]), "no"),
    ),
    solution="""
def weighted_vote(answers, weights):
    sums, first = {}, {}
    for answer, weight in zip(answers, weights):
        if answer is None:
            continue
        try:
            key = float(answer)
        except ValueError:
            key = answer
        sums[key] = sums.get(key, 0) + weight
        first.setdefault(key, answer)
    return first[max(sums, key=sums.get)] if sums else None
""",
    mistakes=(
        "from collections import Counter\ndef weighted_vote(answers, weights):\n"
        "    votes = Counter(a for a in answers if a is not None)\n    return votes.most_common(1)[0][0] if votes else None",
        "def weighted_vote(answers, weights):\n    sums = {}\n    for a, w in zip(answers, weights):\n"
        "        sums[a] = sums.get(a, 0) + w\n    return max(sums, key=sums.get) if sums else None",
        "def weighted_vote(answers, weights):\n    sums = {}\n    for a, w in zip(answers, weights):\n        if a is not None:\n"
        "            sums[a] = sums.get(a, 0) + w\n    return max(sums, key=sums.get) if sums else None",
        "def weighted_vote(answers, weights):\n    sums = {}\n    for a, w in zip(answers, weights):\n        if a is not None:\n"
        "            sums[float(a)] = sums.get(float(a), 0) + w\n    return str(max(sums, key=sums.get)) if sums else None",
    ),
)

EXERCISES = (RUN_CHAIN, RETRY, CHAIN_ANSWER, WEIGHTED_VOTE)
