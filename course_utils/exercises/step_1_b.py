"""Exercises of Step 1, sections 4 and 5: sampling and prompting."""

from course_utils.exercises import Exercise

MIN_P = Exercise(
    name="4.min_p",
    function="min_p",
    cases=(
        (([0.5, 0.3, 0.16, 0.04], 0.1), [0.5 / 0.96, 0.3 / 0.96, 0.16 / 0.96, 0.0]),
        (([0.04, 0.16, 0.3, 0.5], 0.5), [0.0, 0.0, 0.375, 0.625]),
        (([0.5, 0.25, 0.25], 0.5), [0.5, 0.25, 0.25]),
        (([0.5, 0.25, 0.25], 1.0), [1.0, 0.0, 0.0]),
        (([0.4, 0.4, 0.2], 1.0), [0.5, 0.5, 0.0]),
        (([0.7, 0.2, 0.1], 0.0), [0.7, 0.2, 0.1]),
        (([1.0], 0.3), [1.0]),
    ),
    solution="""
def min_p(probs, share):
    border = share * max(probs)
    kept = [prob if prob >= border else 0.0 for prob in probs]
    return [prob / sum(kept) for prob in kept]
""",
    mistakes=(
        # the share itself as the border
        "def min_p(probs, share):\n    kept = [p if p >= share else 0.0 for p in probs]\n"
        "    return [p / (sum(kept) or 1) for p in kept]",
        # not scaled to 1
        "def min_p(probs, share):\n    return [p if p >= share * max(probs) else 0.0 for p in probs]",
        # a token at the border is dropped
        "def min_p(probs, share):\n    kept = [p if p > share * max(probs) else 0.0 for p in probs]\n"
        "    return [p / (sum(kept) or 1) for p in kept]",
        # dropped tokens leave the list
        "def min_p(probs, share):\n    kept = [p for p in probs if p >= share * max(probs)]\n"
        "    return [p / sum(kept) for p in kept]",
    ),
)

STOP_IN_STREAM = Exercise(
    name="4.stop_in_stream",
    function="visible",
    cases=(
        ((["The pri", "ce is 5. EN", "D Bye"], "END"), "The price is 5. "),
        ((["No stop word ", "here"], "END"), "No stop word here"),
        ((["One END two", " END three"], "END"), "One "),
        ((["Half at the end: EN"], "END"), "Half at the end: EN"),
        (([], "END"), ""),
        ((["E", "N", "D", "!"], "END"), ""),
        ((["all ", "of it"], ""), "all of it"),
    ),
    solution="""
def visible(pieces, stop):
    text = "".join(pieces)
    place = text.find(stop) if stop else -1
    return text if place < 0 else text[:place]
""",
    mistakes=(
        # looks at each piece alone
        "def visible(pieces, stop):\n    seen = ''\n    for piece in pieces:\n"
        "        if stop and stop in piece:\n            return seen + piece.split(stop)[0]\n"
        "        seen += piece\n    return seen",
        # -1 is taken for a place
        "def visible(pieces, stop):\n    text = ''.join(pieces)\n    return text[:text.find(stop)] if stop else text",
        # cuts at the last stop word
        "def visible(pieces, stop):\n    text = ''.join(pieces)\n    place = text.rfind(stop) if stop else -1\n"
        "    return text if place < 0 else text[:place]",
        # removes the word and goes on
        "def visible(pieces, stop):\n    text = ''.join(pieces)\n    return text.replace(stop, '') if stop else text",
        # an empty stop word stops at once
        "def visible(pieces, stop):\n    text = ''.join(pieces)\n    place = text.find(stop)\n"
        "    return text if place < 0 else text[:place]",
    ),
)

FIT_WINDOW = Exercise(
    name="4.fit_window",
    function="fit_window",
    cases=(
        (([("system", 10), ("user", 20), ("assistant", 30), ("user", 5)], 50),
         [("system", 10), ("assistant", 30), ("user", 5)]),
        (([("user", 20), ("assistant", 30), ("user", 5)], 40), [("assistant", 30), ("user", 5)]),
        (([("system", 10), ("user", 1), ("assistant", 90), ("user", 5)], 50), [("system", 10), ("user", 5)]),
        (([("system", 10), ("user", 20)], 30), [("system", 10), ("user", 20)]),
        (([("system", 60), ("user", 5)], 50), []),
        (([("user", 60)], 50), []),
        (([], 50), []),
    ),
    solution="""
def fit_window(messages, budget):
    first = [message for message in messages[:1] if message[0] == "system"]
    left = budget - sum(size for _, size in first)
    if left < 0:
        return []
    newest = []
    for message in reversed(messages[len(first):]):
        if message[1] > left:
            break
        left -= message[1]
        newest.append(message)
    return first + newest[::-1]
""",
    mistakes=(
        # the oldest fall out, the system message too
        "def fit_window(messages, budget):\n    messages = list(messages)\n"
        "    while sum(m[1] for m in messages) > budget:\n        messages.pop(0)\n    return messages",
        # skips what does not fit and leaves a hole
        "def fit_window(messages, budget):\n    first = [m for m in messages[:1] if m[0] == 'system']\n"
        "    left, kept = budget - sum(m[1] for m in first), []\n    if left < 0:\n        return []\n"
        "    for m in reversed(messages[len(first):]):\n        if m[1] <= left:\n"
        "            left -= m[1]\n            kept.append(m)\n    return first + kept[::-1]",
        # keeps the oldest instead of the newest
        "def fit_window(messages, budget):\n    kept, left = [], budget\n    for m in messages:\n"
        "        if m[1] > left:\n            break\n        left -= m[1]\n        kept.append(m)\n    return kept",
        # forgets to turn the order round
        "def fit_window(messages, budget):\n    first = [m for m in messages[:1] if m[0] == 'system']\n"
        "    left, kept = budget - sum(m[1] for m in first), []\n    if left < 0:\n        return []\n"
        "    for m in reversed(messages[len(first):]):\n        if m[1] > left:\n            break\n"
        "        left -= m[1]\n        kept.append(m)\n    return first + kept",
        # a message that fits exactly is dropped
        "def fit_window(messages, budget):\n    first = [m for m in messages[:1] if m[0] == 'system']\n"
        "    left, kept = budget - sum(m[1] for m in first), []\n    if left < 0:\n        return []\n"
        "    for m in reversed(messages[len(first):]):\n        if m[1] >= left:\n            break\n"
        "        left -= m[1]\n        kept.append(m)\n    return first + kept[::-1]",
    ),
)

BALANCED_SHOTS = Exercise(
    name="5.balanced_shots",
    function="balanced_shots",
    cases=(
        (({"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]}, 4), [("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b")]),
        (({"a": ["a1", "a2"], "b": ["b1"], "c": ["c1"]}, 3), [("a1", "a"), ("b1", "b"), ("c1", "c")]),
        (({"a": ["a1", "a2", "a3"], "b": ["b1"]}, 4), [("a1", "a"), ("b1", "b"), ("a2", "a"), ("a3", "a")]),
        (({"a": ["a1"], "b": ["b1"]}, 5), [("a1", "a"), ("b1", "b")]),
        (({"a": ["a1"], "b": ["b1"]}, 1), [("a1", "a")]),
        (({"a": ["a1"], "b": ["b1"]}, 0), []),
        (({}, 3), []),
    ),
    solution="""
def balanced_shots(pools, k):
    shots = []
    for place in range(max(map(len, pools.values()), default=0)):
        for label, texts in pools.items():
            if place < len(texts):
                shots.append((texts[place], label))
    return shots[:k]
""",
    mistakes=(
        # all examples of one label first
        "def balanced_shots(pools, k):\n    return [(text, label) for label, texts in pools.items() for text in texts][:k]",
        # text and label in the wrong order
        "def balanced_shots(pools, k):\n    found = []\n    for i in range(max(map(len, pools.values()), default=0)):\n"
        "        found += [(label, t[i]) for label, t in pools.items() if i < len(t)]\n    return found[:k]",
        # stops when the shortest pool is empty
        "def balanced_shots(pools, k):\n    found = []\n    for row in zip(*pools.values()):\n"
        "        found += list(zip(row, pools))\n    return found[:k]",
        # k examples of every label
        "def balanced_shots(pools, k):\n    found = []\n    for i in range(k):\n"
        "        found += [(t[i], label) for label, t in pools.items() if i < len(t)]\n    return found",
    ),
)

PROMPT_COST = Exercise(
    name="5.prompt_cost",
    function="prompt_cost",
    cases=(
        ((1000, 200, 1, 3.0, 15.0), 0.006),
        ((1000, 200, 10_000, 3.0, 15.0), 60.0),
        ((0, 500_000, 2, 1.0, 4.0), 4.0),
        ((2_000_000, 0, 1, 0.5, 9.0), 1.0),
        ((100, 100, 0, 3.0, 15.0), 0.0),
    ),
    solution="""
def prompt_cost(prompt_tokens, reply_tokens, requests, prompt_price, reply_price):
    one = prompt_tokens * prompt_price + reply_tokens * reply_price
    return requests * one / 1_000_000
""",
    mistakes=(
        # one price for both kinds of tokens
        "def prompt_cost(p, r, n, a, b):\n    return n * (p + r) * a / 1_000_000",
        # prices taken for 1,000 tokens
        "def prompt_cost(p, r, n, a, b):\n    return n * (p * a + r * b) / 1_000",
        # the number of requests counts for the prompt only
        "def prompt_cost(p, r, n, a, b):\n    return (n * p * a + r * b) / 1_000_000",
        # prices mixed up
        "def prompt_cost(p, r, n, a, b):\n    return n * (p * b + r * a) / 1_000_000",
    ),
)

EXERCISES = (MIN_P, STOP_IN_STREAM, FIT_WINDOW, BALANCED_SHOTS, PROMPT_COST)
