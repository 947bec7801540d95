"""The set-up cell: in an installed environment, a plain clone and on Colab; what pip is asked; what a restart shows."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from course_utils import notebook, setup
from course_utils.commands import installer, pins
from course_utils.settings import NOTEBOOKS, ROOT, STEPS, CourseError

STEP_1 = "Step 1 is ready (nothing to install), profile bundled."
STUB = """
import sys, types
google, colab, drive = types.ModuleType("google"), types.ModuleType("google.colab"), types.ModuleType("google.colab.drive")
def mount(place):
    import os, shutil
    shutil.copytree(os.environ["DRIVE"], place)
drive.mount, colab.drive, google.colab = mount, drive, colab
sys.modules.update({"google": google, "google.colab": colab, "google.colab.drive": drive})
"""
LIGHT = "import course_utils.setup as s; s.install = lambda step: ([], []); s.set_seed = lambda seed: None\n"


def pythons():
    """The interpreters 3.11 to 3.13 that this machine has: this one, those on the path, those of pyenv."""
    places = [Path(sys.executable), *map(Path, filter(None, (shutil.which(f"python3.{n}") for n in (11, 12, 13))))]
    places += sorted(Path.home().glob(".pyenv/versions/3.1[123].*/bin/python"))
    found = {}
    for place in places:
        said = subprocess.run(
            [place, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True
        )
        if said.stdout.split() in (["3", "11"], ["3", "12"], ["3", "13"]):
            found.setdefault(".".join(said.stdout.split()), place)
    return found


def run_cell(cwd, before="", after="", python=sys.executable, light=True, **variables):
    """Run the set-up cell as a plain program from a folder, without any other way to find the course."""
    source = setup.cell(1)
    if light:  # no packages and no seeds: only how the folder is found
        source = source.replace("from course_utils.setup", LIGHT + "from course_utils.setup")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COURSE_", "PYTHON", "HF_"))}
    return subprocess.run(
        [python, "-I", "-c", f"{before}\n{source}\n{after}"],
        cwd=cwd,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A plain clone: only the files that the set-up needs, standing for all."""
    folder = tmp_path_factory.mktemp("clone") / "llm-course-main"
    shutil.copytree(
        ROOT / "course_utils", folder / "course_utils", ignore=shutil.ignore_patterns("__pycache__", "recipe")
    )
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "notebooks").mkdir()
    return folder


WHERE = "print(course.root)"


def test_the_cell_is_short_and_only_the_number_changes():
    assert len(setup.cell(1).splitlines()) <= 12
    assert [setup.cell(name).replace(f"step={n}", "step=1") for n, name in enumerate(STEPS, 1)] == [setup.cell(1)] * 7


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("start", ["notebooks", "."])
def test_a_plain_clone(clone, start, version):
    if version not in pythons():
        pytest.skip(f"Python {version} is not on this machine")
    done = run_cell(clone / start, after=WHERE, python=pythons()[version])
    assert (done.stdout.splitlines(), done.stderr) == ([STEP_1, str(clone)], "")


def test_twice_does_no_harm(clone):
    again = setup.cell(1) + "\nprint(sys.path.count(str(course.root)), course)"
    done = run_cell(clone / "notebooks", after=again)
    assert done.stderr == ""
    first, second, last = done.stdout.splitlines()
    assert first == second == STEP_1 and last.startswith("1 Course(step=1, profile='bundled', seed=0")


def test_colab_clone(clone, tmp_path):
    shutil.copytree(clone, tmp_path / "llm-course")
    done = run_cell(tmp_path, before=STUB, after=WHERE)
    assert (done.stdout.splitlines(), done.stderr) == ([STEP_1, str(tmp_path / "llm-course")], "")


def test_colab_zip(clone, tmp_path):
    with zipfile.ZipFile(tmp_path / "llm-course-main.zip", "w") as archive:
        for path in clone.rglob("*"):
            archive.write(path, path.relative_to(clone.parent))
    for _ in range(2):  # the second time the folder is there
        done = run_cell(tmp_path, before=STUB, after=WHERE)
        assert (done.stdout.splitlines(), done.stderr) == ([STEP_1, str(tmp_path / clone.name)], "")


@pytest.mark.parametrize("place", ["", "Colab Notebooks"])
def test_colab_drive_folder(clone, tmp_path, place):
    there = tmp_path / "drive" / "MyDrive" / place / "llm course"
    shutil.copytree(clone, there)
    content = tmp_path / "content"
    content.mkdir()
    done = run_cell(content, before=STUB, after=WHERE, DRIVE=str(tmp_path / "drive"))
    assert done.stderr == "" and done.stdout.splitlines()[0] == STEP_1
    assert done.stdout.splitlines()[1] == str(content / there.relative_to(tmp_path))


def test_nothing_found_shows_what_to_do(tmp_path):
    done = run_cell(tmp_path, light=False)
    assert done.returncode == 1 and "No module named 'course_utils'" in done.stderr
    assert "Put the course's folder here" in setup.cell(1).splitlines()[-1]  # the line that the traceback shows


def test_an_old_python_is_told(clone):
    olds = sorted(Path.home().glob(".pyenv/versions/3.[89].*/bin/python")) + sorted(
        Path.home().glob(".pyenv/versions/3.10.*/bin/python")
    )
    for old in olds:
        done = run_cell(clone, python=old, light=False)
        assert done.stderr.strip().splitlines()[-1].startswith("ImportError: The course needs Python 3.11"), old
    if not olds:
        pytest.skip("no old Python on this machine")


# What is installed


def colab():
    """The versions of a hosted runtime, as its owner last published them."""
    return {
        "torch": "2.11.0+cu128",
        "numpy": "2.1.3",
        "torchvision": "0.26.0+cu128",
        "transformers": "5.15.0",
        "peft": "0.20.0",
        "accelerate": "1.14.0",
        "datasets": "4.0.0",
        "langchain": "1.3.15",
        "openai": "2.54.0",
        "ipywidgets": "7.7.1",
        "pandas": "2.2.3",
        "matplotlib": "3.10.0",
        "psutil": "5.9.5",
        "httpx": "0.28.1",
        "fastapi": "0.118.0",
        "uvicorn": "0.37.0",
        "pyyaml": "6.0.3",
        "scikit-learn": "1.6.1",
    }


def test_only_what_a_step_lacks():
    assert setup.missing(1, colab()) == ["langchain-openai", "streamlit"]
    assert set(setup.missing(3, colab())) == {
        *("langchain-openai", "streamlit", "chromadb", "evaluate"),
        *("beautifulsoup4", "filelock", "langchain-chroma", "langchain-text-splitters", "pypdf"),
    }
    assert {"langgraph", "langgraph-checkpoint-sqlite"} <= set(setup.missing(4, colab()))
    assert set(setup.missing(7, colab())) >= {"trl", "bitsandbytes"}
    assert "transformers" in setup.missing(1, {**colab(), "transformers": "4.57.0"})
    assert not {*setup.NEVER, *setup.TERMINAL} & {re.split("[>=<]", text)[0] for text in setup.requirements(7)}


def test_names_in_the_tables_are_in_pyproject():
    assert {*setup.TERMINAL, *setup.FIRST_STEP} <= set(pins.ranges())


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_resolving_part_runs_on_the_standard_library(version):
    if version not in pythons():
        pytest.skip(f"Python {version} is not on this machine")
    source = f"import sys, json; sys.path.insert(0, {str(ROOT)!r}); from course_utils import setup; "
    source += "print(json.dumps(setup.missing(7, json.loads(sys.argv[1]))))"
    done = subprocess.run(
        [pythons()[version], "-I", "-S", "-c", source, json.dumps(colab())], capture_output=True, text=True
    )
    assert done.stderr == "" and json.loads(done.stdout) == setup.missing(7, colab())


def wheel(folder, name, version, *requires):
    """A tiny wheel without contents."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """pip with nothing but a folder of tiny wheels, and an environment with torch and numpy in it."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name, version in (("torch", "2.11.0"), ("torch", "9.0"), ("numpy", "2.1.3"), ("numpy", "9.0")):
        wheel(wheels, name, version)
    wheel(wheels, "peft", "0.20", "torch", "numpy>=2")
    wheel(wheels, "trl", "1.0", "torch")
    wheel(wheels, "trl", "2.0", "torch>=9")
    wheel(wheels, "greedy", "1.0", "numpy>=9")
    (wheels / "onlysource-1.0.tar.gz").write_bytes(b"")
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(setup.constraints_for({"torch": "2.11.0", "numpy": "2.1.3", "peft": "0.20"}))
    for key in [key for key in os.environ if key.startswith("PIP_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    def dry(*wanted, python="3.13"):
        command = setup.pip_arguments(wanted, constraints)
        options = ["--dry-run", "--quiet", "--report", "-", "--no-index", "--find-links", str(wheels)]
        options += ["--target", str(tmp_path / "target"), "--python-version", python]
        return subprocess.run([*command[:4], *options, *command[4:]], capture_output=True, text=True)

    return dry


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_pip_leaves_torch_and_numpy(shelf, python):
    done = shelf("peft>=0.18", "trl>=1.0", python=python)
    assert done.returncode == 0, done.stderr
    chosen = {one["metadata"]["name"]: one["metadata"]["version"] for one in json.loads(done.stdout)["install"]}
    assert chosen == {"peft": "0.20", "trl": "1.0", "torch": "2.11.0", "numpy": "2.1.3"}  # not trl 2.0, not torch 9.0


@pytest.mark.parametrize("wanted", ["greedy>=1.0", "onlysource>=1.0"])
def test_pip_refuses_rather_than_change_them_or_build(shelf, wanted):
    assert shelf(wanted).returncode != 0


def stub_packages(site, versions):
    """Let an environment look as if these packages were installed."""
    for name, version in versions.items():
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "INSTALLER").write_text("pip\n")
        (info / "RECORD").write_text("")


def test_the_cell_installs_what_is_missing(clone, tmp_path):
    """In a real environment with a hosted runtime's packages and a shelf of tiny wheels; the second run installs nothing."""
    runtime, wheels = tmp_path / "runtime", tmp_path / "wheels"
    wheels.mkdir()
    subprocess.run([list(pythons().values())[-1], "-m", "venv", runtime], check=True)
    stub_packages(next(runtime.glob("lib/python*/site-packages")), colab())
    for name in ("streamlit", "langchain_openai", "torch", "numpy"):
        wheel(wheels, name, "9.0", *([] if name in setup.NEVER else ["torch", "numpy"]))
    options = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}
    report = "from importlib.metadata import version; print(version('torch'), version('numpy'))"
    for did in ("installed langchain-openai, streamlit", "nothing to install"):
        done = run_cell(clone / "notebooks", after=report, python=runtime / "bin" / "python", light=False, **options)
        assert done.stderr == ""
        assert done.stdout.splitlines() == [f"Step 1 is ready ({did}), profile bundled.", "2.11.0+cu128 2.1.3"]


def test_each_requirement_is_one_argument(tmp_path):
    command = setup.pip_arguments(["peft>=0.18", "trl>=1.0,<2"], tmp_path / "a folder" / "c.txt")
    assert command[-2:] == ["peft>=0.18", "trl>=1.0,<2"] and "--only-binary=:all:" in command
    assert command[command.index("--constraint") + 1] == str(tmp_path / "a folder" / "c.txt")


@pytest.mark.skipif("COURSE_NETWORK" not in os.environ, reason="asks the package index: set COURSE_NETWORK=1")
@pytest.mark.parametrize("step", [1, 7])
def test_the_index_can_serve_a_colab_runtime(step, tmp_path):
    """pip's dry run on Python 3.13 with the packages of a hosted runtime: torch and numpy are not in its plan."""
    python = pythons()["3.13"]
    subprocess.run([python, "-m", "venv", tmp_path / "runtime"], check=True)
    site = next((tmp_path / "runtime").glob("lib/python*/site-packages"))
    stub_packages(site, colab())
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(setup.constraints_for(colab()))
    command = setup.pip_arguments(setup.requirements(step), constraints, tmp_path / "runtime/bin/python")
    options = ["--dry-run", "--quiet", "--report", str(tmp_path / "report.json")]
    subprocess.run([*command[:4], *options, *command[4:]], check=True, timeout=300)
    plan = {one["metadata"]["name"].lower() for one in json.loads((tmp_path / "report.json").read_text())["install"]}
    assert set(setup.missing(step, colab())) <= plan and not plan & set(setup.HELD)


@pytest.mark.parametrize("name", setup.NEVER)
def test_a_kernel_without_torch_or_numpy_is_told(monkeypatch, name):
    monkeypatch.setattr(pins, "installed", lambda: {key: value for key, value in colab().items() if key != name})
    monkeypatch.setattr(setup, "_run_pip", lambda command: pytest.fail("pip was started"))
    with pytest.raises(CourseError, match=f"{name} is missing.*course_utils lab"):
        setup.install(1)


def test_an_old_torch_is_told(monkeypatch):
    monkeypatch.setattr(pins, "installed", lambda: {**colab(), "torch": "2.1.0"})
    with pytest.raises(CourseError, match="torch is too old"):
        setup.install(1)


def test_no_network_is_one_sentence_at_once(monkeypatch):
    monkeypatch.setattr(pins, "installed", colab)
    monkeypatch.setattr(installer.machine, "reachable", lambda url: False)
    monkeypatch.setattr(installer, "pip_settings", lambda python: {})
    monkeypatch.setattr(setup, "_run_pip", lambda command: pytest.fail("pip was started"))
    with pytest.raises(CourseError, match="No network: .*did not answer within 2 seconds"):
        setup.install(1)


def test_what_was_installed_is_said(monkeypatch, capsys):
    states = [colab(), {**colab(), "streamlit": "1.67.0", "pandas": "3.0"}]
    monkeypatch.setattr(pins, "installed", lambda: states.pop(0))
    monkeypatch.setattr(installer, "check_network", lambda python: None)
    monkeypatch.setattr(setup, "_run_pip", lambda command: None)
    monkeypatch.setitem(sys.modules, "pandas", sys.modules["json"])
    setup.start(1)
    assert capsys.readouterr().out == (
        "Step 1 is ready (installed pandas, streamlit), profile bundled; restart the kernel and run this cell again, "
        "because loaded packages changed.\n"
    )


def test_a_failing_pip_is_one_sentence():
    with pytest.raises(CourseError, match="failed: the disk is full") as caught:
        setup._run_pip([sys.executable, "-c", "print('[Errno 28] No space left on device'); raise SystemExit(1)"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "words"), [({"step": 8}, "no step .8"), ({"step": 1, "profile": "huge"}, "no profile")]
)
def test_unknown_step_or_profile(values, words):
    with pytest.raises(CourseError, match=words):
        setup.start(**values)


def test_another_profile_given_to_the_cell_does_not_stick(monkeypatch):
    """start(profile=...) tells the libraries by COURSE_PROFILE; a later start() asks for what the user asked first."""
    chosen = []
    monkeypatch.setattr(setup, "_asked", None)
    monkeypatch.setattr(setup, "install", lambda step: ([], []))
    monkeypatch.setattr(setup, "be_quiet", chosen.append)
    monkeypatch.setattr(setup, "remember", lambda: None)
    monkeypatch.setattr(setup, "explain_errors", lambda: None)
    monkeypatch.setenv("COURSE_PROFILE", "before")
    setup.start(1, profile="laptop")
    assert os.environ["COURSE_PROFILE"] == "laptop"
    setup.start(1)
    assert os.environ["COURSE_PROFILE"] == "bundled" and chosen == ["laptop", "bundled"]


def test_offline_switches_follow_the_profile(monkeypatch):
    for key in (*setup.OFFLINE, *setup.QUIET):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr(setup, "_ours", set())
    setup.be_quiet("bundled")
    assert [os.environ.get(key) for key in setup.OFFLINE] == ["1", "1"]
    setup.be_quiet("laptop")
    assert [os.environ.get(key) for key in setup.OFFLINE] == [None, None]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # the user's own wish stays
    setup.be_quiet("laptop")
    assert os.environ["HF_HUB_OFFLINE"] == "1"


# After a restart, and out of order: in a real kernel


@pytest.fixture
def kernel(tmp_path):
    """Run sources as cells of one kernel that starts in notebooks/; returns the outputs of each cell."""
    import nbformat
    from nbclient import NotebookClient

    def call(*sources, cwd=NOTEBOOKS):
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        book = nbformat.v4.new_notebook(cells=cells)
        NotebookClient(
            book, kernel_name="python3", allow_errors=True, startup_timeout=300, resources={"metadata": {"path": str(cwd)}}
        ).execute()
        return [cell.outputs for cell in book.cells]

    return call


def explained_by(root):
    """A cell that lets a copy of the course explain errors, whichever one the kernel's own environment has loaded."""
    return (
        "import sys\nfor name in [name for name in sys.modules if name.split('.')[0] == 'course_utils']:\n"
        f"    del sys.modules[name]\nsys.path.insert(0, {str(root)!r})\n"
        "from course_utils import setup; setup.explain_errors()\n"
    )


def test_a_kernel_explains_names_and_course_errors(kernel, clone):
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"cell_type": "markdown", "id": "q", "metadata": {}, "source": "## 2. How does text become numbers?"},
            {
                "cell_type": "code",
                "id": "c",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": "merges = []",
            },
        ],
    }
    (clone / "notebooks" / "01_simple_llm_app.ipynb").write_text(json.dumps(book))
    try:
        cells = [
            explained_by(clone),
            "merges",
            setup.cell(1),
            "merges",
            "mergse",
            "def f():\n    return merges\nf()",
            "1 / 0",
            "from course_utils.settings import CourseError; raise CourseError('One sentence.')",
        ]
        shown = kernel(*cells, cwd=clone / "notebooks")
    finally:
        (clone / "notebooks" / "01_simple_llm_app.ipynb").unlink()
    assert [one.text for one in shown[2]] == [f"{STEP_1}\n"]
    errors = [(one.ename, one.evalue) for outputs in shown for one in outputs if one.output_type == "error"]
    first = "The name 'merges' is not there yet: run the cells between \"2. How does text become numbers?\" "
    first += "and the next heading first, "
    assert errors == [
        ("CourseError", f"The name 'merges' is not there yet. {setup.RESTART}"),
        ("CourseError", first + "from top to bottom."),
        ("NameError", "name 'mergse' is not defined"),
        ("CourseError", first + "from top to bottom."),
        ("ZeroDivisionError", "division by zero"),
        ("CourseError", "One sentence."),
    ]
    assert [one.traceback for one in shown[7]] == [["CourseError: One sentence."]]


NEAREST = [  # cell, name, the heading above its nearest definition
    ("b4-max-new", "read", "Part B. Sampling and prompts"),
    ("b5-combined", "kept", "5.1 The system message"),
    ("c8-stream", "chat", "8.1 What travels over the wire?"),
]


@pytest.mark.parametrize(("cell_id", "name", "heading"), NEAREST)
def test_the_sentence_names_the_nearest_definition(cell_id, name, heading):
    book = notebook.read(NOTEBOOKS / "01_simple_llm_app.ipynb")
    source = next(notebook.text(cell["source"]) for cell in book["cells"] if cell["id"] == cell_id)
    running = setup.Course(1, "bundled", 0, ROOT)
    for said in (("edited", cell_id), (source, None), (source + "\n", "an id of another front end")):
        assert f'between "{heading}" and the next heading' in setup.advice(name, running, *said)
    assert f'"{heading}"' not in setup.advice(name, running, "a cell of one's own")  # the first definition, as it is


def test_a_kernel_knows_which_cell_it_runs(kernel):
    """By its text (this client sends no id), by its id (as JupyterLab sends it), and not at all."""
    book = notebook.read(NOTEBOOKS / "01_simple_llm_app.ipynb")
    source = next(notebook.text(cell["source"]) for cell in book["cells"] if cell["id"] == "b4-max-new")
    early = explained_by(ROOT) + "setup._running = setup.Course(1, 'bundled', 0, setup.ROOT)"
    by_id = "get_ipython().run_cell('read', cell_id='b4-max-new');"
    said = [outputs[0].evalue for outputs in kernel(early, source, by_id, "read")[1:]]
    assert said[0] == said[1] and 'between "Part B. Sampling and prompts" and' in said[0]
    assert 'between "Step 1. A simple LLM app' in said[2]


def test_the_courses_own_environment_remembers(tmp_path, monkeypatch):
    setup.remember(tmp_path)
    assert list(tmp_path.iterdir()) == []  # somebody else's environment stays as it is
    (tmp_path / "course.json").write_text("{}")
    setup.remember(tmp_path)
    setup.remember(tmp_path)
    source = (tmp_path / "etc" / "ipython" / "ipython_config.py").read_text()
    for place, wanted in ((setup.ROOT / "notebooks", ["course_utils.setup"]), (tmp_path, None)):  # another copy: nothing
        monkeypatch.chdir(place)
        app = type("App", (), {"extensions": None})
        config = type("Config", (), {"InteractiveShellApp": app})
        exec(compile(source, "config", "exec"), {"get_config": lambda config=config: config})
        assert app.extensions == wanted


def test_a_restarted_kernel_of_the_courses_environment(kernel, tmp_path, monkeypatch, clone):
    """The configuration is read from IPYTHONDIR here; the kernel has not run the set-up cell."""
    folder = tmp_path / "profile_default"
    folder.mkdir()
    (folder / "ipython_config.py").write_text(setup.STARTUP.format(root=str(clone)))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "id": "c",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": setup.cell(2),
            }
        ],
    }
    (clone / "notebooks" / "02_prompt_chaining.ipynb").write_text(json.dumps(book))
    try:
        shown = kernel("course.profile", cwd=clone / "notebooks")
    finally:
        (clone / "notebooks" / "02_prompt_chaining.ipynb").unlink()
    assert shown[0][0].evalue == f"The name 'course' is not there yet. {setup.RESTART}"


# Pictures


def test_a_picture_comes_with_its_words(kernel):
    source = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom course_utils.figures import *\n"
    source += (
        "figure, axes = new_figure(title='It rises')\naxes.plot([1, 2]); show_figure(figure, alt='A rising line.')"
    )
    image, words = kernel(source)[0]
    assert image.data["image/png"] and image.metadata["image/png"]["alt"] == "A rising line."
    assert words.data["text/markdown"] == "*Picture: A rising line.*"
