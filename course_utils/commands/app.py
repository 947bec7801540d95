"""`app chat|poem|pdf`: one of the Streamlit applications on 127.0.0.1, until Ctrl-C."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
import webbrowser

from course_utils.commands import machine
from course_utils.commands.installer import say, stop
from course_utils.settings import PROFILES, ROOT, CourseError

NAMES = ("chat", "poem", "pdf")


def add_arguments(parser):
    parser.add_argument("name", metavar="|".join(NAMES), help="which application")
    parser.add_argument("--port", type=int, default=8501, help="wanted port (default: 8501)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--profile", help=f"one of {', '.join(PROFILES)}")


def check(arguments):
    if arguments.name not in NAMES:
        raise CourseError(f"There is no application {arguments.name!r}: choose one of {', '.join(NAMES)}.")
    if not 1 <= arguments.port <= 65535:
        raise CourseError(f"There is no port {arguments.port}: choose a number from 1024 to 65535.")


def command_line(name, port):
    """How Streamlit is started for one application; settings are flags, so no file is written for it."""
    script = ROOT / "course_utils" / "apps" / f"{name}.py"
    flags = {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "runner.fastReruns": "false",  # a click waits until the stopped script has kept its half-written reply
        "client.toolbarMode": "viewer",
        "logger.level": "error",
        "theme.primaryColor": "#0b6e4f",
    }
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        *(f"--{key}={value}" for key, value in flags.items()),
    ]


def _answers(port):
    """True where the application is ready. No proxy is asked: this is our own computer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _wait(process, port, patience_s=60):
    until = time.monotonic() + patience_s
    while time.monotonic() < until and process.poll() is None:
        if _answers(port):
            return
        time.sleep(0.2)
    raise CourseError("The application did not start: start the same command again.")


def stop_on_terminate():
    """Let a polite end from outside (SIGTERM) clean up as Ctrl-C does."""

    def interrupt(*_):
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)


def run(arguments):
    port = machine.free_port(arguments.port)
    if port is None:
        raise CourseError(f"No free port from {arguments.port} on: choose another with --port.")
    if port != arguments.port:
        say(f"Port {arguments.port} is taken: using port {port}.")
    address = f"http://127.0.0.1:{port}"
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    stop_on_terminate()
    process = subprocess.Popen(
        command_line(arguments.name, port),
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(process, port)
        say(f"The application {arguments.name} runs at\n    {address}\nCtrl-C here ends it.")
        if not arguments.no_browser:
            webbrowser.open(address)
        return process.wait()
    finally:
        stop(process)
