"""Function calling: the model calls one of the tools of the system message, then tells the result in one sentence."""

import json
import re

from course_utils.recipe import people
from course_utils.recipe import split as parts
from course_utils.recipe.skills import _tool_cases as cases
from course_utils.recipe.skills import _toolbox as box
from course_utils.recipe.skills import chat
from course_utils.recipe.skills._echo import repeats

SKILL = "tools"
ASK = "Tools, one a line:\n"
FORM = 'To use one, answer\n<tool_call>\n{"name": ..., "arguments": {...}}\n</tool_call>'


def _offer(rng, split, tools, others=None):
    """Up to four tools in random order: those used, or `others` that cannot do it, and tools of other fields."""
    groups, count = {cases.group(tool) for tool in tools}, rng.choice((1, 1, 2, 2, 2, 3, 3, 4))
    used = others is None
    chosen = list(tools if used else others)
    names = {tool["name"] for tool in (*tools, *chosen)}
    near = used and cases.group(tools[0]) != "numbers" and tools[0]["key"] in box.written() and rng.random() < 0.4
    for _ in range(12):
        if len(chosen) >= count:
            break
        other = cases.draw_tool(rng, rng.choice((split, "train")))
        if near and rng.random() < 0.7:
            domain = [tool for tool in box.written().values() if tool["domain"] == tools[0]["domain"]]
            other = box.dress(rng, rng.choice(_known(domain, split)), split)
        fits = other["key"] not in {tool["key"] for tool in tools} and (
            cases.group(other) not in groups or other["domain"] == tools[0]["domain"]
        )
        if other["name"] not in names and fits and (used or cases.group(other) not in groups):
            chosen.append(other)
            names.add(other["name"])
    rng.shuffle(chosen)
    return chosen


def _known(tools, split):
    return [tool for tool in tools if split != "train" or not parts.held_out(tool["key"])] or tools


def system_text(tools, text=""):
    """The system message as the chat template renders it from a text and the tools' dictionaries."""
    lines = "".join(json.dumps(tool, ensure_ascii=False) + "\n" for tool in tools)
    return (text + "\n\n" if text else "") + ASK + lines + FORM


def _page(rng, split):
    """Tools with requests, calls and results as running text."""
    style, blocks = rng.random(), []
    for _ in range(rng.choice((1, 2, 2))):
        tool, text, values = request = cases.draw_request(rng, split)
        call, _, shown, reply, _ = cases.serve(rng, split, request)
        inside = cases.CALL.findall(call)[0]
        if style < 0.5:
            head = json.dumps(box.describe(rng, tool, True)["function"], ensure_ascii=False)
        else:
            takes = ", ".join(f"{tool['shown'][key]}: {form}" for key, form, *_ in tool["takes"])
            head = f"{tool['name']}({takes}): {tool['tells']}"
        blocks.append(f"{head}\nRequest: {text}\nCall: {inside}\nResult: {shown}\nReply: {reply}")
    return "\n\n".join(blocks)


def generate(rng, split):
    """One conversation with tools; `gold` holds the calls or the words of the last reply."""
    data, drawn = parts.load("tools"), None
    while drawn is None:
        drawn = rng.choices(list(cases.CASES), weights=list(cases.CASES.values()))[0](rng, split)
    tools, turns, gold = drawn
    offered = _offer(rng, split, tools or [cases.draw_tool(rng, split)], gold.pop("unused", None))
    style, text = rng.random() < 0.5, ""
    if rng.random() < 0.6:
        text = parts.pick(rng, data["systems"], split).format(
            shop=parts.pick(rng, parts.load("talk")["shops"], split), name=people.person(rng, split)
        )
    shown = [box.describe(rng, tool, style) for tool in offered]
    turns[0] = ("user", rng.choice(data["openings"]) + turns[0][1])
    messages = [{"role": "system", "content": system_text(shown, text)}]
    messages += [{"role": role, "content": content} for role, content in turns]
    plain = _page(rng, split) if rng.random() < 0.7 else ""
    return {"skill": SKILL, "messages": messages, "plain": plain, "gold": gold, "tools": shown, "system": text}


def _fits(reply, example):
    """True for fitting small talk, or where the reply shares a longer word with the right one."""
    *_, last, right = example["messages"]
    if last["role"] == "user":
        return reply.strip() in chat.small_talk(last["content"])
    words, known = (set(re.findall(r"\w{4,}", text.lower())) for text in (reply, right["content"]))
    return bool(words & known)


def score(reply, example):
    """The share of right calls, or 1.0 for a reply without a call that holds the words it must hold."""
    gold = example["gold"]
    if "contains" in gold:
        plain = bool(reply.strip()) and "<tool_call>" not in reply and not repeats(reply, example)
        held = all(box.holds(reply, word) for word in gold["contains"]) if gold["contains"] else _fits(reply, example)
        return float(plain and held)
    found = []
    for text in cases.CALL.findall(reply):
        try:
            found.append(json.loads(text))
        except ValueError:
            found.append(None)
    right = sum(call in found for call in gold["calls"])
    return right / max(len(gold["calls"]), len(found))
