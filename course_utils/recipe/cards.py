"""Model cards, the curve's picture and the manifest: what a reader needs to trust or rebuild a bundled model."""

import json
from pathlib import Path

from course_utils import figures
from course_utils.settings import ASSETS, sha256_of, write_atomic

WHAT = {
    "base": "next-token training on the course's generated text, nothing else",
    "instruct": "the base model trained further on instructions and replies (all skills below)",
    "preferred": "a LoRA adapter on the instruct model, trained by DPO on pairs of a polite and a rude reply",
}
LIMITS = """\
This model knows only the small world of the generated text: simple English, invented shops, school arithmetic.
It is made for teaching. Outside that world it writes nonsense with confidence. Do not use it for anything else."""


def curve_picture(curve, stage, folder):
    """Draw the loss over tokens to folder/curve.png."""
    figure, axes = figures.new_figure(
        title=f"{stage}: the loss falls from {curve[0]['loss_nats']:.2f} to {curve[-1]['loss_nats']:.2f} nats"
    )
    axes.plot([point["tokens"] / 1e6 for point in curve], [point["loss_nats"] for point in curve])
    axes.set_xlabel("million tokens seen")
    axes.set_ylabel("loss, nats for each token")
    write_atomic(Path(folder) / "curve.png", figures.png_of(figure))


def skill_picture(rows, folder):
    """Draw the skill table (held-out column) to folder/skills.png."""
    from course_utils.measures import Measure

    shown = [row for row in rows if row["part"] == "heldout"]
    figure, axes = figures.new_figure("tall", title="Skills on the part that was set aside")
    figures.bars(axes, [Measure(row["skill"], row["value"], row["low"], row["high"], row["n"]) for row in shown])
    axes.plot(range(len(shown)), [row["floor"] for row in shown], "k_", markersize=18, label="floor")
    axes.tick_params(axis="x", rotation=45)
    axes.set_ylim(0, 1.05)
    axes.legend(loc="upper right")
    write_atomic(Path(folder) / "skills.png", figures.png_of(figure))


def _fact_lines(facts):
    hidden = {"curve", "shares", "stage", "skills"}
    shown = {
        key: f"{value:,}" if isinstance(value, int) else value for key, value in facts.items() if key not in hidden
    }
    lines = ["| fact | value |", "|---|---|", *(f"| {key} | {value} |" for key, value in shown.items())]
    if "shares" in facts:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in facts["shares"].items())
        lines += [
            "",
            "## Data mix",
            "",
            "Share of the documents of each generator, all text made by the recipe:",
            "",
            shares,
        ]
    return lines


def _skill_lines(rows):
    lines = [
        "",
        "## Skills",
        "",
        "![Bars of the held-out skill scores; the table below has the numbers.](skills.png)",
        "",
        "Each with n, 95 % interval (bootstrap; word problems redrawn by schema) and the floor: the best constant reply.",
        "`train` are new draws of wordings and schemas seen in training. `heldout` are wordings, schemas and names that were set",
        "aside, where a list has enough of them. Drill, staff (most requests) and parts of passage and chat have too few: there",
        "both rows use the same wordings.",
        "",
        "| skill | part | score | low | high | n | floor |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        numbers = f"{r['value']:.3f} | {r['low']:.3f} | {r['high']:.3f} | {r['n']} | {r['floor']:.3f}"
        lines.append(f"| {r['skill']} | {r['part']} | {numbers} |")
    return lines


def write_card(folder, facts, rows):
    """Write folder/README.md, with its pictures, from the facts of the run and the skill rows (or None)."""
    folder, stage = Path(folder), facts["stage"]
    lines = [
        f"# {stage}",
        "",
        f"Bundled model of the course: {WHAT[stage]}.",
        "",
        "Made by `python3 -m course_utils recipe build`. Licence: see LICENSE-TEXT in the top folder.",
        "",
    ]
    lines += _fact_lines(facts)
    if "curve" in facts:
        first, last = facts["curve"][0]["loss_nats"], facts["curve"][-1]["loss_nats"]
        curve_picture(facts["curve"], stage, folder)
        lines += ["", "## Loss", "", f"![The training loss falls from {first} to {last} nats.](curve.png)"]
    if rows:
        skill_picture(rows, folder)
        lines += _skill_lines(rows)
    lines += ["", "## Limits", "", LIMITS, "", "The sha256 of every file stands in assets/MANIFEST.json.", ""]
    write_atomic(folder / "README.md", "\n".join(lines))


def write_manifest(assets=ASSETS):
    """List the sha256 of every file below assets/ in assets/MANIFEST.json. Returns the number of files.

    Records and minutes are left out: learners write their own.
    """
    assets = Path(assets)
    files = sorted(
        path
        for path in assets.rglob("*")
        if path.is_file()
        and path.name not in ("MANIFEST.json", "minutes.json")
        and not path.name.startswith(".")
        and "records" not in path.relative_to(assets).parts
    )
    entries = {path.relative_to(assets).as_posix(): sha256_of(path) for path in files}
    write_atomic(assets / "MANIFEST.json", json.dumps(entries, indent=1) + "\n")
    return len(entries)
