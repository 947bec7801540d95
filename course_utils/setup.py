"""The set-up cell of the notebooks: `from course_utils.setup import start; course = start(step=1)`.

It installs only what is missing, never torch or numpy, and prints one line. Standard library only until all is
there. It also explains in one sentence why a name is unknown after a restart or when cells run out of order.
"""

import sys

if sys.version_info < (3, 11):
    raise ImportError("The course needs Python 3.11, 3.12 or 3.13 and this kernel is older: choose another one.")

import importlib
import importlib.metadata
import logging
import os
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from course_utils import notebook
from course_utils.commands import installer, pins
from course_utils.settings import (
    NOTEBOOKS, ROOT, CourseError, profile_name, set_seed, step_name, write_atomic,
)

# The text of the set-up cell: the same in every notebook and part, except for the number of the step.
CELL = '''\
# Run this cell first, also after every restart of the kernel. Running it twice does no harm.
import os, pathlib, shutil, sys, zipfile
here, colab = pathlib.Path.cwd(), "google.colab" in sys.modules
def course_folder():  # here, above or below; on Colab also an uploaded zip or Google Drive
    near = [*here.glob("*"), *here.glob("drive/MyDrive/*"), *here.glob("drive/MyDrive/Colab*/*")]
    return [str(folder) for folder in [here, *here.parents, *near] if os.path.isfile(folder / "course_utils/setup.py")][:1]
for archive in filter(zipfile.is_zipfile, here.glob("*.zip")) if colab and not course_folder() else []:
    shutil.unpack_archive(archive, here)
if colab and not course_folder():
    from google.colab import drive; drive.mount(str(here / "drive"))
sys.path[:0] = course_folder()
from course_utils.setup import start; course = start(step=STEP)  # not found? Put the course's folder here.
'''
ABOVE = (
    "**Run the next cell first.** Run it again after every restart of the kernel. If a later cell says that a name "
    "is not there yet or not defined, run this cell and then the cells of that section from top to bottom."
)
NEVER = ("torch", "numpy")  # another build could break the machine's own
HELD = (*NEVER, "torchvision", "torchaudio")
# Started from a terminal (`lab`, `test`, `run`, browser tests): no cell of a notebook needs them.
TERMINAL = (
    "ipykernel", "jupyterlab", "nbclient", "nbconvert", "nbformat", "nbval", "pytest", "pytest-timeout", "selenium",
)
FIRST_STEP = {  # earlier steps do without
    "beautifulsoup4": 3, "chromadb": 3, "evaluate": 3, "filelock": 3, "langchain-chroma": 3,
    "langchain-text-splitters": 3, "pypdf": 3, "langgraph": 4, "langgraph-checkpoint-sqlite": 4, "bitsandbytes": 7,
    "trl": 7,
}  # fmt: skip
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    # Threads that wait give their core away soon: else torch can be much slower beside other busy programs.
    "GOMP_SPINCOUNT": "1000",
}
OFFLINE = ("HF_HUB_OFFLINE", "HF_EVALUATE_OFFLINE")
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


def cell(step):
    """The text of the set-up cell of a step."""
    return CELL.replace("STEP", str(int(step_name(step)[:2]))).strip()


def needs(step):
    """Name -> range of what the cells of a step import, from pyproject.toml."""
    number = int(step_name(step)[:2])
    skipped = {*TERMINAL, *(name for name, first in FIRST_STEP.items() if first > number)}
    return {name: limits for name, limits in pins.ranges().items() if name not in skipped}


def missing(step, found=None):
    """What a step needs and this interpreter lacks: names. `found` is name -> version, by default of this one."""
    found = pins.installed() if found is None else found
    return [name for name, limits in needs(step).items() if name not in found or not pins.inside(found[name], limits)]


def requirements(step):
    """What pip is asked for, such as "peft>=0.18": also what is there, so that pip does not break it for others."""
    return [name + limits for name, limits in needs(step).items() if name not in NEVER]


def pip_arguments(wanted, constraints, python=sys.executable):
    """The pip command: wheels only, one argument for each requirement, held back by a constraints file."""
    return [
        str(python), "-m", "pip", "install", "--no-input", "--progress-bar", "off", "--disable-pip-version-check",
        "--retries", "1", "--only-binary=:all:", "--constraint", str(constraints), *wanted,
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
    for name in NEVER:
        if name in lacking or name not in before:
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
        _run_pip(pip_arguments(requirements(step), constraints))
    importlib.invalidate_caches()
    after = pins.installed()
    moved = [name for name in HELD if after.get(name) != before.get(name)]
    if moved:  # the constraints forbid it
        raise CourseError(f"The installation changed {', '.join(moved)}: restart the runtime from scratch.")
    changed = sorted(name for name in after if after[name] != before.get(name))
    homes = {}
    for module, packages in importlib.metadata.packages_distributions().items():
        for package in packages:
            homes.setdefault(pins.normal(package), set()).add(module)
    stale = [name for name in changed if name in before and homes.get(name, set()) & set(sys.modules)]
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
    name = profile_name(profile or _asked or "bundled")
    why = ""
    sys.path[:] = dict.fromkeys(sys.path)  # the cell puts the folder in front each time
    changed, stale = install(step)
    be_quiet(name)
    if name == "auto":
        from course_utils.models.loading import choose_profile

        name, seen = choose_profile()
        why = f" ({seen})"
        be_quiet(name)
    os.environ["COURSE_PROFILE"] = name
    set_seed(seed)
    remember()
    _running = Course(number, name, seed, ROOT)
    did = f"installed {', '.join(changed)}" if changed else "nothing to install"
    after = "; restart the kernel and run this cell again, because loaded packages changed" if stale else ""
    print(f"Step {number} is ready ({did}), profile {name}{why}{after}.")
    return _running


def explain_errors(shell=None):
    """Show a CourseError, or a name that a cell of the course defines, as one sentence instead of a traceback."""
    if shell is None:
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        shell.set_custom_exc((NameError, CourseError), _show)


def _show(shell, kind, error, trace, tb_offset=None):
    if isinstance(error, CourseError):
        sentence = str(error)
    else:  # IPython keeps what it runs there; a front end need not send the cell's id
        ran = getattr(getattr(shell.displayhook, "exec_result", None), "info", None)
        source, cell_id = getattr(ran, "raw_cell", None) or "", getattr(ran, "cell_id", None)
        sentence = advice(getattr(error, "name", None), _running, source, cell_id)
    if sentence is None:  # a slip of the pen: Python's own words are best
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return
    short = CourseError(sentence)
    shell._showtraceback(CourseError, short, [f"CourseError: {sentence}"])


def advice(name, running, source="", cell_id=None):
    """Which cells to run first so that `name` exists in the cell with this text or id; None where none defines it."""
    if not name:
        return None
    step = step_name(running.step) if running else "*"
    for path in sorted(NOTEBOOKS.glob(f"{step}.ipynb")):
        try:
            book = notebook.read(path)
            heading = notebook.home_of(book, name, notebook.place_of(book, source, cell_id))
        except CourseError:
            continue
        if heading is None:
            continue
        if running is None:
            return f"The name {name!r} is not there yet. {RESTART}"
        where = f'between "{heading}" and the next heading'
        return f"The name {name!r} is not there yet: run the cells {where} first, from top to bottom."
    return None


def load_ipython_extension(shell):
    """Called by IPython where a configuration lists `course_utils.setup`: the sentences then come after a restart too."""
    explain_errors(shell)


STARTUP = """# Made by the course: after a kernel restart an unknown name is explained in one sentence.
import os, sys

if os.path.realpath(os.getcwd()).startswith({root!r}):  # another copy of the course brings its own
    sys.path += [{root!r}][{root!r} in sys.path :]
    c = get_config()  # noqa: F821 - IPython provides it
    c.InteractiveShellApp.extensions = ["course_utils.setup"]
"""


def remember(environment=None):
    """Let every later kernel of the course's own environment explain errors from its first cell on.

    Other environments (conda, Colab) are left alone: there the sentence above the set-up cell says what to run first.
    """
    environment = Path(environment or sys.prefix)
    path, wanted = environment / "etc" / "ipython" / "ipython_config.py", STARTUP.format(root=str(ROOT))
    if not (environment / "course.json").is_file() or (path.is_file() and path.read_text(encoding="utf-8") == wanted):
        return
    try:
        write_atomic(path, wanted)
    except CourseError:  # a comfort, not a need
        pass
