"""The set-up cell of the notebooks: `from course_utils.setup import start; course = start(step=1)`.

It installs only what is missing, never torch or numpy, and prints one line. Standard library only until all is there.
The same module explains, in one sentence, why a name is unknown after a restart or when cells run out of order.
"""

import sys

if sys.version_info < (3, 11):
    raise ImportError("The course needs Python 3.11, 3.12 or 3.13, and this kernel is older: choose another kernel.")

import importlib
import logging
import os
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from course_utils import notebook
from course_utils.commands import installer, pins
from course_utils.settings import NOTEBOOKS, ROOT, CourseError, profile_name, set_seed, step_name

NEVER = ("torch", "numpy")  # installed already where notebooks run; another build could break the machine's own
HELD = (*NEVER, "torchvision", "torchaudio")
# Started from a terminal (`lab`, `test`, `run`, browser tests): no cell of a notebook needs them.
TERMINAL = ("ipykernel", "jupyterlab", "nbclient", "nbconvert", "nbformat", "nbval", "pytest", "pytest-timeout", "selenium")
FIRST_STEP = {"chromadb": 3, "evaluate": 3, "bitsandbytes": 7, "trl": 7}  # earlier steps do without
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "TRL_EXPERIMENTAL_SILENCE": "1",
}
OFFLINE = ("HF_HUB_OFFLINE", "HF_EVALUATE_OFFLINE", "HF_DATASETS_OFFLINE")
RESTART = "Run the set-up cell (the first code cell of this part) first."

_asked = os.environ.get("COURSE_PROFILE")  # what the user asked for, before start() writes what was chosen
_ours = set()  # the offline switches that start() set itself, and may take back
_running = None


@dataclass(frozen=True)
class Course:
    """What the set-up cell returns."""

    step: int
    profile: str
    seed: int
    root: Path


def missing(step, found=None):
    """The requirements of a step that this interpreter lacks, as pip texts such as "peft>=0.18".

    `found` is name -> version; the default is this interpreter. Terminal tools are left out.
    """
    found = pins.installed() if found is None else found
    number = int(step_name(step)[:2])
    lacking = []
    for name, limits in pins.ranges().items():
        if name in TERMINAL or FIRST_STEP.get(name, 1) > number:
            continue
        if name not in found or not pins.inside(found[name], limits):
            lacking.append(name + limits)
    return lacking


def pip_arguments(requirements, constraints, python=sys.executable):
    """The pip command as a list: wheels only, one argument for each requirement, held back by a constraints file."""
    return [
        str(python), "-m", "pip", "install", "--no-input", "--progress-bar", "off", "--disable-pip-version-check",
        "--retries", "1", "--only-binary=:all:", "--constraint", str(constraints), *requirements,
    ]


def constraints_for(found):
    """The text of a constraints file that keeps the installed torch and numpy as they are."""
    return "".join(f"{name}=={found[name]}\n" for name in HELD if name in found)


def install(step):
    """Install what a step lacks. Returns (installed or changed names, names that need a new kernel).

    Errors:  CourseError in one sentence: torch is missing, no network, disk, permission, pip's own last error
    """
    before = pins.installed()
    lacking = missing(step, before)
    names = [pins.normal(requirement.partition(">=")[0]) for requirement in lacking]
    for name in NEVER:
        if name in names or name not in before:
            state = "too old" if name in before else "missing"
            raise CourseError(
                f"In this kernel {name} is {state}, and this cell never changes it: choose the kernel of the course's "
                "environment (the command `python3 -m course_utils lab` makes and opens it), or a Colab runtime."
            )
    if not lacking:
        return [], []
    installer.check_network(sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(constraints_for(before), encoding="utf-8")
        lines = _run_pip(pip_arguments(lacking, constraints))
    importlib.invalidate_caches()
    after = pins.installed()
    moved = [name for name in HELD if after.get(name) != before.get(name)]
    if moved or lines is None:
        raise CourseError(f"The installation changed {', '.join(moved)}: restart the runtime from scratch.")
    changed = sorted(name for name in after if after[name] != before.get(name))
    stale = [name for name in changed if name in before and name.replace("-", "_") in sys.modules]
    return changed, stale


def _run_pip(command):
    environment = dict(os.environ, PIP_ROOT_USER_ACTION="ignore", PYTHONUNBUFFERED="1")
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        encoding="utf-8", errors="replace", env=environment,
    )
    try:
        lines = process.communicate()[0].splitlines()
    except BaseException:  # the stop button: never leave pip running behind
        installer.stop(process)
        raise
    if process.returncode:
        raise CourseError(f"Installing the missing packages failed: {installer.cause(lines).rstrip('.')}.")
    return lines


def be_quiet(profile):
    """Set what keeps the libraries silent and, with the bundled models, offline. Before their first import."""
    for key, value in QUIET.items():
        os.environ.setdefault(key, value)
    for key in OFFLINE:
        if profile == "bundled" and key not in os.environ:
            os.environ[key] = "1"
            _ours.add(key)
        elif profile != "bundled" and key in _ours:
            del os.environ[key]
            _ours.discard(key)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning)
    hub = sys.modules.get("huggingface_hub.constants")
    if hub:  # imported before this cell: it has read its switch already
        hub.HF_HUB_OFFLINE = os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "ON", "YES", "TRUE")


def start(step, profile=None, seed=0):
    """Make this kernel ready for a step and print one line about it. Returns a Course; safe to run twice.

    profile: "bundled" (default), "laptop", "t4" or "auto"; the variable COURSE_PROFILE says the same
    Errors:  CourseError for an unknown step or profile, or where something is missing that cannot be installed
    """
    global _running
    explain_errors()
    number = int(step_name(step)[:2])
    name = profile_name(profile or _asked)
    if str(ROOT) in sys.path:  # the cell puts it in front each time
        sys.path[:] = [entry for entry in dict.fromkeys(sys.path)]
    changed, stale = install(step)
    be_quiet("auto" if name == "auto" else name)
    if name == "auto":
        from course_utils.models.loading import choose_profile

        name = choose_profile()[0]
        be_quiet(name)
    os.environ["COURSE_PROFILE"] = name
    set_seed(seed)
    _running = Course(number, name, seed, ROOT)
    did = f"installed {', '.join(changed)}" if changed else "nothing to install"
    after = "; restart the kernel and run this cell again, because loaded packages changed" if stale else ""
    print(f"Step {number} is ready ({did}), profile {name}{after}.")
    return _running


def explain_errors(shell=None):
    """Show a CourseError, or a name that a cell of the course defines, as one sentence instead of a traceback."""
    if shell is None:
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        shell.set_custom_exc((NameError, CourseError), _show)


def _show(shell, kind, error, trace, tb_offset=None):
    sentence = str(error) if isinstance(error, CourseError) else advice(getattr(error, "name", None), _running)
    if sentence is None:  # a slip of the pen: Python's own words are best
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return
    short = CourseError(sentence)
    shell._showtraceback(CourseError, short, [f"CourseError: {sentence}"])


def advice(name, running):
    """Which cell to run first so that `name` exists; None where no cell of the notebooks defines it."""
    if not name:
        return None
    step = step_name(running.step) if running else "*"
    for path in sorted(NOTEBOOKS.glob(f"{step}.ipynb")):
        try:
            heading = notebook.home_of(notebook.read(path), name)
        except CourseError:
            continue
        if heading is None:
            continue
        if running is None:
            return f"The name {name!r} is not there yet. {RESTART}"
        return f'The name {name!r} is not there yet: run the cells of "{heading}" first, from top to bottom.'
    return f"The name {name!r} is not there yet. {RESTART}" if name == "course" and running is None else None


def load_ipython_extension(shell):
    """Called by IPython where a configuration lists `course_utils.setup`: the sentences then come after a restart too."""
    explain_errors(shell)


STARTUP = """# Made by the course: after a kernel restart an unknown name is explained in one sentence.
import sys

if {root!r} not in sys.path:
    sys.path.append({root!r})
c = get_config()  # noqa: F821 - IPython provides it
c.InteractiveShellApp.extensions = ["course_utils.setup"]
"""


def startup_text(root=ROOT):
    """What `<environment>/etc/ipython/ipython_config.py` of the course's own environment holds."""
    return STARTUP.format(root=str(root))
