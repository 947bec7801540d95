"""`bench chroma [--record]`: Chroma's HNSW index against exact search, from 1,000 to 100,000 vectors."""

import argparse
import json
import platform
import tempfile
import time
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path

from course_utils import measures
from course_utils.retrieval.serving import growth
from course_utils.settings import CourseError, write_atomic

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
WIDTH = 128  # numbers in a vector
CLUSTERS, SPREAD = 200, 0.6  # texts come in topics: a vector is the middle of its cluster plus noise
QUERIES, NEIGHBOURS = 200, 10
# The construction of the graph (max_neighbors, ef_construction) and the width of the search (ef_search).
INDEXES = {
    "weak": {"space": "cosine", "max_neighbors": 8, "ef_construction": 20, "ef_search": 10},
    "strong": {"space": "cosine", "max_neighbors": 16, "ef_construction": 100, "ef_search": 100},
}


def _sizes(text):
    sizes = [int(part) for part in text.split(",") if part.strip().isdigit()]
    if len(set(sizes)) < 2 or len(sizes) != len(text.split(",")) or min(sizes) < 100 or max(sizes) > 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of two or more sizes from 100 to 1000000, as 1000,3000")
    return tuple(sorted(set(sizes)))


def add_arguments(parser):
    """The options that only `bench chroma` reads; `--record` is that of `bench shop`."""
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="chroma: numbers of vectors, as 1000,3000,10000")


def clustered(count, seed=0, width=WIDTH):
    """Unit vectors in clusters, as embeddings of texts about several topics are.

    Shapes:  -> float32 array (count, width), rows of length 1; another seed draws other points of the same clusters
    """
    import numpy

    middles = numpy.random.default_rng(1234).normal(size=(CLUSTERS, width)) / width**0.5
    rng = numpy.random.default_rng(seed)
    noise = rng.normal(size=(count, width)) * SPREAD / width**0.5
    vectors = middles[rng.integers(CLUSTERS, size=count)] + noise
    return (vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)).astype(numpy.float32)


def exact(vectors, query, k=NEIGHBOURS):
    """The places of the k vectors with the greatest cosine, the greatest first: every vector is compared."""
    import numpy

    scores = vectors @ query
    best = numpy.argpartition(-scores, k - 1)[:k]
    return best[numpy.argsort(-scores[best], kind="stable")]


def build(folder, vectors, index):
    """A Chroma collection of these vectors in a folder: (client, collection). The ids are the places."""
    import chromadb

    client = chromadb.PersistentClient(str(folder))
    collection = client.create_collection("bench", embedding_function=None, configuration={"hnsw": index})
    step = client.get_max_batch_size()
    for start in range(0, len(vectors), step):
        part = vectors[start : start + step]
        collection.add(ids=[str(start + i) for i in range(len(part))], embeddings=part)
    return client, collection


def timed(search, queries, warm=20):
    """([what the search found], [milliseconds]) for each query, after a few that do not count."""
    for query in queries[:warm]:
        search(query)
    found, times = [], []
    for query in queries:
        started = time.perf_counter()
        result = search(query)
        times.append(1000 * (time.perf_counter() - started))
        found.append(result)
    return found, times


def _one_size(count, queries):
    """All measures of one size: {key: Measure}, keys such as "recall@10, weak, 1,000"."""
    vectors, found = clustered(count, seed=count), {}
    right, times = timed(lambda query: exact(vectors, query), queries)
    found[f"ms, exact, {count:,}"] = measures.mean(f"exact search, {count:,}", times, "ms")
    for name, index in INDEXES.items():
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            started = time.perf_counter()
            client, collection = build(folder, vectors, index)
            built = time.perf_counter() - started
            try:
                search = partial(collection.query, n_results=NEIGHBOURS, include=[])
                replies, times = timed(lambda query: search(query_embeddings=[query])["ids"][0], queries)
                size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
            finally:
                client.close()
        hits = [len(set(map(int, reply)) & set(gold.tolist())) / NEIGHBOURS for reply, gold in zip(replies, right)]
        found[f"ms, {name}, {count:,}"] = measures.mean(f"{name} index, {count:,}", times, "ms")
        found[f"recall@10, {name}, {count:,}"] = measures.mean(f"recall@10, {name}, {count:,}", hits)
        for what, value, unit in (("build", built, "s"), ("disk", size / 1e6, "MB")):
            once = measures.Measure(f"{what} {name}, {count:,}", value, value, value, 1, unit)
            found[f"{what} {unit}, {name}, {count:,}"] = once
    return found


def measure(arguments):
    """Recall, times, disk and growth for all sizes: {"sizes", "measures": {key: ...}, "growth": {name: exponent}}.

    Errors:  CourseError where Chroma cannot build or search (a full disk, mostly)
    """
    found = {}
    for count in arguments.sizes:
        try:
            found |= _one_size(count, clustered(QUERIES, seed=1))
        except Exception as error:
            raise CourseError(
                f"Chroma failed with {count} vectors ({type(error).__name__}: {str(error)[:100]}): free some memory "
                "and disk space, or take smaller --sizes."
            ) from error
    names = ("exact", *INDEXES)
    values = {name: [found[f"ms, {name}, {count:,}"].value for count in arguments.sizes] for name in names}
    result = {"sizes": list(arguments.sizes), "measures": {key: asdict(one) for key, one in found.items()}}
    result["growth"] = {name: growth(arguments.sizes, values[name]) for name in names}
    if arguments.record:
        keep(result)
    return result


def keep(result, path=None):
    """Write the record `chroma`: the measures, the exponents, and what is needed to repeat them."""
    if result["sizes"] != list(SIZES):
        raise CourseError("The record holds all sizes: leave --sizes out.")
    facts = {"command": "bench chroma --record", "seed": 0, "queries": QUERIES, "width": WIDTH, "indexes": INDEXES}
    facts |= {"clusters": CLUSTERS, "spread": SPREAD, "sizes": result["sizes"], "growth": result["growth"]}
    facts |= {name: version(name) for name in ("chromadb", "numpy")} | {"python": platform.python_version()}
    text = json.dumps({"facts": facts, "measures": result["measures"]}, indent=1, ensure_ascii=False, sort_keys=True)
    write_atomic(path or measures.RECORDS / "chroma.json", text + "\n")


def show(result):
    """The lines of `bench chroma`: exact search and both indexes side by side, then how they grow."""
    found = result["measures"]
    print(f"{QUERIES} queries, {NEIGHBOURS} neighbours, vectors of {WIDTH} numbers")
    heads = "".join(f" {name + ' ms':>10} {'recall':>7} {'build s':>8} {'MB':>6}" for name in INDEXES)
    print(f"{'vectors':>8} {'exact ms':>9}{heads}")
    for count in result["sizes"]:
        line = f"{count:>8,} {found[f'ms, exact, {count:,}']['value']:>9.3f}"
        for name in INDEXES:
            ms, recall, built, disk = (
                found[f"{what}, {name}, {count:,}"]["value"] for what in ("ms", "recall@10", "build s", "disk MB")
            )
            line += f" {ms:>10.3f} {recall:>7.3f} {built:>8.1f} {disk:>6.0f}"
        print(line)
    print("time grows like size to the power of: " + ", ".join(f"{n} {e:.2f}" for n, e in result["growth"].items()))
