"""Run a program that a model wrote in a locked process, and say which locks hold on this computer."""

import functools
import json
import os
import platform
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from course_utils.settings import CourseError

HOME = Path(__file__).resolve().parent.parent.parent
STATUSES = (
    "ok", "rejected", "error", "timeout", "memory", "output_limit", "no_answer", "bad_answer", "crash",
)  # fmt: skip
SENTENCES = {
    "timeout": "stopped after {} seconds.",
    "output_limit": "it wrote too much.",
    "crash": "the process ended without an answer.",
}
# What the locked process may say, by kind: with the language layer off a program can speak in its name.
KINDS = {
    "status": str, "error": str, "output": str, "layers": list, "missing": dict, "columns": list, "rows": list,
    "truncated": bool,
}  # fmt: skip
SOURCE_LIMIT = 10_000  # characters
REPLY_LIMIT = 1_000_000  # bytes that this process reads at most
START_S = 20  # a fresh process is ready after 0.05 s on a quiet computer
START = "import sys; sys.path.append({!r}); from course_utils.sandbox import child; child.main()"


@dataclass(frozen=True)
class Result:
    """What came of one program: a status of STATUSES, its answer (data), what it printed, what went wrong.

    `error` reads as Python's own last line with the number of the line: "NameError: name 'x' is not defined (line 2)".
    `layers` names what was in force while it ran, `missing` says {layer: why not}. A program that never started has
    neither.
    """

    status: str
    answer: object = None
    output: str = ""
    error: str = ""
    seconds: float = 0.0
    layers: tuple = ()
    missing: dict = None


def clean(value):
    """Data of another process without control characters and marks that turn the direction of writing."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c in "\n\t\u00a0" else "\ufffd" for c in value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value


def _start(folder):
    """A fresh Python that knows nothing of this one: no variables, no packages, no open files, an empty folder."""
    posix = os.name == "posix"
    python = sys.executable if posix else getattr(sys, "_base_executable", sys.executable)
    environment = {"PYTHONHASHSEED": "0"}  # sets and dictionaries keep one order
    if not posix:
        environment["SYSTEMROOT"] = os.environ.get("SYSTEMROOT", "")
    return subprocess.Popen(
        [python, "-P", "-s", "-S", "-c", START.format(str(HOME))], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=folder, start_new_session=posix,
    )  # fmt: skip


def _kill(process):
    """End the process and its group; before `wait`, so that no other process can have its number by now."""
    try:
        os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()
    except (ProcessLookupError, PermissionError):
        pass


def _talk(process, order, ready, data):
    """Give the order; keep what the process says: one line before it runs the program, the rest after."""
    try:
        with process.stdin:
            process.stdin.write(json.dumps(order).encode() + b"\n")
    except OSError:  # the process has ended: what it said tells why
        pass
    data.append(process.stdout.readline(REPLY_LIMIT))
    ready.set()
    data.append(process.stdout.read(REPLY_LIMIT))


def exchange(order, timeout_s):
    """Give one order to a fresh locked process. Returns (its replies in one dict, fault, seconds from ready to ended).

    fault: None, "timeout" or "output_limit"
    The time counts from the moment when the process has shut its door; starting has START_S seconds of its own.
    Errors:  CourseError if no process can be started
    """
    order = {"preload": (), "cpu_s": int(timeout_s) + 1, "nonce": secrets.token_hex(16), **order}
    data, ready = [], threading.Event()
    try:
        with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as folder:
            process, begun = _start(folder), time.perf_counter()
            talking = threading.Thread(target=_talk, args=(process, order, ready, data), daemon=True)
            try:
                talking.start()
                ready.wait(START_S)
                begun = time.perf_counter()
                talking.join(timeout_s)
                late = talking.is_alive()
            finally:
                _kill(process)
                process.wait()
                ran_s = time.perf_counter() - begun
                talking.join(1)
            if not talking.is_alive():  # else a process that got away holds the pipe; closing would wait for it
                process.stdout.close()
    except OSError as error:
        raise CourseError(f"The sandbox cannot start ({error.strerror}): close programs and try again.") from error
    said = b"".join(data)
    replies = {}
    for line in said.splitlines():
        replies = _reply(line, order["nonce"]) | replies  # what it said before the program began cannot be taken back
    return replies, "timeout" if late else "output_limit" if len(said) >= REPLY_LIMIT else None, ran_s


def _reply(line, nonce):
    """One line of the locked process, clean; what is not of our own making, or not of its kind, is left out."""
    try:
        reply = clean(json.loads(line))
    except (ValueError, RecursionError):  # a lying process can nest its answer as deeply as it likes
        return {}
    if not isinstance(reply, dict) or reply.pop("nonce", None) != nonce:
        return {}
    return {name: value for name, value in reply.items() if isinstance(value, KINDS.get(name, object))}


def verdict(replies, fault, timeout_s):
    """The status of a run and one sentence about it ("" where all is well)."""
    status = fault or replies.get("status")
    if status not in STATUSES:
        status = "crash"
    return status, SENTENCES.get(status, "").format(timeout_s) or replies.get("error", "")


def run(source, timeout_s=3.0, memory_mb=256, output_limit=20_000, language=True, system=True, preload=()):
    """Run one program. Its answer is solution(), else the variable `answer`, else what it printed.

    `language` and `system` switch a layer off, for lessons and tests; `preload` names modules to import before.
    Covers:         a program that leaves the small Python of allowed.json is refused before it runs; it runs in a
                    process without environment, files and secrets, killed with its group after timeout_s; answers
                    are data (JSON), cut and without control characters; on Linux the kernel refuses files, network,
                    other programs, and more than memory_mb
    Does not cover: where `report` says no, the list of the language is the only guard against files and network;
                    faults of the kernel or the processor; code from strangers on a server (take a container or a
                    virtual machine); with language=False a program can forge its own answer
    Units:          timeout_s seconds of wall clock, start not included; memory_mb MiB; output_limit characters
    Errors:         CourseError if no process can be started
    Example:        run("answer = 6 * 7").answer -> 42
    """
    started = time.perf_counter()
    if not isinstance(source, str) or len(source) > SOURCE_LIMIT:
        return Result("rejected", error=f"a program is a text of at most {SOURCE_LIMIT} characters.")
    order = {
        "source": source, "memory_mb": memory_mb, "output_limit": output_limit, "language": language,
        "system": system, "preload": preload,
    }  # fmt: skip
    replies, fault, _ = exchange(order, timeout_s)
    status, error = verdict(replies, fault, timeout_s)
    return Result(
        status,
        replies.get("answer") if status == "ok" else None,
        replies.get("output", ""),
        error,
        time.perf_counter() - started,
        ("language",) * language + ("process", *replies.get("layers", [])),
        replies.get("missing", {}),
    )


def run_many(sources, at_once=None, **options):
    """`run` for each program, `at_once` at a time (as many as there are processors). Returns Results in the same order."""
    with ThreadPoolExecutor(at_once or os.cpu_count() or 1) as pool:
        return list(pool.map(functools.partial(run, **options), sources))


# Runs without the language layer: each line of `answer` says whether the attempt was stopped.
PROBE = """
import _socket, os
def stopped(attempt):
    try:
        attempt()
    except (OSError, MemoryError):
        return True
    return False
def start():
    if os.fork() == 0:
        os._exit(0)
answer = {{
    "memory": stopped(lambda: bytearray({memory})),
    "reading": stopped(lambda: os.open({path!r}, os.O_RDONLY)),
    "writing": stopped(lambda: os.write(os.open("probe", os.O_CREAT | os.O_WRONLY), b"x")),
    "network": stopped(lambda: _socket.socket()),
    "processes": hasattr(os, "fork") and stopped(start),
    "environment": not set(os.environ) & set({names!r}),
}}
"""


def report(language=True, system=True):
    """Which guards hold on this computer, found out by trying: {guard: True or False} and "layers", "missing".

    Covers:  a refused program, an endless loop, and attempts to take memory, read, write, connect, start a process
             and find a variable of this process, all in the locked process
    Does not cover: attacks that nobody thought of
    """
    kept = {"PYTHONHASHSEED", "SYSTEMROOT", "LC_CTYPE"}
    names = [name for name in os.environ if name not in kept]
    probe = PROBE.format(memory=300 << 20, path=str(Path(__file__).resolve()), names=names)
    found = run(probe, timeout_s=10, language=False, system=system, preload=["_socket"])
    guards = {
        "language": run("import os\nanswer = 1", timeout_s=10, language=language, system=system).status == "rejected",
        "time": run("while True: pass", timeout_s=0.5, system=system).status == "timeout",
    }
    for name in ("memory", "reading", "writing", "network", "processes", "environment"):
        guards[name] = found.status == "ok" and found.answer.get(name) is True
    layers = ("language",) * guards["language"] + found.layers
    return {**guards, "layers": layers, "missing": found.missing, "computer": platform.system()}


def described(guards):
    """A report as lines for people.

    Example: described(report()).splitlines()[0] -> "language     yes  a program outside the small Python is refused"
    """
    sentences = {
        "language": "a program outside the small Python is refused before it runs",
        "time": "an endless loop is stopped",
        "memory": "more than the memory allowed is refused",
        "environment": "no variable of this process, no token, reaches the program",
        "reading": "the operating system refuses to read a file",
        "writing": "the operating system refuses to write a file",
        "network": "the operating system refuses the network",
        "processes": "the operating system refuses to start a program",
    }
    lines = [f"{name:<12} {'yes' if guards[name] else 'NO ':<4} {text}" for name, text in sentences.items()]
    if not all(guards[name] for name in ("reading", "writing", "network", "processes")):
        lines.append("Where it says NO only the list of the language stands between a program and this computer.")
    return "\n".join([*lines, *(f"not in force: {name} ({why})" for name, why in guards["missing"].items())])
