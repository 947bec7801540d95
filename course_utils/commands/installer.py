"""Run pip in the course's own environment, show its progress, and say in one sentence why it failed."""

import os
import platform
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from course_utils.commands import machine, pins
from course_utils.settings import CourseError

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CAUSES = (  # what pip prints -> what it means
    (r"No space left on device|Errno 28", "the disk is full: free at least 4 GB and start again"),
    (
        r"Permission denied|Errno 13",
        "a file could not be written (no permission): choose a folder of your own with COURSE_ENV",
    ),
    (
        r"NewConnectionError|Connection(Reset)?Error|failure in name|Read timed out|ProxyError|Max retries",
        "the network went away: connect and start again, what is installed already stays",
    ),
    (r"No matching distribution found for (\S+)", "the package index does not have {0} for this Python or computer"),
)


def say(text):
    """Progress goes to stderr, so that the output of a command stays clean."""
    print(text, file=sys.stderr, flush=True)


def pip_command(python):
    """How pip of an environment is started."""
    return [str(python), "-m", "pip"]


def pip_settings(python):
    """The user's pip configuration as a dictionary such as {"index-url": ...}."""
    answer = subprocess.run(
        pip_command(python) + ["config", "list"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    pairs = re.findall(r"^[\w:]+?\.+(?:env:)?\.?([\w-]+)='(.*)'$", answer.stdout, re.MULTILINE)
    return dict(pairs)


def check_network(python):
    """Ask the package index for a connection before pip would retry for minutes.

    Errors:  CourseError where the index does not answer within two seconds
    """
    settings = pip_settings(python)
    url = os.environ.get("PIP_INDEX_URL") or settings.get("index-url") or "https://pypi.org/simple"
    offline = settings.get("no-index", "").lower() in ("1", "true", "yes") or "PIP_NO_INDEX" in os.environ
    if offline or not url.startswith("http") or machine.reachable(url):
        return
    host = url.split("/")[2].split("@")[-1]
    raise CourseError(
        f"No network: {host} did not answer within 2 seconds and packages are missing; "
        "connect once to install them, after that the course runs offline."
    )


def torch_index():
    """Extra pip arguments that prefer the small CPU build of torch on Linux without an NVIDIA card."""
    if platform.system() == "Linux" and machine.gpu() is None and machine.serves(f"{CPU_INDEX}/torch/"):
        return ["--extra-index-url", CPU_INDEX]
    return []


def cause(lines):
    """One clause that says why pip failed, from its last lines."""
    text = "\n".join(lines[-60:])
    for pattern, meaning in CAUSES:
        match = re.search(pattern, text)
        if match:
            return meaning.format(*match.groups())
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it printed nothing"])[-1].removeprefix("ERROR: ").strip()


def package_bytes(line):
    """("Downloading" or "Using cached", bytes) of a package that pip names, with the size it prints; else None."""
    match = re.match(r"\s*(Downloading|Using cached) (?!\S+\.metadata)\S+ \(([\d.]+) (bytes|kB|MB|GB)\)", line)
    return match and (match[1], float(match[2]) * {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[match[3]])


def package_name(line):
    """"NAME VERSION" of a package that pip looks up in an index or takes from a file; else None."""
    match = re.match(r"(?:Collecting |Processing (?:.*[/\\])?)([\w.-]+?)(?:==|-)(\d[^\s-]*)", line)
    return match and " ".join(match.groups())


def _count_installed(site):
    return sum(1 for _ in Path(site).glob("*.dist-info"))


def _watch(site, total, done, started):
    """Say every five seconds how many packages are in place: pip itself is silent in this phase."""
    while not done.wait(5):
        count = min(_count_installed(site), total)
        say(f"[{time.monotonic() - started:4.0f} s] installing {count} of {total}")


def _start_pip(python):
    options = ["install", "--no-input", "--progress-bar=off", "--disable-pip-version-check", "--retries=1"]
    return subprocess.Popen(
        pip_command(python) + options + ["-r", str(pins.PINS)] + torch_index(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=dict(os.environ, PYTHONUNBUFFERED="1", PIP_ROOT_USER_ACTION="ignore"),
    )


def install(python, site, folder):
    """Install pins.txt into the environment in `folder`; pip's full output goes to course-install.log there.

    Errors:  CourseError in one sentence: network, disk, permission or pip's own last error
    """
    check_network(python)
    total, count, lines = len(pins.read()), 0, []
    fetched = {"Downloading": 0, "Using cached": 0}
    started, done, process = time.monotonic(), threading.Event(), _start_pip(python)
    try:
        with open(Path(folder) / "course-install.log", "w", encoding="utf-8") as log:
            for line in process.stdout:
                log.write(line)
                lines.append(line.rstrip())
                if size := package_bytes(line):
                    fetched[size[0]] += size[1]
                if name := package_name(line):
                    count += 1
                    say(f"[{time.monotonic() - started:4.0f} s] downloading {count} of {total} {name}")
                if line.startswith("Installing collected packages"):
                    say(f"[{time.monotonic() - started:4.0f} s] installing (one to four minutes)")
                    threading.Thread(target=_watch, args=(site, total, done, started), daemon=True).start()
        code = process.wait()
    except BaseException:  # Ctrl-C and everything else: never leave pip running behind
        stop(process)
        raise
    finally:
        done.set()
    if code:
        raise CourseError(f"Installing the packages failed: {cause(lines)}.")
    say(
        f"[{time.monotonic() - started:4.0f} s] all packages are in place: {fetched['Downloading'] / 1e6:,.0f} MB downloaded, "
        f"{fetched['Using cached'] / 1e6:,.0f} MB from pip's cache, {machine.folder_bytes(site) / 1e9:.1f} GB on disk"
    )


def stop(process, patience_s=5):
    """End a process that we started: ask, wait, then force."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
