"""Every branch of `doctor`, each failure planted."""

import hashlib
import json
import time
from argparse import Namespace

import pytest

from course_utils.commands import doctor, environment, machine, pins, record
from course_utils.commands.machine import GB
from course_utils.models import hub
from course_utils.settings import CourseError

T4 = machine.parse_gpu("Tesla T4, 7.5, 15360\n")
A100 = machine.parse_gpu("NVIDIA A100-SXM4-40GB, 8.0, 40960\n")


@pytest.fixture
def models(tmp_path):
    """(folder, manifest) of two small model folders."""
    entries = {}
    for name in ("base", "instruct"):
        path = tmp_path / "models" / name / "model.safetensors"
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode() * 10)
        entries[f"models/{name}/model.safetensors"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "MANIFEST.json").write_text(json.dumps(entries))
    return tmp_path / "models", tmp_path / "MANIFEST.json"


def test_python_versions():
    assert [doctor.check_python(v)["ok"] for v in ("3.10.13", "3.11.2", "3.13.0", "3.14.0")] == [
        False,
        True,
        True,
        False,
    ]
    assert "3.12" in doctor.check_python("3.9.1")["mend"]


def test_a_missing_and_an_old_package():
    found = {pin.name: pin.version for pin in pins.read()}
    assert doctor.check_packages(pins.gaps(found))["ok"] is True
    del found["trl"]
    found["peft"] = "0.1.0"
    line = doctor.check_packages(pins.gaps(found))
    assert line["ok"] is False
    assert "peft: found 0.1.0, needed" in line["text"] and "trl: found nothing, needed" in line["text"]
    versions = {pin.name: pin.version for pin in pins.read()}
    assert f'python3 -m pip install "peft=={versions["peft"]}" "trl=={versions["trl"]}"' in line["mend"]


def test_many_missing_packages_are_one_line():
    line = doctor.check_packages(pins.gaps({}))
    assert line["ok"] is False and "pip install -r course_utils/pins.txt" in line["mend"]


def test_memory():
    assert doctor.check_memory((8 * GB, 4 * GB))["ok"] is True
    assert doctor.check_memory((2 * GB, 1 * GB))["ok"] is False
    assert doctor.check_memory((None, None))["ok"] is None


def test_disk(monkeypatch):
    monkeypatch.setattr(environment, "ready_python", lambda: None)
    assert doctor.check_disk(2 * GB)["ok"] is False
    monkeypatch.setattr(environment, "ready_python", lambda: "python")
    assert doctor.check_disk(2 * GB)["ok"] is True
    assert doctor.check_disk(GB // 5)["ok"] is False


def test_cards_and_their_real_bf16():
    assert T4["bf16"] is False and A100["bf16"] is True
    assert "bf16: no (compute capability 7.5" in doctor.check_gpu(T4)["text"]
    assert "bf16: yes" in doctor.check_gpu(A100)["text"]
    assert "none" in doctor.check_gpu(None)["text"] and doctor.check_gpu(None)["ok"] is None


def test_what_nvidia_smi_may_answer(tmp_path, monkeypatch):
    assert machine.parse_gpu("") is None and machine.parse_gpu("No devices were found") is None
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Tesla T4, 7.5, 15360'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert machine.gpu() == T4
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.gpu() is None
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    program.write_text("#!/bin/sh\nexit 9\n")
    assert machine.gpu() is None


def test_profiles(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    assert doctor.choose_profile("bundled", A100, 64 * GB)[0] == "bundled"
    monkeypatch.setattr("course_utils.models.loading.is_cached", lambda entry: True)
    name, why = doctor.choose_profile("auto", T4, 12 * GB)
    assert name == "t4" and "Tesla T4" in why and "float16" in why and "bfloat16" not in why
    assert "bfloat16" in doctor.choose_profile("auto", A100, 64 * GB)[1]
    assert doctor.choose_profile("auto", None, 16 * GB)[0] == "laptop"
    assert doctor.choose_profile("auto", None, 4 * GB)[0] == "bundled"
    monkeypatch.setenv("COURSE_PROFILE", "gigantic")
    with pytest.raises(CourseError, match="no profile 'gigantic'"):
        doctor.check_profile(None, 4 * GB)


@pytest.mark.parametrize(
    ("profile", "cached", "free", "text", "mend"),
    [
        ("t4", True, 64, "needs a CUDA GPU", 'use "bundled" or "laptop"'),
        ("laptop", False, 64, "not on this computer and the hub cannot be reached", "connect to the internet"),
        ("laptop", True, 1, "needs about 4 GB of RAM and 1.0 GB are free", "close some programs"),
    ],
)
def test_a_profile_that_would_not_load(monkeypatch, models, tmp_path, capsys, profile, cached, free, text, mend):
    whole(monkeypatch, models)
    monkeypatch.setenv("COURSE_PROFILE", profile)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty" / "hub"))
    monkeypatch.setattr(doctor.loading, "gpu", lambda: None)
    monkeypatch.setattr(doctor.loading, "is_cached", lambda entry: cached)
    monkeypatch.setattr(machine, "memory_bytes", lambda: (64 * GB, free * GB))
    assert doctor.run(Namespace(json=False)) == 1
    out = capsys.readouterr().out
    assert out.endswith("The course will not run yet: profile.\n") and not (tmp_path / "empty").exists()
    told, mended = out.split("NO  profile ")[1].splitlines()[:2]
    assert text in told and f"mend: {mend}" in mended
    with pytest.raises(CourseError, match=text):  # what loading says is the same
        monkeypatch.setattr(doctor.loading, "free_memory_gb", lambda: float(free))
        doctor.loading.load(profile)
    monkeypatch.setattr(doctor.loading, "is_cached", lambda entry: True)
    monkeypatch.setattr(machine, "memory_bytes", lambda: (64 * GB, 64 * GB))
    monkeypatch.setattr(doctor.loading, "gpu", lambda: ("Tesla T4", 16.0, False))
    assert doctor.run(Namespace(json=False)) == 0


def test_a_model_that_does_not_fit_the_disk(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty" / "hub"))
    monkeypatch.setattr(hub, "hub_reachable", lambda: True)
    monkeypatch.setattr(hub.shutil, "disk_usage", lambda folder: Namespace(free=GB // 2))
    with pytest.raises(CourseError, match=r"needs 1\.0 GB of disk and 0\.5 GB are free"):
        doctor.loading.check_machine("laptop", "instruct", None, 64.0)


def test_models_that_are_whole(models):
    assert doctor.check_models(*models)["ok"] is True


def test_an_altered_model(models):
    path = models[0] / "instruct" / "model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[3] ^= 1
    path.write_bytes(raw)
    line = doctor.check_models(*models)
    assert line["ok"] is False and "models/instruct/model.safetensors was altered" in line["text"]
    assert "git checkout assets" in line["mend"]


def test_a_missing_model(models):
    (models[0] / "base" / "model.safetensors").unlink()
    assert "is missing" in doctor.check_models(*models)["text"]
    (models[0] / "base").rmdir()
    assert doctor.check_models(*models)["ok"] is False


def test_a_damaged_manifest(models):
    models[1].write_text("{")
    assert doctor.check_models(*models)["ok"] is False


def test_minutes_scale_with_the_machine():
    reference = {"probe": {"product": 100.0, "loop": 1000.0}, "seconds": {"01_simple_llm_app": 120.0}}
    same = record.expected({"product": 100.0, "loop": 1000.0, "spread": 0.0}, reference)
    assert same == {"error": record.FLOOR_ERROR, "minutes": {"01_simple_llm_app": [1.6, 2.0, 2.5]}}
    slow = record.expected({"product": 50.0, "loop": 500.0, "spread": 0.1}, reference)
    assert slow["minutes"]["01_simple_llm_app"][1] == 4.0
    odd = record.expected({"product": 25.0, "loop": 1000.0, "spread": 0.1}, reference)
    assert odd["minutes"]["01_simple_llm_app"][1] == 4.0 and odd["error"] == 1.1


def test_a_busy_computer_is_told_no_minutes(monkeypatch, tmp_path):
    path = tmp_path / "minutes.json"
    reference = {"probe": {"product": 100.0, "loop": 1000.0}, "seconds": {"01_simple_llm_app": 120.0}}
    path.write_text(json.dumps(reference))
    monkeypatch.setattr(record, "probe", lambda: {"product": 25.0, "loop": 1000.0, "spread": 0.1})
    line = doctor.check_minutes(path)
    assert line["text"] == "not told: the computer is busy; close other programs and ask again"
    assert line["minutes"] is None and line["ok"] is None
    monkeypatch.setattr(record, "probe", lambda: {"product": 50.0, "loop": 500.0, "spread": 0.1})
    assert doctor.check_minutes(path)["minutes"]["01_simple_llm_app"][1] == 4.0


def test_the_probe_is_short_and_the_record_is_kept(monkeypatch, tmp_path):
    started = time.monotonic()
    here = record.probe(0.4)
    assert time.monotonic() - started < 5 and here["product"] > 0 and here["loop"] > 0 and 0 <= here["spread"] < 1
    monkeypatch.setattr(record, "probe", lambda: here)  # a busy machine would tell no minutes
    path = tmp_path / "minutes.json"
    assert "no record yet" in doctor.check_minutes(path)["text"]
    record.keep([{"step": "01_simple_llm_app", "seconds": 60.0, "failure": None}], path)
    line = doctor.check_minutes(path)
    assert "01_simple_llm_app" in line["minutes"] and "two-second probe, error" in line["text"]
    record.keep([{"step": "02_prompt_chaining", "seconds": 30.0, "failure": None}], path)
    assert set(record.load(path)["seconds"]) == {"01_simple_llm_app", "02_prompt_chaining"}
    path.write_text("{")
    with pytest.raises(CourseError, match="damaged"):
        record.load(path)


def test_network():
    assert "reachable" == doctor.check_network(True)["text"]
    assert doctor.check_network(False)["text"].startswith("not reachable")


def whole(monkeypatch, models):
    """A machine where everything is right."""
    monkeypatch.setattr(pins, "gaps_here", lambda: [])
    monkeypatch.setattr(machine, "free_disk_bytes", lambda folder: 50 * GB)
    monkeypatch.setattr(machine, "memory_bytes", lambda: (16 * GB, 8 * GB))
    monkeypatch.setattr(machine, "reachable", lambda url, timeout_s=2: False)
    monkeypatch.setattr(record, "load", lambda path=None: None)
    monkeypatch.setattr(doctor.settings, "MODELS", models[0])
    monkeypatch.setattr(doctor.settings, "MANIFEST", models[1])


def test_the_exit_status(monkeypatch, models, capsys):
    whole(monkeypatch, models)
    assert doctor.run(Namespace(json=False)) == 0
    assert "The course will run here." in capsys.readouterr().out
    monkeypatch.setattr(pins, "gaps_here", lambda: [pins.Gap("torch", None, "2.13.0")])
    assert doctor.run(Namespace(json=True)) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert [line["name"] for line in report["items"] if line["ok"] is False] == ["packages"]
    assert doctor.run(Namespace(json=False)) == 1
    assert "The course will not run yet: packages." in capsys.readouterr().out


def test_doctor_of_a_bare_python_is_quick():
    import subprocess
    import sys

    from course_utils.settings import ROOT

    code = (
        "import sys; sys.prefix = '/nowhere'; from course_utils.commands import environment, line;"
        "environment.ready_python = lambda: None; sys.exit(line.main(['doctor']))"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "NO  packages" in done.stdout and "Traceback" not in done.stderr
    assert time.monotonic() - started < 10
