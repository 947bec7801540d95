"""`test [unit | notebooks [N ...] | matrix]`: pytest on tests/, notebooks' outputs compared strictly."""

import os
import subprocess
import sys

from course_utils.commands import notebooks
from course_utils.commands.installer import say, stop
from course_utils.settings import ROOT, CourseError, step_name

OTHER_CPU = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
MATRIX = {
    "1 thread": {"OMP_NUM_THREADS": "1"},
    "2 threads": {"OMP_NUM_THREADS": "2"},
    "another CPU's arithmetic": OTHER_CPU,
}
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "JUPYTER_PREFER_ENV_PATH": "1",
}


def add_arguments(parser):
    parser.add_argument("part", nargs="?", default="all", metavar="unit|notebooks|matrix", help="default: everything")
    parser.add_argument("steps", nargs="*", metavar="N", help="steps, for `notebooks` and `matrix`")


def check(arguments):
    if arguments.part not in ("all", "unit", "notebooks", "matrix"):
        raise CourseError(f"There are no tests called {arguments.part!r}: choose unit, notebooks or matrix.")
    if arguments.steps and arguments.part not in ("notebooks", "matrix"):
        raise CourseError("Steps belong to `test notebooks` or `test matrix`, for example `test notebooks 3`.")
    for step in arguments.steps:
        step_name(step)


def command_line(part, steps=()):
    """The pytest command of a part of the tests."""
    command = [sys.executable, "-m", "pytest"]
    paths = [] if part == "notebooks" else ["tests"]
    books = [] if part == "unit" else [str(path.relative_to(ROOT)) for path in notebooks.notebook_paths(steps)]
    strict = ["--nbval", "--nbval-sanitize-with", "tests/sanitize.cfg"] if books else []
    return command + strict + paths + books


def pytest_status(command, extra=None):
    """Run pytest in the clone, with the model hub switched off; its exit status."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **OFFLINE, **(extra or {})})
    try:
        return process.wait()
    except KeyboardInterrupt:
        stop(process)
        raise


def matrix(steps):
    """The notebooks once for each variant of threads and arithmetic; 0 only if all of them pass."""
    rows = []
    for name, extra in MATRIX.items():
        say(f"== {name}: {' '.join(f'{key}={value}' for key, value in extra.items())}")
        rows.append((name, pytest_status(command_line("notebooks", steps), extra)))
    width = max(len(name) for name, _ in rows)
    for name, status in rows:
        print(f"{name:<{width}}  {'passed' if status == 0 else f'FAILED (status {status})'}")
    return 1 if any(status for _, status in rows) else 0


def run(arguments):
    if arguments.part == "matrix":
        return matrix(arguments.steps)
    return pytest_status(command_line(arguments.part, arguments.steps))
