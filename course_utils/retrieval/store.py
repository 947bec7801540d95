"""A store of chunks on disk: Chroma's persistent client with one owner of a folder and deletes that reach the disk."""

import os
import shutil
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy

from course_utils.retrieval.splitting import Chunk
from course_utils.settings import CourseError, write_atomic

NAME, SPACE = "chunks", {"space": "cosine"}
_open_folders = {}  # of this process: a cell that is run twice shares what its first run opened


@dataclass(frozen=True)
class Hit:
    """A chunk that was found, and its cosine with the query."""

    chunk: Chunk
    score: float


@contextmanager
def _one_sentence(folder, doing):
    """Whatever Chroma raises inside becomes one CourseError."""
    try:
        yield
    except CourseError:
        raise
    except Exception as error:
        said = (str(error).splitlines() or [""])[0][:200]
        raise CourseError(f"The store {folder.name} could not {doing} ({type(error).__name__}: {said}).") from error


def _connect(path, index):
    """(client, collection) of a folder that only Chroma writes to."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(path), settings=Settings(anonymized_telemetry=False))
    try:
        options = {"embedding_function": None, "configuration": {"hnsw": SPACE | index}}
        return client, client.get_or_create_collection(NAME, **options)
    except BaseException:
        client.close()
        raise


def _wipe(folder):
    """Write zeros over the room for more texts in a graph's file: Chroma saves whatever stood in that memory before."""
    for path in folder.glob("*/data_level0.bin"):
        head = path.with_name("header.bin").read_bytes()
        room, filled, size = struct.unpack_from("<3Q", head, 12)  # elements, those in use, bytes of each
        if path.stat().st_size == room * size and filled <= room:
            with open(path, "r+b") as file:
                file.seek(filled * size)
                file.write(bytes((room - filled) * size))
                file.flush()
                os.fsync(file.fileno())


class _Folder:
    """One open folder: the lock, and below it the newest data-N, which Chroma writes to."""

    def __init__(self, path, index):
        from filelock import FileLock, Timeout

        self.path, self.index, self.users = path, index, 0
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.lock = FileLock(path / ".lock", thread_local=False)
            self.lock.acquire(timeout=0)
        except Timeout:
            raise CourseError(
                f"The folder {path.name} is in use by process {self._owner()}: stop that notebook or app, or choose "
                "another folder."
            ) from None
        except OSError as error:
            raise CourseError(
                f"The folder {path.name} cannot be used ({error.strerror}): choose one you may write to."
            ) from error
        try:
            write_atomic(path / ".owner", str(os.getpid()))
            with _one_sentence(path, "be opened; delete the folder and fill it again"):
                self.client, self.collection = _connect(self._newest(), index)
        except BaseException:
            self.lock.release()
            raise

    def _owner(self):
        try:
            return (self.path / ".owner").read_text(encoding="utf-8")
        except OSError:
            return "unknown"

    def _newest(self):
        """The data folder to use; what a killed rebuild left behind is removed."""
        found = [path for path in self.path.glob("data-*") if path.name[5:].isdecimal()]
        found.sort(key=lambda path: int(path.name[5:]))
        for path in [*found[:-1], self.path / ".building"]:
            shutil.rmtree(path, ignore_errors=True)
        self.data = found[-1] if found else self.path / "data-1"
        return self.data

    def rebuild(self, gone):
        """Write all but these sources into a new data folder, move it into place in one step, remove the old one."""
        kept = self.collection.get(
            where={"source": {"$nin": list(gone)}}, include=["embeddings", "documents", "metadatas"]
        )
        building = self.path / ".building"
        shutil.rmtree(building, ignore_errors=True)
        client, copy = _connect(building, self.index)
        try:
            for part in self.batches(len(kept["ids"])):
                copy.add(**{name: kept[name][part] for name in ("ids", "embeddings", "documents", "metadatas")})
        finally:
            client.close()
        _wipe(building)
        os.replace(building, self.path / f"data-{int(self.data.name[5:]) + 1}")
        self.client.close()
        self.client, self.collection = _connect(self._newest(), self.index)

    def batches(self, count):
        """Slices that Chroma takes in one call."""
        size = self.client.get_max_batch_size()
        return [slice(start, start + size) for start in range(0, count, size)]


class Store:
    """Chunks with their vectors in a folder on disk. Made by open_store; use it in a with block, or close it."""

    def __init__(self, folder):
        self._folder = folder
        folder.users += 1

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()

    @property
    def _open(self):
        if self._folder is None:
            raise CourseError("This store is closed: open it again with open_store.")
        return self._folder

    @property
    def client(self):
        """Chroma's own client, for a library that wants one; the collection is named "chunks"."""
        return self._open.client

    def upsert(self, chunks, vectors):
        """Put chunks in; one from the same place (source and start) takes the place of the old one. Returns how many.

        Shapes:  n chunks, vectors (n, d) of finite numbers
        Errors:  CourseError if the numbers differ, a place stands twice, or the vectors' length is a new one
        Does not cover: chunks that a text no longer has; delete its source first
        """
        folder, vectors, chunks = self._open, numpy.asarray(vectors, numpy.float32), list(chunks)
        shaped = vectors.shape[:1] == (len(chunks),) and (vectors.ndim == 2 or not chunks)
        if not shaped or not numpy.isfinite(vectors).all():
            raise CourseError(f"{len(chunks)} chunks need as many vectors of finite numbers, not {vectors.shape}.")
        ids = [f"{chunk.source}#{getattr(chunk, 'start', 0)}" for chunk in chunks]
        if len(set(ids)) < len(ids):
            double = next(name for name in ids if ids.count(name) > 1)
            raise CourseError(f"Two chunks stand at the same place {double!r}: give each its own source or start.")
        facts = [
            {name: value for name, value in getattr(chunk, "facts", {}).items() if value is not None}
            | {"source": chunk.source, "start": getattr(chunk, "start", 0)}
            for chunk in chunks
        ]
        texts = [chunk.text for chunk in chunks]
        with _one_sentence(folder.path, "take these chunks"):
            for part in folder.batches(len(ids)):
                folder.collection.upsert(
                    ids=ids[part], embeddings=vectors[part], documents=texts[part], metadatas=facts[part]
                )
        return len(ids)

    def search(self, vectors, k=10, where=None):
        """The k nearest chunks of each vector, best first: a list of Hits for each.

        `where` is Chroma's filter on the facts, such as {"kind": "handbook"} or {"source": {"$in": [...]}}.
        Shapes:  vectors (n, d) -> n lists of at most k
        Errors:  CourseError for a filter that Chroma does not know, or vectors of another length
        """
        vectors = numpy.asarray(vectors, numpy.float32)
        if k < 1 or not len(vectors) or not self.count():
            return [[] for _ in vectors]
        with _one_sentence(self._open.path, "search"):
            found = self._open.collection.query(query_embeddings=vectors, n_results=k, where=where)
        rows = zip(found["documents"], found["metadatas"], found["distances"])
        return [[Hit(_chunk(text, facts), 1 - far) for text, facts, far in zip(*row)] for row in rows]

    def count(self):
        """How many chunks the store holds."""
        with _one_sentence(self._open.path, "be counted"):
            return self._open.collection.count()

    def delete(self, *sources):
        """Delete all chunks of these sources, from the answers and from the disk. Returns how many there were.

        Covers:  words, vector and name in the files: what is left is written to a new folder, the old one is removed;
                 a disk that is full or a process that is killed meanwhile: then all chunks are still there
        Does not cover: copies elsewhere (backups, a journal of the file system); millions of chunks, which take long;
                 a process killed after the delete and before close: its graph may have saved memory of any text
        """
        folder = self._open
        with _one_sentence(folder.path, "delete"):
            where = {"source": {"$in": list(sources)}}
            ids = folder.collection.get(where=where, include=[])["ids"] if sources else []
            if ids:
                folder.rebuild(sources)
        return len(ids)

    def close(self):
        """Give the folder back; the last user in this process frees it for others. A second call does nothing."""
        folder, self._folder = self._folder, None
        if folder is None:
            return
        folder.users -= 1
        if not folder.users:
            _open_folders.pop(folder.path, None)
            folder.client.close()
            _wipe(folder.data)
            folder.lock.release()


def _chunk(text, facts):
    facts = dict(facts)
    return Chunk(text, facts.pop("source"), facts.pop("start"), facts)


def open_store(folder, **index):
    """Open (or make) the store in a folder; a second process on the same folder is refused at once.

    `index` are settings of a new store's graph: max_neighbors, ef_construction, ef_search.
    Covers:  a cell that is run twice (both share it), an owner that was killed, a rebuild that was interrupted
    Errors:  CourseError naming the process that owns the folder, or saying that the folder cannot be opened
    Does not cover: network drives without file locks; a Chroma server started on the folder
    """
    path = Path(folder).resolve()
    if path not in _open_folders:
        _open_folders[path] = _Folder(path, index)
    return Store(_open_folders[path])
