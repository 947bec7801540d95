"""The dumbest rules that could score in ShopBench: constant replies, and a keyword rule or two for each group."""

import functools
import json
import math
import re
from contextlib import closing

from course_utils import shop
from course_utils.shopbench.grading import UNKNOWN, Outcome, grade, requests, right

SORRY = "I am sorry about the trouble. We will look into it at once and write to you."


def _said(request):
    return request["messages"][-1]["content"]


def _numbers(text):
    return [float(found) for found in re.findall(r"\d+(?:\.\d+)?", text)]


def _first_label(request):
    return min(request["labels"], key=_said(request).index)


def _patterns(request):
    """Order, product and size by pattern: the first that fits."""
    text = _said(request)
    order, size = re.search(r"\b\d{4}\b", text), re.search(r"\b(?:X*[SL]|M|\d\d)\b", text)
    names = sorted((item["name"] for item in shop.catalogue() if item["name"] in text), key=text.index)
    found = {"order": order and order[0], "product": names[0] if names else None, "size": size and size[0]}
    return json.dumps(found)


def _candidate(request, last):
    """The last (or first) value of the right form in the conversation; an oracle tells which form is right."""
    text = "\n".join(message["content"] for message in request["messages"] if message["role"] == "user")
    places = {
        found.start(): value
        for value in [*request["gold"], *request["rivals"]]
        for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text, re.I)
    }
    return places[(max if last else min)(places)] if places else ""


def _short(request, last):
    """The last (or first) number of the note where the question asks for one, else its last (or first) name or word."""
    note = _said(request).replace(request["asked"], " ")
    asks_number = re.search(r"\b(how|when|cost|size|date)\b", request["asked"], re.I)
    found = re.findall(r"\d+(?:[.:]\d+)?" if asks_number else r"(?<=[a-z] )[A-Z]\w+", note) or re.findall(r"\w+", note)
    return found[-1 if last else 0]


def _plain(request, last):
    rules = {"label": _first_label, "record": _patterns, "value": lambda request: _short(request, last)}
    return rules[request["grader"]](request)


def _first_words(request):
    """The first turns of the dialogue, as many as a summary may hold."""
    turns = re.sub(r"(?m)^(Customer|Staff): ", "", request["dialogue"]).split("\n")
    words = " ".join(turns).split()
    return " ".join(words[: len(words) // 3])


def _number_in_message(request):
    """A label for the number in the message and a mail to whoever writes."""
    orders = re.findall(r"\b\d{4}\b", _said(request))
    return Outcome(
        "Done.", tuple((order, "LB-0000000000") for order in orders), _mails(request["customer"]) * len(orders)
    )


@functools.lru_cache(maxsize=None)
def _mails(customer):
    with closing(shop.orders()) as connection:
        return connection.execute("SELECT email FROM customers WHERE id = ?", (customer,)).fetchone()


RULES = {
    "plain": {
        "first label, first patterns, last name or number": lambda request: _plain(request, True),
        "first label, first patterns, first name or number": lambda request: _plain(request, False),
    },
    "sum": {
        "add all numbers": lambda request: f"{sum(_numbers(_said(request))):.2f}",
        "multiply the first two": lambda request: f"{math.prod(_numbers(_said(request))[:2]):.2f}",
    },
    "fact": {"I don't know": lambda request: UNKNOWN},
    "talk": {
        "last value of the right form": lambda request: _candidate(request, True),
        "first value of the right form": lambda request: _candidate(request, False),
    },
    "order": {"last number of the message": lambda request: (re.findall(r"\d+", _said(request)) or [""])[-1]},
    "return": {
        "do nothing": lambda request: SORRY,
        "label for the number in the message": _number_in_message,
    },
    "manner": {
        "polite sentence, first words of the dialogue": lambda request: _first_words(request) if "dialogue" in request else SORRY,
    },
}  # fmt: skip


@functools.lru_cache(maxsize=None)
def floor(group):
    """The best rule without a model: (its name, its score). Constants are every reply that is right somewhere in the group."""
    asked = requests(group)
    rules = dict(RULES[group])
    for text in dict.fromkeys(right(request).text for request in asked):
        rules[f"always {text[:40]!r}"] = lambda request, text=text: text
    scores = {}
    for name, rule in rules.items():
        outcomes = [rule(request) for request in asked]
        outcomes = [outcome if isinstance(outcome, Outcome) else Outcome(outcome) for outcome in outcomes]
        scores[name] = sum(map(grade, asked, outcomes)) / len(asked)
    return max(scores.items(), key=lambda item: item[1])
