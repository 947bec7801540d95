"""The attacks and harmless programs of tests/attacks, and copies of the sandbox with one rule taken out."""

import json
import shutil
import sys
import time
from pathlib import Path

import psutil
import pytest

from course_utils.sandbox import runner

ATTACKS = Path(__file__).resolve().parent / "attacks"
PYTHONS = 2  # programs at a time: the tests must not starve each other


def corpus(*names):
    """The lines of some files of tests/attacks as dictionaries."""
    return [json.loads(line) for name in names for line in (ATTACKS / f"{name}.jsonl").read_text().splitlines()]


def system_lock():
    """The name of the operating system's lock where it works here, else None. Asked once."""
    if not hasattr(system_lock, "found"):
        guards = runner.report()
        works = all(guards[name] for name in ("reading", "writing", "network", "processes"))
        system_lock.found = guards["layers"][-1] if works else None
        system_lock.why = str(guards["missing"])
    return system_lock.found


def need_system_lock():
    """Skip a test that runs real attacks where nothing of the operating system would stop them.

    A lock that the kernel offers and the sandbox did not get is no reason to skip: that is a mistake of the sandbox.
    """
    offered = Path("/proc/sys/kernel/seccomp/actions_avail")
    if not system_lock():
        assert not (offered.is_file() and "errno" in offered.read_text()), system_lock.why
        pytest.skip(f"the operating system does not lock files, network and processes here: {system_lock.why}")


def without(tmp_path, monkeypatch, file, old, new):
    """Let the locked process run a copy of the package in which `old` of one file is replaced by `new`."""
    home = tmp_path / f"without{len(list(tmp_path.iterdir()))}"
    source = Path(runner.__file__).parent
    shutil.copytree(source, home / "course_utils" / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__", "settings"):
        shutil.copy(source.parent / f"{name}.py", home / "course_utils")
    path = home / "course_utils" / "sandbox" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    path.write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(runner, "HOME", home)


def late(ran, again, limit_s, tries=3):
    """The programs of `ran` that end later than limit_s each time: beside other work one is late now and then."""
    for _ in range(tries):
        for program in [program for program, seconds in ran.items() if seconds >= limit_s]:
            again(program)
    return [program for program, seconds in ran.items() if seconds >= limit_s]


def open_files():
    """How many descriptors this process holds; None where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else None


def left_over(patience_s=30):
    """The locked processes that still run after a moment: the system needs a little time to end one."""
    until = time.monotonic() + patience_s
    while locked_processes() and time.monotonic() < until:
        time.sleep(0.05)
    return locked_processes()


def locked_processes():
    """The numbers of all locked processes of this copy of the course that run now."""
    found, mark = [], f"{str(runner.HOME)!r}); from course_utils.sandbox import child"
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or ())
        if mark in line and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


LINUX = sys.platform.startswith("linux")
