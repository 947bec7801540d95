"""Summaries of talks: customers and staff, friends, and a memory that grows with new lines."""

import re

from course_utils.recipe import people, world
from course_utils.recipe import split as parts
from course_utils.recipe.skills import _talks
from course_utils.recipe.skills._echo import repeats

SKILL = "summary"
LONGEST = 1.6


def _script(rng, part):
    """The lines of a part as [(speaker, text)]."""
    start = part.get("turn", 0)
    return [((start + place) % 2, rng.choice(lines)) for place, lines in enumerate(part["lines"])]


def _shop_parts(rng, values, problem):
    """The parts of a talk in a shop, with the order number in some of them."""
    lists = parts.load("summary")
    fix = lists["fixes"][rng.choice(problem["fix"])]
    chosen = [(_script(rng, part), part["sum"], part["keys"]) for part in (problem, fix)]
    lines, said, keys = chosen[0]
    inline = (" The order number is {o}.", " It is order {o}.", " Order number: {o}.")
    if not problem.get("plain") and rng.random() < 0.65:
        if rng.random() < 0.6:
            lines = [*lines, (1, rng.choice(lists["ask_order"])), (0, rng.choice(lists["give_order"]))]
        else:
            lines = [(0, lines[0][1] + rng.choice(inline))]
        values["no"] = rng.choice(lists["with_order"]).format(o=values["o"])
        chosen[0] = (lines, said, (*keys, "{o}"))
    if rng.random() < 0.25:
        extra = rng.choice(lists["extras"])
        chosen.append((_script(rng, extra), extra["sum"], extra["keys"]))
    return chosen


def _with_small_talk(rng, chosen, friends):
    """The lines of each part, mixed with a greeting, small talk and a farewell."""
    lists = parts.load("summary")
    start = "chat_" if friends else ""
    blocks = [list(lines) for lines, _, _ in chosen]
    for pair in rng.sample(lists[f"{start}small"], rng.choice((0, 1, 1, 2))):
        place = rng.randrange(len(blocks))
        new = list(enumerate(pair))
        blocks[place] = blocks[place] + new if rng.random() < 0.6 else new + blocks[place]
    if rng.random() < 0.6 or sum(map(len, blocks)) < 6:
        order = (0, 1) if friends else (1, 0)
        blocks[0] = list(zip(order, rng.choice(lists[f"{start}greet"]))) + blocks[0]
    if rng.random() < 0.5 or sum(map(len, blocks)) < 6:
        blocks[-1] += list(enumerate(rng.choice(lists[f"{start}bye"])))
    return blocks


def _talk(rng, split):
    """A talk in blocks: (text, text of each block, two lists of sentences, facts)."""
    friends = rng.random() < 0.4
    story = rng.choice(parts.load("summary")["friends" if friends else "problems"])
    first = story[0] if friends else story
    values = _talks.values(rng, split, first.get("of", "things"))
    if friends:
        chosen = [(_script(rng, part), part["sum"], part["keys"]) for part in story]
    else:
        chosen = _shop_parts(rng, values, story)
    labels, named = ((values["A"], values["B"]), values) if friends else _talks.speakers(rng, values)
    form = _talks.layout(rng)
    blocks = _with_small_talk(rng, chosen, friends)
    text = _talks.join([line for block in blocks for line in block], labels, values, form)
    blocks = [_talks.join(block, labels, values, form) for block in blocks]
    drawn = [rng.sample(said, 2) for _, said, _ in chosen]
    sums = [[_talks.fill(pair[side], named) for pair in drawn] for side in (0, 1)]
    return text, blocks, sums, [key.format(**values) for _, _, keys in chosen for key in keys]


def _whole(rng, split):
    """A talk written in one piece, one in four with small talk around it: (text, summaries, facts)."""
    lines, sums, keys, values = _talks.whole(rng, split)
    if rng.random() < 0.25 and lines[0][0] == 0:
        lines = _with_small_talk(rng, [(lines, sums, keys)], False)[0]
    labels, named = _talks.speakers(rng, values)
    text = _talks.join(lines, labels, values, _talks.layout(rng))
    rng.shuffle(sums)
    return text, [_talks.fill(said, named) for said in sums], [key.format(**values) for key in keys]


def _ask(rng, split, reference):
    """A wording of the request: one that allows only one or two sentences where the summary has no more."""
    lists, size = parts.load("summary"), len(re.findall(r"[.!?](?= |$)", reference))
    fits = ["ask", "ask"] + ["ask_one"] * (size == 1) + ["ask_two"] * (size <= 2)
    return parts.pick(rng, lists[rng.choice(fits)], split)


def _told(rng, split, kind):
    """A value for something that a user tells."""
    source = parts.load("summary")["memory"][kind]["from"]
    draw = {
        "person": lambda: people.person(rng, split),
        "town": lambda: world.town(rng),
        "order": lambda: rng.choice(("", "A", "B-", "K")) + str(rng.randint(100, 99999)),
        "day": lambda: rng.choice(parts.load("world_goods")["days"]),
        "money": lambda: f"{rng.randint(5, 400)} {rng.choice(('euros', 'dollars', 'pounds'))}",
    }
    return draw[source]() if source in draw else people.word(rng, source)


def _put(text, value, old=""):
    """A line about a value, with articles and the old value."""
    pairs = {"{A}": people.upper_first(people.a(value)), "{a}": people.a(value), "{v}": value}
    pairs |= {"{V}": people.upper_first(value), "{o}": old, "{b}": people.a(old) if old else ""}
    return people.upper_first(_put_all(text, pairs))


def _put_all(text, pairs):
    for slot, value in pairs.items():
        text = text.replace(slot, value)
    return text


def _told_block(rng, split, told, kinds, fix):
    """Lines in which a user tells facts, and corrects the one named: (lines, value that is no longer true)."""
    data, lines, gone = parts.load("summary")["memory"], [], []
    for kind in kinds:
        told[kind] = _told(rng, split, kind)
        lines.append(_put(parts.pick(rng, data[kind]["say"], split), told[kind]))
        lines.append(_put(rng.choice(data[kind]["ack"]), told[kind]))
        if rng.random() < 0.4:
            lines += rng.choice(parts.load("summary")["chatter"])
    if fix:
        old, new = told[fix], _told(rng, split, fix)
        if not any(old in value or value in old for value in (new, *(told[kind] for kind in told if kind != fix))):
            told[fix], gone = new, [old]
            pair = [_put(rng.choice(data[fix]["fix"]), new, old), _put(rng.choice(data[fix]["ack"]), new)]
            lines = pair + lines if rng.random() < 0.5 else lines + pair
    return lines, gone


def _memory(rng, split):
    """Facts about the user in two blocks of a chat: (blocks, old summary, new ones, facts, facts corrected)."""
    data, told = parts.load("summary")["memory"], {}
    kinds = rng.sample(tuple(data), rng.choice((2, 3, 3, 4)))
    cut = rng.randint(1, len(kinds) - 1)
    notes = {kind: rng.sample(data[kind]["note"], 2) for kind in kinds}
    first, _ = _told_block(rng, split, told, kinds[:cut], None)
    old = " ".join(_put(notes[kind][0], value) for kind, value in told.items())
    fix = rng.choice(kinds[:cut]) if rng.random() < 0.4 else None
    second, gone = _told_block(rng, split, told, [] if fix and rng.random() < 0.2 else kinds[cut:], fix)
    sums = [" ".join(_put(notes[kind][side], value) for kind, value in told.items()) for side in (0, 1)]
    labels = rng.choice(parts.load("summary")["labels"])
    blocks = ["\n".join(f"{labels[at % 2]}: {line}" for at, line in enumerate(lines)) for lines in (first, second)]
    return [block for block in blocks if block], old, sums, list(told.values()), gone


def generate(rng, split):
    """One talk to sum up, or one summary to bring up to date with new lines."""
    lists, gone, messages = parts.load("summary"), [], []
    kind = rng.choices(("whole", "update", "memory"), (60, 22, 18))[0]
    if kind == "memory":
        blocks, old, references, facts, gone = _memory(rng, split)
        text = "\n".join(blocks)
    elif kind == "whole" and rng.random() < 0.5:
        text, references, facts = _whole(rng, split)
    else:
        text, blocks, sums, facts = _talk(rng, split)
        references, old = [" ".join(said) for said in sums], sums[0][0]
        if len(blocks) == 3 and rng.random() < 0.5:
            old, blocks = " ".join(sums[0][:2]), ["\n".join(blocks[:2]), blocks[2]]
    if kind == "whole":
        if rng.random() < 0.12:
            messages = [{"role": "system", "content": parts.pick(rng, lists["system"], split)}]
            prompt = text
        else:
            prompt = _ask(rng, split, references[0]).replace("{c}", text)
    else:
        name = "history" if rng.random() < 0.3 else "update"
        wording = parts.pick(rng, lists[name], split)
        prompt = _put_all(wording, {"{s}": old, "{l}": "\n".join(blocks[1:]), "{o}": blocks[0]})
    messages += [{"role": "user", "content": prompt}, {"role": "assistant", "content": references[0]}]
    form = rng.choice(("{0}\n\nSummary: {1}", "{0}\nIn short: {1}", "{1}\n\n{0}", "Talk:\n{0}\nSummary:\n{1}"))
    return {
        "skill": SKILL,
        "messages": messages,
        "plain": form.format(text, references[0]),
        "gold": references[0],
        "references": references,
        "facts": facts,
        "gone": gone,
        "kind": kind,
    }


def score(reply, example):
    """The share of the key facts in the reply, less what is no longer true; 0 for a reply that is too long."""
    longest = max(len(reference.split()) for reference in example["references"])
    if not reply.strip() or len(reply.split()) > LONGEST * longest or repeats(reply, example):
        return 0.0
    text = reply.lower()
    kept = sum(fact.lower() in text for fact in example["facts"])
    wrong = sum(bool(re.search(rf"\b{re.escape(fact.lower())}\b", text)) for fact in example["gone"])
    return max(0.0, kept - wrong) / len(example["facts"])
