"""Chunks: pieces of text that know where they come from, and windows of words over a longer text."""

import re
from dataclasses import dataclass, field

from course_utils.settings import CourseError


@dataclass(frozen=True)
class Chunk:
    """A piece of text: `source` names the whole, `start` is its first character there, `facts` are plain values."""

    text: str
    source: str
    start: int = 0
    facts: dict = field(default_factory=dict, hash=False)

    @property
    def id(self):
        """Its place as a name, so that the same place read again is the same chunk: "handbook/postage#0"."""
        return f"{self.source}#{self.start}"


def split(text, size, overlap=0, source="", facts=None):
    """Cut a text into windows of `size` words; each begins `size - overlap` words after the one before it.

    The last window may be shorter; none lies wholly inside the one before it. The words keep the spaces between them.
    Units:   words (runs of characters without a space) for size and overlap; characters for Chunk.start
    Errors:  CourseError unless 0 <= overlap < size
    Example: [c.text for c in split("a b c d e", 3, 1)] -> ["a b c", "c d e"]
    """
    if not 0 <= overlap < size:
        raise CourseError(f"A chunk of {size} words cannot overlap by {overlap}: choose 0 <= overlap < size.")
    spans, found = [match.span() for match in re.finditer(r"\S+", text)], []
    for first in range(0, max(len(spans) - overlap, min(1, len(spans))), size - overlap):
        window = spans[first : first + size]
        start, end = window[0][0], window[-1][1]
        found.append(Chunk(text[start:end], source, start, dict(facts or {})))
    return found
