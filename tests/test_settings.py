"""Ground settings: user errors are one sentence, files are never torn, assets are verified before they are read."""

import json
import os

import pytest

from course_utils import settings
from course_utils.settings import CourseError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "file.txt"
    settings.write_atomic(path, "first")

    def no_space(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(CourseError, match="No space left on device"):
        settings.write_atomic(path, "second, longer")
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_folder_that_cannot_be_written_gives_one_sentence(tmp_path):
    (tmp_path / "a file").write_text("not a folder")
    with pytest.raises(CourseError, match="Cannot write"):
        settings.write_atomic(tmp_path / "a file" / "below.txt", "text")


@pytest.fixture
def assets(tmp_path):
    folder = tmp_path / "models" / "base"
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"0123456789")
    manifest = tmp_path / "MANIFEST.json"
    manifest.write_text(json.dumps({"models/base/weights": settings.sha256_of(folder / "weights")}))
    return folder, manifest


def test_whole_assets_pass(assets):
    assert settings.verify_assets(*assets) == 1


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda folder, manifest: (folder / "weights").write_bytes(b"0123456780"), "was altered"),
        (lambda folder, manifest: (folder / "weights").write_bytes(b"01234"), "was altered"),
        (lambda folder, manifest: (folder / "weights").unlink(), "is missing"),
        (lambda folder, manifest: manifest.write_text("{"), "missing or damaged"),
        (lambda folder, manifest: (folder / "adapter_config.json").write_text("{}"), "is not in assets/MANIFEST.json"),
        (lambda folder, manifest: manifest.write_text("{}"), "is not listed"),
    ],
)
def test_damaged_assets_are_refused_with_one_sentence(assets, damage, message):
    damage(*assets)
    with pytest.raises(CourseError, match=message) as error:
        settings.verify_assets(*assets)
    assert "\n" not in str(error.value) and ("git checkout" in str(error.value) or "move it away" in str(error.value))


def test_every_asset_is_what_the_manifest_says():
    listed = json.loads((settings.ASSETS / "MANIFEST.json").read_text(encoding="utf-8"))
    assert len(listed) > 30
    assert [name for name, sha256 in listed.items() if settings.sha256_of(settings.ASSETS / name) != sha256] == []


def test_profiles_and_steps(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    assert settings.profile_name() == "bundled"
    monkeypatch.setenv("COURSE_PROFILE", "laptop")
    assert settings.profile_name() == "laptop" and settings.profile_name("t4") == "t4"
    for wrong in ("gigantic", "Bundled"):
        with pytest.raises(CourseError, match="choose one of bundled, laptop, t4, auto"):
            settings.profile_name(wrong)
    assert settings.step_name(1) == settings.step_name("01") == settings.step_name("01_simple_llm_app")
    for wrong in ("0", "8", "one", "-1", ""):
        with pytest.raises(CourseError, match="There is no step"):
            settings.step_name(wrong)


def test_a_seed_repeats_everything():
    import random

    import numpy
    import torch

    drawn = []
    for _ in range(2):
        settings.set_seed(3)
        drawn.append((random.random(), numpy.random.rand(), torch.rand(1).item()))
    assert drawn[0] == drawn[1]


def test_a_clone_in_a_folder_called_records_has_a_whole_manifest(tmp_path):
    from course_utils.recipe import cards

    assets = tmp_path / "records" / "assets"
    for name in ("models/base/weights", "data/records/step.json", "data/minutes.json"):
        settings.write_atomic(assets / name, "x")
    assert cards.write_manifest(assets) == 1
    assert list(json.loads((assets / "MANIFEST.json").read_text())) == ["models/base/weights"]
