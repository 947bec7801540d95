"""Profiles: loading, and the refusal of wrong, half-downloaded or altered files."""

import hashlib
import json
import os
import shutil
import time

import pytest
import torch
from model_fixture import random_qwen3, tiny_tokenizer

from course_utils import settings
from course_utils.commands import models_bench
from course_utils.models import files, hub, loading
from course_utils.settings import CourseError


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain") / "tiny"
    random_qwen3().save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def hub_cache(plain_folder, tmp_path, monkeypatch):
    """A hub cache with tiny weights under the real name and revision; the registry lists their real sha256."""
    table = json.loads(loading.REGISTRY.read_text())
    entry = table["laptop"]["instruct"]
    root = tmp_path / "hub" / ("models--" + entry["repo"].replace("/", "--"))
    snapshot = root / "snapshots" / entry["revision"]
    snapshot.mkdir(parents=True)
    (root / "blobs").mkdir()
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(entry["revision"])
    for path in plain_folder.iterdir():
        data = path.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        digest = hashlib.sha256(data).hexdigest() if path.suffix == ".safetensors" else git
        (root / "blobs" / digest).write_bytes(data)
        (snapshot / path.name).symlink_to(f"../../blobs/{digest}")
        if path.suffix == ".safetensors":
            entry["weights"] = {path.name: {"size": len(data), "sha256": digest}}
    (tmp_path / "registry.json").write_text(json.dumps(table))
    monkeypatch.setenv("COURSE_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(loading, "free_memory_gb", lambda: 64.0)
    monkeypatch.setattr(loading, "gpu", lambda: None)
    return snapshot


def test_registry_pins_everything():
    table = json.loads(loading.REGISTRY.read_text())
    assert [name for name in settings.PROFILES if name != "auto"] == [name for name in table if name != "about"]
    for name in ("laptop", "t4"):
        assert table[name]["licence"] == "Apache-2.0" and table[name]["vram_gb"] and table[name]["ram_gb"]
        for which in ("base", "instruct"):
            entry = table[name][which]
            assert len(entry["revision"]) == 40 and int(entry["revision"], 16)
            total = sum(file["size"] for file in entry["weights"].values())
            assert total <= table[name]["size_bytes"] < total * 1.05
            assert all(len(file["sha256"]) == 64 for file in entry["weights"].values())


def test_hub_model_loads_offline(hub_cache):
    model, tokenizer = loading.load("laptop")
    assert model.dtype == torch.float32 and not model.training
    assert tokenizer.decode(tokenizer("hello").input_ids) == "hello"


def refused(match, profile="laptop"):
    with pytest.raises(CourseError, match=match) as error:
        loading.load(profile)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def replace(snapshot, name, data):
    path = snapshot / name
    path.unlink()
    path.write_bytes(data)


def test_truncated_file_is_refused(hub_cache):
    data = (hub_cache / "model.safetensors").read_bytes()
    replace(hub_cache, "model.safetensors", data[:-7])
    refused("half-downloaded")


def test_flipped_bit_is_refused(hub_cache):
    data = bytearray((hub_cache / "model.safetensors").read_bytes())
    data[-100] ^= 1
    replace(hub_cache, "model.safetensors", bytes(data))
    refused("altered")


def test_altered_small_file_is_refused(hub_cache):
    blob = (hub_cache / "tokenizer.json").resolve()
    blob.write_text(blob.read_text() + " ")
    refused("tokenizer.json .* altered")


def test_missing_weights_name_the_way_out(hub_cache):
    (hub_cache / "model.safetensors").unlink()
    started = time.monotonic()
    refused("half-downloaded and the hub cannot be reached.*bundled")
    assert time.monotonic() - started < 5


def test_incomplete_blob_is_refused(hub_cache):
    blob = (hub_cache / "model.safetensors").resolve()
    blob.rename(blob.with_name(blob.name + ".incomplete"))
    refused("half-downloaded")


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "config.json"])
def test_a_snapshot_without_its_small_files_is_not_called_complete(hub_cache, name):
    entry = loading.registry()["laptop"]["instruct"]
    assert hub.is_cached(entry)
    (hub_cache / name).unlink()
    assert not hub.is_cached(entry)
    refused("only half-downloaded and the hub cannot be reached")


def test_code_in_a_repository_is_refused(hub_cache):
    config = json.loads((hub_cache / "config.json").read_text()) | {"auto_map": {"AutoModelForCausalLM": "x.Y"}}
    replace(hub_cache, "config.json", json.dumps(config).encode())
    refused("code of its own")


def test_no_network_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(loading, "free_memory_gb", lambda: 64.0)
    started = time.monotonic()
    refused("not on this computer and the hub cannot be reached")
    assert time.monotonic() - started < 6 and not os.listdir(tmp_path)


def test_t4_needs_a_gpu(monkeypatch):
    monkeypatch.setattr(loading, "gpu", lambda: None)
    refused("needs a CUDA GPU", "t4")


def test_bad_safetensors_headers(tmp_path):
    path = tmp_path / "model.safetensors"
    for data in (b"", b"1234", (2**40).to_bytes(8, "little") + b"{}", b"<!DOCTYPE html><html></html>",
                 (2).to_bytes(8, "little") + b"[]", (4).to_bytes(8, "little") + b"{bad"):  # fmt: skip
        path.write_bytes(data)
        with pytest.raises(CourseError):
            files.check_safetensors(path)


def test_missing_shard_is_refused(plain_folder, tmp_path):
    folder = shutil.copytree(plain_folder, tmp_path / "sharded")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}})
    )
    with pytest.raises(CourseError, match="model-00002-of-00002.safetensors .* missing"):
        loading.load(which=folder)


def test_pickled_weights_are_refused(plain_folder, tmp_path):
    folder = shutil.copytree(plain_folder, tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CourseError, match="safetensors only"):
        loading.load(which=folder)


@pytest.fixture
def bundle(plain_folder, tmp_path, monkeypatch):
    """assets/ with tiny models and a manifest."""
    from peft import LoraConfig, get_peft_model

    models = tmp_path / "assets" / "models"
    for name in ("base", "instruct"):
        shutil.copytree(plain_folder, models / name)
    adapter = get_peft_model(random_qwen3(), LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    adapter.save_pretrained(models / "preferred")
    manifest = {
        path.relative_to(tmp_path / "assets").as_posix(): settings.sha256_of(path)
        for path in models.rglob("*")
        if path.is_file()
    }
    (tmp_path / "assets" / "MANIFEST.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(settings, "MODELS", models)
    monkeypatch.setattr(settings, "MANIFEST", tmp_path / "assets" / "MANIFEST.json")
    return models


def test_bundled_models_and_adapter(bundle):
    instruct, _ = loading.load("bundled")
    preferred, _ = loading.load("bundled", "preferred")
    wrapped, _ = loading.load("bundled", "preferred", merge=False)
    ids = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        plain, merged, attached = (model(ids).logits for model in (instruct, preferred, wrapped))
    assert type(preferred) is type(instruct) and not torch.allclose(plain, merged, atol=1e-4)
    torch.testing.assert_close(merged, attached, atol=1e-4, rtol=1e-3)


def test_bench_models_counts_every_file_and_a_reply(bundle, capsys):
    found = models_bench.measure(None)
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) / 1e6
    assert list(found["models"]) == ["base", "instruct", "preferred"] and abs(found["megabytes"] - size) < 1e-9
    assert found["reply_s"] > 0 and all(its["load_s"] > 0 for its in found["models"].values())
    models_bench.show(found)
    assert f"together     {size:6.1f}" in capsys.readouterr().out


def test_the_bundled_models_stay_small():
    assert sum(path.stat().st_size for path in settings.MODELS.rglob("*") if path.is_file()) <= 60e6


def test_altered_bundle_is_refused(bundle):
    path = bundle / "instruct" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    refused("was altered", "bundled")


def test_unknown_names():
    with pytest.raises(CourseError, match="no profile"):
        loading.load("huge")
    with pytest.raises(CourseError, match="no model folder"):
        loading.load(which="no/such/folder")


@pytest.mark.parametrize(
    ("card", "memory", "expected"),
    [(("A card", 15.8, False), 12.0, "t4"), (None, 16.0, "laptop"), (None, 3.0, "bundled"), (None, None, "bundled")],
)
def test_auto_says_why(card, memory, expected, monkeypatch, hub_cache):
    monkeypatch.setattr(loading, "gpu", lambda: card)
    monkeypatch.setattr(loading, "free_memory_gb", lambda: memory)
    monkeypatch.setattr(loading, "is_cached", lambda entry: True)
    name, reason = loading.choose_profile()
    assert name == expected and ("A card" in reason) == (card is not None)
    monkeypatch.setattr(loading, "is_cached", lambda entry: False)
    monkeypatch.setattr(loading, "hub_reachable", lambda: False)
    assert loading.choose_profile()[0] == "bundled"


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert hub.cache_folder() == tmp_path / "hub"
