"""Model cards, the curve's picture and the manifest: what a reader needs to trust or rebuild a bundled model."""

import json
from pathlib import Path

from course_utils import figures
from course_utils.recipe import split
from course_utils.settings import ASSETS, sha256_of, write_atomic

WHAT = {
    "base": "next-token training on the course's generated text, nothing else",
    "instruct": "the base model trained further on instructions and replies (all skills below)",
    "preferred": "a LoRA adapter on the instruct model, trained by DPO on pairs of a polite and a rude reply",
    "embed": "a bidirectional encoder that turns texts into vectors, trained with InfoNCE on pairs of the generated text",
}
LIMITS = """\
This model knows only the small world of the generated text: simple English, invented shops, school arithmetic.
It is made for teaching. Outside that world it writes nonsense with confidence. Do not use it for anything else."""

ABOUT_SKILLS = """\
Each score with its 95 % interval (Wilson; bootstrap for graded scores and word problems, these redrawn by schema) and
its floor: the best constant reply. `known` are new draws of schemas and wordings seen in training. `held out` are
schemas, structures, tools, topics, names and wordings that were set aside; the facts of words are known in both. Where
a list of wordings is too short to set one aside (most kinds of SQL questions), both columns ask with the same ones, and
the requests to tools may be worded as in training. Word problems by number of operations, with numbers of five to seven
digits, and composed stories are the same problems for every form, asked with the course's own instruction."""


def curve_picture(curve, stage, folder):
    """Draw the loss over tokens to folder/curve.png."""
    figure, axes = figures.new_figure(
        title=f"{stage}: the loss falls from {curve[0]['loss_nats']:.2f} to {curve[-1]['loss_nats']:.2f} nats"
    )
    axes.plot([point["tokens"] / 1e6 for point in curve], [point["loss_nats"] for point in curve])
    axes.set_xlabel("million tokens seen")
    axes.set_ylabel("loss, nats for each token")
    write_atomic(Path(folder) / "curve.png", figures.png_of(figure))


def _pairs(rows):
    """The rows of each skill: [{"train": row, "heldout": row}], in the order of the rows."""
    table = {}
    for row in rows:
        table.setdefault(row["skill"], {})[row["part"]] = row
    return list(table.values())


def _by_family(rows):
    """The skills of the picture: {family: pairs}; the kinds of word problems (with a comma) stand in the table only."""
    families = {}
    for pair in _pairs(rows):
        if "," not in pair["heldout"]["skill"]:
            families.setdefault(pair["heldout"]["family"], []).append(pair)
    return {name: families[name] for name in split.load("report")["families"] if name in families}


def skill_finding(rows):
    """The finding of the skill picture in one sentence."""
    shown = [pair["heldout"] for pairs in _by_family(rows).values() for pair in pairs]
    above = sum(row["low"] > row["floor"] for row in shown)
    return f"{above} of {len(shown)} skills stand above their floor on held-out draws"


def skill_words(rows):
    """The skill picture in words: every held-out score, family by family."""
    said = [
        f"{family}: " + ", ".join(f"{pair['heldout']['skill']} {pair['heldout']['value']:.2f}" for pair in pairs)
        for family, pairs in _by_family(rows).items()
    ]
    return f"Bars of the held-out scores: {skill_finding(rows)}. {'; '.join(said)}."


def skill_picture(rows, folder):
    """Draw the held-out scores as bars with intervals, floors and known-draws scores as marks, to folder/skills.png."""
    figure, axes = figures.new_figure("tall", title=skill_finding(rows))
    families, place, names = _by_family(rows), 0.0, {}
    figure.set_size_inches(8.8, 1.3 + 0.27 * (sum(map(len, families.values())) + len(families)))
    for number, (family, pairs) in enumerate(families.items()):
        axes.text(0.0, place, family, va="center", fontweight="bold", color="#333333")
        for pair in pairs:
            place += 1
            row, known = pair["heldout"], pair["train"]
            spread = [[max(0.0, row["value"] - row["low"])], [max(0.0, row["high"] - row["value"])]]
            axes.barh(place, row["value"], 0.72, color=figures.COLOURS[number % 6], alpha=0.6)
            axes.errorbar(row["value"], place, xerr=spread, color="#333333", capsize=2.5, linewidth=1.2)
            axes.plot(known["value"], place, "o", markersize=6.5, markerfacecolor="none", color="black", clip_on=False)
            axes.plot([row["floor"]] * 2, [place - 0.45, place + 0.45], color="#D00000", linewidth=2.5, clip_on=False)
            names[place] = row["skill"]
        place += 1.25
    axes.set_yticks(list(names), list(names.values()))
    axes.set(xlim=(0, 1), ylim=(place - 0.4, -0.8), xlabel="score (the table says what 1.0 means)")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.plot([], [], "s", color="#888888", markersize=9, label="held out (95 % interval)")
    axes.plot([], [], "o", markerfacecolor="none", color="black", label="known wordings and schemas, new draws")
    axes.plot([], [], "|", color="#D00000", markersize=11, markeredgewidth=2.5, label="floor: best constant reply")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    write_atomic(Path(folder) / "skills.png", figures.png_of(figure))


def _fact_lines(facts):
    hidden = {"curve", "shares", "stage", "skills"}
    shown = {
        key: f"{value:,}" if isinstance(value, int) else value for key, value in facts.items() if key not in hidden
    }
    lines = ["| fact | value |", "|---|---|", *(f"| {key} | {value} |" for key, value in shown.items())]
    if "shares" in facts:
        whole = sum(facts["shares"].values())
        shares = ", ".join(f"{name} {share / whole:.1%}" for name, share in facts["shares"].items())
        lines += [
            "",
            "## Data mix",
            "",
            "Share of the documents of each generator, all text made by the recipe:",
            "",
            shares,
        ]
    return lines


def _cell(row):
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}] | {row['floor']:.3f}"


def _skill_lines(rows):
    lines = [
        "",
        "## Skills",
        "",
        f"![{skill_words(rows)}](skills.png)",
        "",
        *ABOUT_SKILLS.splitlines(),
        "",
        "| skill | n | held out | floor | known | floor | 1.0 means |",
        "|---|---|---|---|---|---|---|",
    ]
    for pair in _pairs(rows):
        row, known = pair["heldout"], pair["train"]
        lines.append(f"| {row['skill']} | {row['n']} | {_cell(row)} | {_cell(known)} | {row['metric']} |")
    return lines


def _retrieval_lines(rows):
    """The table of the embedding model's report, from embedding_report.compare."""
    lines = [
        "",
        "## Retrieval",
        "",
        "How high the right text stands among the texts of all questions of its kind (held-out shops, entries and",
        "wordings), with its 95 % interval, redrawn by topic; the floor is chance. `untrained` is the same encoder with",
        "random weights.",
        "",
        "| measure | n | value | floor |",
        "|---|---|---|---|",
    ]
    return lines + [f"| {row['skill']} | {row['n']} | {_cell(row)} |" for row in rows]


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
    if stage == "embed":
        lines += _retrieval_lines(facts["skills"])
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
