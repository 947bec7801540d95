"""Conversations over several turns: facts recalled later, roles, shop facts and style rules."""

from course_utils.recipe import split as parts
from course_utils.recipe import world
from course_utils.recipe.people import a, expand, person, upper_first, word
from course_utils.recipe.skills import _chat_more, staff
from course_utils.recipe.skills._echo import repeats

SKILL = "chat"


def _value(rng, split, kind):
    kind = parts.load("chat")["kinds"][kind]
    if kind in ("phone", "clock"):
        return world.phone(rng) if kind == "phone" else world.clock(rng, 5, 22)
    if "-" in kind:
        return str(rng.randint(*map(int, kind.split("-"))))
    return person(rng, split) if kind == "person" else word(rng, kind)


def _fill(text, value, old=""):
    """Put a value into {v} (with article {a}; with a capital {V}, {A}), the old value into {o} and {b}."""
    if "{A}" in text or "{a}" in text:
        text = text.replace("{a}", a(value)).replace("{A}", upper_first(a(value)))
    if old:
        text = text.replace("{o}", old).replace("{b}", a(old))
    return upper_first(text.replace("{v}", value).replace("{V}", upper_first(value)))


def _small_talk(rng, split):
    says, replies = rng.choice(parts.load("chat")["talk"])
    return parts.pick(rng, says, split), rng.choice(replies)


def _question(rng, split, kind):
    """A question about a fact: its own wording, or its name in one of the frames for all facts."""
    data = parts.load("chat")
    if rng.random() < 0.6:
        return parts.pick(rng, data["facts"][kind]["ask"], split)
    return parts.pick(rng, data["np_frames"], split).replace("{p}", rng.choice(data["facts"][kind]["np"]))


def _correction(rng, split, fact, old, new):
    data = parts.load("chat")
    if split == "train" and "fix" in fact and rng.random() < 0.3:
        return _fill(rng.choice(fact["fix"]), new, old)
    said = _fill(parts.pick(rng, fact["say"], split), new)
    return upper_first(parts.pick(rng, data["fix_frames"], split).replace("{o}", old).replace("{say}", said))


def _ask(rng, split, question):
    frame = parts.pick(rng, parts.load("chat")["recall_frames"], split)
    return frame.replace("{q}", question).replace("{r}", question[0].lower() + question[1:])


def _tell_facts(rng, split, facts):
    """Turns in which the user tells the facts, corrects some of them and talks of other things."""
    data, turns, waiting = parts.load("chat"), [], ""
    for index, (kind, value) in enumerate(list(facts.items())):
        fact = data["facts"][kind]
        said = _fill(parts.pick(rng, fact["say"], split), value)
        if index + 1 < len(facts) and rng.random() < 0.3:
            waiting += said + " "
            continue
        turns.append((waiting + said, _fill(rng.choice(fact["ack"]), value)))
        waiting = ""
        if rng.random() < 0.12:
            new = _value(rng, split, kind)
            if new != value:
                facts[kind] = new
                reply = rng.choice(("Thank you. ", "I see. ", "")) + _fill(rng.choice(fact["ack"]), new)
                turns.append((_correction(rng, split, fact, value, new), reply))
        turns += [_small_talk(rng, split) for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))]
    return turns


def _recall(rng, split):
    """Facts told by the user (or noted in the system message), and a question about one of them."""
    data = parts.load("chat")
    kinds = rng.sample(tuple(data["facts"]), rng.choice((1, 1, 2, 2, 3)))
    if "pet" in kinds and "pet_name" in kinds:  # "Which animal do I have?" would have two answers
        kinds.remove("pet_name")
    facts = {kind: _value(rng, split, kind) for kind in kinds}
    system, turns = None, []
    if rng.random() < 0.15:
        notes = " ".join(_fill(rng.choice(data["third"][kind]), value) for kind, value in facts.items())
        system = parts.pick(rng, data["notes"], split).replace("{f}", notes)
    else:
        turns = _tell_facts(rng, split, facts)
    if rng.random() < 0.1:
        kind = rng.choice([kind for kind in data["missing"] if kind not in facts and kind != "pet"])
        question = _ask(rng, split, _question(rng, split, kind))
        turns.append((question, f"I do not know. You did not tell me {data['missing'][kind]}."))
        return system, turns, ["I do not know"]
    kinds = rng.sample(kinds, min(len(kinds), rng.choice((1, 1, 2))))
    for kind in kinds:
        question = _ask(rng, split, _question(rng, split, kind))
        turns.append((question, _fill(data["facts"][kind]["tell"][0], facts[kind])))
    return system, turns, [facts[kinds[-1]]]


def _role(rng, split):
    """A role in the system message and the question who the assistant is."""
    data = parts.load("chat")
    role = a(f"{rng.choice(data['role_words'])} {rng.choice(data['role_jobs'])}")
    name = person(rng, split)
    system = parts.pick(rng, data["role_systems"], split).replace("{n}", name).replace("{r}", role)
    turns = [_small_talk(rng, split) for _ in range(rng.choice((0, 0, 1, 2)))]
    turns.append((parts.pick(rng, data["whoami"], split), f"I am {name}, {role}."))
    return system, turns, [name, role]


def _shop(rng, split):
    """A made-up shop with hours and prices in the system message; one of them, or the name, is asked for."""
    data = parts.load("chat")
    name, shop = person(rng, split), word(rng, "shops")
    opens, closes = rng.randint(6, 11), rng.randint(15, 22)
    items = rng.sample(parts.load("talk")["items"], rng.choice((1, 2, 2, 3)))
    prices = {item: rng.choice((rng.randint(2, 20), rng.randint(21, 400))) for item in items}
    facts = [parts.pick(rng, data["hours"], split).replace("{x}", str(opens)).replace("{y}", str(closes))]
    for item, price in prices.items():
        fact = parts.pick(rng, data["prices"], split).replace("{U}", upper_first(a(item))).replace("{u}", a(item))
        facts.append(fact.replace("{p}", str(price)))
    rng.shuffle(facts)
    system = parts.pick(rng, data["shop_systems"], split).replace("{n}", name).replace("{s}", shop)
    system = " ".join([system, *facts])
    turns = [_small_talk(rng, split) for _ in range(rng.choice((0, 0, 1)))]
    asked = rng.random()
    if asked < 0.3:
        turns.append((parts.pick(rng, data["whoami"], split), f"I am {name}, the assistant of {shop}."))
        return system, turns, [name, shop]
    if asked < 0.55:
        turns.append((parts.pick(rng, data["ask_hours"], split), f"We are open from {opens} to {closes}."))
        return system, turns, [f"{opens} to {closes}"]
    item = rng.choice(items)
    question = parts.pick(rng, data["ask_price"], split).replace("{u}", a(item))
    turns.append((question, f"{upper_first(a(item))} costs {prices[item]} dollars."))
    return system, turns, [f" {prices[item]} "]


def apply_rule(reply, rule, mark):
    """Change a reply so that it keeps a style rule of the system message."""
    if rule == "upper":
        return reply.upper()
    if rule == "lower":
        return reply.lower()
    if rule == "end":
        return f"{reply} {mark}"
    if rule == "start":
        return f"{mark} {reply}"
    return f"{reply[:-1]}, {mark}{reply[-1]}" if rule == "call" else reply


def _rule(rng, split):
    """Draw a rule, its mark and its sentence."""
    data = parts.load("chat")
    rule = rng.choice(tuple(data["rules"]))
    mark = {"end": data["enders"], "start": data["starters"], "call": data["titles"]}.get(rule)
    mark = rng.choice(mark) if mark else ""
    return rule, mark, parts.pick(rng, data["rules"][rule], split).replace("{w}", mark)


def generate(rng, split):
    """One conversation; `gold` holds what the last reply must contain and the rule it must keep."""
    system, turns, contains = rng.choices((_recall, _role, _shop, _chat_more.recall), (30, 15, 18, 37))[0](rng, split)
    rule, mark = None, ""
    if rng.random() < 0.25:
        rule, mark, sentence = _rule(rng, split)
        system = f"{system} " if system else rng.choice(("", "You are a helpful assistant. "))
        system += sentence
    elif not system and rng.random() < 0.3:
        system = parts.pick(rng, parts.load("chat")["systems"], split)
    if split == "train" and rng.random() < 0.12:
        talk = rng.choice((_small_talk, _chat_more.small_talk))
        turns, contains = [talk(rng, split) for _ in range(rng.choice((1, 2, 3)))], []
    messages = [{"role": "system", "content": system}] if system else []
    for said, reply in turns:
        messages.append({"role": "user", "content": said})
        messages.append({"role": "assistant", "content": apply_rule(reply, rule, mark)})
    gold = {"contains": contains, "rule": rule, "mark": mark}
    return {"skill": SKILL, "messages": messages, "plain": _plain(rng), "gold": gold}


def small_talk(said):
    """The replies to small talk at the end of a text; an empty set where it holds none."""
    talk = parts.load("chat")["talk"]
    return {reply for says, replies in talk for reply in replies if said.endswith(says)}


def score(reply, example):
    """1 if the reply contains the gold words (or fits the small talk) and keeps the style rule, else 0."""
    gold, text = example["gold"], f" {reply.strip()} "
    mark, bare = gold["mark"], text.strip()
    if not bare or repeats(reply, example) or any(part.lower() not in text.lower() for part in gold["contains"]):
        return 0.0
    said = example["messages"][-2]["content"]
    fitting = [apply_rule(fit, gold["rule"], mark) for fit in small_talk(said) | _chat_more.fitting(said)]
    if not gold["contains"] and bare not in fitting:
        return 0.0
    checks = {
        "upper": text == text.upper(),
        "lower": text == text.lower(),
        "end": bare.endswith(mark),
        "start": bare.startswith(mark),
        "call": mark in text,
    }
    return float(checks.get(gold["rule"], True))


def _slots(rng, text):
    """Fill the slots of a letter or a diary line."""
    kinds = {**parts.load("chat")["kinds"], "item": "items", "shop": "shops"}
    for slot in ("petname", *kinds):
        if f"{{{slot}}}" in text:
            value = person(rng, "train") if kinds.get(slot, "person") == "person" else word(rng, kinds[slot])
            text = text.replace(f"a {{{slot}}}", a(value)).replace(f"{{{slot}}}", value)
    return upper_first(expand(rng, text))


def _letter(rng):
    data = parts.load("chat")["letters"]
    body = [rng.choice(data["open"]), *rng.sample(data["tell"], rng.randint(2, 5)), rng.choice(data["close"])]
    body = " ".join(_slots(rng, line) for line in body)
    return f"Dear {person(rng, 'train')},\n{body}\n{rng.choice(data['sign'])},\n{person(rng, 'train')}"


def _diary(rng):
    data = parts.load("chat")
    lines = " ".join(_slots(rng, line) for line in rng.sample(data["diary"], rng.randint(3, 6)))
    return f"{rng.choice(data['days'])}\n{lines}"


def _interview(rng):
    """The knowledge of recall as a script of two speakers."""
    notes, turns, _ = rng.choice((_recall, _chat_more.recall))(rng, "train")
    names = (person(rng, "train"), person(rng, "train"))
    one, two = rng.choice((("Guest", "Host"), ("Visitor", "Clerk"), ("A", "B"), ("User", "Assistant"), names))
    script = "\n".join(f"{one}: {said}\n{two}: {reply}" for said, reply in turns)
    return f"{notes}\n{script}" if notes else script


def _plain(rng):
    kind = rng.random()
    if kind < 0.45:
        return staff.talk(rng, rude=rng.random() < 0.5)
    return (_letter if kind < 0.63 else _diary if kind < 0.78 else _interview)(rng)
