"""The encyclopedia of Steps 5 and 6: made-up entries with held-out names, a few real ones, and questions about them."""

import itertools
import random

from course_utils.recipe import split as parts
from course_utils.recipe.data_sets import data_set, lines
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import _encyclopedia as book

SEED, ENTRIES, EACH = "encyclopedia 20", 298, 150
PART = "heldout"


def _linked(entry):
    return [found for found in entry["values"].values() if not isinstance(found, str)]


def _new(rng, entry, taken):
    """The entry with facts and sentences; the entries that it names are new ones too."""
    while True:
        entry["values"] = {}
        sentences, _ = book.write(rng, PART, entry)
        titles = [other["title"] for other in _linked(entry)]
        fresh = len(set(titles)) == len(titles) and not any(_near(title, taken) for title in titles)
        if fresh and not _avoided(" ".join(sentences)):
            return sentences, titles


def _avoided(text):
    return any(word in text.lower() for word in parts.load("own_shop/encyclopedia")["avoid"])


def _near(title, taken):
    return any(title in other or other in title for other in taken)


def make_entries(rng):
    """Entries with facts that their sentences tell: all kinds in turn, each with the entries that it names."""
    entries, waiting, taken = [], [], [entry["title"] for entry in parts.load("own_shop/encyclopedia")["entries"]]
    kinds = itertools.cycle(book.texts("kinds"))
    while len(entries) < ENTRIES:
        depth, entry = waiting.pop(0) if waiting else (0, book.make_entry(rng, PART, next(kinds)))
        if depth == 0:
            if _near(entry["title"], taken) or _avoided(entry["title"]):
                continue
            taken.append(entry["title"])
        entry["sentences"], titles = _new(rng, entry, taken)
        taken += titles
        entries.append(entry)
        if depth == 0 or (depth == 1 and rng.random() < 0.2):
            waiting += [(depth + 1, other) for other in _linked(entry)]
    return entries


def _told(entry):
    """The facts that stand in the entry's sentences, by key."""
    text = " ".join(entry["sentences"])
    return {key: found for key, found in entry["values"].items() if book.text_of(found) in text}


def _one_hop(rng, entries):
    entry = rng.choice(entries)
    key, found = rng.choice(sorted(_told(entry).items(), key=lambda pair: pair[0]))
    text = rng.choice(book.facts_of(entry)[key]["ask"]).format(x=entry["name"])
    return _row(text, "one-hop", book.text_of(found), [[entry["title"], book.text_of(found)]])


def _row(text, kind, gold, facts, **more):
    return {"question": upper_first(text), "kind": kind, "gold": gold, "facts": facts, **more}


def _bridge(rng, entries):
    """A question about an entry that is named only by what another entry says of it."""
    entry = rng.choice(entries)
    links = [(key, found) for key, found in _told(entry).items() if not isinstance(found, str) and "sentences" in found]
    if not links:
        return None
    key, second = rng.choice(links)
    name = rng.choice(book.facts_of(entry)[key]["want"]).format(x=entry["name"])
    last, found = rng.choice(sorted(_told(second).items(), key=lambda pair: pair[0]))
    text = rng.choice(book.facts_of(second)[last]["ask"]).format(x=name)
    gold = book.text_of(found)
    facts = [[entry["title"], second["title"]], [second["title"], gold]]
    return None if gold in " ".join(entry["sentences"]) else _row(text, "two-hop", gold, facts, form="bridge")


def _compare(rng, entries):
    """Which of two entries of a kind has the larger or smaller number."""
    one = rng.choice(entries)
    keys = [key for key in _told(one) if book.facts_of(one)[key].get("more")]
    others = [two for two in entries if two["kind"] == one["kind"] and two is not one]
    found = [(key, two) for key in keys for two in others if key in _told(two)]
    if not found:
        return None
    key, two = rng.choice(found)
    values = [book.text_of(entry["values"][key]) for entry in (one, two)]
    numbers = [int(value.split()[0]) for value in values]
    text, better = rng.choice(book.facts_of(one)[key]["more"])
    if numbers[0] == numbers[1]:
        return None
    best = {"max": max, "min": min}[better](numbers)
    gold = (one, two)[numbers.index(best)]["title"]
    facts = [[entry["title"], value] for entry, value in zip((one, two), values)]
    return _row(text.format(a=one["name"], b=two["name"]), "two-hop", gold, facts, form="compare", better=better)


def _claim(rng, entries, right):
    entry = rng.choice(entries)
    key, found = rng.choice(sorted(_told(entry).items(), key=lambda pair: pair[0]))
    said = found
    while not right and book.text_of(said) == book.text_of(found):
        said = book.value(rng, PART, entry, key, fresh=True)
    text, gold = book.tell(rng, entry, key, said), "true" if right else "false"
    return _row(text, "claim", gold, [[entry["title"], book.text_of(found)]])


def make_questions(rng, entries, fixed):
    """EACH questions of each kind, those given among them; no question twice."""
    rows = [dict(row) | {"facts": [list(fact) for fact in row["facts"]]} for row in fixed]
    makers = {
        "one-hop": lambda count: _one_hop(rng, entries),
        "two-hop": lambda count: (_compare if count % 3 == 0 else _bridge)(rng, entries),
        "claim": lambda count: _claim(rng, entries, count % 2 == 0),
    }
    seen = {row["question"] for row in rows}
    for kind, maker in makers.items():
        count = sum(row["kind"] == kind for row in rows)
        while count < EACH:
            row = maker(count)
            if row and row["question"] not in seen and not _avoided(row["question"]):
                seen.add(row["question"])
                rows.append(row)
                count += 1
    return rows


@data_set
def encyclopedia():
    """Entries and questions: one-hop, two-hop (over a bridge, or comparing) and claims that are true or false."""
    rng, real = random.Random(SEED), parts.load("own_shop/encyclopedia")
    entries = make_entries(rng)
    questions = make_questions(rng, entries, real["questions"])
    made = [{key: entry[key] for key in ("title", "kind", "sentences")} for entry in entries]
    rows = sorted([*map(dict, real["entries"]), *made], key=lambda row: row["title"])
    return {"world/encyclopedia.jsonl": lines(rows), "world/encyclopedia_questions.jsonl": lines(questions)}
