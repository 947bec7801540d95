"""The shop's world (data access): catalogue, handbook, encyclopedia, orders, past dialogues. All of it is invented."""

import functools
import json
import re
import sqlite3
from datetime import date

from course_utils.settings import DATA, CourseError, verify_assets

WORLD = DATA / "world"
QUESTION_KINDS = {
    "handbook": ("literal", "paraphrase", "unanswerable"),
    "encyclopedia": ("one-hop", "two-hop", "claim"),
}


@functools.lru_cache(maxsize=None)
def _checked(folder):
    return verify_assets(folder)


def read(name):
    """The text of one file of the shop's world, after all files were checked against the manifest (once).

    Errors:  CourseError if a file is missing or altered
    """
    _checked(WORLD)
    return (WORLD / name).read_text(encoding="utf-8")


def rows(name):
    """The rows of one JSONL file of the shop's world, new objects at each call."""
    return [json.loads(line) for line in read(f"{name}.jsonl").splitlines() if line.strip()]


def facts():
    """The shop itself: {"shop", "city", "address", "domain", "currency", "today", "staff", ...}."""
    return json.loads(read("world.json"))


def today():
    """The fixed day on which everything in the shop's world happens, as a date."""
    return date.fromisoformat(facts()["today"])


def catalogue():
    """All products: [{"sku", "name", "kind", "price", "colours", "sizes", "weight_g", "stock", "text", "care"}]."""
    return rows("catalogue")


def handbook():
    """The handbook's sections in order: [{"id", "head", "text"}]."""
    parts = re.split(r"^## (.+)$", read("handbook.md"), flags=re.MULTILINE)[1:]
    return [
        {"id": slug(head), "head": head.strip(), "text": " ".join(text.split())}
        for head, text in zip(parts[::2], parts[1::2])
    ]


def slug(head):
    """A heading as an id: "Gift cards" -> "gift-cards"."""
    return re.sub(r"[^a-z0-9]+", "-", head.lower()).strip("-")


def encyclopedia():
    """All entries: [{"title", "kind", "sentences"}]."""
    return rows("encyclopedia")


def questions(book, kind=None):
    """Questions about the "handbook" or the "encyclopedia", all or those of one kind (see QUESTION_KINDS).

    Each has "question", "kind" and "gold" (None where the handbook has no answer; half of those are far-fetched, not
    "plausible").
    Errors:  ValueError for an unknown book or kind
    """
    if book not in QUESTION_KINDS or kind not in (None, *QUESTION_KINDS[book]):
        raise ValueError(f"There are no questions {kind!r} about {book!r}: {QUESTION_KINDS}.")
    return [row for row in rows(f"{book}_questions") if kind in (None, row["kind"])]


def dialogues():
    """Past dialogues: [{"id", "turns": [{"speaker", "text"}], "summaries": [two texts], "facts": [texts]}]."""
    return rows("dialogues")


def reviews():
    """Reviews: [{"sku", "stars" (1, 2, 4 or 5), "label" ("positive" or "negative"), "text"}]."""
    return rows("reviews")


def staff_replies():
    """Customers' messages, each with two replies of the staff: [{"message", "polite", "rude"}]."""
    return rows("staff_replies")


def orders():
    """A read-only connection to the order database; the caller closes it.

    Covers:  this connection writes no file, also not with ATTACH, VACUUM INTO or another PRAGMA
    Errors:  CourseError if the file is missing, altered or cannot be opened
    Does not cover: long queries; the SQL tool of Step 5 limits those
    """
    _checked(WORLD)
    try:
        connection = sqlite3.connect(f"{(WORLD / 'orders.sqlite').as_uri()}?mode=ro&immutable=1", uri=True)
        connection.execute("PRAGMA query_only = ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    except sqlite3.Error as error:
        raise CourseError(
            f"The order database cannot be opened ({error}): restore it with `git checkout assets`."
        ) from error
    return connection
