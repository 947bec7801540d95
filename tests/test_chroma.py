"""Chroma: filters, upsert, what delete leaves on the disk, one owner of a folder, a real server, the recall."""

import argparse
import os
import sqlite3
import struct
import subprocess
import sys
import time
from types import SimpleNamespace

import chromadb
import numpy
import psutil
import pytest
from conftest import one_sentence

from course_utils import measures, retrieval
from course_utils.commands import chroma_bench
from course_utils.retrieval.serving import growth, running_chroma
from course_utils.settings import ROOT, CourseError

TEXTS = [f"Rule {i}: the word of this rule is SESAME{i:03}X." for i in range(12)]
FACTS = [{"kind": "rule" if i % 2 else "price", "year": 2000 + i, "source": f"part {i}"} for i in range(12)]
VECTORS = numpy.random.default_rng(0).normal(size=(12, 32)).astype(numpy.float32)
VECTORS /= numpy.linalg.norm(VECTORS, axis=1, keepdims=True)
IDS = [str(i) for i in range(12)]


# What these tests take for granted of retrieval.open_store; the rest of the file does not know its names.
def put(store, places):
    """Write these texts into a store of the course, new or again."""
    chunks = [SimpleNamespace(text=TEXTS[i], source=f"part {i}") for i in places]
    store.upsert(chunks, VECTORS[list(places)])


def remove(store, place):
    store.delete(f"part {place}")


@pytest.fixture
def collection(tmp_path):
    """A plain Chroma collection on disk with the twelve texts."""
    with chromadb.PersistentClient(str(tmp_path / "plain")) as client:
        found = client.create_collection("rules", embedding_function=None, configuration={"hnsw": {"space": "cosine"}})
        found.add(ids=IDS, embeddings=VECTORS, documents=TEXTS, metadatas=FACTS)
        yield found


def on_disk(folder, what):
    """The files of a folder that hold these bytes."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and what in path.read_bytes())


def vector_on_disk(folder, vector):
    """The files of a folder that hold these numbers one after the other (cosine graphs round them a little)."""
    found, start = [], vector[:6]
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        for shift in range(4):
            row = numpy.frombuffer(data[shift : shift + (len(data) - shift) // 4 * 4], numpy.float32)
            with numpy.errstate(all="ignore"):  # most of what is read here are no numbers
                places = numpy.flatnonzero(numpy.abs(row[: max(0, len(row) - 5)] - start[0]) < 1e-5)
                if any(numpy.allclose(row[i : i + 6], start, atol=1e-5) for i in places):
                    found.append(path.name)
    return sorted(set(found))


@pytest.mark.parametrize(
    ("where", "right"),
    [
        ({"kind": "rule"}, {1, 3, 5, 7, 9, 11}),
        ({"year": {"$gte": 2010}}, {10, 11}),
        ({"$and": [{"kind": "price"}, {"year": {"$lt": 2004}}]}, {0, 2}),
        ({"$or": [{"year": 2001}, {"source": "part 4"}]}, {1, 4}),
        ({"source": {"$in": ["part 3", "part 8", "part 99"]}}, {3, 8}),
        ({"kind": {"$ne": "rule"}}, {0, 2, 4, 6, 8, 10}),
        ({"year": "2001"}, set()),  # a text is not a number
        ({"colour": "red"}, set()),
    ],
)
def test_filters(collection, where, right):
    found = collection.query(query_embeddings=VECTORS[:1], n_results=12, where=where)
    assert set(map(int, found["ids"][0])) == right
    by_hand = sorted(right, key=lambda i: -float(VECTORS[i] @ VECTORS[0]))
    assert [int(i) for i in found["ids"][0]] == by_hand  # filtered before the nearest are taken, and in their order


def test_upsert_twice_gives_no_duplicates_and_add_keeps_the_old(collection):
    for _ in range(2):
        collection.upsert(ids=IDS, embeddings=VECTORS, documents=[f"{text} New." for text in TEXTS], metadatas=FACTS)
    assert collection.count() == 12 and collection.get(ids=["3"])["documents"] == [f"{TEXTS[3]} New."]
    collection.add(ids=["3"], embeddings=VECTORS[:1], documents=["other"])  # says nothing, changes nothing
    assert collection.count() == 12 and collection.get(ids=["3"])["documents"] == [f"{TEXTS[3]} New."]


def test_chroma_s_own_delete_leaves_text_and_vector_on_the_disk(tmp_path):
    """The reason for our own way: if this test fails one day, Chroma has mended it."""
    with chromadb.PersistentClient(str(tmp_path)) as client:
        found = client.create_collection("rules", embedding_function=None, configuration={"hnsw": {"space": "cosine"}})
        found.add(ids=IDS, embeddings=VECTORS, documents=TEXTS, metadatas=FACTS)
        found.delete(ids=["7"])
        assert found.count() == 11 and found.get(ids=["7"])["ids"] == []
    assert "chroma.sqlite3" in on_disk(tmp_path, b"SESAME007X")  # at times the graph's unused memory holds it too
    connection = sqlite3.connect(tmp_path / "chroma.sqlite3")
    connection.execute("VACUUM")
    connection.close()
    assert "chroma.sqlite3" in on_disk(tmp_path, b"SESAME007X")  # it stands in the log of changes, not in waste
    assert "chroma.sqlite3" in vector_on_disk(tmp_path, VECTORS[7])


def test_a_graph_on_the_disk_keeps_the_vectors_that_were_deleted(tmp_path):
    index = {"space": "cosine", "batch_size": 2, "sync_threshold": 4}  # so that it is written after four texts
    with chromadb.PersistentClient(str(tmp_path)) as client:
        found = client.create_collection("rules", embedding_function=None, configuration={"hnsw": index})
        for i in range(12):
            found.add(ids=IDS[i : i + 1], embeddings=VECTORS[i : i + 1], documents=TEXTS[i : i + 1])
        for i in range(8):
            found.delete(ids=IDS[i : i + 1])
    assert "data_level0.bin" in vector_on_disk(tmp_path, VECTORS[7])


def test_delete_of_the_store_removes_text_and_vector_from_the_disk(tmp_path):
    with retrieval.open_store(tmp_path / "store") as store:
        put(store, range(12))
        assert on_disk(tmp_path, b"SESAME007X") and vector_on_disk(tmp_path, VECTORS[7])
        remove(store, 7)
    assert on_disk(tmp_path, b"SESAME007X") == [] and on_disk(tmp_path, b"part 7") == []
    assert vector_on_disk(tmp_path, VECTORS[7]) == [] and vector_on_disk(tmp_path, VECTORS[8])
    assert on_disk(tmp_path, b"SESAME006X") and on_disk(tmp_path, b"SESAME008X")  # and nothing else


def test_upsert_of_the_store_twice_leaves_one_of_each(tmp_path):
    with retrieval.open_store(tmp_path / "store") as store:
        put(store, range(12))
        put(store, range(12))
        assert store.count() == 12
    with retrieval.open_store(tmp_path / "store") as store:
        assert store.count() == 12


SECOND = """
import sys, time
from course_utils import retrieval
from course_utils.settings import CourseError
started = time.monotonic()
try:
    retrieval.open_store(sys.argv[1])
    print("opened")
except CourseError as error:
    print(error)
print(time.monotonic() - started)
"""


def second_process(folder, code=SECOND, timeout=120):
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return done.stdout.strip().splitlines()


def test_a_second_process_on_the_folder_is_refused_within_5_seconds(tmp_path):
    folder = tmp_path / "store"
    with retrieval.open_store(folder) as store:
        put(store, range(3))
        said, seconds = second_process(folder)
        assert one_sentence(said) and str(os.getpid()) in said and float(seconds) < 5
        assert store.count() == 3
    assert second_process(folder)[0] == "opened"


def test_a_killed_owner_does_not_lock_the_folder_for_ever(tmp_path):
    code = SECOND.replace('print("opened")', 'print("opened", flush=True); time.sleep(600)')
    owner = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "store")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout.readline().strip() == "opened"
    owner.kill()
    owner.wait()
    owner.stdout.close()
    with retrieval.open_store(tmp_path / "store") as store:
        put(store, range(3))
        assert store.count() == 3


def test_plain_chroma_waits_where_the_store_refuses(tmp_path):
    """What the lock guards against: while one process writes, a second one of plain Chroma that writes stands still."""
    # Chroma's own SQLite closes the file a moment after its client. A file closed anywhere in a process drops all the
    # process's POSIX locks on it, so the store is made in another process: else the lock below may be gone at once.
    made = "import chromadb, sys; chromadb.PersistentClient(sys.argv[1])"
    subprocess.run([sys.executable, "-c", made, str(tmp_path)], check=True, timeout=120)
    connection = sqlite3.connect(tmp_path / "chroma.sqlite3", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    write = "chromadb.PersistentClient(sys.argv[1]).create_collection('more', embedding_function=None)"
    code = f"import chromadb, sys; print('ready', flush=True); {write}"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().strip() == "ready"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)  # how long it stands still in all differs from computer to computer
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        connection.close()


def test_a_server_starts_answers_and_stops(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # a proxy of the network is not asked
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with running_chroma(tmp_path / "served") as server:
        first, second = server.client(), server.client()
        rules = first.create_collection("rules", embedding_function=None)
        rules.add(ids=IDS, embeddings=VECTORS, documents=TEXTS, metadatas=FACTS)
        rules = second.get_collection("rules", embedding_function=None)
        found = rules.query(query_embeddings=VECTORS[3:4], n_results=1)
        assert found["documents"] == [[TEXTS[3]]]
        listening = {c.laddr.ip for c in psutil.Process(server.pid).net_connections("tcp") if c.status == "LISTEN"}
        assert listening == {"127.0.0.1"}
    assert not psutil.pid_exists(server.pid)
    with running_chroma(tmp_path / "served") as again:  # what was written is there
        assert again.client().get_collection("rules", embedding_function=None).count() == 12
    with chromadb.PersistentClient(str(tmp_path / "served")) as client:  # and the folder is free again
        assert client.get_collection("rules", embedding_function=None).count() == 12


def test_a_server_stops_after_an_error_too(tmp_path):
    with pytest.raises(ZeroDivisionError), running_chroma(tmp_path) as server:
        1 / 0
    assert not psutil.pid_exists(server.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its starter ended")
def test_a_killed_notebook_leaves_no_server(tmp_path):
    code = (
        "import sys, time; from course_utils.retrieval.serving import running_chroma\n"
        "with running_chroma(sys.argv[1]) as server:\n    print(server.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pid = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    alive = lambda: psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # noqa: E731
    until = time.monotonic() + 20
    while alive() and time.monotonic() < until:
        time.sleep(0.1)
    assert not alive()


def test_a_server_that_cannot_start_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CourseError) as caught, running_chroma(tmp_path / "file"):
        pass
    assert one_sentence(str(caught.value)) and str(tmp_path) not in str(caught.value)
    monkeypatch.setattr("course_utils.retrieval.serving.PROGRAM", "raise SystemExit('no such program')")
    with pytest.raises(CourseError, match="does not start .no such program.") as caught:
        running_chroma(tmp_path / "a").__enter__()
    assert one_sentence(str(caught.value))
    monkeypatch.setattr("course_utils.retrieval.serving.PROGRAM", "import time; time.sleep(600)")
    with pytest.raises(CourseError, match="did not answer within 1 seconds"):
        running_chroma(tmp_path / "b", patience_s=1).__enter__()


def test_growth():
    assert growth([10, 100, 1000], [3.0, 30.0, 300.0]) == pytest.approx(1)
    assert growth([2, 4, 8], [5.0, 20.0, 80.0]) == pytest.approx(2)
    assert growth([100, 400], [10.0, 10.0]) == pytest.approx(0)
    sizes, times = [1000, 3000, 10_000, 30_000], [0.2, 0.5, 2.1, 6.0]
    assert growth(sizes, times) == pytest.approx(numpy.polyfit(numpy.log(sizes), numpy.log(times), 1)[0])
    for sizes, times in (([5], [1.0]), ([5, 5], [1.0, 2.0]), ([5, 6], [0.0, 1.0]), ([5, 6, 7], [1.0, 2.0])):
        with pytest.raises(ValueError, match="at least two different sizes"):
            growth(sizes, times)


def test_exact_search_is_exact_and_clusters_are_clusters():
    vectors, queries = chroma_bench.clustered(500, seed=5), chroma_bench.clustered(20, seed=6)
    assert vectors.dtype == numpy.float32 and numpy.allclose(numpy.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert numpy.array_equal(vectors, chroma_bench.clustered(500, seed=5))
    assert not numpy.array_equal(vectors[:20], queries)
    for query in queries:
        assert chroma_bench.exact(vectors, query).tolist() == numpy.argsort(-(vectors @ query))[:10].tolist()
    noise = numpy.random.default_rng(0).normal(size=vectors.shape)
    noise /= numpy.linalg.norm(noise, axis=1, keepdims=True)
    assert numpy.sort(vectors @ vectors.T)[:, -2].mean() > 2 * numpy.sort(noise @ noise.T)[:, -2].mean()


def test_the_bench_measures_both_indexes(tmp_path, monkeypatch):
    monkeypatch.setattr(chroma_bench, "SIZES", (300, 2000))
    monkeypatch.setattr(chroma_bench, "QUERIES", 40)
    monkeypatch.setattr(chroma_bench.measures, "RECORDS", tmp_path)
    result = chroma_bench.measure(argparse.Namespace(sizes=(300, 2000), record=True))
    chroma_bench.show(result)
    kept = measures.record("chroma")
    assert kept["facts"]["command"] == "bench chroma --record"
    assert set(kept["facts"]["growth"]) == {"exact", "weak", "strong"}
    weak, strong = (kept["measures"][f"recall@10, {name}, 2,000"] for name in ("weak", "strong"))
    assert strong.value >= 0.95 and weak.value < strong.value and strong.n == 40
    assert {unit for measure in kept["measures"].values() for unit in [measure.unit]} == {"ms", "", "s", "MB"}
    with pytest.raises(CourseError, match="leave --sizes out"):
        chroma_bench.keep(result | {"sizes": [300]})


@pytest.mark.parametrize("text", ["", "1000", "1000,1000", "10,1000", "a,b", "1000,-3", "1000,9000000"])
def test_bad_sizes_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        chroma_bench._sizes(text)
    assert chroma_bench._sizes("3000,1000") == (1000, 3000)


def test_memory_that_the_graph_never_filled_is_wiped_from_its_file(tmp_path):
    written_soon = {"batch_size": 2, "sync_threshold": 4}
    with retrieval.open_store(tmp_path, **written_soon) as store:
        put(store, range(12))
    (graph,) = tmp_path.glob("data-1/*/data_level0.bin")
    (filled,) = struct.unpack_from("<Q", graph.with_name("header.bin").read_bytes(), 20)
    whole = graph.read_bytes()
    used = filled * len(whole) // 100  # Chroma makes room for a hundred
    assert filled and any(whole[:used]) and not any(whole[used:])
    graph.write_bytes(whole[:used] + b"SESAME" * 100 + whole[used + 600 :])  # as unused memory may hold
    with retrieval.open_store(tmp_path, **written_soon) as store:
        assert store.count() == 12 and on_disk(tmp_path, b"SESAMESESAME") == ["data_level0.bin"]
    assert on_disk(tmp_path, b"SESAMESESAME") == [] and graph.read_bytes()[:used] == whole[:used]
