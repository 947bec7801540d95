"""A two-second probe of this machine's speed; minutes of each notebook, scaled from a recorded machine.

The record, assets/data/minutes.json, is made by `python3 -m course_utils run --minutes`.
"""

import json
import math
import time

from course_utils.settings import DATA, CourseError, write_atomic

MINUTES = DATA / "minutes.json"
FLOOR_ERROR = 0.25  # other cores, memory and disk differ too: never promise better than this


def _rate(work, seconds):
    """Calls of `work` per second, in the first and the second half of the time."""
    work()
    rates = []
    for _ in range(2):
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds / 2:
            work()
            count += 1
        rates.append(count / (time.perf_counter() - started))
    return rates


def probe(seconds=2.0):
    """Speed of a matrix product and of a small transformer-like loop.

    Units:   calls per second; "spread" is the larger relative difference between the two halves
    Errors:  ImportError where torch is not installed
    """
    import torch

    torch.manual_seed(0)
    square = torch.randn(512, 512)
    wide, narrow, x = torch.randn(256, 1024), torch.randn(1024, 256), torch.randn(1, 1, 256)
    keys = torch.randn(1, 64, 256)

    def product():
        square @ square

    def loop():
        y = x
        for _ in range(8):  # one token through eight layers: many small calls, as in decoding
            weights = torch.softmax(y @ keys.transpose(1, 2) / 16, dim=-1)
            y = torch.nn.functional.layer_norm(y + weights @ keys, (256,))
            y = y + torch.nn.functional.silu(y @ wide) @ narrow

    with torch.inference_mode():
        products, loops = _rate(product, seconds / 2), _rate(loop, seconds / 2)
    spread = max(abs(a - b) / max(a, b) for a, b in (products, loops))
    return {"product": sum(products) / 2, "loop": sum(loops) / 2, "spread": round(spread, 3)}


def load(path=None):
    """The recorded machine: {"probe": {...}, "seconds": {step: s}}; None where there is no record."""
    try:
        return json.loads((path or MINUTES).read_text(encoding="utf-8"))
    except OSError:
        return None
    except ValueError as error:
        raise CourseError("assets/data/minutes.json is damaged: restore it with `git checkout assets`.") from error


def expected(here, reference):
    """{"error": e, "minutes": {step: [low, expected, high]}} for this machine.

    The ratio to the recorded machine is the geometric mean of the two probes; its relative error is how far
    the two disagree, plus the probe's own spread, and at least FLOOR_ERROR.
    """
    slower = [reference["probe"][key] / here[key] for key in ("product", "loop")]
    ratio = math.sqrt(slower[0] * slower[1])
    error = max(FLOOR_ERROR, max(slower) / ratio - 1 + here["spread"])
    minutes = {}
    for step, seconds in sorted(reference["seconds"].items()):
        middle = seconds * ratio / 60
        minutes[step] = [round(middle / (1 + error), 1), round(middle, 1), round(middle * (1 + error), 1)]
    return {"error": round(error, 2), "minutes": minutes}


def keep(rows, path=None):
    """Write the seconds of the notebooks that ran, and this machine's speed, as the new reference."""
    import platform

    import torch

    old, here = load(path), probe()
    seconds = {}
    if old:  # other steps keep their minutes, brought to this machine's speed
        minutes = expected(here, old)["minutes"]
        seconds = {step: round(values[1] * 60, 1) for step, values in minutes.items()}
    seconds |= {row["step"]: row["seconds"] for row in rows if not row["failure"]}
    machine = {"python": platform.python_version(), "torch": torch.__version__, "threads": torch.get_num_threads()}
    record = {
        "made_by": "python3 -m course_utils run --minutes",
        "machine": machine,
        "probe": here,
        "seconds": seconds,
    }
    write_atomic(path or MINUTES, json.dumps(record, indent=2) + "\n")
