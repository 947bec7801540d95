"""Start and stop a real Chroma server on this computer, and measure how a time grows with a size."""

import http.client
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from course_utils.settings import CourseError, no_proxy

HOST = "127.0.0.1"
# On Linux the server ends with the process that started it, also where that one is killed (1 is PR_SET_PDEATHSIG).
PROGRAM = """
import ctypes, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
sys.argv[0] = "chroma"
from chromadb.cli.cli import app
app()
"""
RESERVED = 3  # so many ports are tried: another program may take a free one between our look and the server's start


@dataclass(frozen=True)
class Running:
    """A server that runs: where it listens, the folder that it keeps, and its process id."""

    host: str
    port: int
    folder: Path
    pid: int

    def client(self):
        """A new client of this server; close it with `.close()`."""
        import chromadb

        return chromadb.HttpClient(host=self.host, port=self.port)


def growth(sizes, times):
    """The exponent e of times that grow like size ** e: the slope of a line through the logarithms.

    Shapes:  two lists of the same length, at least two different sizes -> one number
    Errors:  ValueError for fewer than two sizes, or for a size or time that is not above 0
    Example: growth([10, 100, 1000], [3.0, 30.0, 300.0]) -> 1.0
    """
    if len(sizes) != len(times) or len(set(sizes)) < 2 or min(*sizes, *times) <= 0:
        raise ValueError("Growth needs at least two different sizes, each with a time above 0.")
    xs, ys = [math.log(size) for size in sizes], [math.log(value) for value in times]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys))
    return slope / sum((x - middle_x) ** 2 for x in xs)


def _free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _answers(port):
    """True where a Chroma server is ready. No proxy is asked: this is our own computer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/api/v2/heartbeat")
        reply = connection.getresponse()
        return reply.status == 200 and b"heartbeat" in reply.read(200)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _start(folder, log, patience_s):
    """(process, port) of a server that answers, or (None, None) where it ended by itself."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "run", "--path", str(folder), "--host", HOST, "--port", str(port)],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=Path(log.name).parent,
        start_new_session=os.name == "posix",  # the stop button of a notebook reaches its whole session
    )  # fmt: skip
    until = time.monotonic() + patience_s
    try:
        while time.monotonic() < until and process.poll() is None:
            if _answers(port):
                return process, port
            time.sleep(0.05)
    except BaseException:  # the stop button too: no server is left behind
        _stop(process)
        raise
    late = process.poll() is None
    _stop(process)
    if late:
        raise CourseError(f"The Chroma server did not answer within {patience_s:g} seconds: run the cell again.")
    return None, None


def _stop(process, patience_s=10):
    """End a server politely (it closes its files), then by force."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_chroma(folder, patience_s=60.0):
    """Run `chroma run` on a folder of this computer as long as the `with` block runs. Yields a Running.

    Units:          patience_s seconds until the server must answer
    Errors:         CourseError if the folder cannot be made, or the server does not start
    Covers:         it listens on 127.0.0.1 only, at a free port; it is stopped at the end of the block, also after an
                    error or the stop button; a port that somebody else takes first is left to him
    Does not cover: a password (every program of this computer can reach the port while it runs); another process that
                    opens the same folder as files: ask the server instead, or close the other one first; outside
                    Linux, a notebook that is killed leaves its server running
    Example:        with running_chroma("store") as server: server.client().list_collections()
    """
    folder = Path(folder).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"The folder {folder.name} cannot be made ({error.strerror}): name another one.") from error
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work, no_proxy():
        with open(Path(work) / "log.txt", "w+b") as log:
            process = None
            for _ in range(RESERVED):
                process, port = _start(folder, log, patience_s)
                if process:
                    break
            if not process:
                log.seek(0)
                lines = log.read(100_000).decode("utf-8", "replace").strip().splitlines()
                why = lines[-1][:200] if lines else "no message"
                raise CourseError(f"The Chroma server does not start ({why}): look at the folder {folder.name}.")
            try:
                yield Running(HOST, port, folder, process.pid)
            finally:
                _stop(process)
