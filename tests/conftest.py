"""Shared by all tests: offline, quiet, one thread, and the command line as a program."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

for key, value in {
    "HF_HUB_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}.items():
    os.environ.setdefault(key, value)

# A shell that starts the tests in the background lets them ignore Ctrl-C, and with them every process they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def course(tmp_path):
    """Run `python -m course_utils ...` and return the finished process (returncode, stdout, stderr)."""

    def call(*arguments, timeout=120, **variables):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("COURSE_")}
        environment.update(COURSE_READY=sys.executable, **variables)
        return subprocess.run(
            [sys.executable, "-m", "course_utils", *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )

    return call


@pytest.fixture
def ran(monkeypatch):
    """{program: seconds its locked process ran last}. Starting is not counted: a busy computer is slow."""
    from course_utils.sandbox import runner

    seconds, exchange = {}, runner.exchange

    def timed(order, timeout_s):
        replies, fault, ran_s = exchange(order, timeout_s)
        seconds[order.get("source") or order["sql"]] = ran_s
        return replies, fault, ran_s

    monkeypatch.setattr(runner, "exchange", timed)
    return seconds


def one_sentence(text):
    """True where a message is one line, a sentence, and no traceback."""
    text = text.strip()
    return "\n" not in text and text.endswith(".") or text.endswith("possible.")
