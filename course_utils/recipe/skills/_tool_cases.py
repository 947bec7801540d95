"""Conversations with tools: one call, two calls, errors, and questions that need no call.

Every case gives (tools used, turns as (role, content), gold), or None where the draw does not fit.
"""

import json
import re

from course_utils.recipe import split as parts
from course_utils.recipe.skills import _toolbox as box

CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


def choose(rng, items, split):
    """A wording: held-out draws may give any, since their tools are held out."""
    return parts.pick(rng, items, split) if split == "train" else rng.choice(items)


def draw_tool(rng, split):
    """A tool to be called: one in three is invented, of the others held-out draws give held-out ones only."""
    if rng.random() < 0.35:
        return box.dress(rng, box.make_tool(rng, split), split)
    return box.dress(rng, box.written()[parts.pick(rng, tuple(box.written()), split)], split)


def _values(rng, tool, slots, fixed, split):
    """Arguments for the slots of a wording, and the fixed ones."""
    drawn = {key: box.value(rng, kind, split) for key, _, kind, _, _ in tool["takes"] if key in slots}
    return drawn | {key: shown for key, shown in fixed.items() if key in tool["shown"]}


def draw_request(rng, split, tool=None):
    """A user's wish for a tool: (tool, text, arguments)."""
    tool = tool or draw_tool(rng, split)
    say, slots, fixed = box.wording(choose(rng, tool["asks"], split))
    values = _values(rng, tool, slots, fixed, split)
    return tool, box.spell(rng, say, values), values


def group(tool):
    """Domains of one group may answer the same question."""
    return parts.load("tools")["groups"].get(tool["domain"], tool["domain"])


def _result_text(rng, result):
    if all(shown is True for shown in result.values()) and rng.random() < 0.4:
        return rng.choice(("done", "ok", "OK", "success"))
    if len(result) == 1 and True not in result.values() and rng.random() < 0.2:
        return box.as_text(next(iter(result.values())))
    return json.dumps(result, ensure_ascii=False)


def _gold_calls(*calls):
    return {"calls": [json.loads(found) for call in calls for found in CALL.findall(call)]}


def serve(rng, split, request):
    """Call, result and reply for a request: (call, result, tool message, reply, words it must hold)."""
    tool, _, values = request
    result, reply, must = box.answer(rng, tool, values, split)
    return box.call_text(tool, values), result, _result_text(rng, result), reply, must


def _single(rng, split):
    request = draw_request(rng, split)
    call, _, shown, reply, must = serve(rng, split, request)
    turns = [("user", request[1]), ("assistant", call)]
    if rng.random() < 0.45:
        return [request[0]], turns, _gold_calls(call)
    return [request[0]], turns + [("tool", shown), ("assistant", reply)], {"contains": must}


def _no_fit(rng, split):
    data = parts.load("tools")
    if rng.random() < 0.35:
        says, replies = rng.choice(parts.load("chat")["talk"])
        turns = [("user", parts.pick(rng, says, split)), ("assistant", rng.choice(replies))]
        return [], turns, {"contains": []}
    gold, tool = {"contains": ["cannot"], "unused": ()}, None
    if rng.random() < 0.4:
        name = parts.pick(rng, tuple(data["near"]), split)
        tool = box.dress(rng, box.written()[name], split)
        others = [key for key in data["near"][name] if split == "heldout" or not parts.held_out(key)]
        gold["unused"] = tuple(box.dress(rng, box.written()[key], split) for key in rng.sample(others, 1))
    tool, text, _ = draw_request(rng, split, tool)
    return [tool], [("user", text), ("assistant", data["cannot"])], gold


def _both(rng, split):
    """One tool called twice, for two things."""
    names = [name for name, tool in box.written().items() if "both" in tool]
    names = [name for name in names if parts.held_out(name) == (split == "heldout")]
    tool = box.dress(rng, box.written()[rng.choice(names)], split)
    key, _, kind, _, _ = tool["takes"][0]
    one, two = box.value(rng, kind, split), box.value(rng, kind, split)
    if one == two:
        return None
    frames = parts.load("tools")["both"]
    pair = rng.choice(frames["order" if kind == "order" else "other"]).format(a=one, b=two)
    text = choose(rng, tool["both"], split).replace("{both}", pair)
    return _two(rng, split, (tool, text, {key: one}), (tool, text, {key: two}), text)


def _two(rng, split, first, second, text):
    """Two calls in one reply, then both results and both replies."""
    one, two = serve(rng, split, first), serve(rng, split, second)
    tools = [first[0]] if first[0] is second[0] else [first[0], second[0]]
    turns = [("user", text), ("assistant", one[0] + two[0])]
    if rng.random() < 0.5:
        return tools, turns, _gold_calls(one[0], two[0])
    turns += [("tool", one[2]), ("tool", two[2]), ("assistant", f"{one[3]} {two[3]}")]
    return tools, turns, {"contains": one[4] + two[4]}


def _two_wishes(rng, split):
    if rng.random() < 0.4:
        return _both(rng, split)
    first, second = draw_request(rng, split), draw_request(rng, split)
    if group(first[0]) == group(second[0]) or first[0]["name"] == second[0]["name"]:
        return None
    join = rng.choice(parts.load("tools")["joins"])
    ends = [text if text[-1] in ".?!" else text + "." for text in (first[1], second[1])]
    return _two(rng, split, first, second, join.replace("{a}", ends[0]).replace("{b}", ends[1]))


def _chain(rng, split):
    """Two calls in a row: the second needs the first one's result."""
    known = [
        row
        for row in parts.load("tools")["chains"]
        if any(map(parts.held_out, row[:2])) == (split == "heldout")
    ]
    first, second, field, link, asks = rng.choice(known)
    tools = [box.dress(rng, box.written()[name], split) for name in (first, second)]
    say, slots, fixed = box.wording(choose(rng, asks, split))
    one, two = (_values(rng, tool, slots, fixed, split) for tool in tools)
    two = {key: one.get(key, shown) for key, shown in two.items() if key != link}
    call, result, shown, _, _ = serve(rng, split, (tools[0], "", one))
    two[link] = result[field]
    shown = json.dumps(result, ensure_ascii=False) if len(result) > 1 else shown
    next_call, _, last, reply, must = serve(rng, split, (tools[1], "", two))
    turns = [("user", box.spell(rng, say, two | one)), ("assistant", call), ("tool", shown), ("assistant", next_call)]
    if rng.random() < 0.5:
        return tools, turns, _gold_calls(next_call)
    return tools, turns + [("tool", last), ("assistant", reply)], {"contains": must}


def _error(rng, split):
    """The tool reports an error, and the reply says so."""
    tool, text, values = draw_request(rng, split)
    error, reply = rng.choice(parts.load("tools")["errors"])
    if not values:
        return None
    main = next(iter(values.values()))
    main = next((shown for shown in values.values() if isinstance(shown, str)), main)
    error, reply = (words.replace("{v}", box.as_text(main)) for words in (error, reply))
    shown = json.dumps({"error": error}, ensure_ascii=False) if rng.random() < 0.75 else f"Error: {error}"
    turns = [("user", text), ("assistant", box.call_text(tool, values)), ("tool", shown), ("assistant", reply)]
    return [tool], turns, {"contains": [reply.rstrip(".")]}


def _spoil(rng, way, right):
    """How a user may write a value that the tool does not take."""
    if way == "lower":
        return right.lower()
    at = rng.randrange(1, len(right) - 1)
    if way == "spaced":
        return right[:at] + " " + right[at:]
    return right[:at] + right[at + 1] + right[at] + right[at + 2 :]


def _corrected(rng, split):
    """The tool reports a wrong argument, and the model corrects it once."""
    tool, _, _ = request = draw_request(rng, split)
    way = rng.choice(parts.load("tools")["fixes"])
    kinds = ("town", "person", "title", "song", "dish", "item", "made") if way[1] == "swap" else ("order", "code")
    key = next((key for key, _, kind, _, _ in tool["takes"] if kind in kinds), None)
    right = request[2].get(key)
    if right is None or len(right) < 3:
        return None
    wrong = _spoil(rng, way[1], right)
    text = request[1].replace(right, wrong)
    if wrong == right or text == request[1]:
        return None
    call, _, shown, reply, must = serve(rng, split, request)
    error = way[0].replace("{k}", tool["shown"][key]).replace("{w}", wrong).replace("{v}", right)
    turns = [("user", text), ("assistant", box.call_text(tool, request[2] | {key: wrong}))]
    turns += [("tool", json.dumps({"error": error}, ensure_ascii=False)), ("assistant", call)]
    if rng.random() < 0.5:
        return [tool], turns, _gold_calls(call)
    return [tool], turns + [("tool", shown), ("assistant", reply)], {"contains": must}


def _known_answer(rng, split):
    """A second question that the first result already answers."""
    request = draw_request(rng, split)
    rows = parts.load("tools")["extra"].get(request[0]["domain"])
    if not rows:
        return None
    call, result, _, reply, _ = serve(rng, split, request)
    rows = [row for row in rows if row[0] not in result and row[0] not in request[2]]
    rows = rng.sample(rows, rng.randint(1, len(rows)))
    extra = {field: box.value(rng, kind, split) for field, kind, *_ in rows}
    field, _, asks, tell = rng.choice(rows)
    shown = json.dumps(result | extra, ensure_ascii=False)
    later = rng.choice(parts.load("tools")["lead"]) + choose(rng, asks, split)
    last = tell.replace("{v}", str(extra[field]))
    turns = [("user", request[1]), ("assistant", call), ("tool", shown), ("assistant", reply)]
    return [request[0]], turns + [("user", later), ("assistant", last)], {"contains": [str(extra[field])]}


def _again(rng, split):
    """The same tool for another thing: only the new value is said."""
    request = draw_request(rng, split)
    tool, _, values = request
    kinds = {key: kind for key, _, kind, _, _ in tool["takes"]}
    if len(values) != 1 or not isinstance(next(iter(values.values())), str):
        return None
    call, _, shown, reply, _ = serve(rng, split, request)
    key = next(iter(values))
    other = {key: box.value(rng, kinds[key], split)}
    text = choose(rng, parts.load("tools")["again"], split).replace("{v}", other[key])
    next_call, _, last, end, must = serve(rng, split, (tool, text, other))
    turns = [("user", request[1]), ("assistant", call), ("tool", shown), ("assistant", reply)]
    turns += [("user", text), ("assistant", next_call)]
    if rng.random() < 0.5:
        return [tool], turns, _gold_calls(next_call)
    return [tool], turns + [("tool", last), ("assistant", end)], {"contains": must}


CASES = {_single: 46, _no_fit: 14, _two_wishes: 10, _chain: 10, _error: 6, _corrected: 5, _known_answer: 5, _again: 4}
