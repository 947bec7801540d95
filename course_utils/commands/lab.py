"""`lab [STEP]`: open a step in JupyterLab. Standard library only; JupyterLab is started as a program."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

from course_utils.commands import machine, notebooks
from course_utils.commands.installer import say, stop
from course_utils.settings import PROFILES, ROOT, CourseError

# Defaults of ours for JupyterLab: it asks nothing and looks nothing up. A learner's own settings still win.
CONFIGURATION = Path(__file__).parent / "jupyter"


def add_arguments(parser):
    parser.add_argument("step", nargs="?", default="1", metavar="STEP", help="1 to 7 (default: 1)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--port", type=int, default=8888, help="wanted port (default: 8888)")
    parser.add_argument("--profile", help=f"one of {', '.join(PROFILES)}")


def check(arguments):
    if not 1 <= arguments.port <= 65535:
        raise CourseError(f"There is no port {arguments.port}: choose a number from 1024 to 65535.")
    notebooks.notebook_path(arguments.step)


def command_line(path, port, no_browser):
    """How JupyterLab is started for one notebook on one port."""
    command = [sys.executable, "-m", "jupyterlab", str(path.relative_to(ROOT))]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={ROOT}", "--ServerApp.answer_yes=True", "--ServerApp.log_level=ERROR"]
    command += ["--ServerApp.open_browser=False"] if no_browser else []
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return command


def run(arguments):
    path = notebooks.notebook_path(arguments.step)
    port = machine.free_port(arguments.port)
    if port is None:
        raise CourseError(f"No free port from {arguments.port} on: choose another with --port.")
    if port != arguments.port:
        say(f"Port {arguments.port} is taken: using port {port}.")
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(16)
    address = f"http://127.0.0.1:{port}/lab/tree/{path.relative_to(ROOT).as_posix()}?token={token}"
    say(f"JupyterLab opens {path.name} in a few seconds at\n    {address}\nCtrl-C here ends it.")
    folders = os.pathsep.join(filter(None, [str(CONFIGURATION), os.environ.get("JUPYTER_CONFIG_PATH")]))
    environment = dict(os.environ, JUPYTER_PREFER_ENV_PATH="1", JUPYTER_TOKEN=token, JUPYTER_CONFIG_PATH=folders)
    process = subprocess.Popen(command_line(path, port, arguments.no_browser), cwd=ROOT, env=environment)
    try:
        return process.wait()
    except KeyboardInterrupt:
        say("\nJupyterLab is closing.")
        stop(process)
        raise
