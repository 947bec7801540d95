"""`doctor [--json]`: what this computer can run, what is missing, and the command that mends it."""

import contextlib
import json
import os
import platform
import sys

from course_utils import settings
from course_utils.commands import environment, machine, pins, record
from course_utils.commands.machine import GB
from course_utils.models import loading
from course_utils.settings import CourseError

RAM_NEEDED = 3 * GB  # peak of a notebook, with the system's own share
DISK_NEEDED = 1 * GB  # caches and checkpoints; the environment asks for its own space
OLDEST, NEWEST = (3, 11), (3, 13)


def add_arguments(parser):
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--profile", help=f"one of {', '.join(settings.PROFILES)}")


def item(name, ok, text, mend=None, **facts):
    """One line of the report: ok is True, False (the course will not run) or None (only told)."""
    return {"name": name, "ok": ok, "text": text, "mend": None if ok else mend, **facts}


def check_python(version=None):
    version = version or platform.python_version()
    ok = OLDEST <= tuple(int(part) for part in version.split(".")[:2]) <= NEWEST
    return item("python", ok, version, "install Python 3.12 and start with `python3.12 -m course_utils lab`")


def check_packages(missing=None):
    missing = pins.gaps_here() if missing is None else missing
    total = len(pins.read())
    facts = {"gaps": [gap._asdict() for gap in missing]}
    if not missing:
        return item("packages", True, f"all {total} are there ({sys.prefix})", **facts)
    shown = "; ".join(f"{gap.name}: found {gap.found or 'nothing'}, needed {gap.needed}" for gap in missing[:5])
    rest = f"; and {len(missing) - 5} more" if len(missing) > 5 else ""
    mend = f"`python3 -m course_utils lab` (makes its own environment), or here: {pins.pip_line(missing)}"
    return item("packages", False, f"{len(missing)} of {total} are missing: {shown}{rest}", mend, **facts)


def check_memory(memory=None):
    total, available = memory or machine.memory_bytes()
    if total is None:
        return item("memory", None, "this system does not tell", total_bytes=None, available_bytes=None)
    text = f"{total / GB:.1f} GB" + (f", {available / GB:.1f} GB free" if available else "")
    return item(
        "memory",
        total >= RAM_NEEDED,
        text,
        "use a computer or container with at least 3 GB",
        total_bytes=total,
        available_bytes=available,
    )


def check_disk(free=None):
    free = machine.free_disk_bytes(environment.folder_path()) if free is None else free
    needed = DISK_NEEDED + (0 if environment.ready_python() else environment.NEEDED_BYTES["gpu" if machine.gpu() else "cpu"])
    text = f"{free / GB:.1f} GB free, {needed / GB:.0f} GB needed"
    return item("disk", free >= needed, text, "free some space, or name another disk with COURSE_ENV", free_bytes=free)


def check_gpu(gpu="ask"):
    gpu = machine.gpu() if gpu == "ask" else gpu
    if not gpu:
        return item("gpu", None, "none (not needed); bf16: no", gpu=None)
    real = "yes" if gpu["bf16"] else f"no (compute capability {gpu['capability']:.1f} is below 8.0)"
    text = f"{gpu['name']}, {gpu['vram_bytes'] / 2**30:.0f} GiB, bf16: {real}"
    return item("gpu", None, text, gpu=gpu)


def choose_profile(wanted, gpu, free_bytes):
    """(profile, why) for a wanted name, a graphics card (or None) and the bytes of free RAM."""
    if wanted != "auto":
        asked = "COURSE_PROFILE" in os.environ
        return wanted, "asked for" if asked else "the default: offline, on the CPU, with the model in assets/"
    card = gpu and (gpu["name"], gpu["vram_bytes"] / GB, gpu["bf16"])
    name, seen = loading.choose_profile(card, free_bytes and free_bytes / GB)
    if name == "t4":
        seen += f"; 4-bit weights, computing in {'bfloat16' if gpu['bf16'] else 'float16'}"
    return name, f"auto: {seen}"


def check_profile(gpu, free_bytes):
    """The profile, refused for the reasons that loading.load would have here."""
    card = gpu
    with contextlib.suppress(ImportError):  # without torch, nvidia-smi is believed
        card = loading.gpu()
    profile, why = choose_profile(settings.profile_name(), card and gpu, free_bytes)
    try:
        if profile != "bundled":
            loading.check_machine(profile, "instruct", card, free_bytes and free_bytes / GB)
    except CourseError as error:
        what, _, mend = str(error).partition(": ")
        return item("profile", False, what, mend, profile=profile, why=why)
    return item("profile", None, f"{profile} ({why})", profile=profile, why=why)


def check_models(folder=None, manifest=None):
    """Every bundled model against its sha256."""
    folder, manifest = folder or settings.MODELS, manifest or settings.MANIFEST
    names = sorted(path.name for path in folder.glob("*") if path.is_dir()) if folder.is_dir() else []
    mend = "`git checkout assets`, then start again"
    try:
        if not {"base", "instruct"} <= set(names):
            raise CourseError("assets/models has no base and instruct model.")
        files = sum(settings.verify_assets(folder / name, manifest) for name in names)
    except CourseError as error:
        return item("models", False, str(error), mend, models=names)
    return item("models", True, f"{', '.join(names)}: sha256 of {files} files agree", models=names)


def check_minutes(path=None):
    """Minutes expected for each notebook, from a probe of two seconds."""
    reference = record.load(path)
    if not reference:
        return item("minutes", None, "no record yet (`run --minutes` makes one)", minutes={})
    try:
        found = record.expected(record.probe(), reference)
    except ImportError:
        return item("minutes", None, "not measured: torch is missing", minutes={})
    if found["error"] > 1:
        busy = "not told: the computer is busy; close other programs and ask again"
        return item("minutes", None, busy, **found | {"minutes": None})
    shown = ", ".join(f"{step[:2]}: {low} to {high}" for step, (low, _, high) in found["minutes"].items())
    return item("minutes", None, f"{shown} (from a two-second probe, error {found['error']:.0%})", **found)


def check_network(answers=None):
    answers = machine.reachable("https://huggingface.co") if answers is None else answers
    text = "reachable" if answers else "not reachable (only the laptop and t4 profiles and the installation need it)"
    return item("network", None, text, reachable=answers)


def report():
    """All lines of the report, in order."""
    gpu, memory = check_gpu(), check_memory()
    profile = check_profile(gpu["gpu"], memory["available_bytes"])
    first = [check_python(), check_packages(), memory, check_disk(), gpu, profile]
    return first + [check_models(), check_minutes(), check_network()]


def as_text(items):
    """The report for people."""
    signs = {True: "ok", False: "NO", None: "--"}
    lines = [f"{machine.describe()}"]
    for line in items:
        lines.append(f"{signs[line['ok']]}  {line['name']:<9} {line['text']}")
        if line["ok"] is False:
            lines.append(f"              mend: {line['mend']}")
    bad = [line["name"] for line in items if line["ok"] is False]
    lines.append(f"The course will not run yet: {', '.join(bad)}." if bad else "The course will run here.")
    return "\n".join(lines)


def run(arguments):
    items = report()
    ok = all(line["ok"] is not False for line in items)
    if arguments.json:
        print(json.dumps({"ok": ok, "system": machine.describe(), "items": items}, indent=2, default=str))
    else:
        print(as_text(items))
    return 0 if ok else 1
