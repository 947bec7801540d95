"""The whole recipe as stages: tokenizer, base, instruct, preferred, embed; each is resumed where it was stopped."""

import json
import shutil
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from course_utils.models import loading
from course_utils.recipe import cards, embedding, mix, preferred, report, tokenizer, training
from course_utils.settings import MODELS, CourseError, write_atomic

TOKENS = {  # preset: tokens of the base stage and of the instruct stage
    "tiny": (200_000, 200_000),
    "small": (4_000_000, 10_000_000),
    "medium": (16_000_000, 152_000_000),
    "large": (400_000_000, 600_000_000),
}


def claim_work(work, **asked):
    """Keep what a work folder is for.

    Errors:  CourseError if the folder was begun with other settings
    """
    path = Path(work) / "asked.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if any(kept.get(key, value) != value for key, value in asked.items()):
        begun = ", ".join(f"{key} {value}" for key, value in kept.items())
        raise CourseError(f"{work} was begun with {begun}: name another folder with --work, or delete this one.")
    write_atomic(path, json.dumps(kept | asked) + "\n")


def make_tokenizer(work, vocabulary=4096, seed=1):
    """Train the tokenizer once and keep it in work/tokenizer."""
    folder = Path(work) / "tokenizer"
    if not (folder / "done").exists():
        made = tokenizer.train_tokenizer(vocabulary=vocabulary, seed=seed)
        made.save_pretrained(folder)
        write_atomic(folder / "done", tokenizer.tokenizer_hash(made) + "\n")
    return AutoTokenizer.from_pretrained(folder)


def make_model(stage, work, preset, tokens=None, seed=1, compile_model=True, report=print):
    """Train one stage and save it to work/STAGE. The instruct stage starts from the finished base model."""
    work, stage_tokens = Path(work), tokens or TOKENS[preset][stage == "instruct"]
    if (work / stage / "facts.json").exists():
        return work / stage
    made = make_tokenizer(work, seed=seed)
    if stage == "base":
        model = training.new_model(preset, len(made), seed)
    else:
        model = AutoModelForCausalLM.from_pretrained(make_model("base", work, preset, seed=seed), dtype=torch.float32)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    # The second stage learns at a lower rate, which falls nearly all the way: it must not undo the first.
    scale = 1.0 if stage == "base" else 2 / 3
    curve = training.train(
        model,
        made,
        stage,
        work / f"{stage}-training",
        stage_tokens,
        seed=seed,
        matrix_rate=3e-3 * scale,
        other_rate=1.5e-3 * scale,
        decay=0.3 if stage == "base" else 0.9,
        compile_model=compile_model,
        report=report,
    )
    training.save_model(model, made, work / stage)
    facts = {
        "stage": stage,
        "preset": preset,
        "seed": seed,
        "tokens": stage_tokens,
        "seconds": round(curve[-1]["seconds"]),
        "parameters": sum(p.numel() for p in model.parameters()),
        "shares": mix.BASE if stage == "base" else mix.SHARES,
        "tokenizer_sha256": tokenizer.tokenizer_hash(made),
        "data_sha256": training.data_hash(stage, seed, made),
        "torch": torch.__version__,
        "curve": curve,
    }
    write_atomic(work / stage / "facts.json", json.dumps(facts, indent=1) + "\n")
    return work / stage


def make_card(stage, work, n=200, report_line=print):
    """Measure the skills of a finished stage and write its card. The table is kept in work/STAGE-skills.json."""
    work = Path(work)
    kept = work / f"{stage}-skills.json"
    facts = json.loads((work / stage / "facts.json").read_text(encoding="utf-8"))
    if not kept.exists():
        model, made = loading.load(which=str(work / stage))
        report_line(f"skills of {stage}")
        rows = report.skill_table(model, made, n=n, report=report_line)
        write_atomic(kept, json.dumps(rows, indent=1) + "\n")
    cards.write_card(work / stage, facts, json.loads(kept.read_text(encoding="utf-8")))


def make_preferred(work, seed=1, report_line=print):
    """Train the preference adapter, measure rude replies before and after, write its card."""
    work = Path(work)
    folder = preferred.make_preferred(work, seed=seed, report=report_line)
    before = preferred.rude_share(*loading.load(which=str(work / "instruct")))
    after = preferred.rude_share(*loading.load(which=str(folder)))
    facts = {
        "stage": "preferred",
        "seed": seed,
        "rude replies before": f"{before.value:.3f} in [{before.low:.3f}, {before.high:.3f}] n={before.n}",
        "rude replies after": f"{after.value:.3f} in [{after.low:.3f}, {after.high:.3f}] n={after.n}",
    }
    report_line(f"rude replies {facts['rude replies before']} -> {facts['rude replies after']}")
    cards.write_card(folder, facts, None)


def make_embed(work, preset, seed=1, report_line=print):
    """Train the embedding model, measure it, write its card."""
    folder = embedding.train_embed(work, seed=seed, size="tiny" if preset == "tiny" else "small", report=report_line)
    cards.write_card(folder, json.loads((folder / "facts.json").read_text(encoding="utf-8")), None)


def publish(work, models=MODELS):
    """Copy the finished folders to assets/models, beside their places first, and list every file in the manifest."""
    for stage in ("base", "instruct", "preferred", "embed"):
        target, beside = Path(models) / stage, Path(models) / f".{stage}-writing"
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(Path(work) / stage, beside)
        shutil.rmtree(target, ignore_errors=True)
        beside.rename(target)
    return cards.write_manifest(Path(models).parent)


def build(work, preset="medium", seed=1, compile_model=True, report_line=print, models=None):
    """The whole recipe, resumed where it stopped: every model and its card; then published if wanted."""
    claim_work(work, preset=preset, seed=seed)
    for stage in ("base", "instruct"):
        make_model(stage, work, preset, seed=seed, compile_model=compile_model, report=report_line)
        make_card(stage, work, report_line=report_line)
    make_preferred(work, seed, report_line)
    make_embed(work, preset, seed, report_line)
    if models:
        report_line(f"published {publish(work, models)} files")
