"""Load the model and tokenizer of a profile as plain transformers objects, after every file was checked."""

import json
import logging
import os
from pathlib import Path

from .. import settings
from ..settings import CourseError
from .files import verify_folder
from .hub import check_download, fetch, hub_reachable, is_cached

REGISTRY = Path(__file__).with_name("registry.json")
KINDS = ("base", "instruct", "preferred")


def registry():
    """The table of profiles and models: registry.json, or the file that COURSE_REGISTRY names."""
    path = Path(os.environ.get("COURSE_REGISTRY") or REGISTRY)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"The model registry {path.name} cannot be read: restore it with `git checkout`.") from error


def free_memory_gb():
    """Free RAM in GB, or None where it cannot be told."""
    free = _free_gb()
    try:  # a container may use less than the machine has
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")) / 1e9
    except (OSError, ValueError):  # no container, or "max"
        return free
    return limit if free is None else min(free, limit)


def _free_gb():
    try:
        import psutil

        return psutil.virtual_memory().available / 1e9
    except ImportError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, ValueError, OSError):
        return None


def gpu():
    """(name, memory in GB, real bfloat16) of the first CUDA device, or None.

    bfloat16 is real from compute capability 8.0; a T4 (7.5) only imitates it slowly, so it gets float16.
    """
    import torch

    if not torch.cuda.is_available():
        return None
    device = torch.cuda.get_device_properties(0)
    return device.name, device.total_memory / 1e9, (device.major, device.minor) >= (8, 0)


def choose_profile(card="ask", memory="ask"):
    """Choose the largest profile this machine can run. Returns (profile, reason).

    `card` is what gpu() returns and `memory` the free RAM in GB; both are asked of this machine unless given
    """
    table = registry()
    card, memory = gpu() if card == "ask" else card, free_memory_gb() if memory == "ask" else memory
    seen = f"GPU {card[0]} with {card[1]:.0f} GB" if card else "no CUDA GPU"
    seen += f", {memory:.0f} GB of RAM free" if memory is not None else ""
    online = None
    for name in ("t4", "laptop"):
        needs = table[name]
        if needs["device"] == "cuda":
            fits = bool(card) and card[1] >= needs["vram_gb"] * 1.5
        else:
            fits = memory is not None and memory >= needs["ram_gb"] * 2
        if not fits:
            continue
        if not is_cached(needs["instruct"]):
            online = hub_reachable() if online is None else online
            if not online:
                seen += f"; {name} would fit, but its model is not here and the hub cannot be reached"
                continue
        return name, seen
    return "bundled", seen


def check_machine(name, which, card, memory):
    """Refuse a hub model that this machine cannot run; `card` and `memory` as in choose_profile.

    Errors:  CourseError for no CUDA GPU, too little RAM, or a model that is neither here nor can be downloaded
    """
    row = registry()[name]
    if row["device"] == "cuda" and not card:
        raise CourseError(f'The profile {name} needs a CUDA GPU, and there is none here: use "bundled" or "laptop".')
    if memory is not None and memory < row["ram_gb"] * 0.6:
        raise CourseError(
            f"{row[which]['repo']} needs about {row['ram_gb']} GB of RAM and {memory:.1f} GB are free: "
            'close some programs, or use the profile "bundled".'
        )
    if not is_cached(row[which]):
        check_download(row[which], row["size_bytes"])


def load(profile=None, which="instruct", merge=True):
    """Load a model. Returns (model, tokenizer): plain transformers objects, the model in eval mode.

    profile: "bundled" (default), "laptop", "t4", "auto", or None for the variable COURSE_PROFILE.
    which:   "base", "instruct" or "preferred"; or the path of a model folder, or of a PEFT adapter folder.
    merge:   add an adapter's weights into the model; False keeps the PEFT wrapper.
    Errors:  CourseError if a file is missing, altered or half-downloaded, or no hub can be reached
    """
    quiet()
    if str(which) not in KINDS:
        return _load_path(Path(which), merge)
    name = settings.profile_name(profile)
    if name == "auto":
        name, reason = choose_profile()
        print(f"Profile {name}: {reason}.")
    row = registry()[name]
    if which not in row:
        raise CourseError(f'The profile {name} has no model "{which}": use the profile "bundled" for it.')
    entry = row[which]
    if "folder" in entry:
        folder = settings.MODELS / entry["folder"]
        settings.verify_assets(folder, settings.MANIFEST)
        adapter = settings.MODELS / entry["adapter"] if "adapter" in entry else None
        if adapter:
            settings.verify_assets(adapter, settings.MANIFEST)
        return _read(folder, adapter, merge)
    card = gpu()
    check_machine(name, which, card, free_memory_gb())
    return _read(fetch(entry), None, merge, card, row.get("quantize"))


def quiet():
    """Keep transformers and bitsandbytes from printing progress and advice."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()


def _load_path(path, merge):
    path = path.expanduser()
    settings_file = path / "adapter_config.json"
    if not settings_file.is_file():
        verify_folder(path)
        return _read(path, None, merge)
    try:
        named = json.loads(settings_file.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (ValueError, KeyError) as error:
        raise CourseError(f"adapter_config.json of {path.name} is damaged: save the adapter again.") from error
    places = [Path(named), settings.ROOT / named, path / named, settings.MODELS / Path(named).name]
    for folder in places:
        if (folder / "config.json").is_file():
            verify_folder(folder)
            return _read(folder, path, merge)
    raise CourseError(f"The adapter {path.name} belongs to the model {named}, which is not here: load that one first.")


def _read(folder, adapter, merge, card=None, quantize=None):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    dtype = torch.float32 if card is None else torch.bfloat16 if card[2] else torch.float16
    options = {"dtype": dtype, "use_safetensors": True, "trust_remote_code": False, "local_files_only": True}
    if card is not None:
        options["device_map"] = {"": 0}
    if quantize == "nf4":
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(folder, **options)
        if adapter is not None:
            from .files import check_safetensors

            check_safetensors(adapter / "adapter_model.safetensors")
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter)
            model = model.merge_and_unload() if merge else model
    except CourseError:
        raise
    except Exception as error:
        first = (str(error).splitlines() or [""])[0][:200]
        raise CourseError(
            f"The model in {Path(folder).name} cannot be loaded ({type(error).__name__}: {first})."
        ) from error
    return model.eval(), tokenizer
