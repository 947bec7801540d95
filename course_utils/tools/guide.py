"""Constrained decoding: a pattern of text, what may follow each byte of it, and so the tokens that may come next.

A pattern is a small tuple: ("text", b"abc") as it stands, ("one", {bytes}) one of these bytes, ("many", p) p any number
of times, ("then", p, q), ("either", {p, q, ...}). `after(p, byte)` is the pattern of what may still come once the byte is
written (Brzozowski's derivative), so patterns are at the same time the states of an automaton.
"""

import functools
import json
from collections import defaultdict

from course_utils.settings import CourseError

DONE, NEVER = ("text", b""), ("either", frozenset())


def text(words):
    """A pattern of exactly these words."""
    return ("text", words.encode("utf-8"))


def then(*patterns):
    """Patterns one after the other."""
    *head, last = patterns
    for pattern in reversed(head):
        last = NEVER if NEVER in (pattern, last) else last if pattern == DONE else ("then", pattern, last)
    return last


def either(*patterns):
    """One of some patterns."""
    ways = frozenset(way for pattern in patterns for way in (pattern[1] if pattern[0] == "either" else (pattern,)))
    return next(iter(ways)) if len(ways) == 1 else ("either", ways)


@functools.lru_cache(maxsize=2**15)
def shortest(pattern):
    """The number of bytes that must still come, at least; 0 where the pattern may end here."""
    kind, *parts = pattern
    if kind == "then":
        return sum(map(shortest, parts))
    if kind == "either":
        return min(map(shortest, parts[0]), default=float("inf"))
    return {"text": len(parts[0]), "one": 1, "many": 0}[kind]


@functools.lru_cache(maxsize=2**17)
def after(pattern, byte):
    """The pattern of what may follow once `byte` is written; NEVER where it may not be written.

    Source:  Brzozowski 1964, doi:10.1145/321239.321249
    """
    kind, *parts = pattern
    if kind == "text":
        return ("text", parts[0][1:]) if parts[0][:1] == bytes([byte]) else NEVER
    if kind == "one":
        return DONE if byte in parts[0] else NEVER
    if kind == "many":
        return then(after(parts[0], byte), pattern)
    if kind == "either":
        return either(*(after(way, byte) for way in parts[0]))
    ways = then(after(parts[0], byte), parts[1])
    return either(ways, after(parts[1], byte)) if shortest(parts[0]) == 0 else ways


DIGIT = ("one", frozenset(b"0123456789"))
WHOLE = then(either(DONE, text("-")), either(text("0"), then(("one", frozenset(b"123456789")), ("many", DIGIT))))
LETTER = either(("one", frozenset(range(32, 256)) - set(b'"\\')), then(text("\\"), ("one", frozenset(b'"\\/bfnrt'))))
VALUES = {
    "string": then(text('"'), ("many", LETTER), text('"')),
    "integer": WHOLE,
    "number": then(WHOLE, either(DONE, then(text("."), DIGIT, ("many", DIGIT)))),
    "boolean": either(text("true"), text("false")),
}


def _json(value):
    return text(json.dumps(value, ensure_ascii=False))


def _members(shape, names, first=True):
    """The parameters in the schema's order; one that is not required may be left out."""
    if not names:
        return DONE
    kind = shape["properties"][names[0]]
    value = either(*map(_json, kind["enum"])) if "enum" in kind else VALUES[kind["type"]]
    given = then(text("" if first else ", "), _json(names[0]), text(": "), value, _members(shape, names[1:], False))
    return given if names[0] in shape.get("required", ()) else either(given, _members(shape, names[1:], first))


def call_pattern(schemas):
    """Every call of these tools that is valid, from behind <tool_call> to before </tool_call>.

    Does not cover: another order of the arguments, other spaces than one behind each colon and comma
    """
    ways = []
    for told in (schema["function"] for schema in schemas):
        members = _members(told["parameters"], list(told["parameters"]["properties"]))
        ways.append(then(text('\n{"name": '), _json(told["name"]), text(', "arguments": {'), members, text("}}\n")))
    return either(*ways)


@functools.lru_cache(maxsize=2)
def token_table(tokenizer):
    """The bytes of each token of a byte-level tokenizer, by first byte: {byte: [(id, bytes, set of its bytes)]}.

    Errors:  CourseError for a tokenizer of another kind
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]  # written as themselves; the others from 256 on
    others = [byte for byte in range(256) if byte not in plain]
    letters = {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(others)}
    table, added = defaultdict(list), tokenizer.get_added_vocab()
    for token, number in sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1]):
        if token not in added:
            if not set(token) <= letters.keys():
                raise CourseError("Guided decoding needs a byte-level tokenizer: use the bundled model or one of its kind.")
            raw = bytes(letters[letter] for letter in token)
            table[raw[0]].append((number, raw, frozenset(raw)))
    return dict(table)


def next_tokens(pattern, table):
    """The tokens that may come next, each with the pattern of what may follow: {id: pattern}."""
    found, loop = {}, frozenset(byte for byte in table if after(pattern, byte) == pattern)
    for first in (byte for byte in table if after(pattern, byte) != NEVER):
        for number, raw, letters in table[first]:
            # Inside a text the pattern stays as it is; elsewhere every byte is followed.
            rest = pattern if letters <= loop else functools.reduce(after, raw, pattern)
            if rest != NEVER:
                found[number] = rest
    return found


class CallGuide:
    """Says for each row of a batch which tokens may come next: any in plain text, valid ones inside a call.

    For models.generate_batch(..., allowed=CallGuide(tokenizer, schemas)); `schemas` is one list for each prompt. Whether
    to call at all stays the model's choice. A call is begun only where enough tokens are left to end it.
    Does not cover: whether the call is the right one
    """

    def __init__(self, tokenizer, schemas):
        self.table, self.known, self.rows = token_table(tokenizer), {}, {}
        self.open, self.close = tokenizer.convert_tokens_to_ids(["<tool_call>", "</tool_call>"])
        self.starts = [call_pattern(its) for its in schemas]
        self.no_call = sorted(set(tokenizer.get_vocab().values()) - {self.open, self.close})

    def follow(self, pattern):
        """(next_tokens of a pattern, their ids, the bytes that the longest way needs), worked out once."""
        if pattern not in self.known:
            found = next_tokens(pattern, self.table)
            rests = {id(rest): rest for rest in found.values()}  # thousands of tokens, a handful of patterns
            self.known[pattern] = found, list(found), max(map(shortest, rests.values()), default=0)
        return self.known[pattern]

    def __call__(self, row, tokens, left):
        """The ids that may come next in a row, or None for all; `left` tokens may still be written."""
        read, pattern = self.rows.get(row, (0, None))  # the pattern is None in plain text
        for token in tokens[read:]:
            if pattern is None:
                pattern = self.starts[row] if token == self.open else None
            else:
                pattern = None if token == self.close else self.follow(pattern)[0][token]
        self.rows[row] = (len(tokens), pattern)
        if pattern is None:
            return None if shortest(self.starts[row]) + 2 <= left else self.no_call
        if pattern == DONE:
            return [self.close]
        found, ids, longest = self.follow(pattern)
        return ids if longest + 2 <= left else [number for number in ids if shortest(found[number]) + 2 <= left]
