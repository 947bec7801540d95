"""The command line: one-sentence errors, ports, Ctrl-C; `run`, `test`, `lab` on a small copy of it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from argparse import Namespace

import pytest

from course_utils.commands import lab, line, machine, notebooks, run
from course_utils.settings import NOTEBOOKS, ROOT, CourseError

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lob"], "no command 'lob': did you mean lab?"),
        (["evalute", "x.jsonl"], "no command 'evalute': did you mean evaluate?"),
        (["what"], "no command 'what': choose one of lab, "),
        (["bench", "bep"], "knows no 'bep': did you mean bpe?"),
        (["bench", "music"], "invalid choice: 'music'"),
        (["evaluate", "notebooks", "--method", "cot"], "notebooks is a folder: give the path of a .jsonl file"),
        (["lab", "9"], "no step '9'"),
        (["run", "nine"], "no step 'nine'"),
        (["lab", "1", "--profile", "huge"], "no profile 'huge'"),
        (["lab", "1", "--port", "many"], "invalid int value"),
        (["lab", "1", "--port", "99999"], "no port 99999"),
        (["lab", "1", "2"], "Unrecognized arguments: 2"),
        (["test", "units"], "no tests called 'units'"),
        (["test", "unit", "3"], "Steps belong to"),
        (["test", "notebooks", "12"], "no step '12'"),
        (["doctor", "--yaml"], "Unrecognized arguments: --yaml"),
    ],
)
def test_a_mistake_is_one_sentence(course, arguments, words):
    done = course(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert words in done.stderr and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


def test_an_unknown_profile_in_the_environment(course):
    done = course("lab", "1", COURSE_PROFILE="enormous")
    assert done.returncode == 2 and "no profile 'enormous'" in done.stderr and done.stderr.count("\n") == 1


def test_the_overview(course):
    done = course()
    assert done.returncode == 0
    assert all(name in done.stdout for name in line.TABLE)


@pytest.mark.parametrize("version", ["(2, 7, 18)", "(3, 7, 16)", "(3, 10, 13)", "(3, 14, 0)"])
def test_a_wrong_python_is_one_sentence(version):
    start = "runpy.run_module('course_utils', run_name='__main__')"
    code = f"import sys, runpy; sys.version_info = {version}; {start}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    major, minor = version.strip("()").split(", ")[:2]
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert f"this is Python {major}.{minor}:" in done.stderr


@pytest.mark.parametrize("name", ["python3.7", "python3.8", "python3.9", "python3.10"])
def test_a_real_old_python(name):
    program = shutil.which(name)
    if not program or subprocess.run([program, "-V"], capture_output=True).returncode:
        pytest.skip(f"{name} is not here")
    done = subprocess.run([program, "-m", "course_utils", "lab"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("The course needs") and done.stderr.count("\n") == 1


def test_nothing_but_the_standard_library_is_needed_to_begin():
    """-S hides every installed package."""
    names = [command.module for command in line.TABLE.values() if command.module in ("lab", "test", "run", "doctor")]
    code = f"import course_utils.commands.line as line; [line._load(name) for name in {names}]"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [sys.executable, "-S", "-m", "course_utils", "lab", "9"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and "no step" in done.stderr


def test_commands_are_looked_up_late():
    code = (
        "import sys, course_utils.commands.line;"
        "print([m for m in sys.modules if m.startswith('course_utils.commands.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "['course_utils.commands.line']"


def test_a_command_that_is_not_there_yet(monkeypatch, capsys):
    monkeypatch.setitem(line.TABLE, "later", line.Command("not_written_yet", "comes later"))
    assert line.main(["later"]) == 2
    assert "not part of this copy" in capsys.readouterr().err


def test_errors_of_a_command(monkeypatch, capsys):
    monkeypatch.setattr(line, "dispatch", lambda argv: (_ for _ in ()).throw(CourseError("One sentence.")))
    assert line.main(["lab"]) == 2 and capsys.readouterr().err == "One sentence.\n"
    monkeypatch.setattr(line, "dispatch", lambda argv: (_ for _ in ()).throw(KeyboardInterrupt))
    for name in line.TABLE:  # only some go on where they were
        resumed = " Start the same command again to continue." if name in ("lab", "test", "recipe") else ""
        assert line.main([name]) == 130 and capsys.readouterr().err == f"\nStopped.{resumed}\n"


def test_a_taken_port_moves_on_and_says_so(monkeypatch, capsys):
    started = []

    class Jupyter:
        def __init__(self, command, **options):
            started.append(command)

        def wait(self):
            return 0

    monkeypatch.setattr(lab.subprocess, "Popen", Jupyter)
    monkeypatch.setattr(notebooks, "notebook_path", lambda step: NOTEBOOKS / "01_simple_llm_app.ipynb")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert lab.run(Namespace(step="1", port=port, no_browser=True)) == 0
    told = capsys.readouterr().err
    assert f"Port {port} is taken: using port " in told
    used = int(told.split("using port ")[1].split(".")[0])
    assert used > port and f"--ServerApp.port={used}" in started[0]
    assert machine.free_port(used) is not None


def test_a_free_port_is_kept():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert machine.free_port(port) == port


def test_claims_and_score():
    text = (
        "claim few-shot: does not hold (n=60)\nclaim greed: does not hold | It is greedy.\n"
        "claim few-shot: holds again\nShopBench score: 0.250\n"
    )
    assert notebooks.claims(text) == {"few-shot": (True, ""), "greed": (False, "It is greedy.")}
    assert notebooks.shopbench_score(text) == 0.25
    assert notebooks.claims("a claim that: holds") == {} and notebooks.shopbench_score("") is None


def cell(source):
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"c{abs(hash(source)) % 10**8}",
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def write_notebook(path, *sources):
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = {
        "cells": [cell(source) for source in sources],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(book))


@pytest.fixture
def clone(tmp_path):
    """A small copy of the course with three tiny notebooks; call(...) runs a command in it."""
    (tmp_path / "course_utils").mkdir()
    for name in ("__init__.py", "__main__.py", "settings.py", "pins.txt"):
        shutil.copy(ROOT / "course_utils" / name, tmp_path / "course_utils")
    shutil.copytree(ROOT / "course_utils" / "commands", tmp_path / "course_utils" / "commands")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("notebooks", "tests"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / "tests" / "sanitize.cfg", tmp_path / "tests")
    (tmp_path / "tests" / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")
    write_notebook(
        tmp_path / "notebooks" / "01_simple_llm_app.ipynb",
        "x = 20 + 22",
        "print('claim sums: holds (n=1)')\nprint('claim magic: does not hold | 2 + 2 is 5')",
        "print(x)",
        "print('ShopBench score: 0.5')",
    )
    write_notebook(tmp_path / "notebooks" / "02_prompt_chaining.ipynb", "y = 1", "z = 2\ny / 0\nprint(z)", "print(3)")
    write_notebook(tmp_path / "notebooks" / "03_rag.ipynb", "import time\ntime.sleep(60)")
    variables = {key: value for key, value in os.environ.items() if not key.startswith("COURSE_")}
    variables["COURSE_READY"] = sys.executable

    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "course_utils", *arguments],
            cwd=tmp_path,
            env=variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def call(*arguments):
        process = start(*arguments)
        out, err = process.communicate(timeout=180)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    call.start, call.root = start, tmp_path
    return call


def test_run_prints_a_table_and_writes_nothing(clone):
    path = clone.root / "notebooks" / "01_simple_llm_app.ipynb"
    before = path.read_bytes()
    done = clone("run", "1", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["cells"], row["claims_held"], row["shopbench"]) == (4, 1, 0.5)
    assert row["claims"] == {"sums": True, "magic": False} and row["not_held"] == {"magic": "2 + 2 is 5"}
    assert row["peak_gb"] is None or 0.01 < row["peak_gb"] < 8
    assert "cell 4 of 4" in done.stderr and path.read_bytes() == before
    assert "1 of 2" in run.table([row]) and "0.500" in run.table([row])
    assert run.table([row]).endswith("\n01_simple_llm_app: claim magic does not hold: 2 + 2 is 5")


def test_run_names_the_failing_cell(clone):
    done = clone("run", "2")
    assert done.returncode == 1
    assert "02_prompt_chaining: cell 2, line 2: `y / 0`: ZeroDivisionError: division by zero" in done.stderr
    assert "Traceback" not in done.stderr and "02_prompt_chaining" in done.stdout


def test_a_failed_run_counts_no_claims_of_an_earlier_run(clone):
    assert clone("run", "1", "--write").returncode == 0
    path = clone.root / "notebooks" / "01_simple_llm_app.ipynb"
    path.write_text(path.read_text().replace("x = 20 + 22", "x = 20 / 0"))
    done = clone("run", "1", "--json")
    (row,) = json.loads(done.stdout)
    assert done.returncode == 1 and row["cells"] == 1
    assert [row[name] for name in ("claims_held", "claims", "not_held", "shopbench")] == [None] * 4
    assert run.table([row]).splitlines()[1].split()[3:5] == ["-", "-"] and "magic" not in run.table([row])


def test_a_step_that_is_not_there(clone):
    done = clone("lab", "4")
    assert done.returncode == 2
    assert done.stderr == "Step 4 is not in this copy of the course: there are the steps 1, 2, 3.\n"
    record = clone.root / "assets" / "data" / "records" / "01_simple_llm_app.json"
    record.parent.mkdir(parents=True)
    record.touch()
    for path in (clone.root / "notebooks").iterdir():
        path.unlink()
    assert clone("run", "2").stderr == "Step 2 is not in this copy of the course: there is step 1.\n"
    mend = "restore it with `git checkout notebooks/01_simple_llm_app.ipynb`.\n"
    for arguments in (["run"], ["run", "1"], ["lab"], ["test", "notebooks"]):
        done = clone(*arguments)
        assert done.returncode == 2 and done.stderr == f"notebooks/01_simple_llm_app.ipynb is missing: {mend}"


def test_run_names_the_cell_whose_kernel_ended(clone):
    path = clone.root / "notebooks" / "04_memory.ipynb"
    write_notebook(path, "import os", "os._exit(1)")
    done = clone("run", "4")
    assert done.returncode == 1 and "cell 2, line 1: `os._exit(1)`: DeadKernel" in done.stderr


def test_a_damaged_notebook_is_one_sentence(clone):
    (clone.root / "notebooks" / "01_simple_llm_app.ipynb").write_text("{")
    done = clone("run", "1")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "is damaged: `git checkout notebooks/01_simple_llm_app.ipynb` mends it" in done.stderr


def test_strict_notebooks_pass_and_fail(clone):
    assert clone("run", "1", "--write").returncode == 0
    done = clone("test", "notebooks", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout.strip().splitlines()[-1]
    path = clone.root / "notebooks" / "01_simple_llm_app.ipynb"
    path.write_text(path.read_text().replace('"42\\n"', '"43\\n"'))
    done = clone("test", "notebooks", "1")
    assert done.returncode == 1 and "failed" in done.stdout.strip().splitlines()[-1]


def test_unit_tests_alone(clone):
    done = clone("test", "unit")
    assert done.returncode == 0 and "1 passed" in done.stdout.strip().splitlines()[-1]
    (clone.root / "tests" / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 3\n")
    assert clone("test", "unit").returncode == 1


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_while_a_notebook_runs(clone):
    process = clone.start("run", "3")
    for text in process.stderr:
        if "cell 1 of 1" in text:
            break
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert err.strip() == "Stopped." and out == ""


def fetch(address, patience_s=60):
    """The page at an address, once its server is up."""
    for _ in range(patience_s * 4):
        try:
            with urllib.request.urlopen(address, timeout=20) as page:
                return page.read()
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"nothing at {address.split('?')[0]}")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_lab_opens_and_closes(clone):
    port = machine.free_port(18888)
    process = clone.start("lab", "1", "--no-browser", "--port", str(port))
    for text in process.stderr:
        if text.strip().startswith(f"http://127.0.0.1:{port}/lab/tree/notebooks/01_simple_llm_app.ipynb?token="):
            break
    address, _, token = text.strip().partition("?token=")
    assert token and b"jupyter" in fetch(text.strip()).lower()
    asked = "/lab/api/settings/@jupyterlab/apputils-extension:notification?token="
    notices = json.loads(fetch(address.partition("/lab/")[0] + asked + token))["schema"]["properties"]
    assert notices["fetchNews"]["default"] == "false" and notices["checkForUpdates"]["default"] is False
    os.killpg(process.pid, signal.SIGINT)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and err.strip().endswith("Stopped. Start the same command again to continue.")


def test_a_failed_run_leaves_the_old_record(monkeypatch, tmp_path, capsys):
    from course_utils import measures

    monkeypatch.setattr(measures, "RECORDS", tmp_path)
    monkeypatch.setenv("COURSE_RECORD", "")
    path = tmp_path / "01_simple_llm_app.json"
    path.write_text("old")

    def fails(book):
        assert json.loads(path.read_text())["measures"] == {}  # a new record has begun
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "execute", fails)
    with pytest.raises(KeyboardInterrupt):
        run.run(Namespace(steps=["1"], record=True, write=False, minutes=False, json=False))
    assert path.read_text() == "old" and "COURSE_RECORD" not in os.environ
