"""ShopBench: 64 requests to the shop's assistant in each of seven groups; scores, floors, and gains from step to step."""

import json
import math

from course_utils import figures, measures
from course_utils.settings import CourseError
from course_utils.shopbench.floors import floor
from course_utils.shopbench.grading import GRADERS, GROUPS, Outcome, grade, requests, right

__all__ = ["GRADERS", "GROUPS", "Outcome", "chart", "floor", "grade", "lift", "recorded", "requests", "right", "run"]


def run(bot, groups=None):
    """Let a bot answer the groups (all where none is named): {group: {"measure": Measure, "scores": {id: 0.0 or 1.0}}}.

    `bot` has answer(requests) -> one Outcome for each request
    """
    results = {}
    for group in groups or GROUPS:
        asked = requests(group)
        outcomes = bot.answer(asked)
        if len(outcomes) != len(asked):
            raise CourseError(f"The bot gave {len(outcomes)} outcomes for {len(asked)} requests: give one for each.")
        scores = {request["id"]: grade(request, outcome) for request, outcome in zip(asked, outcomes)}
        results[group] = {"measure": measures.share(group, scores.values()), "scores": scores}
    return results


def lift(before, after):
    """What changed from one step to another, for the groups that both hold.

    {group: {"measure": Measure of the paired difference, "won", "lost", "p": exact McNemar, "p_holm": corrected over the groups}}
    Source:  McNemar 1947, https://doi.org/10.1007/BF02295996
    """
    found = {}
    for group in [group for group in GROUPS if group in before and group in after]:
        old, new = before[group]["scores"], after[group]["scores"]
        if old.keys() != new.keys():
            raise CourseError(f"The two runs of {group!r} hold other requests: run both on the same ones.")
        difference, _ = measures.paired(group, [new[key] for key in old], list(old.values()))
        won, lost = sum(new[key] > old[key] for key in old), sum(new[key] < old[key] for key in old)
        tail = sum(math.comb(won + lost, k) for k in range(min(won, lost) + 1)) / 2 ** (won + lost)
        found[group] = {"measure": difference, "won": won, "lost": lost, "p": min(1.0, 2 * tail)}
    for row, corrected in zip(found.values(), measures.holm([row["p"] for row in found.values()])):
        row["p_holm"] = corrected
    return found


def recorded(path=None):
    """The recorded results of all steps: {step: {group: {"measure", "scores"}}}; empty where there is no record.

    Errors:  CourseError if the record is damaged
    """
    path = path or measures.RECORDS / "shopbench.json"
    if not path.is_file():
        return {}
    try:
        steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
        return {
            int(step): {
                group: {"measure": measures.share(group, scores.values()), "scores": scores}
                for group, scores in row["scores"].items()
            }
            for step, row in sorted(steps.items(), key=lambda item: int(item[0]))
        }
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CourseError("The record shopbench.json is damaged: restore it with `git checkout assets`.") from error


def chart(results_by_step, title="ShopBench after each step"):
    """One bar for each step in each group with its 95 % interval; the group's floor is a dashed line. Returns the figure.

    `results_by_step` is {step: what run() returned}
    """
    figure, axes = figures.new_figure("tall", title=title)
    groups = [group for group in GROUPS if any(group in results for results in results_by_step.values())]
    width = 0.8 / max(1, len(results_by_step))
    for place, (step, results) in enumerate(sorted(results_by_step.items())):
        shown = [(number, results[group]["measure"]) for number, group in enumerate(groups) if group in results]
        axes.bar(
            [number - 0.4 + (place + 0.5) * width for number, _ in shown],
            [measure.value for _, measure in shown],
            width * 0.95,
            yerr=[[m.value - m.low for _, m in shown], [m.high - m.value for _, m in shown]],
            capsize=2,
            color=figures.COLOURS[place % len(figures.COLOURS)],
            label=f"step {step}",
        )
    for number, group in enumerate(groups):
        label = "floor" if number == 0 else None
        axes.hlines(
            floor(group)[1], number - 0.45, number + 0.45, colors="#555555", linestyles="--", linewidth=1, label=label
        )
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("share of right outcomes")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=8, fontsize=8)
    return figure
