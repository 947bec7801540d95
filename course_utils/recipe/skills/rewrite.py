"""Rewriting a sentence in another style, mending rude replies, and naming the prompt behind a reply."""

from course_utils.recipe import split as parts
from course_utils.recipe.people import a, person, upper_first, word
from course_utils.recipe.skills import poem

SKILL = "rewrite"
NO_ARTICLE = {
    "soup",
    "rice",
    "fish",
    "dinner",
    "stew",
    "tea",
    "coffee",
    "milk",
    "juice",
    "water",
    "bread",
    "paper",
    "grass",
    "money",
}


def _clause(rng, split):
    """The parts of a sentence: person, verb forms, object, time and place."""
    data = parts.load("rewrite")
    who = person(rng, split) if rng.random() < 0.4 else rng.choice(data["who"])
    base, third, past, things = rng.choice(data["verbs"])
    thing = rng.choice(things)
    tail = rng.choice(("", "", " " + rng.choice(data["places"]), " " + rng.choice(data["times"])))
    plain = thing in NO_ARTICLE or thing in ("sheep", "stars", "books", "police")
    thing = f"the {thing}" if plain or rng.random() < 0.6 else a(thing)
    return who, (base, third, past), thing, tail


def _forms(rng, split):
    """A sentence and its rewritings by grammar."""
    who, (base, third, past), thing, tail = _clause(rng, split)
    top = upper_first(who)
    source = f"{top} {third} {thing}{tail}."
    return source, {
        "past": f"{top} {past} {thing}{tail}.",
        "future": f"{top} will {base} {thing}{tail}.",
        "question": f"Does {who} {base} {thing}{tail}?",
        "negative": f"{top} does not {base} {thing}{tail}.",
        "upper": source.upper(),
        "lower": source.lower(),
        "excited": f"Wow, {who} {third} {thing}{tail}!",
    }


def _shorter(rng, split):
    """A sentence with extra words, and its core."""
    data = parts.load("rewrite")
    who, (_, third, _), thing, _ = _clause(rng, split)
    article, noun = thing.split(" ", 1)
    adjective = " ".join(rng.sample(data["adjectives"], rng.choice((1, 2))))
    opener = rng.choice(data["openers"])
    long_thing = a(f"{adjective} {noun}") if article in ("a", "an") else f"the {adjective} {noun}"
    extra = rng.choice(
        (
            rng.choice(data["places"]),
            rng.choice(data["times"]),
            f"{rng.choice(data['places'])} {rng.choice(data['times'])}",
        )
    )
    source = upper_first(f"{opener}{who} {rng.choice(data['adverbs'])} {third} {long_thing} {extra}.")
    return source, f"{upper_first(who)} {third} {thing}."


def _listing(rng):
    words = rng.sample(parts.load("rewrite")["list_words"], rng.randint(2, 5))
    source = rng.choice(parts.load("rewrite")["list_heads"]).replace(
        "{x}", ", ".join(words[:-1]) + " and " + words[-1]
    )
    return source, "\n".join(f"- {item}" for item in words)


def _pair(rng, split, style):
    """Draw (source, result) for a style."""
    data = parts.load("rewrite")
    if style == "reverse":
        return _reverse(rng, split)
    if style == "shorter":
        return _shorter(rng, split)
    if style == "list":
        return _listing(rng)
    item, name = word(rng, "items"), person(rng, split)
    if style == "polite":
        command = rng.choice(data["commands"]).replace("{i}", item)
        ending = rng.choice((".", "!", " now.", " now!"))
        return upper_first(command) + ending, f"Could you please {command}?"
    if style == "mend":
        return tuple(text.replace("{i}", item) for text in rng.choice(data["rude"]))
    if style == "formal":
        lines = rng.sample(data["casual"][2:13] + data["casual"][14:], rng.choice((1, 1, 2)))
        if rng.random() < 0.3:
            lines = [rng.choice(data["casual"][:2]), *lines]
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
    kind = rng.randrange(7)
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
        number = ("two", "three", "four", "five")[count - 2]
        text = ", ".join(drawn) if rng.random() < 0.5 else "\n".join(f"- {part}" for part in drawn)
        return text, f"List {number} {label}."
    if kind == 5:
        text = rng.choice(data["prices"]).replace("{a}", a(item)).replace("{p}", str(rng.randint(2, 300)))
        return upper_first(text), f"How much is {a(item)}?"
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
    return f"{rng.choice(parts.load('rewrite')['styles'][style])}\n{page}" if rng.random() < 0.4 else page


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
