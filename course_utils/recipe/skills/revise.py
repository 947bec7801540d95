"""Replies and rules: say whether a reply breaks a rule, write it anew, and choose between two replies."""

import functools
import re

from course_utils.recipe import people, world
from course_utils.recipe import split as parts

SKILL = "revise"
KEEPS = "Keeps the rule."
# A reply that breaks one of these rules breaks none of the others.
APART = ("medical", "legal", "private", "secrets", "rivals", "colleagues")
POLITE = ("medical", "legal", "private", "secrets")


@functools.lru_cache(maxsize=None)
def _cases(split):
    """The cases of one part: {rule: [case, ...]} without rules that have none."""
    table = {}
    for rule, cases in parts.load("revise")["cases"].items():
        kept = [case for case in cases if parts.held_out(case["ask"][0]) == (split == "heldout")]
        if kept:
            table[rule] = kept
    return table


def _values(rng, split, kind):
    """A value for every slot of a case."""
    lists = parts.load("world_goods")
    return {
        "{i}": parts.pick(rng, parts.load("revise")["goods"][kind], split),
        "{n}": str(rng.randint(3, 30)),
        "{d}": rng.choice(lists["days"]),
        "{o}": rng.choice(("", "", "A", "B-", "K")) + str(rng.randint(100, 99999)),
        "{p}": rng.choice(world.CURRENCIES).format(world.price_text(rng, 5, 90)),
        "{m}": rng.choice(lists["months"]),
        "{w}": people.person(rng, split),
    }


def draw(rng, split):
    """A case with its slots filled: rule, message, bad and good reply, the words that break it, facts."""
    table = _cases(split)
    rule = rng.choice(tuple(table))
    case = rng.choice(table[rule])
    values = _values(rng, split, case.get("of", "thing"))
    chosen = {
        "ask": rng.choice(case["ask"]),
        "bad": rng.choice(case["bad"]),
        "good": rng.choice(case["good"]),
        "also": case.get("also", ""),
    }
    facts = [value for slot, value in values.items() if slot in chosen["good"]]
    for key, text in chosen.items():
        for slot, value in values.items():
            text = text.replace(slot, value)
        chosen[key] = text
    span = chosen["bad"].split("*")[1].strip(" ")
    return chosen | {"rule": rule, "facts": facts, "span": span, "bad": chosen["bad"].replace("*", "")}


def _say(rng, rule, split):
    return parts.pick(rng, parts.load("revise")["rules"][rule]["say"], split)


def _critique(rng, case):
    """What is wrong with the bad reply of a case."""
    why = rng.choice(parts.load("revise")["rules"][case["rule"]]["why"])
    span = case["span"].rstrip(",")
    return f'Breaks the rule: the reply {why}, because it says "{span}"' + ("" if span[-1] in ".!?" else ".")


def _talk(rng, case, replies):
    """The customer's message, what the shop knows, and one or two replies."""
    asker, answerer = rng.choice(parts.load("revise")["speakers"])
    lines = [f"{asker}: {case['ask']}"]
    if case["also"]:
        lines.append(f"{rng.choice(('Known', 'Fact', 'Note'))}: {case['also']}")
    if len(replies) == 1:
        return "\n".join([*lines, f"{answerer}: {replies[0]}"])
    form = rng.choice(("{0}: {1}", "{0}) {1}", "Reply {0}: {1}", "{2} {0}: {1}"))
    return "\n".join([*lines, *(form.format(letter, text, answerer) for letter, text in zip("AB", replies))])


def _fill(text, rule, talk, critique=""):
    for slot, value in (("{r}", rule), ("{k}", critique), ("{c}", talk)):
        text = text.replace(slot, value)
    return text


def _check(rng, split, case):
    """A reply to be checked and its verdict: (rule, reply, verdict)."""
    way = rng.random()
    rule = case["rule"]
    if way < 0.5:
        return rule, case["bad"], _critique(rng, case)
    if way < 0.62 and rule in APART:
        others = [other for other in APART if other != rule] + (["polite"] if rule in POLITE else [])
        return rng.choice(others), case["bad"], KEEPS
    if way < 0.72:
        return rng.choice((*APART, "polite")), case["good"], KEEPS
    return rule, case["good"], KEEPS


def _plain(rng, split):
    """A page of a handbook: a rule with a bad and a good reply."""
    case = draw(rng, split)
    rule, way = _say(rng, case["rule"], split), rng.random()
    if way < 0.35:
        return f"Rule: {rule}\n{_talk(rng, case, [case['bad']])}\nCheck: {_critique(rng, case)}\nBetter: {case['good']}"
    if way < 0.6:
        known = f"Known: {case['also']}\n" if case["also"] else ""
        return f"{rule}\nCustomer: {case['ask']}\n{known}Wrong: {case['bad']}\nRight: {case['good']}"
    keeps = rng.random() < 0.5
    reply = case["good"] if keeps else case["bad"]
    verdict = KEEPS if keeps else _critique(rng, case)
    return f"{_talk(rng, case, [reply])}\nRule: {rule}\nVerdict: {verdict}"


def generate(rng, split):
    """One verdict on a reply, one reply written anew, or one choice between two replies."""
    lists = parts.load("revise")
    kind = rng.choices(("critique", "revise", "prefer"), (40, 35, 25))[0]
    case = draw(rng, split)
    rule, facts, messages = _say(rng, case["rule"], split), [], []
    wording = parts.pick(rng, lists[kind], split)
    if kind == "critique":
        name, text, reply = _check(rng, split, case)
        rule = rule if name == case["rule"] else _say(rng, name, split)
        prompt = _fill(wording, rule, _talk(rng, case, [text]))
    elif kind == "revise":
        reply, facts, critique = case["good"], case["facts"], _critique(rng, case)
        prompt = _fill(wording, rule, _talk(rng, case, [case["bad"]]), critique)
        if rng.random() < 0.2:
            first = parts.pick(rng, lists["critique"], split)
            messages = [
                {"role": "user", "content": _fill(first, rule, _talk(rng, case, [case["bad"]]))},
                {"role": "assistant", "content": critique},
            ]
            prompt = parts.pick(rng, lists["again"], split)
    else:
        reply = rng.choice("AB")
        replies = [case["good"], case["bad"]] if reply == "A" else [case["bad"], case["good"]]
        prompt = _fill(wording, rule, _talk(rng, case, replies))
    messages += [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
    return {
        "skill": SKILL,
        "messages": messages,
        "plain": _plain(rng, split),
        "gold": reply,
        "kind": kind,
        "facts": facts,
        "span": case["span"],
    }


@functools.lru_cache(maxsize=1)
def _rude():
    return re.compile(r"\b(" + "|".join(map(re.escape, parts.load("revise")["rude_words"])) + r")\b", re.IGNORECASE)


def score(reply, example):
    """1.0 for the right verdict or letter, or for a new reply with the facts and without the fault."""
    text, gold = reply.strip(), example["gold"]
    if example["kind"] == "critique":
        return float(re.findall(r"\w+", text)[:3] == re.findall(r"\w+", gold)[:3])
    if example["kind"] == "prefer":
        return float(text.rstrip(".)") == gold)
    kept = all(fact.lower() in text.lower() for fact in example["facts"])
    return float(bool(text) and kept and example["span"] not in text and not _rude().search(text))
