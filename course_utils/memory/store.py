"""Named conversations of several users in one SQLite file: kept through a kill, never mixed, deleted to the last byte.

Why no write-ahead log: it is faster with many writers, but it keeps every deleted text in a second file until no reader
is left, and it fails on network folders. A person's messages are few, so the plain rollback journal serves better.
"""

import json
import secrets
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from course_utils.settings import CourseError

BUSY_S, NAME_CHARS = 5.0, 80
NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
ROLES = ("system", "user", "assistant", "tool")
SETTINGS = (
    "PRAGMA journal_mode = DELETE",
    "PRAGMA synchronous = EXTRA",  # a commit returns when the change and the journal's removal are on the disk
    "PRAGMA secure_delete = ON",  # freed bytes become zeros; rows that moved between pages may leave copies all the same
    "PRAGMA temp_store = MEMORY",  # VACUUM writes no copy of the texts into a folder for temporary files
)
TABLES = (
    "CREATE TABLE IF NOT EXISTS threads (id TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, changed TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS messages (thread TEXT NOT NULL, place INTEGER NOT NULL, role TEXT NOT NULL, "
    "content TEXT NOT NULL, more TEXT NOT NULL, PRIMARY KEY (thread, place))",
)


class Thread(NamedTuple):
    """One conversation. `messages` counts them; `changed` is UTC in ISO 8601."""

    id: str
    name: str
    messages: int
    changed: str


class ConversationStore:
    """The conversations in one file. Several threads and processes may use it at once; each call opens the file anew.

    Covers:  a killed process (what was acknowledged is there, what was not is there as a whole or not at all), two
             writers, a damaged file (kept as it is), a full disk, a folder that cannot be written
    Does not cover:  who the user is (that must come from a log-in); a flipped bit inside a text; copies that others keep:
             backups, the disk's free blocks, swap, a terminal, a log
    Errors:  CourseError in one sentence
    Example: store = ConversationStore("talks.sqlite3"); thread = store.new("ann", "Boots")
             store.add("ann", thread, [{"role": "user", "content": "Hello"}]); store.read("ann", thread)
    """

    def __init__(self, path):
        self.path = Path(path)

    @contextmanager
    def _open(self, write=False):
        try:
            if write:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.touch(0o600)  # nobody else on this computer may read it
            address = f"{self.path.resolve().as_uri()}?mode=rw"
            with closing(sqlite3.connect(address, BUSY_S, isolation_level=None, uri=True)) as connection:
                for line in SETTINGS:
                    connection.execute(line)
                with suppress(sqlite3.OperationalError):  # it is tried again each time the file is opened
                    _rebuild(connection)
                with connection:  # commits at its end, or rolls back where an error ends it
                    for line in ("BEGIN IMMEDIATE", *TABLES) if write else ():
                        connection.execute(line)
                    yield connection
        except (sqlite3.Error, OSError, json.JSONDecodeError) as error:
            advice = "close other programs that use it, free some disk space, or choose a folder that you may write to"
            if type(error) in (sqlite3.DatabaseError, json.JSONDecodeError):
                advice = "the file is damaged and kept as it is, so move it away or restore a copy of it"
            raise CourseError(f"The conversations in {self.path} cannot be used ({error}): {advice}.") from error

    def _there(self):
        return self.path.is_file() and self.path.stat().st_size > 0

    def new(self, user, name):
        """Begin a conversation with a name that people read (two may have one name). Returns its id."""
        thread = secrets.token_hex(8)
        with self._open(write=True) as connection:
            connection.execute(f"INSERT INTO threads VALUES (?, ?, ?, {NOW})", (thread, _user(user), _name(name)))
        return thread

    def add(self, user, thread, messages):
        """Keep messages at the end of a conversation, all or none; when this returns, they are on the disk.

        A message is {"role", "content"}; whatever else it holds is kept as JSON. Returns the number of messages kept so far.
        """
        rows = [_row(message) for message in messages]
        with self._open(write=True) as connection:
            _own(connection, user, thread)
            [count] = connection.execute("SELECT COUNT(*) FROM messages WHERE thread = ?", (thread,)).fetchone()
            placed = [(thread, place, *row) for place, row in enumerate(rows, count)]
            connection.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", placed)
            connection.execute(f"UPDATE threads SET changed = {NOW} WHERE id = ?", (thread,))
        return count + len(rows)

    def read(self, user, thread):
        """The messages of a conversation, oldest first."""
        asked = "SELECT role, content, more FROM messages WHERE thread = ? ORDER BY place"
        with self._open() as connection:
            _own(connection, user, thread)
            rows = connection.execute(asked, (thread,)).fetchall()
            return [{"role": role, "content": content, **json.loads(more)} for role, content, more in rows]

    def mark(self, user, thread, place, **facts):
        """Change or add facts of a kept message, such as a thumb; its role and content stay. `place` counts from 0."""
        key = (thread, place)
        with self._open(write=True) as connection:
            _own(connection, user, thread)
            row = connection.execute("SELECT more FROM messages WHERE thread = ? AND place = ?", key).fetchone()
            if row is None or {"role", "content"} & set(facts):
                raise CourseError("There is no such message, or it may not be changed: only its further facts may.")
            more = _json(json.loads(row[0]) | facts)
            connection.execute("UPDATE messages SET more = ? WHERE thread = ? AND place = ?", (more, *key))

    def threads(self, user):
        """The conversations of a user as a list of Thread, the last changed one first."""
        if not self._there():
            return []
        asked = "SELECT id, name, (SELECT COUNT(*) FROM messages WHERE thread = id), changed FROM threads WHERE user = ?"
        with self._open() as connection:
            rows = connection.execute(f"{asked} ORDER BY changed DESC, rowid DESC", (_user(user),)).fetchall()
        return [Thread(*row) for row in rows]

    def rename(self, user, thread, name):
        """Give a conversation another name."""
        with self._open(write=True) as connection:
            _own(connection, user, thread)
            connection.execute("UPDATE threads SET name = ? WHERE id = ?", (_name(name), thread))

    def delete(self, user, thread=None):
        """Delete one conversation of a user, or all of them, and write the file anew: no byte of them stays in it.

        Returns how many were deleted. Where the file cannot be written anew (full disk, another reader), they are gone for
        every reader, an error says that their bytes are not, and each later opening of the file tries again.
        """
        if thread is None and not self._there():
            return 0
        with self._open(write=True) as connection:
            if thread is not None:
                _own(connection, user, thread)
            asked = "SELECT id FROM threads WHERE user = ? AND ? IN (id, '')"
            gone = connection.execute(asked, (_user(user), thread or "")).fetchall()
            connection.executemany("DELETE FROM messages WHERE thread = ?", gone)
            connection.executemany("DELETE FROM threads WHERE id = ?", gone)
            [waiting] = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {waiting + 1}")  # a mark in the file: it must be written anew
        try:
            with self._open() as connection:
                _rebuild(connection)
        except CourseError as error:
            raise CourseError(
                f"The conversations are deleted, but {self.path} still holds bytes of them ({error.__cause__}): close "
                "other programs that use it, free some disk space, and open the conversations again."
            ) from error
        return len(gone)


def _rebuild(connection):
    """Write the file anew where a delete asked for it: VACUUM copies what is left and leaves out everything else."""
    [waiting] = connection.execute("PRAGMA user_version").fetchone()
    if waiting:
        connection.execute("VACUUM")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone() == (waiting,):  # nobody deleted in the meantime
                connection.execute("PRAGMA user_version = 0")


def _own(connection, user, thread):
    """Refuse a conversation that is not there or not this user's, both with the same words."""
    asked = "SELECT 1 FROM threads WHERE id = ? AND user = ?"
    if not connection.execute(asked, (str(thread), _user(user))).fetchone():
        raise CourseError("This user has no such conversation: choose one of threads(user).")


def _user(user):
    if not isinstance(user, str) or not user or user != _clean(user):  # SQLite would take 1 and "1" for one
        raise CourseError("A user is a text that is not empty: take it from the log-in.")
    return user


def _name(name):
    name = " ".join(_clean(str(name)).split())[:NAME_CHARS]
    if not name:
        raise CourseError("A conversation needs a name: give it at least one letter.")
    return name


def _row(message):
    more = dict(message) if isinstance(message, dict) else {}
    role, content = more.pop("role", None), more.pop("content", None)
    if role not in ROLES or not isinstance(content, str):
        raise CourseError(f"A message needs a role ({', '.join(ROLES)}) and a text as its content.")
    return role, _clean(content), _json(more)


def _json(facts):
    try:
        return json.dumps(facts)
    except (TypeError, ValueError) as error:
        raise CourseError(f"The further facts of a message must be what JSON can hold ({error}).") from error


def _clean(text):
    """The text without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
