"""`run [STEP ...]`: execute notebooks without a browser, with progress on stderr and a table on stdout."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

from course_utils.commands import notebooks, record
from course_utils.commands.installer import say
from course_utils.settings import NOTEBOOKS, PROFILES, CourseError, profile_name, write_atomic

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def add_arguments(parser):
    parser.add_argument("steps", nargs="*", metavar="STEP", help="1 to 7 (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--write", action="store_true", help="write the outputs into the notebooks")
    parser.add_argument("--minutes", action="store_true", help="keep the seconds as the reference of `doctor`")
    parser.add_argument(
        "--record",
        action="store_true",
        help="measure with the larger n and write the committed records that live values are held against",
    )
    parser.add_argument("--profile", help=f"one of {', '.join(PROFILES)}")


def check(arguments):
    notebooks.notebook_paths(arguments.steps)
    if (arguments.record or arguments.minutes) and profile_name(arguments.profile) != "bundled":
        raise CourseError("Records belong to the bundled models: leave --profile and COURSE_PROFILE away.")


def failure(number, cell, error):
    """{"cell", "line", "source", "message"} of the first cell that failed; text cells do not count."""
    trace = ANSI.sub("", str(getattr(error, "traceback", "")))
    found = re.findall(r"(?:Cell )?In\s?\[\d+\], line (\d+)", trace)
    lines = cell["source"].splitlines() or [""]
    line = min(int(found[0]), len(lines)) if found else 1
    message = f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}".strip()
    return {"cell": number, "line": line, "source": lines[line - 1].strip(), "message": ANSI.sub("", message)}


def _read(path):
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, KeyError, AttributeError):
        raise CourseError(f"notebooks/{path.name} is damaged: `git checkout notebooks/{path.name}` mends it.") from None


def _catch_ctrl_c(client, stopped):
    """Note Ctrl-C and end the kernel: nbclient would end it too, and report a dead kernel."""

    def stop():
        stopped.append(True)
        asyncio.ensure_future(client.km.shutdown_kernel(now=True))

    with contextlib.suppress(NotImplementedError, RuntimeError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)


def _run_cells(book, code, path):
    """Execute the cells in place. Returns (number of the last cell that began, failure or None)."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    number, started, stopped = 0, time.monotonic(), []

    def begin(cell, cell_index):
        nonlocal number
        if number == 0:
            _catch_ctrl_c(client, stopped)
        if cell_index in code:
            number = code.index(cell_index) + 1
            say(f"{path.stem}: cell {number} of {len(code)} ({time.monotonic() - started:.0f} s)")

    place = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(book, timeout=None, kernel_name="python3", resources=place, on_cell_start=begin)
    try:
        client.execute(stderr=subprocess.DEVNULL)  # the kernel program's, not the cells'
    except CellExecutionError as error:
        if not stopped:
            return number, failure(number, book.cells[code[number - 1]], error)
    except AssertionError:
        if client.km is not None:  # else: Ctrl-C while the kernel started; nbclient trips over closing it
            raise
        stopped.append(True)
    except DeadKernelError:
        if not stopped:
            dead = SimpleNamespace(ename="DeadKernel", evalue="the kernel ended, perhaps it ran out of memory")
            return number, failure(number, book.cells[code[max(0, number - 1)]], dead)
    except RuntimeError as error:
        if not stopped:
            raise CourseError(f"The notebook's kernel did not start ({error}): start the same command again.") from error
    if stopped:
        raise KeyboardInterrupt
    return number, None


def _peak_gb():
    """The largest memory that a kernel of this run has used, in GB; None where the system does not count it."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return round(kib * 1024 / 1e9, 2)


def execute(path):
    """Run one notebook in memory. Returns its notebook object and a row of results.

    Row: step, seconds, cells (code cells that ran), claims_held, claims {name: bool}, not_held {name: sentence},
    shopbench, peak_gb, failure (None or a dict). After a failure, claims and score are None: the cells after it
    still show what an earlier run printed.
    """
    book, started = _read(path), time.monotonic()
    cells = list(enumerate(book.cells))
    code = [index for index, cell in cells if cell["cell_type"] == "code" and cell["source"].strip()]
    number, failed = _run_cells(book, code, path)
    text = notebooks.printed_text(book.cells)
    claims = notebooks.claims(text)
    row = {
        "step": path.stem,
        "seconds": round(time.monotonic() - started, 1),
        "cells": number,
        "claims_held": sum(holds for holds, _ in claims.values()),
        "claims": {name: holds for name, (holds, _) in claims.items()},
        "not_held": {name: sentence for name, (holds, sentence) in claims.items() if not holds},
        "shopbench": notebooks.shopbench_score(text),
        "peak_gb": _peak_gb(),
        "failure": failed,
    }
    if failed:
        row |= dict.fromkeys(("claims_held", "claims", "not_held", "shopbench"))
    return book, row


def table(rows):
    """The rows as lines of text, and below them each claim that did not hold."""
    lines = [f"{'step':<22} {'seconds':>8} {'cells':>6} {'claims held':>12} {'ShopBench':>10} {'peak GB':>8}"]
    for row in rows:
        score = "-" if row["shopbench"] is None else f"{row['shopbench']:.3f}"
        peak = "-" if row["peak_gb"] is None else f"{row['peak_gb']:.2f}"
        held = "-" if row["claims"] is None else f"{row['claims_held']} of {len(row['claims'])}"
        lines.append(f"{row['step']:<22} {row['seconds']:8.1f} {row['cells']:6d} {held:>12} {score:>10} {peak:>8}")
    for row in rows:
        for name, sentence in (row["not_held"] or {}).items():
            lines.append(f"{row['step']}: claim {name} does not hold: {sentence}")
    return "\n".join(lines)


def _write(path, book):
    import nbformat

    for cell in book.cells:
        cell.metadata.pop("execution", None)  # times: they would change the file at every run
    write_atomic(path, nbformat.writes(book) + "\n")


def _begin_record(step):
    """Start an empty record of a step; the notebook's cells fill it (measures.compare). Returns (path, old bytes or None)."""
    from importlib.metadata import version

    from course_utils.measures import RECORDS

    path = RECORDS / f"{step}.json"
    before = path.read_bytes() if path.is_file() else None
    facts = {
        "command": f"run {step[:2].lstrip('0')} --record",
        "seed": 0,
        "torch": version("torch"),
        "transformers": version("transformers"),
    }
    write_atomic(path, json.dumps({"facts": facts, "measures": {}}, indent=1) + "\n")
    os.environ["COURSE_RECORD"] = step
    return path, before


def run(arguments):
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    rows = []
    for path in notebooks.notebook_paths(arguments.steps):
        kept, before = _begin_record(path.stem) if arguments.record else (None, None)
        row = {"failure": True}
        try:
            book, row = execute(path)
        finally:
            os.environ.pop("COURSE_RECORD", None)
            if row["failure"] and before:  # half a record would be worse than the old one
                write_atomic(kept, before)
        rows.append(row)
        if arguments.write and not row["failure"]:
            _write(path, book)
    if arguments.minutes:
        record.keep(rows)
    print(json.dumps(rows, indent=2) if arguments.json else table(rows))
    failed = [row for row in rows if row["failure"]]
    for row in failed:
        found = row["failure"]
        print(
            f"{row['step']}: cell {found['cell']}, line {found['line']}: `{found['source']}`: {found['message']}",
            file=sys.stderr,
        )
    return 1 if failed else 0
