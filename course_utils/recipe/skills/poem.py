"""Short rhyming poems from slots: mood, subject, reader and contents."""

import re

from course_utils.recipe import split as parts
from course_utils.recipe.people import a, made_up, person, upper_first
from course_utils.recipe.skills._echo import repeats

SKILL = "poem"


def draw_slots(rng, split):
    """Draw mood, subject, contents with their verbs (None: unknown number) and maybe a reader."""
    data = parts.load("poem")
    kind = rng.choice(tuple(data["moods"]))
    known = rng.random() < 0.6
    subject = rng.choice(tuple(data["subjects"])) if known else parts.pick(rng, data["extra_subjects"], split)
    count = rng.choice((0, 1, 1, 2, 2, 2, 3))
    if known:
        words = rng.sample(sorted(data["subjects"][subject].items()), count)
    else:
        words = []
        for noun in rng.sample(data["free_nouns"], count):
            adjective = rng.choice(data["free_adjectives"]) + " " if rng.random() < 0.25 else ""
            words.append((adjective + noun, None))
        if words and rng.random() < 0.3:
            words[0] = (made_up(rng).lower() + "s", None)
        if rng.random() < 0.15:
            subject = f"the {made_up(rng).lower()}"
    reader = person(rng, split) if rng.random() < 0.65 else None
    mood = rng.choice(data["moods"][kind])
    return {"kind": kind, "mood": mood, "subject": subject, "contents": words, "reader": reader}


def _thing_head(rng, slots, word, verbs):
    heads = parts.load("poem")["heads"]
    if verbs is None or rng.random() < 0.2:
        return rng.choice(heads["g"]).replace("{c}", word)
    adjective = rng.choice(parts.load("poem")["adjectives"][slots["kind"]])
    head = rng.choice(heads["c"]).replace("{a}", adjective)
    return head.replace("{c}", word).replace("{v}", rng.choice(verbs))


def _heads(rng, slots):
    """Four line beginnings that hold every required word, in a random order with the subject early."""
    heads = parts.load("poem")["heads"]
    reader, contents = slots["reader"], list(slots["contents"])
    units = []
    if reader and (len(contents) == 3 or rng.random() < 0.3):
        units.append(rng.choice(heads["ns"]))
    else:
        units.append(rng.choice(heads["s"]))
        if reader and contents and rng.random() < 0.25:
            units.append(rng.choice(heads["nc"]).replace("{c}", contents.pop()[0]))
        elif reader:
            units.append(rng.choice(heads["n"]))
    rest = [_thing_head(rng, slots, *pair) for pair in contents]
    missing = 4 - len(units) - len(rest)
    rest += rng.sample(heads[slots["kind"]], missing)
    rng.shuffle(rest)
    if rng.random() < 0.5:
        rng.shuffle(units)
    lines = units + rest
    if rng.random() < 0.3:
        rng.shuffle(lines)
    return [line.replace("{n}", reader or "").replace("{s}", slots["subject"]) for line in lines]


def _rhymes(rng, tails):
    """Two line ends of one family with different last words."""
    first = rng.choice(tails)
    last = first.split()[-1]
    return [first, rng.choice([tail for tail in tails if tail.split()[-1] != last])]


def compose(rng, slots):
    """Write four lines for the slots: lines one and two rhyme, and lines three and four."""
    ends = parts.load("poem")["ends"]
    families = rng.sample(tuple(ends), 2)
    tails = _rhymes(rng, ends[families[0]]) + _rhymes(rng, ends[families[1]])
    lines = [upper_first(f"{head} {tail}") for head, tail in zip(_heads(rng, slots), tails)]
    marks = rng.choice((",,,.", ",.,.", ",.,!", ",;,."))
    return "\n".join(line + mark for line, mark in zip(lines, marks))


def _series(words, last=" and "):
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + last + words[-1]


def structured_prompt(rng, slots):
    """Modifier + topic + modifiers, such as "a cheerful poem about the sea for Mia, with waves"."""
    sizes = parts.load("poem")["sizes"]
    words = [slots["mood"]] if rng.random() < 0.75 else []
    size = rng.choice(sizes)
    words = [size, *words] if size else words
    phrase = a(" ".join([*words, rng.choice(("poem", "poem", "poem", "verse", "rhyme"))]))
    tails = [f" {rng.choice(('about', 'about', 'about', 'on'))} {slots['subject']}"]
    if slots["reader"]:
        tails.insert(rng.choice((0, 1, 1)), f" for {slots['reader']}")
    if slots["contents"]:
        link = rng.choice((", with ", " with ", " that mentions ", ", including ", " containing "))
        tails.append(link + _series([word for word, _ in slots["contents"]]))
    return phrase + "".join(tails)


def _instruction(rng, slots, split):
    data = parts.load("poem")
    if slots["reader"] and slots["contents"] and rng.random() < 0.4:
        form = parts.pick(rng, data["forms"], split)
        words = _series([word for word, _ in slots["contents"]], rng.choice((" and ", ", ")))
        text = form.replace("a {m}", a(slots["mood"])).replace("A {m}", upper_first(a(slots["mood"])))
        text = text.replace("{m}", slots["mood"]).replace("{n}", slots["reader"])
        return text.replace("{s}", slots["subject"]).replace("{c}", words)
    phrase = structured_prompt(rng, slots)
    return parts.pick(rng, data["frames"], split).replace("{p}", phrase).replace("{P}", upper_first(phrase))


def required(slots):
    """The words a poem must hold: reader, subject without its article, contents."""
    subject = re.sub(r"^(the|an|a|my) ", "", slots["subject"])
    return [word for word in (slots["reader"], subject) if word] + [word for word, _ in slots["contents"]]


def _plain(rng, slots, prompt, poem):
    title = upper_first(slots["subject"])
    layout = rng.randrange(5)
    if layout == 0:
        return f"{title}\n\n{poem}" + (f"\n\nFor {slots['reader']}" if slots["reader"] else "")
    if layout == 1:
        return f"{prompt}\n\n{poem}"
    if layout == 2:
        return f"Topic: {slots['subject']}\nMood: {slots['mood']}\nPoem:\n{poem}"
    second = compose(rng, slots)
    if layout == 3:
        return f"{title}\n\n{poem}\n\n{second}"
    reader = slots["reader"] or "friend"
    return f"Dear {reader},\nhere is {structured_prompt(rng, slots)}.\n\n{poem}\n\nYour poet"


def generate(rng, split):
    """One request for a poem and its poem; `gold` is the list of required words."""
    slots = draw_slots(rng, split)
    prompt = _instruction(rng, slots, split)
    poem = compose(rng, slots)
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": poem}]
    if rng.random() < 0.15:
        messages.insert(0, {"role": "system", "content": parts.pick(rng, parts.load("poem")["systems"], split)})
    plain = _plain(rng, slots, prompt, poem)
    return {"skill": SKILL, "messages": messages, "plain": plain, "gold": required(slots)}


def score(reply, example):
    """Share of the required words in the reply; 0 unless the reply has exactly four lines of its own."""
    if len([line for line in reply.strip().split("\n") if line.strip()]) != 4 or repeats(reply, example):
        return 0.0
    text = reply.lower()
    found = [bool(re.search(rf"\b{re.escape(word.lower())}\b", text)) for word in example["gold"]]
    return sum(found) / len(found)
