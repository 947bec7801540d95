"""`bench shop --step N`: the scores of ShopBot in the seven groups of ShopBench, and the record of a step."""

import argparse
import hashlib
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path

from course_utils import measures, settings, shopbench
from course_utils.settings import CourseError, sha256_of, write_atomic

KINDS = (".safetensors", ".json", ".jinja")  # pictures and cards of a model's folder do not change what it writes


def _step(text):
    if not text.isdigit() or not 1 <= int(text) <= len(settings.STEPS):
        raise argparse.ArgumentTypeError(f"{text!r} is no step of the course (1 to {len(settings.STEPS)})")
    return int(text)


def add_arguments(parser):
    """The options that only `bench shop` reads."""
    parser.add_argument("--step", type=_step, help="shop: which step's ShopBot answers")
    parser.add_argument("--group", choices=shopbench.GROUPS, help="shop: only this group")
    parser.add_argument("--record", action="store_true", help="shop: write the scores into the committed record")


def model_hash(which):
    """One sha256 over weights, settings and tokenizer of a model: a bundled one, or that of a folder."""
    bundled = {"base": ["base"], "instruct": ["instruct"], "preferred": ["instruct", "preferred"]}
    folders = [settings.MODELS / name for name in bundled[which]] if which in bundled else [Path(which)]
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    parts = [f"{path.name} {sha256_of(path)}" for path in paths if path.suffix in KINDS and path.name != "facts.json"]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _check(arguments):
    if arguments.step is None:
        raise CourseError("`bench shop` needs a step: add --step 1.")
    if arguments.model == "random":
        raise CourseError(
            "`bench shop` needs a model that can write: choose base, instruct, preferred or a model folder."
        )
    if arguments.record and settings.profile_name() != "bundled":
        raise CourseError('Records are those of the profile "bundled": leave --record out, or unset COURSE_PROFILE.')


def keep(step, results, facts, path=None):
    """Write a step's scores into the record; other steps and the groups not run stay as they are."""
    path = path or measures.RECORDS / "shopbench.json"
    shopbench.recorded(path)  # refuses a damaged record
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"steps": {}}
    old = kept["steps"].get(str(step), {"scores": {}, "facts": {}})
    if old["scores"].keys() - results.keys() and old["facts"].get("model_sha256") != facts["model_sha256"]:
        raise CourseError(f"The record of step {step} is of another model: run all groups, without --group.")
    scores = old["scores"] | {group: result["scores"] for group, result in results.items()}
    kept["steps"][str(step)] = {"facts": facts, "scores": scores}
    write_atomic(path, json.dumps(kept, indent=1, sort_keys=True) + "\n")


def measure(arguments):
    """Run ShopBot's step on the groups. Returns {"step", "model", "seconds", "groups": {...}}.

    Errors:  CourseError for a missing step or a model that cannot answer
    """
    _check(arguments)
    from course_utils.models.loading import load
    from course_utils.shopbot import ShopBot

    model, tokenizer = load(which=arguments.model)
    bot, started = ShopBot(arguments.step, model, tokenizer), time.perf_counter()
    results = shopbench.run(bot, [arguments.group] if arguments.group else None)
    if arguments.record:
        facts = {
            "command": f"bench shop --step {arguments.step} --record",
            "model": Path(arguments.model).name,
            "seed": 0,
        }
        facts |= {name: version(name) for name in ("torch", "transformers")} | {"python": platform.python_version()}
        keep(arguments.step, results, facts | {"model_sha256": model_hash(arguments.model)})
    groups = {}
    for group, result in results.items():
        rule, floor = shopbench.floor(group)
        found = result["measure"]
        groups[group] = {"n": found.n, "score": found.value, "low": found.low, "high": found.high}
        groups[group] |= {"floor": floor, "rule": rule, "scores": result["scores"]}
    seconds = round(time.perf_counter() - started, 1)
    return {"step": arguments.step, "model": arguments.model, "seconds": seconds, "groups": groups}


def show(result):
    """The lines of `bench shop`: score and floor stand side by side."""
    print(f"ShopBench, step {result['step']}, {result['model']}, {result['seconds']:.0f} s")
    print(f"{'group':<8} {'n':>4} {'score':>7} {'low':>6} {'high':>6} {'floor':>7}  floor's rule")
    for group, row in result["groups"].items():
        numbers = f"{row['n']:>4} {row['score']:>7.3f} {row['low']:>6.3f} {row['high']:>6.3f} {row['floor']:>7.3f}"
        print(f"{group:<8} {numbers}  {row['rule']}")
