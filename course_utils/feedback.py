"""Thumbs up and down for replies, in one SQLite file in the user's data folder; Step 7 learns from them."""

import json
import os
import sqlite3
import sys
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from .settings import CourseError

TABLE = """CREATE TABLE IF NOT EXISTS feedback (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, model TEXT NOT NULL, messages TEXT NOT NULL,
    reply TEXT NOT NULL, thumb TEXT NOT NULL CHECK (thumb IN ('up', 'down')))"""


class Feedback(NamedTuple):
    """One judged reply. `messages` is the conversation before it; `time` is UTC in ISO 8601."""

    id: int
    time: str
    model: str
    messages: list[dict]
    reply: str
    thumb: str


def data_folder():
    """Where the course keeps what a learner makes: COURSE_DATA, or the system's place for user data."""
    if os.environ.get("COURSE_DATA"):
        return Path(os.environ["COURSE_DATA"]).expanduser()
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Application Support"
    else:
        home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "llm-course"


@contextmanager
def _open(path, rebuild=False):
    """A connection whose changes are kept together or not at all; `rebuild` then writes the file anew."""
    path = Path(path) if path else data_folder() / "feedback.sqlite3"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            with connection:
                connection.execute("BEGIN IMMEDIATE")  # waits its turn, also while another process makes the file
                connection.execute(TABLE)
                yield connection
            if rebuild:
                connection.execute("VACUUM")
    except (sqlite3.Error, OSError) as error:
        raise CourseError(
            f"The feedback file {path} cannot be used ({error}): "
            "move it away, or name another folder with COURSE_DATA."
        ) from error


def add(messages, reply, thumb, model, path=None):
    """Keep one judgement, and return its id. `thumb` is "up" or "down".

    Errors:  CourseError if the file is damaged, or its folder cannot be written; ValueError for another thumb
    """
    if thumb not in ("up", "down"):
        raise ValueError(f'There is no thumb {thumb!r}: use "up" or "down".')
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    row = (now, model, json.dumps(messages, ensure_ascii=False), reply, thumb)
    with _open(path) as connection:
        names = "time, model, messages, reply, thumb"
        return connection.execute(f"INSERT INTO feedback ({names}) VALUES (?, ?, ?, ?, ?)", row).lastrowid


def read(path=None):
    """All judgements, oldest first, as a list of Feedback."""
    with _open(path) as connection:
        rows = connection.execute(
            "SELECT id, time, model, messages, reply, thumb FROM feedback ORDER BY id"
        ).fetchall()
    return [Feedback(*row[:3], json.loads(row[3]), *row[4:]) for row in rows]


def delete(number=None, path=None):
    """Delete one judgement by its id, or all of them; no byte of them stays in the file. Returns how many were deleted."""
    with _open(path, rebuild=True) as connection:
        if number is None:
            return connection.execute("DELETE FROM feedback").rowcount
        return connection.execute("DELETE FROM feedback WHERE id = ?", (number,)).rowcount
