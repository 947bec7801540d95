"""Stored conversations: kept through kills, never mixed, deleted to the last byte, clear words for every failure."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from conftest import ROOT, one_sentence

from course_utils.memory import store as module
from course_utils.memory.store import ConversationStore
from course_utils.settings import CourseError

USERS = ("ann", "Ann", "ann ", "1", "a", "a\0b", "a/b", "ann' OR '1'='1", "%", "안나")
WRITER = """
import sys
from course_utils.memory.store import ConversationStore
store = ConversationStore(sys.argv[1])
for number in range(int(sys.argv[3]), 10**6):
    store.add("ann", sys.argv[2], [{"role": "user", "content": f"question {number} " + "x" * 3000},
                                   {"role": "assistant", "content": f"answer {number}"}])
    print(number, flush=True)
"""
DELETER = """
import sys
from course_utils.memory.store import ConversationStore
store = ConversationStore(sys.argv[1])
print("ready", flush=True)
for thread in sys.argv[2:]:
    store.delete("ann", thread)
    print(thread, flush=True)
"""


@pytest.fixture
def store(tmp_path):
    return ConversationStore(tmp_path / "new" / "Иван #1? %41.sqlite3")


def said(text, reply="Noted."):
    return [{"role": "user", "content": text}, {"role": "assistant", "content": reply}]


def every_byte(folder):
    """All bytes of all files below a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        stdout=subprocess.PIPE,
        text=True,
    )


def kill(process, after_s):
    """Wait for the first line, then so many seconds; kill. Returns the whole lines that the process wrote."""
    lines = [process.stdout.readline()]
    time.sleep(after_s)
    process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    lines += process.stdout.readlines()
    process.stdout.close()
    process.wait(60)
    return [line.strip() for line in lines if line.endswith("\n")]


def test_what_is_kept_comes_back(store):
    assert store.threads("ann") == []
    thread = store.new("ann", "  My \n boots ")
    message = {"role": "assistant", "content": "Grüße 안녕 \0 '\"; DROP TABLE messages", "model": "m", "id": 7}
    assert store.add("ann", thread, [*said("Hi"), message]) == 3 and store.add("ann", thread, []) == 3
    assert store.read("ann", thread) == [*said("Hi"), message]
    [row] = store.threads("ann")
    assert row[:3] == (thread, "My boots", 3) and row.changed.endswith("Z")
    later = store.new("ann", "x" * 500)
    assert [(row.id, len(row.name)) for row in store.threads("ann")] == [(later, 80), (thread, 8)]
    store.rename("ann", thread, "Tents")
    assert "Tents" in [row.name for row in store.threads("ann")]
    assert sys.platform == "win32" or store.path.stat().st_mode & 0o077 == 0  # for nobody else on this computer


def test_facts_of_a_message_change_and_its_text_does_not(store):
    thread = store.new("ann", "a")
    store.add("ann", thread, [{"role": "user", "content": "Hi", "thumb": None, "id": 1}])
    store.mark("ann", thread, 0, thumb="up")
    assert store.read("ann", thread) == [{"role": "user", "content": "Hi", "thumb": "up", "id": 1}]
    for place, facts in ((1, {"thumb": "up"}), (-1, {}), (0, {"content": "x"})):
        with pytest.raises(CourseError):
            store.mark("ann", thread, place, **facts)
    with pytest.raises(CourseError):
        store.mark("bob", thread, 0, thumb="down")
    assert store.read("ann", thread)[0]["thumb"] == "up"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda store, thread: store.new("", "a"),
        lambda store, thread: store.new(1, "a"),  # SQLite would take 1 and "1" for one user
        lambda store, thread: store.new(None, "a"),
        lambda store, thread: store.new("half \ud800", "a"),
        lambda store, thread: store.new("ann", " \n"),
        lambda store, thread: store.rename("ann", thread, ""),
        lambda store, thread: store.add("ann", thread, [*said("Hi"), {"role": "judge", "content": "x"}]),
        lambda store, thread: store.add("ann", thread, [*said("Hi"), {"role": "user", "content": None}]),
        lambda store, thread: store.add("ann", thread, [*said("Hi"), {"role": "user", "content": "x", "more": object()}]),
        lambda store, thread: store.add("ann", thread, [*said("Hi"), "text"]),
        lambda store, thread: store.add("ann", "0" * 16, said("Hi")),
        lambda store, thread: store.read("ann", 5),
        lambda store, thread: store.delete("bob", thread),
    ],
)
def test_a_wrong_call_is_one_sentence_and_changes_nothing(store, wrong):
    thread = store.new("ann", "a")
    store.add("ann", thread, said("first"))
    with pytest.raises(CourseError) as caught:
        wrong(store, thread)
    assert one_sentence(str(caught.value))
    assert store.read("ann", thread) == said("first") and [row.name for row in store.threads("ann")] == ["a"]


def test_half_a_character_is_kept_as_a_question_mark(store):
    thread = store.new("ann", "a \ud800")
    store.add("ann", thread, said("b \udfff"))
    assert store.read("ann", thread)[0]["content"] == "b ?" and store.threads("ann")[0].name == "a ?"


def test_users_and_threads_never_mix(store):
    """300 random operations of ten users against a plain dictionary, and every attempt to reach what is another's."""
    rng, kept = random.Random(0), {user: {} for user in USERS}
    for number in range(300):
        user = rng.choice(USERS)
        thread = rng.choice([*kept[user], None])
        action = rng.choice(("add", "add", "add", "rename", "delete")) if thread else "new"
        if action == "new":
            kept[user][store.new(user, "boots")] = []
        elif action == "add":
            kept[user][thread] += said(f"{number} of {user}")
            assert store.add(user, thread, said(f"{number} of {user}")) == len(kept[user][thread])
        elif action == "rename":
            store.rename(user, thread, "boots")
        elif rng.random() < 0.5:
            del kept[user][thread]
            assert store.delete(user, thread) == 1
        if number % 30 == 0:
            assert all({row.id: store.read(who, row.id) for row in store.threads(who)} == kept[who] for who in USERS)
    assert min(map(len, kept.values())) >= 1 and max(map(len, kept.values())) >= 2
    before = {who: [tuple(row) for row in store.threads(who)] for who in USERS}
    for owner in USERS:
        for other in set(USERS) - {owner}:
            thread = next(iter(kept[owner]))
            for attempt in (store.read, store.delete, lambda u, t: store.add(u, t, said("x")), lambda u, t: store.rename(u, t, "x")):
                with pytest.raises(CourseError, match="no such conversation"):
                    attempt(other, thread)
    assert {who: [tuple(row) for row in store.threads(who)] for who in USERS} == before
    assert store.delete(USERS[0]) == len(kept[USERS[0]]) and store.delete(USERS[0]) == 0
    assert all({row.id: store.read(who, row.id) for row in store.threads(who)} == kept[who] for who in USERS[1:])


def test_a_kill_at_20_random_moments_loses_no_acknowledged_turn(store):
    rng, thread, whole = random.Random(1), store.new("ann", "kills"), 0
    store.add("ann", thread, said("question 0 " + "x" * 3000, "answer 0"))
    for _ in range(20):
        whole = len(store.read("ann", thread)) // 2
        lines = kill(start(WRITER, store.path, thread, whole), rng.uniform(0, 0.2))
        messages = store.read("ann", thread)
        texts = [message["content"].strip("x").strip() for message in messages]
        assert len(messages) % 2 == 0 and len(messages) // 2 > int(lines[-1])  # whole turns, and all acknowledged ones
        assert len(messages) // 2 <= int(lines[-1]) + 2  # at most one more: written, but the kill came before the word
        assert texts == [text for n in range(len(messages) // 2) for text in (f"question {n}", f"answer {n}")]
    assert len(store.read("ann", thread)) // 2 > 20


def test_a_kill_while_deleting_leaves_a_conversation_or_no_byte_of_it(store, tmp_path):
    rng, threads = random.Random(2), {}
    for number in range(150):
        threads[thread := store.new("ann", "a")] = f"SECRET-{number:03}"
        store.add("ann", thread, said(threads[thread] + "x" * rng.randint(0, 2000)))
    for _ in range(8):
        left = [row.id for row in store.threads("ann")]
        gone = kill(start(DELETER, store.path, *left), rng.uniform(0, 0.1))[1:]
        still = {row.id for row in store.threads("ann")}  # opening the file ends what the kill broke off
        found = every_byte(tmp_path)
        assert not still & set(gone) and len(still) >= len(left) - len(gone) - 1
        for thread, secret in threads.items():
            assert (secret.encode() in found) == (thread in still)
            assert thread not in still or store.read("ann", thread)[0]["content"].startswith(secret)
    assert still and len(still) < 150


def filled(store, count=400):
    """Conversations that grow side by side, so that their rows share pages and move. Returns {thread: its secrets}."""
    rng = random.Random(3)
    threads = {store.new("ann", f"SECRET-NAME-{number}-"): [f"SECRET-NAME-{number}-"] for number in range(20)}
    for number in range(count):
        thread = rng.choice(list(threads))
        threads[thread].append(f"SECRET-{number:04}")
        more = {"role": "user", "content": f"SECRET-{number:04}" + "x" * rng.choice((0, 60, 400, 6000)), "n": f"SECRET-{number:04}"}
        store.add("ann", thread, [more])
    return threads


def left_over(store, folder, threads):
    """The deleted conversations' secrets that some byte still holds, and whether all the others are there."""
    chosen = list(threads)[::2]
    for thread in chosen:
        store.delete("ann", thread)
    found = every_byte(folder)
    others = all(secret.encode() in found for thread in threads if thread not in chosen for secret in threads[thread])
    return [secret for thread in chosen for secret in threads[thread] if secret.encode() in found], others


@pytest.fixture
def fast(monkeypatch):
    """Without waiting for the disk, which no byte search needs."""
    monkeypatch.setattr(module, "SETTINGS", (*module.SETTINGS, "PRAGMA synchronous = OFF"))


def test_after_a_delete_no_byte_holds_the_text(store, tmp_path, fast):
    threads = filled(store)
    size = store.path.stat().st_size
    assert left_over(store, tmp_path, threads) == ([], True)
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]  # no journal, no log beside it
    assert store.path.stat().st_size < size
    assert store.delete("ann") == 10 and b"SECRET" not in every_byte(tmp_path)


def test_a_plain_delete_leaves_the_text_and_the_search_finds_it(store, tmp_path, fast, monkeypatch):
    """The planted fault: without secure_delete and VACUUM, the same search must find what was deleted."""
    settings = [line.replace("secure_delete = ON", "secure_delete = OFF") for line in module.SETTINGS]
    monkeypatch.setattr(module, "SETTINGS", settings)
    monkeypatch.setattr(module, "_rebuild", lambda connection: None)
    found, others = left_over(store, tmp_path, filled(store))
    assert len(found) > 50 and others


def test_a_file_with_a_write_ahead_log_is_brought_back(store, tmp_path, fast):
    threads = filled(store, 40)
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert left_over(store, tmp_path, threads) == ([], True)
    assert store.path.read_bytes()[18:20] == b"\1\1"  # the header's mark of the plain rollback journal


def test_a_delete_that_cannot_rebuild_says_so_and_ends_later(store, tmp_path, monkeypatch):
    thread = store.new("ann", "a")
    store.add("ann", thread, said("SECRET " * 2000))

    def full(connection):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(module, "_rebuild", full)
        with pytest.raises(CourseError, match="still holds bytes") as caught:
            store.delete("ann", thread)
        assert one_sentence(str(caught.value)) and store.threads("ann") == []
        with closing(sqlite3.connect(store.path)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    size = store.path.stat().st_size
    assert store.threads("ann") == [] and store.path.stat().st_size < size and b"SECRET" not in every_byte(tmp_path)


def test_a_delete_waits_for_no_reader_forever(store, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BUSY_S", 0.2)
    thread = store.new("ann", "a")
    store.add("ann", thread, said("SECRET"))
    with closing(sqlite3.connect(store.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM messages").fetchall()
        with pytest.raises(CourseError, match="locked") as caught:
            store.delete("ann", thread)
        assert one_sentence(str(caught.value))
    assert store.read("ann", thread) == said("SECRET")  # not acknowledged, so nothing is gone
    assert store.delete("ann", thread) == 1 and b"SECRET" not in every_byte(tmp_path)


def test_the_stop_button_keeps_a_turn_as_a_whole_or_not_at_all(store, monkeypatch):
    thread = store.new("ann", "a")
    store.add("ann", thread, said("first"))

    def pressed(place, rows):
        yield next(iter(rows))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "enumerate", lambda rows, count: pressed(count, enumerate(rows, count)), raising=False)
        with pytest.raises(KeyboardInterrupt):
            store.add("ann", thread, said("second"))
    assert store.read("ann", thread) == said("first")
    assert store.add("ann", thread, said("third")) == 4


def test_threads_of_one_process_write_at_once(store):
    thread, counts = store.new("ann", "a"), []

    def write(name):
        counts.extend(store.add("ann", thread, said(f"{name} {number}")) for number in range(15))

    writers = [threading.Thread(target=write, args=(name,)) for name in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    messages = store.read("ann", thread)
    assert sorted(counts) == [*range(2, 61, 2)] and len({message["content"] for message in messages}) == 31
    assert [message["role"] for message in messages] == ["user", "assistant"] * 30  # no turn is torn apart


def test_a_second_process_reads_and_writes(store):
    thread = store.new("ann", "a")
    store.add("ann", thread, said("from the first"))
    process = start(WRITER, store.path, thread, 1)
    assert process.stdout.readline() == "1\n"
    store.add("ann", thread, said("from the first again"))
    kill(process, 0)
    texts = [message["content"][:10] for message in store.read("ann", thread)[::2]]
    assert texts[:2] == ["from the f", "question 1"] and texts.count("from the f") == 2


@pytest.mark.parametrize("harm", ["other file", "torn in the middle", "zeros inside", "one page gone"])
def test_a_damaged_file_is_one_sentence_and_is_kept(store, harm):
    thread = store.new("ann", "a")
    for number in range(60):
        store.add("ann", thread, said(f"{number} " * 300))
    raw = store.path.read_bytes()
    harmed = {
        "other file": b"This is not a database. " * 100,
        "torn in the middle": raw[: len(raw) // 2],
        "zeros inside": raw[:4096] + bytes(len(raw) - 4096),
        "one page gone": raw[:-4096],
    }[harm]
    store.path.write_bytes(harmed)
    for call in (lambda: store.threads("ann"), lambda: store.read("ann", thread), lambda: store.add("ann", thread, said("x"))):
        try:
            call()
        except CourseError as error:
            caught = str(error)
    assert "damaged and kept" in caught and one_sentence(caught)
    assert store.path.read_bytes()[: len(harmed)] == harmed


def test_a_full_disk_keeps_what_was_there(store, monkeypatch):
    thread = store.new("ann", "a")
    store.add("ann", thread, said("first"))
    settings = module.SETTINGS
    monkeypatch.setattr(module, "SETTINGS", (*settings, "PRAGMA max_page_count = 8"))
    with pytest.raises(CourseError, match="full") as caught:
        store.add("ann", thread, said("x" * 100_000))
    assert one_sentence(str(caught.value)) and store.read("ann", thread) == said("first")
    monkeypatch.setattr(module, "SETTINGS", settings)
    assert store.add("ann", thread, said("second")) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a process's file size")
def test_a_file_that_may_not_grow_is_one_sentence(store):
    program = (
        "import resource, signal, sys\n"
        "from course_utils.memory.store import ConversationStore\n"
        "from course_utils.settings import CourseError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store = ConversationStore(sys.argv[1]); thread = store.new('ann', 'a')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "kept = 0\n"
        "try:\n"
        "    while True:\n"
        "        kept = store.add('ann', thread, [{'role': 'user', 'content': 'x' * 3000}])\n"
        "except CourseError as error:\n"
        "    print(kept, len(store.read('ann', thread)), error)\n"
    )
    out = start(program, store.path).communicate(timeout=60)[0]
    kept, there, sentence = out.split(maxsplit=2)
    assert kept == there and int(kept) > 2 and one_sentence(sentence) and "disk" in sentence


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "talks.sqlite3", tmp_path, "/proc/course/talks.sqlite3"):
        with pytest.raises(CourseError) as caught:
            ConversationStore(path).new("ann", "a")
        assert one_sentence(str(caught.value))
    assert ConversationStore(tmp_path / "none.sqlite3").threads("ann") == []
    assert not (tmp_path / "none.sqlite3").exists()  # reading makes no file


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_can_be_read(store):
    thread = store.new("ann", "a")
    store.path.chmod(0o400)
    store.path.parent.chmod(0o500)
    try:
        assert len(store.threads("ann")) == 1 and store.read("ann", thread) == []
        with pytest.raises(CourseError, match="may write to"):
            store.add("ann", thread, said("x"))
    finally:
        store.path.parent.chmod(0o700)
