"""The course's environment: made once in `.venv`, reused, mended when the pins change. Standard library only.

An interpreter that already has everything (conda, a container, Colab) is used as it is; nothing is created.
The variable COURSE_ENV names another folder. Folders that the course did not make are never changed.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from course_utils.commands import installer, machine, pins
from course_utils.commands.installer import say
from course_utils.settings import ROOT, CourseError, write_atomic

STATE = "course.json"  # in the folder: proof that it is ours, and its stamp, written last
LOCK = "course.lock"
NEEDED_BYTES = {"cpu": 4 * machine.GB, "gpu": 10 * machine.GB, "repair": 1 * machine.GB}


def folder_path():
    """Where the environment is or will be."""
    return Path(os.environ.get("COURSE_ENV") or ROOT / ".venv").expanduser().absolute()


def python_path(folder):
    """The interpreter inside an environment."""
    return Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def inspect(python):
    """{"python": version, "packages": {name: version}} of another interpreter; None if it does not start."""
    try:
        answer = subprocess.run(
            [str(python), str(ROOT / "course_utils" / "__main__.py"), "--packages"],
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        return json.loads(answer.stdout) if answer.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def state_of(folder):
    """What course.json in the folder says; {} where there is none, state "damaged" where it is unreadable."""
    path = Path(folder) / STATE
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError:
        return {"state": "damaged"}


def ready_python():
    """An interpreter that is ready now, without creating or changing anything; None where there is none."""
    if os.environ.get("COURSE_READY") == sys.executable:
        return Path(sys.executable)
    folder = folder_path()
    if "COURSE_ENV" not in os.environ and not pins.gaps_here():
        return Path(sys.executable)
    python, state = python_path(folder), state_of(folder)
    if state.get("state") == "ready" and python.exists():
        if state.get("stamp") == pins.stamp(state.get("python", "")) and _starts(python):
            return python
        return None
    if not state and python.exists():
        seen = inspect(python)
        if seen and not pins.gaps(seen["packages"]):
            return python
    return None


def _starts(python, *arguments):
    command = [str(python), *(arguments or ("-c", ""))]
    try:
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def ensure():
    """The interpreter of an environment that has everything; made or mended here where necessary.

    Errors:  CourseError in one sentence: foreign folder, no disk, no permission, no network, pip's last error
    """
    python = ready_python()
    if python:
        return python
    folder = folder_path()
    _refuse_foreign(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            return ready_python() or _make(folder)
    except PermissionError as error:
        raise CourseError(
            f"No permission to write in {folder}: put the clone in a folder of your own, or name one with COURSE_ENV."
        ) from error
    except OSError as error:
        raise CourseError(
            f"The environment in {folder} could not be made ({error.strerror or error}): "
            "put the clone in a folder of your own, or name another place with COURSE_ENV."
        ) from error


def _refuse_foreign(folder):
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{folder} is a file, not a folder: name another place with COURSE_ENV.")
    ours = (STATE, LOCK, f".{STATE}")
    others = [path for path in folder.glob("*") if not path.name.startswith(ours)] if folder.exists() else []
    if others and not state_of(folder):
        raise CourseError(
            f"{folder} was not made by the course and lacks packages that it needs: it stays as it is; "
            "name an empty folder with COURSE_ENV, or install course_utils/pins.txt there yourself."
        )


@contextlib.contextmanager
def locked(folder, patience_s=3600):
    """Let one start at a time work on the folder; the system frees the lock even after a kill."""
    with open(Path(folder) / LOCK, "a+", encoding="utf-8") as file:
        waited_s, told = 0.0, False
        while not _try_lock(file):
            if not told:
                say("Another start is preparing the environment: waiting for it.")
                told = True
            if waited_s > patience_s:
                raise CourseError(
                    "Another start has been preparing the environment for an hour: stop it and try again."
                )
            time.sleep(0.2)
            waited_s += 0.2
        yield


def _try_lock(file):
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # this file system has no locks
        return True


def _check_disk(folder, mending):
    kind = "repair" if mending else ("gpu" if machine.gpu() else "cpu")
    # What an interrupted installation has put there need not be free again.
    free, needed = machine.free_disk_bytes(folder), NEEDED_BYTES[kind] - machine.folder_bytes(folder)
    needed = max(NEEDED_BYTES["repair"], needed)
    if free < needed:
        raise CourseError(
            f"Not enough disk: the environment needs {needed / machine.GB:.0f} GB "
            f"and {free / machine.GB:.1f} GB are free; "
            "free some space, or name a folder on another disk with COURSE_ENV."
        )


def _make(folder):
    python, state = python_path(folder), state_of(folder)
    mending = state.get("state") == "ready" and _starts(python)
    _check_disk(folder, mending)
    if mending:
        try:
            installer.check_network(python)
        except CourseError:
            seen = inspect(python)
            if not seen or pins.gaps(seen["packages"]):
                raise  # the state still says "ready": going back to the older pins works offline
            return python
        say("The list of packages has changed: bringing the environment up to date.")
    elif state:
        say("An earlier installation was interrupted: continuing it.")
    else:
        say(f"Making the course's environment in {folder} (once; about 2.5 GB).")
    write_atomic(folder / STATE, json.dumps({"state": "installing"}))
    if not _starts(python, "-m", "pip", "--version"):
        _empty(folder)
        create(folder)
    site = site_path(folder)
    drop_half_installed(site)
    installer.install(python, site, folder)
    seen = inspect(python)
    missing = pins.gaps(seen["packages"]) if seen else []
    if not seen or missing:
        names = ", ".join(gap.name for gap in missing[:5]) or "Python itself"
        raise CourseError(f"The environment in {folder} is not complete ({names}): start the same command again.")
    ready = {"state": "ready", "stamp": pins.stamp(seen["python"]), "python": seen["python"]}
    write_atomic(folder / STATE, json.dumps(ready))
    return python


def _empty(folder):
    for path in folder.iterdir():
        if path.name not in (STATE, LOCK):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def create(folder):
    """Make a virtual environment with pip in `folder`.

    Errors:  CourseError where this Python has no venv or ensurepip (Debian splits them off)
    """
    answer = subprocess.run(
        [sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if answer.returncode:
        text = answer.stdout + answer.stderr
        version = "%d.%d" % sys.version_info[:2]
        if "ensurepip" in text or "No module named venv" in text:
            raise CourseError(
                "This Python cannot make environments: "
                f"install its venv part (Debian, Ubuntu: apt install python{version}-venv)."
            )
        raise CourseError(
            f"The environment could not be made: {(text.strip().splitlines() or ['no reason given'])[-1]}."
        )


def site_path(folder):
    """The folder that packages are installed in."""
    found = sorted(Path(folder).glob("lib/python3*/site-packages")) or [Path(folder) / "Lib" / "site-packages"]
    return found[-1]


def drop_half_installed(site):
    """Forget packages whose installation was cut short: pip writes INSTALLER after all other files."""
    names = []
    for info in Path(site).glob("*.dist-info"):
        if not (info / "INSTALLER").exists():
            shutil.rmtree(info)
            names.append(info.name.removesuffix(".dist-info"))
    for path in Path(site).glob("~*"):  # what pip sets aside while it replaces a package
        shutil.rmtree(path, ignore_errors=True)
    return names
