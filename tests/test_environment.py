"""The environment: made once, reused, mended, recovered; each failure in one sentence. pip is a stub here."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from argparse import Namespace

import pytest

from course_utils.commands import environment, installer, machine, pins
from course_utils.settings import ROOT, CourseError

FAKE_PIP = '''
"""A stand-in for pip: `install` makes empty dist-info folders for the pins, one after the other."""
import os, pathlib, sys, time
if "install" in sys.argv:
    site = pathlib.Path(os.environ["FAKE_SITE"])
    log = pathlib.Path(os.environ["FAKE_CALLS"])
    log.write_text((log.read_text() if log.exists() else "") + "install" + chr(10))
    for line in pathlib.Path(sys.argv[sys.argv.index("-r") + 1]).read_text().split():
        name, version = line.split("==")
        print("Collecting " + line, flush=True)
        info = site / f"{name}-{version}.dist-info"
        if info.exists():
            continue
        for old in site.glob(f"{name}-*.dist-info"):
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\\nVersion: {version}\\n")
        if os.environ.get("FAKE_STOP") == name:
            print(os.environ.get("FAKE_SAYS", ""), flush=True)
            time.sleep(float(os.environ.get("FAKE_SLEEP", 0)))
            sys.exit(1)
        (info / "INSTALLER").write_text("pip")
'''


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """An environment folder, pins of three packages, and the stand-in for pip and venv."""
    folder, fake, pin_file = tmp_path / "env", tmp_path / "fake_pip.py", tmp_path / "pins.txt"
    fake.write_text(FAKE_PIP)
    pin_file.write_text("alpha==1.0\nbeta==2.0\ngamma==3.0\n")
    site = folder / "lib" / "python3.11" / "site-packages"

    def create(path):
        site.mkdir(parents=True)
        python = environment.python_path(path)
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\ncase "$*" in *pip*) exit 0;; esac\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)

    def inspect(python):
        found = {}
        for info in site.glob("*.dist-info"):
            name, version = info.name.removesuffix(".dist-info").split("-")
            found[name] = version
        return {"python": "3.11.7", "packages": found}

    monkeypatch.delenv("COURSE_READY", raising=False)
    monkeypatch.setenv("COURSE_ENV", str(folder))
    monkeypatch.setenv("FAKE_SITE", str(site))
    monkeypatch.setenv("FAKE_CALLS", str(tmp_path / "calls"))
    monkeypatch.setattr(pins, "PINS", pin_file)
    monkeypatch.setattr(environment, "create", create)
    monkeypatch.setattr(environment, "inspect", inspect)
    monkeypatch.setattr(installer, "pip_command", lambda python: [sys.executable, str(fake)])
    monkeypatch.setattr(installer, "check_network", lambda python: None)
    monkeypatch.setattr(installer, "torch_index", lambda: [])
    monkeypatch.setattr(environment, "NEEDED_BYTES", {"cpu": 1, "gpu": 1, "repair": 1})
    stub.folder, stub.site, stub.pins = folder, site, pin_file
    stub.installs = lambda: len((tmp_path / "calls").read_text().split()) if (tmp_path / "calls").exists() else 0
    return stub


def names(site):
    return sorted(info.name for info in site.glob("*.dist-info"))


def test_made_once_then_reused(stub, capfd):
    first = environment.ensure()
    assert environment.ensure() == first == environment.python_path(stub.folder)
    assert stub.installs() == 1
    assert environment.state_of(stub.folder)["state"] == "ready"
    assert "downloading 2 of 3 beta 2.0" in capfd.readouterr().err


def test_changed_pins_are_brought_in(stub, capfd):
    environment.ensure()
    stub.pins.write_text("alpha==1.0\nbeta==2.5\ngamma==3.0\ndelta==4.0\n")
    environment.ensure()
    environment.ensure()
    assert names(stub.site) == [
        "alpha-1.0.dist-info",
        "beta-2.5.dist-info",
        "delta-4.0.dist-info",
        "gamma-3.0.dist-info",
    ]
    assert stub.installs() == 2
    assert "has changed" in capfd.readouterr().err


def test_interrupted_installation_recovers(stub, monkeypatch, capfd):
    monkeypatch.setenv("FAKE_STOP", "beta")
    with pytest.raises(CourseError):
        environment.ensure()
    assert environment.state_of(stub.folder)["state"] == "installing"
    assert environment.ready_python() is None
    assert not (stub.site / "beta-2.0.dist-info" / "INSTALLER").exists()  # half a package
    monkeypatch.delenv("FAKE_STOP")
    environment.ensure()
    assert (stub.site / "beta-2.0.dist-info" / "INSTALLER").exists()
    assert "interrupted: continuing" in capfd.readouterr().err


def test_what_was_downloaded_is_counted():
    read = installer.package_bytes
    assert read("  Downloading torch-2.9-cp311-cp311-linux_x86_64.whl (184.5 MB)") == ("Downloading", 184.5e6)
    assert read("Using cached idna-3.10-py3-none-any.whl (70 kB)") == ("Using cached", 70e3)
    assert read("  Downloading idna-3.10-py3-none-any.whl.metadata (10 kB)") is None
    assert read("Collecting idna==3.10") is None


def test_packages_are_counted_wherever_pip_finds_them():
    read = installer.package_name
    assert read("Collecting ruamel-yaml==0.18.6 (from -r pins.txt (line 3))") == "ruamel-yaml 0.18.6"
    assert read("Processing /a b/wheels-2/idna_x-3.10-py3-none-any.whl (from -r pins.txt)") == "idna_x 3.10"
    assert read("  Downloading idna-3.10-py3-none-any.whl (70 kB)") is None


def test_the_second_phase_has_its_own_name(tmp_path, capsys):
    turns = iter((False, True))
    (tmp_path / "alpha-1.0.dist-info").mkdir()
    installer._watch(tmp_path, 228, Namespace(wait=lambda seconds: next(turns)), time.monotonic())
    assert capsys.readouterr().err.strip().endswith("s] installing 1 of 228")


def test_a_broken_interpreter_is_replaced(stub):
    python = environment.ensure()
    python.write_text("#!/bin/sh\nexit 1\n")
    (stub.folder / "left_over").write_text("x")
    assert environment.ready_python() is None
    assert environment.ensure() == python
    assert not (stub.folder / "left_over").exists()


def test_an_incomplete_result_is_not_called_ready(stub, monkeypatch):
    monkeypatch.setattr(environment, "inspect", lambda python: {"python": "3.11.7", "packages": {"alpha": "1.0"}})
    with pytest.raises(CourseError, match="not complete .beta, gamma"):
        environment.ensure()
    assert environment.state_of(stub.folder)["state"] == "installing"


def test_a_folder_of_the_user_is_never_changed(stub):
    stub.folder.mkdir()
    (stub.folder / "mine.txt").write_text("mine")
    with pytest.raises(CourseError, match="not made by the course"):
        environment.ensure()
    assert [path.name for path in stub.folder.iterdir()] == ["mine.txt"]


def test_a_complete_environment_of_the_user_is_used_as_it_is(stub, monkeypatch):
    environment.create(stub.folder)
    for line in stub.pins.read_text().split():
        (stub.site / f"{line.replace('==', '-')}.dist-info").mkdir()
    before = sorted(stub.folder.rglob("*"))
    assert environment.ensure() == environment.python_path(stub.folder)
    assert sorted(stub.folder.rglob("*")) == before and stub.installs() == 0


def test_a_complete_interpreter_is_used_and_nothing_is_created(stub, monkeypatch):
    monkeypatch.delenv("COURSE_ENV")
    monkeypatch.setattr(pins, "gaps_here", lambda: [])
    assert str(environment.ensure()) == sys.executable
    assert not stub.folder.exists()


def test_no_disk(stub, monkeypatch):
    monkeypatch.setattr(machine, "free_disk_bytes", lambda folder: 200_000_000)
    monkeypatch.setattr(environment, "NEEDED_BYTES", {"cpu": 4 * machine.GB, "gpu": 4 * machine.GB, "repair": machine.GB})
    with pytest.raises(CourseError, match=r"Not enough disk: .* 4 GB and 0\.2 GB are free"):
        environment.ensure()
    assert not environment.python_path(stub.folder).exists()


def test_no_permission(stub, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(stub.folder), "mkdir", refuse)
    with pytest.raises(CourseError, match="No permission to write"):
        environment.ensure()


def test_a_read_only_disk(stub, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(type(stub.folder), "mkdir", refuse)
    with pytest.raises(CourseError, match=r"Read-only file system\): put the clone in .* or name .* COURSE_ENV\.$"):
        environment.ensure()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_for_real(stub, tmp_path):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(CourseError, match="No permission to write"):
            environment.ensure()
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize(
    ("pip_says", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: Could not install: [Errno 13] Permission denied: 'x'", "no permission"),
        ("WARNING: Retrying after connection broken by NewConnectionError", "network went away"),
        ("ERROR: No matching distribution found for torch==2.13.0", "does not have torch==2.13.0"),
        ("ERROR: something else", "failed: something else"),
    ],
)
def test_what_pip_says_becomes_one_sentence(stub, monkeypatch, pip_says, sentence):
    monkeypatch.setenv("FAKE_STOP", "beta")
    monkeypatch.setenv("FAKE_SAYS", pip_says)
    with pytest.raises(CourseError, match=sentence) as error:
        environment.ensure()
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_no_network_is_said_quickly(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://no-such-host.invalid/simple")
    monkeypatch.setattr(installer, "pip_settings", lambda python: {})
    started = time.monotonic()
    with pytest.raises(CourseError, match="No network: no-such-host.invalid"):
        installer.check_network(sys.executable)
    assert time.monotonic() - started < 3


def test_a_name_look_up_that_hangs_does_not_hold_us(monkeypatch):
    def hang(*arguments):
        time.sleep(5)
        raise OSError

    monkeypatch.setattr(machine.socket, "create_connection", hang)
    started = time.monotonic()
    assert not machine.reachable("https://example.invalid", timeout_s=0.3)
    assert time.monotonic() - started < 2


def test_an_offline_index_needs_no_network(monkeypatch):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setattr(machine, "reachable", lambda url, timeout_s=2: False)
    monkeypatch.setattr(installer, "pip_settings", lambda python: {"no-index": "true"})
    installer.check_network(sys.executable)
    monkeypatch.setattr(installer, "pip_settings", lambda python: {"index-url": "file:///wheels"})
    installer.check_network(sys.executable)
    monkeypatch.setattr(installer, "pip_settings", lambda python: {})
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    with pytest.raises(CourseError):
        installer.check_network(sys.executable)


@pytest.mark.parametrize(
    ("gpu", "served", "used"), [(None, True, True), (None, False, False), ({"name": "x"}, True, False)]
)
def test_the_cpu_build_of_torch_is_preferred_without_a_card(monkeypatch, gpu, served, used):
    monkeypatch.setattr(installer.platform, "system", lambda: "Linux")
    monkeypatch.setattr(machine, "gpu", lambda: gpu)
    monkeypatch.setattr(machine, "serves", lambda url, timeout_s=2: served)
    assert bool(installer.torch_index()) == used


DRIVER = """
import sys
from course_utils.commands import environment, installer, line, machine, pins
from pathlib import Path
pins.PINS = Path({pin_file!r})
installer.pip_command = lambda python: [sys.executable, {fake!r}]
installer.check_network = lambda python: None
installer.torch_index = lambda: []
environment.NEEDED_BYTES = dict(cpu=1, gpu=1, repair=1)
def create(path):
    Path({site!r}).mkdir(parents=True, exist_ok=True)
    python = environment.python_path(path)
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text("#!/bin/sh" + chr(10) + "exit 0" + chr(10))
    python.chmod(0o755)
environment.create = create
found = dict(alpha="1.0", beta="2.0", gamma="3.0")
environment.inspect = lambda python: dict(python="3.11.7", packages=found)
sys.exit(line.main(["test", "unit"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_during_the_installation(stub, tmp_path):
    values = {"pin_file": str(stub.pins), "fake": str(tmp_path / "fake_pip.py"), "site": str(stub.site)}
    driver = tmp_path / "driver.py"
    driver.write_text(textwrap.dedent(DRIVER).format(**values))
    variables = dict(os.environ, FAKE_STOP="beta", FAKE_SLEEP="60", PYTHONPATH=str(ROOT))
    process = subprocess.Popen(
        [sys.executable, str(driver)], env=variables, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    for line in process.stderr:
        if "beta" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    rest = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert rest.strip() == "Stopped. Start the same command again to continue."
    assert json.loads((stub.folder / environment.STATE).read_text()) == {"state": "installing"}
    variables.pop("FAKE_STOP")
    again = subprocess.run([sys.executable, str(driver)], env=variables, capture_output=True, text=True, timeout=30)
    assert again.returncode == 0 and "continuing it" in again.stderr
    assert environment.state_of(stub.folder)["state"] == "ready"


def test_two_starts_do_not_collide(stub, capfd):
    import threading

    stub.folder.mkdir()
    results = []
    with environment.locked(stub.folder):
        thread = threading.Thread(target=lambda: results.append(environment.ensure()))
        thread.start()
        time.sleep(0.6)
        assert stub.installs() == 0
    thread.join(30)
    assert stub.installs() == 1 and results == [environment.python_path(stub.folder)]
    assert "Another start is preparing" in capfd.readouterr().err


def test_markers():
    values = {
        "sys_platform": "linux",
        "os_name": "posix",
        "python_full_version": "3.11.2",
        "platform_machine": "x86_64",
    }
    assert pins.applies("sys_platform != 'win32' and (os_name == 'posix' or os_name == 'nt')", values)
    assert not pins.applies("python_full_version >= '3.12'", values)
    assert pins.applies("python_full_version < '3.9' or python_full_version > '3.10'", values)
    assert pins.applies("", values)


def test_gaps():
    wanted = [pins.Pin("torch", "2.13.0", True), pins.Pin("idna", "3.10", False)]
    assert pins.gaps({"torch": "2.13.0+cpu", "idna": "3.1"}, wanted) == []
    assert pins.gaps({"torch": "2.11.0", "idna": "3.1"}, wanted) == [pins.Gap("torch", "2.11.0", "2.13.0")]
    assert pins.gaps({"torch": "2.11.0", "idna": "3.1"}, wanted, {"torch": ">=2.10"}) == []
    assert pins.gaps({"torch": "2.13.0"}, wanted) == [pins.Gap("idna", None, "3.10")]


def test_the_pins_are_complete_and_inside_the_ranges():
    direct = {pin.name: pin.version for pin in pins.read() if pin.direct}
    ranges = pins.ranges()
    assert set(direct) == set(ranges)
    assert [name for name in direct if not pins.inside(direct[name], ranges[name])] == []
    text = pins.PINS.read_text()
    assert "://" not in text
    assert not any(pin.name.startswith(("nvidia", "cuda", "triton")) for pin in pins.read())
    lines = [line for line in text.split("# --- transitive")[0].splitlines() if "==" in line]
    assert all("# " in line for line in lines), "a direct pin without its reason"


def test_the_environments_use_the_one_place():
    for name in ("environment.yml", ".devcontainer/setup"):
        assert "-r course_utils/pins.txt" in (ROOT / name).read_text(), name
    for name in ("environment.yml", ".devcontainer/setup", ".devcontainer/devcontainer.json", ".ci/run"):
        assert "==" not in (ROOT / name).read_text().replace("$# == ", ""), name


def test_going_back_to_the_older_pins_works_offline(stub, monkeypatch):
    before = stub.pins.read_text()
    python = environment.ensure()

    def no_network(python):
        raise CourseError("No network.")

    monkeypatch.setattr(installer, "check_network", no_network)
    stub.pins.write_text(before + "delta==4.0\n")
    with pytest.raises(CourseError, match="No network"):
        environment.ensure()
    stub.pins.write_text(before)
    assert environment.ensure() == python and stub.installs() == 1


@pytest.mark.skipif(os.name == "nt", reason="locks of POSIX")
def test_a_file_system_without_locks_is_used_without_one(tmp_path, monkeypatch):
    import errno
    import fcntl

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with environment.locked(tmp_path, patience_s=0):
        pass
