"""The requests of ShopBench and their graders: each says whether an outcome is right."""

import functools
import json
import re
from dataclasses import dataclass

from course_utils import shop
from course_utils.metrics import final_number
from course_utils.settings import DATA, CourseError, verify_assets

BENCH = DATA / "shopbench"
GROUPS = ("plain", "sum", "fact", "talk", "order", "return", "manner")
UNKNOWN = "I don't know."
LONG_WORDS = 40  # a short answer longer than this is none
SMALL = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
WORDS = {word: number for number, word in enumerate(SMALL.split(), 2)}
TENS = {
    word: 10 * number for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = re.compile(rf"\d{{4}}-\d\d-\d\d|\d+ ({MONTHS})( \d{{4}})?|({MONTHS}) \d+(, \d{{4}})?")
HEDGE = re.compile(r"\d\W*(\w+\W+){0,2}or\W+(\w+\W+){0,2}\d[\d.]*\D*$|\bnot\W+(\w+\W+){0,2}\d[\d.]*\D*$", re.I)


@dataclass(frozen=True)
class Outcome:
    """What a bot leaves behind: its reply, (order, label id) pairs of the carrier, addresses that got a mail."""

    text: str
    labels: tuple = ()
    mails: tuple = ()


@functools.lru_cache(maxsize=None)
def _read(name):
    verify_assets(BENCH)
    return (BENCH / name).read_text(encoding="utf-8")


def requests(group=None):
    """All requests or those of one group, new objects at each call: {"id", "group", "customer", "messages", "gold", ...}.

    Errors:  CourseError for an unknown group, or files that are missing or altered
    """
    if group not in (None, *GROUPS):
        raise CourseError(f"ShopBench has no group {group!r}: choose one of {', '.join(GROUPS)}.")
    rows = [json.loads(line) for line in _read("requests.jsonl").splitlines()]
    return [row for row in rows if group in (None, row["group"])]


@functools.lru_cache(maxsize=None)
def _phrases(kind):
    return re.compile("|".join(f"(?:{text})" for text in json.loads(_read("phrases.json"))[kind]), re.I | re.M)


@functools.lru_cache(maxsize=1)
def _ordinary():
    """Words that the shop's own texts write with a small letter: no names."""
    told = [turn["text"] for dialogue in shop.dialogues() for turn in dialogue["turns"]]
    told += [request["dialogue"] for request in requests("manner") if "dialogue" in request]
    return set(re.findall(r"(?<!\w)[a-z]+", " ".join([shop.read("handbook.md"), *told])))


def even(text):
    """Text with numbers as digits and one way to write money, shares and days: "Forty-five €" -> "45 euros"."""
    text = str(text).replace("\u2019", "'")
    text = re.sub(r"[€$]\s?(\d+(?:[.,]\d+)*)", r"\1 euros", text)
    text = re.sub(r"(\d)\s?(?:€|EUR\b|euros?\b)", r"\1 euros", text)
    text = re.sub(r"(\d)\s?(?:%|per cent\b)", r"\1 percent", text)
    tens, units = "|".join(TENS), "|".join(["one", *WORDS])
    two = rf"\b({tens})[- ]({units})\b"
    text = re.sub(two, lambda found: str(TENS[found[1].lower()] + WORDS.get(found[2].lower(), 1)), text, flags=re.I)
    both = WORDS | TENS
    text = re.sub(rf"\b({'|'.join(both)})\b", lambda found: str(both[found[1].lower()]), text, flags=re.I)
    text = re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", r"\1", text)
    text = re.sub(r"(\d),(\d{3})\b", r"\1\2", re.sub(r"day(?:s\b)", "day", text, flags=re.I))
    text = re.sub(r"\b(\d+)\.0{1,2}\b", r"\1", text)
    return " ".join(re.sub(r"\b(\d+\.\d)\b", r"\g<1>0", text).split())


def _numbers(text):
    return re.findall(r"\d+(?:[.:]\d+)*", text)


def _spot(term):
    """A pattern for a term that stands alone, not inside a word or a number; "M" is not "m"."""
    case = 0 if term.isupper() else re.I
    return re.compile(rf"(?<![\w-])(?<!\w')(?<!\d[.,:]){re.escape(term)}(?![\w-]|[.,:]\d)", case)


def _label(outcome, request):
    found = [label for label in request["labels"] if _spot(label).search(outcome.text)]
    short = len(outcome.text.split()) <= 12 and not re.search(r"\bnot\b|n't\b", outcome.text)
    return found == [request["gold"]] and short


def _record(outcome, request):
    try:
        found = json.loads(re.sub(r"^```(?:json)?\s*|\s*```$", "", outcome.text.strip()))
    except (ValueError, RecursionError):
        return False
    return found == request["gold"]


def _value(outcome, request):
    """The gold value and no other one; where there is none, a reply that says so and names no number."""
    text, asked = even(outcome.text), set(_numbers(even(request["asked"])))
    if len(text.split()) > LONG_WORDS:
        return False
    denied = bool(_phrases("denials").search(text))
    if request["gold"] is None or denied:
        return request["gold"] is None and denied and set(_numbers(text)) <= asked
    golds = sorted(map(even, request["gold"]), key=len, reverse=True)
    if any(
        re.fullmatch(rf"{re.escape(text.strip(' .!'))} (?!{MONTHS})[a-z ]+", gold)
        for gold in golds
        if gold[0].isdigit()
    ):
        return text[:1].isdigit()  # the number alone
    rest = functools.reduce(lambda left, gold: _spot(gold).sub("\0", left), golds, text)
    hedged = re.search("\0\\W+or\\b|\\bor\\W+(?:\\w+\\W+)?\0|\\bnot\\W+(?:\\w+\\W+)?\0", rest, re.I)
    other = any(_spot(even(rival)).search(rest) for rival in request["rivals"])
    return "\0" in rest and not hedged and not other and set(_numbers(rest)) <= asked


def _number(outcome, request):
    text = even(outcome.text)
    found = final_number(text)
    return found is not None and abs(found - request["gold"]) < 0.005 and not HEDGE.search(text)


def _amount(outcome, request):
    """The last number that the question does not hold; dates aside."""
    asked = set(_numbers(even(request["asked"])))
    text = re.sub(
        r"\d+(?:[.:]\d+)*", lambda found: "" if found[0] in asked else found[0], DATE.sub("", even(outcome.text))
    )
    return _number(Outcome(text), request)


def _polite(outcome, request):
    """No rude word, a word of courtesy, to the point, and not the customer's own words."""
    words, said = (re.findall(r"[a-z']+", text.lower()) for text in (outcome.text, request["messages"][-1]["content"]))
    triples = list(zip(words, words[1:], words[2:]))
    copied = len(set(triples) & set(zip(said, said[1:], said[2:])))
    to_the_point = any(_spot(key).search(outcome.text) for key in request["gold"])
    kind = _phrases("courtesy").search(outcome.text) and not _phrases("rude").search(outcome.text)
    return len(triples) > 1 and copied * 2 < len(triples) and to_the_point and kind


def _summary(outcome, request):
    """Every key fact, no number or name that the dialogue lacks, at most a third of its words."""
    text, dialogue = even(outcome.text), even(request["dialogue"])
    words = len(re.sub(r"(?m)^(Customer|Staff): ", "", request["dialogue"]).split())
    facts = all(any(_spot(even(way)).search(text) for way in ways) for ways in request["gold"])
    known = _ordinary() | set(re.findall(r"[a-z]+", dialogue.lower()))
    names = [part for name in re.findall(r"\b[A-Z]\w*", text) for part in re.findall("[a-z]+", name.lower())]
    invented = set(_numbers(text)) - set(_numbers(dialogue)) or set(names) - known
    return facts and not invented and len(outcome.text.split()) * 3 <= words


def _return(outcome, request):
    """The end state: a label for each right order and no other, one mail to the right address; no invented label."""
    made, gold = dict(outcome.labels), request["gold"]
    named = set(re.findall(r"\bLB-\w+", outcome.text, re.I))
    state = sorted(made) == sorted(gold["labels"]) and sorted(outcome.mails) == sorted(gold["mails"])
    return state and len(made) == len(outcome.labels) and named <= set(made.values()) and bool(outcome.text.strip())


GRADERS = {
    name: lambda outcome, request, check=check: float(bool(check(outcome, request)))
    for name, check in {
        "label": _label, "record": _record, "value": _value, "number": _number, "amount": _amount,
        "polite": _polite, "summary": _summary, "return": _return,
    }.items()
}  # fmt: skip


def grade(request, outcome):
    """1.0 where the outcome is right, else 0.0."""
    return GRADERS[request["grader"]](outcome, request)


def right(request):
    """An outcome that is right, made from the gold: a control that must score 1."""
    gold, grader = request["gold"], request["grader"]
    if grader == "return":
        labels = tuple((order, f"LB-{int(order):010X}") for order in gold["labels"])
        return Outcome("It is done." if labels else "I cannot take this back.", labels, tuple(gold["mails"]))
    if "right" in request:
        return Outcome(request["right"])
    text = {"label": lambda: gold, "record": lambda: json.dumps(gold), "value": lambda: gold[0] if gold else UNKNOWN}
    return Outcome(text.get(grader, lambda: f"{gold:.2f}")())
