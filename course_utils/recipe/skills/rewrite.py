"""Rewriting a sentence in another style, mending rude replies, and naming the prompt behind a reply."""

from course_utils.recipe import split as parts
from course_utils.recipe.people import a, person, upper_first, word
from course_utils.recipe.skills import poem

SKILL = "rewrite"
NO_ARTICLE = set(
    "soup rice fish dinner stew tea coffee milk juice water bread paper grass money wood dough salad".split()
)


def _object(rng, verb):
    """An object that fits the verb, with its article and maybe an adjective."""
    thing = rng.choice(verb[3])
    plain = thing in NO_ARTICLE or thing in ("sheep", "stars", "books", "police")
    if rng.random() < 0.25 and not plain:
        thing = f"{rng.choice(parts.load('rewrite')['adjectives'])} {thing}"
    return f"the {thing}" if plain or rng.random() < 0.6 else a(thing)


def _clause(rng, split):
    """The parts of a sentence: (subject, plural, [(verb forms, object), ...], front, tail)."""
    data, draw = parts.load("rewrite"), rng.random()
    if draw < 0.2:
        who, plural = parts.pick(rng, data["plural_who"], split), True
        if who == "both":
            who = f"{person(rng, split)} and {parts.pick(rng, data['who'], split)}"
    else:
        who, plural = person(rng, split) if draw < 0.5 else parts.pick(rng, data["who"], split), False
    verbs = rng.sample(data["verbs"], 2 if rng.random() < 0.15 else 1)
    deeds = [(verb, _object(rng, verb)) for verb in verbs]
    kind = rng.choice((None, "places", "times", "company", "both"))
    tails = [rng.choice(data[name]) for name in (("places", "times") if kind == "both" else (kind,)) if name]
    if "for whom" in tails:
        tails = [f"for {person(rng, split)}"]
    front = tails.pop() if tails and kind in ("places", "times") and rng.random() < 0.35 else ""
    return who, plural, deeds, front, "".join(f" {tail}" for tail in tails)


def _forms(rng, split):
    """A sentence and its rewritings by grammar."""
    who, plural, deeds, front, tail = _clause(rng, split)
    number, do = (0, "do") if plural else (1, "does")

    def told(form, help_=""):
        said = " and ".join(f"{help_}{verb[form]} {thing}" for verb, thing in deeds)
        return upper_first(f"{front} {who} {said}{tail}".strip())

    bare = " and ".join(f"{verb[0]} {thing}" for verb, thing in deeds)
    source = told(number)
    lower = source if source.startswith(who) and who[0].isupper() else source[0].lower() + source[1:]
    return f"{source}.", {
        "past": f"{told(2)}.",
        "future": upper_first(f"{front} {who} will {bare}{tail}.".strip()),
        "question": f"{do.capitalize()} {who} {bare}{tail}{' ' * bool(front)}{front}?",
        "negative": f"{told(0, f'{do} not ')}.",
        "upper": f"{source}.".upper(),
        "lower": f"{source}.".lower(),
        "excited": f"Wow, {lower}!",
    }


def _shorter(rng, split):
    """A sentence with extra words, and its core."""
    data = parts.load("rewrite")
    who, plural, deeds, _, _ = _clause(rng, split)
    verb, thing = deeds[0]
    does = verb[0 if plural else 1]
    article, noun = thing.split()[0], thing.split()[-1]
    adjective = " ".join(rng.sample(data["adjectives"], rng.choice((1, 2))))
    long_thing, thing = f"the {adjective} {noun}", f"the {noun}"
    if article != "the":
        long_thing, thing = a(f"{adjective} {noun}"), a(noun)
    extra = " ".join(rng.choice(data[name]) for name in rng.choice((("places",), ("times",), ("places", "times"))))
    opener, aside = parts.pick(rng, data["openers"], split), ""
    if rng.random() < 0.3:
        aside = " " + parts.pick(rng, data["asides"], split)
    source = f"{opener} {who} {rng.choice(data['adverbs'])} {does} {long_thing} {extra}.".strip()
    return upper_first(source) + aside, f"{upper_first(who)} {does} {thing}."


def _listing(rng, split):
    words = rng.sample(parts.load("rewrite")["list_words"], rng.randint(2, 5))
    head = parts.pick(rng, parts.load("rewrite")["list_heads"], split)
    return head.replace("{x}", ", ".join(words[:-1]) + " and " + words[-1]), "\n".join(f"- {item}" for item in words)


def _pair(rng, split, style):
    """Draw (source, result) for a style."""
    data = parts.load("rewrite")
    if style == "reverse":
        return _reverse(rng, split)
    if style == "shorter":
        return _shorter(rng, split)
    if style == "list":
        return _listing(rng, split)
    item, name = word(rng, "items"), person(rng, split)
    if style == "polite":
        command = parts.pick(rng, data["commands"], split).replace("{i}", item)
        ending = rng.choice((".", "!", " now.", " now!"))
        return upper_first(command) + ending, f"Could you please {command}?"
    if style == "mend":
        return tuple(text.replace("{i}", item) for text in parts.pick(rng, data["rude"], split))
    if style == "formal":
        lines = list(dict.fromkeys(parts.pick(rng, data["casual"], split) for _ in range(rng.choice((1, 1, 2)))))
        if rng.random() < 0.3:
            lines = [rng.choice(data["greetings"]), *lines]
        source, result = (" ".join(line[side] for line in lines) for side in (0, 1))
        return tuple(
            text.replace("a {i}", a(item)).replace("{i}", item).replace("{n}", name) for text in (source, result)
        )
    source, forms = _forms(rng, split)
    return source, forms[style]


def _reverse(rng, split):
    """A reply, and the prompt that asks for it."""
    data, name, item = parts.load("rewrite"), person(rng, split), word(rng, "items")
    day = rng.choice(parts.load("chat")["days"])
    kind = rng.randrange(9)
    if kind < 2:
        slots = poem.draw_slots(rng, split)
        reader = f" for {slots['reader']}" if slots["reader"] else ""
        return poem.compose(rng, slots), f"Write a poem about {slots['subject']}{reader}."
    if kind == 2:
        thanks = rng.choice(data["thanks"]).replace("{i}", item)
        prompt = f"Write a letter to {name} to say thank you for the {item}."
        return f"Dear {name},\n{thanks} {rng.choice(data['thanks_more'])}", prompt
    if kind == 3:
        event = rng.choice(data["events"])
        body = rng.choice(
            (
                f"please come to my {event} on {day}.",
                f"I invite you to my {event} on {day}.",
                f"on {day} I have a {event}, and I hope that you will come.",
            )
        )
        return f"Dear {name},\n{body}", f"Invite {name} to a {event} on {day}."
    if kind == 4:
        words = rng.choice(("colours", "pets", "jobs", "names", "foods", "towns", "hobbies"))
        label = "animals" if words == "pets" else words
        count = rng.randint(2, 5)
        drawn = rng.sample(parts.load("talk")[words], count)
        if words == "names":
            drawn = [person(rng, split) for _ in range(count)]
        number = ("two", "three", "four", "five")[count - 2]
        text = ", ".join(drawn) if rng.random() < 0.5 else "\n".join(f"- {part}" for part in drawn)
        return text, f"List {number} {label}."
    if kind == 5:
        text = rng.choice(data["prices"]).replace("{a}", a(item)).replace("{p}", str(rng.randint(2, 300)))
        return upper_first(text), f"How much is {a(item)}?"
    if kind == 6:
        job, town = (rng.choice(parts.load("talk")[words]) for words in ("jobs", "towns"))
        text = rng.choice(data["persons"]).replace("{n}", name).replace("{j}", a(job)).replace("{t}", town)
        return text, f"Who is {name}?"
    if kind == 7:
        return rng.choice(data["found"]).replace("{i}", item), f"Where is the {item}?"
    praise = rng.choice(data["praise"]).replace("{i}", item).replace("{d}", day)
    return praise, f"Write an advertisement for {a(item)}."


def _plain(rng, style):
    """A list of solved examples, or rude and polite replies, without markup."""
    pairs = [_pair(rng, "train", style) for _ in range(rng.choice((2, 3, 4) if style != "reverse" else (1, 2)))]
    if style == "reverse":
        return "\n\n".join(rng.choice((f"Prompt: {b}\nReply:\n{t}", f"Reply:\n{t}\nPrompt: {b}")) for t, b in pairs)
    label = {"mend": "Polite", "upper": "Upper case", "lower": "Lower case"}.get(style, upper_first(style))
    first = "Rude" if style == "mend" else rng.choice(("Sentence", "Text", "Before", "Input"))
    if rng.random() < 0.25:
        label = rng.choice(("After", "Output", "Rewritten"))
    mark = "\n" if style == "list" else " "
    page = "\n".join(f"{first}: {source}\n{label}:{mark}{result}" for source, result in pairs)
    task = parts.pick(rng, parts.load("rewrite")["styles"][style], "train")
    return f"{task}\n{page}" if rng.random() < 0.4 else page


def generate(rng, split):
    """One text to rewrite; `gold` is the exact result."""
    data = parts.load("rewrite")
    style = rng.choice((*data["styles"], "mend", "reverse", "polite"))
    source, result = _pair(rng, split, style)
    task = parts.pick(rng, data["styles"][style], split)
    content = rng.choice(data["layouts"]).replace("{t}", task).replace("{s}", source)
    if style == "reverse" or "\n" in source:
        content = rng.choice((f"{task}\n\n{source}", f"{source}\n\n{task}", f"{task}\n###\n{source}\n###"))
    messages = [{"role": "user", "content": content}, {"role": "assistant", "content": result}]
    return {"skill": SKILL, "messages": messages, "plain": _plain(rng, style), "gold": result}


def score(reply, example):
    """1 if the reply equals the gold text, apart from space at its ends, else 0."""
    return float(reply.strip() == example["gold"].strip())
