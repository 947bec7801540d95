"""Searching a small made-up encyclopedia, one thought and action at a time; also reasoning over given facts."""

import re

from course_utils.recipe import split as parts
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import _encyclopedia as book
from course_utils.recipe.skills._echo import repeats
from course_utils.recipe.skills._encyclopedia import facts_of, make_entry, tell, text_of, texts, value

SKILL = "react"
ACTION = re.compile(r"^\s*Action:\s*(\w+)\[(.*)\]\s*$", re.MULTILINE)


def _think(rng, kind, **slots):
    return upper_first(rng.choice(texts(f"think_{kind}")).format(**slots))


def _visit(rng, split, steps, thought, entry, key, want, place, mishap):
    """Add the steps that read one fact of an entry; False and a last thought where they do not succeed."""
    title = entry["title"]
    lines, shown = book.write(rng, split, entry, key, place)
    if mishap in ("error", "broken"):
        steps.append((thought, "search", title, rng.choice(texts("errors"))))
        thought = _think(rng, "again", s=title)
        if mishap == "broken":
            steps.append((thought, "search", title, rng.choice(texts("errors"))))
            return _think(rng, "broken")
    if mishap in ("similar", "none"):
        titles, right = book.not_found(rng, split, entry, mishap == "similar")
        steps.append((thought, "search", title, f"Could not find {title}. Similar: {', '.join(titles)}."))
        if not right:
            return _think(rng, "none", o=title)
        thought = _think(rng, "similar", o=title, s=right)
        lines, title = [line.replace(title, right.partition(" (")[0]) for line in lines], right
    steps.append((thought, "search", title, " ".join(lines[:shown])))
    if place == "start":
        return None
    word = facts_of(entry)[key]["word"]
    found = text_of(value(rng, split, entry, key))
    line = next((line for line in lines[shown:] if word in line.lower() and found in line), None)
    missing = rng.choice(texts("not_there")).format(k=word)
    steps.append((_think(rng, "look", w=want, k=word), "lookup", word, missing if place == "nowhere" else line))
    return _think(rng, "missing", w=want) if place == "nowhere" else None


def _want(rng, entry, key, name):
    return rng.choice(facts_of(entry)[key]["want"]).format(x=name)


def _mishaps(rng, count, kinds):
    """For each search None or what goes wrong; at most one thing does."""
    found = [None] * count
    if rng.random() < 0.28:
        found[rng.randrange(count)] = rng.choice(kinds)
    return found


def trace_path(rng, split, path, claimed=None):
    """Question (or claim) about linked entries, steps (thought, action, argument, observation), facts told."""
    names, steps, told, fact = [path[0][0]["name"]], [], [], ""
    for entry, key in path:
        names.append(_want(rng, entry, key, names[-1]))
    entry, key = path[-1]
    answer = text_of(value(rng, split, entry, key))
    if claimed is None:
        question = upper_first(parts.pick(rng, facts_of(entry)[key]["ask"], split).format(x=names[-2]))
    else:
        question = tell(rng, entry, key, claimed, names[-2])
    mishaps = _mishaps(rng, len(path), ("error", "error", "broken", "similar", "similar", "similar", "none"))
    for i, (entry, key) in enumerate(path):
        last = i + 1 == len(path)
        want = names[i + 1] if i == 0 else _want(rng, entry, key, entry["name"])
        slots = {"s": entry["title"], "w": names[-1] if i == 0 else want, "m": names[1], "f": fact}
        thought = _think(rng, "hop" if i else "first" if last else "far", **slots)
        place = rng.choice(("start", "start", "start", "later", "later", "nowhere" if last else "start"))
        ending = _visit(rng, split, steps, thought, entry, key, want, place, mishaps[i])
        if ending:
            label = "unknown" if claimed is None else "NOT ENOUGH INFO"
            return question, [*steps, (ending, "finish", label, "")], told
        fact = tell(rng, entry, key, value(rng, split, entry, key))
        told.append(fact)
    if claimed is None:
        ending = (_think(rng, "done", f=fact, v=answer), "finish", answer, "")
    elif claimed == answer:
        ending = (_think(rng, "right", f=fact), "finish", "SUPPORTS", "")
    else:
        ending = (_think(rng, "wrong", f=fact, c=claimed), "finish", "REFUTES", "")
    return question, [*steps, ending], told


def trace_pair(rng, split):
    """Question that compares two entries, steps and facts told, as trace_path gives them."""
    key = None
    while not key:
        one = make_entry(rng, split)
        two = make_entry(rng, split, one["kind"], one["base"])
        keys = [key for key, fact in facts_of(one).items() if fact.get("more") or fact.get("same")]
        key = rng.choice(keys) if one["title"] != two["title"] else None
    fact = facts_of(one)[key]
    first = second = value(rng, split, one, key)
    if fact.get("more"):
        while text_of(second) == text_of(first):
            second = value(rng, split, two, key, fresh=True)
        text, better = rng.choice(fact["more"])
        larger = int(text_of(first).split()[0]) > int(text_of(second).split()[0])
        answer = (one if larger == (better == "max") else two)["title"]
    else:
        second = first if rng.random() < 0.5 else value(rng, split, two, key, fresh=True)
        text, answer = rng.choice(fact["same"]), "yes" if text_of(first) == text_of(second) else "no"
    two["values"][key] = second
    question = upper_first(text.format(a=one["name"], b=two["name"]))
    wants = [_want(rng, entry, key, entry["name"]) for entry in (one, two)]
    mishaps, steps = _mishaps(rng, 2, ("error", "error", "broken")), []
    told = [tell(rng, entry, key, entry["values"][key]) for entry in (one, two)]
    thoughts = (
        _think(rng, "pair", s=one["title"], w=wants[0], m=wants[1]),
        _think(rng, "hop", f=told[0], s=two["title"], w=wants[1]),
    )
    for entry, want, thought, mishap in zip((one, two), wants, thoughts, mishaps, strict=True):
        place = rng.choice(("start", "start", "later")) if rng.random() < 0.95 else "nowhere"
        ending = _visit(rng, split, steps, thought, entry, key, want, place, mishap)
        if ending:
            return question, [*steps, (ending, "finish", "unknown", "")], told
    return question, [*steps, (_think(rng, "more", f=told[0], g=told[1], v=answer), "finish", answer, "")], told


def make_trace(rng, split):
    """(question, steps, whether it is a claim) of one of the kinds of questions."""
    way = rng.random()
    if way < 0.25:
        return *trace_pair(rng, split)[:2], False
    path = book.make_path(rng, split)
    if way < 0.7:
        return *trace_path(rng, split, path)[:2], False
    entry, key = path[-1]
    claimed = text_of(value(rng, split, entry, key, fresh=rng.random() < 0.55))
    value(rng, split, entry, key)
    return *trace_path(rng, split, path, claimed)[:2], True


def _lines(steps, thoughts=True):
    """Steps as the lines of a trace; the last line has no observation."""
    lines = []
    for thought, action, argument, seen in steps:
        lines += [f"Thought: {thought}"] * thoughts + [f"Action: {action}[{argument}]"]
        lines += [f"Observation: {seen}"] * bool(seen)
    return lines


def _instruction(rng, split, act, claim):
    """An instruction that names the three actions, sometimes with the labels of claims or more rules."""
    said = [parts.pick(rng, texts("act_intro" if act else "intro"), split), parts.pick(rng, texts("actions"), split)]
    if claim:
        said.append(parts.pick(rng, texts("labels"), split))
    if rng.random() < 0.4:
        said += rng.sample(texts("more"), rng.choice((1, 2)))
    return rng.choice(("\n", " ", " ")).join(said)


def _chain(rng, split):
    """A question over given facts: (prompt, reply, answer)."""
    answer = "unknown"
    while answer == "unknown":
        if rng.random() < 0.4:
            question, steps, told = trace_pair(rng, split)
        else:
            path = book.make_path(rng, split)
            question, steps, told = trace_path(rng, split, path)
        answer = steps[-1][2]
    other = make_entry(rng, split)
    keys = rng.sample(tuple(facts_of(other)), rng.randint(0, 3))
    more = [tell(rng, other, key, value(rng, split, other, key)) for key in keys]
    facts = rng.sample(told + more, len(told + more))
    instruction = parts.pick(rng, texts("chain"), split)
    listed = "\n".join(f"- {fact}" for fact in facts)
    form = parts.pick(rng, texts("chain_forms"), split)
    prompt = form.format(f=" ".join(facts), l=listed, q=question, i=instruction)
    return prompt, " ".join([*told, f"The answer is {answer}."]), answer


def _page(rng, split):
    """Running text: entries that are linked, or a whole trace."""
    if rng.random() < 0.3:
        question, steps, _ = make_trace(rng, split)
        return "\n".join([f"Question: {question}", *_lines(steps)])
    titled = rng.random() < 0.6
    pages = []
    for entry, _ in book.make_path(rng, split):
        pages.append((f"{entry['title']}\n" if titled else "") + " ".join(book.write(rng, split, entry)[0]))
    return "\n\n".join(pages)


def generate(rng, split):
    """One step of a trace with or without thoughts, or an answer reasoned from given facts."""
    way = rng.random()
    if way < 0.15:
        prompt, reply, answer = _chain(rng, split)
        gold = {"form": "chain", "answer": answer}
    else:
        act = way < 0.28
        question, steps, claim = make_trace(rng, split)
        frame = parts.pick(rng, texts("claims" if claim else "asks"), split) if rng.random() < 0.4 else "{q}"
        point = rng.randrange(len(steps))
        instruction = _instruction(rng, split, act, claim)
        done = "\n".join(_lines(steps[:point], not act))
        prompt = f"{instruction}\n\nQuestion: {frame.format(q=question)}\n{done}"
        thought, action, argument, _ = steps[point]
        reply = "\n".join(_lines([(thought, action, argument, "")], not act))
        gold = {"form": "act" if act else "react", "action": action, "argument": argument}
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
    return {"skill": SKILL, "messages": messages, "plain": _page(rng, split), "gold": gold}


def score(reply, example):
    """1.0 where the first action and its argument (or the answer of a chain) are right."""
    gold = example["gold"]
    if repeats(reply, example):
        return 0.0
    if gold["form"] == "chain":
        found = reply.rpartition("The answer is ")[2].strip().removesuffix(".")
        return float(found.strip().lower() == gold["answer"].lower())
    found = ACTION.search(reply)
    pair = (gold["action"].lower(), gold["argument"].strip().lower())
    return float(bool(found) and (found[1].lower(), found[2].strip().lower()) == pair)
