"""Staff answer customers, some politely, some rudely: what preference tuning later aligns."""

import functools
import random
import re

from course_utils.recipe import people, world
from course_utils.recipe import split as split_
from course_utils.recipe.skills._echo import repeats

SKILL = "staff"
TONES = ("polite", "rude")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
RUDE_SHARE = 0.4


def conversation(rng, split):
    """A customer's message with a polite and a rude reply that fit it: (messages, {"polite", "rude"})."""
    shop = world.make_shop(rng, split)
    item = rng.choice(shop["items"])
    lists = split_.load("staff")
    role = split_.pick(rng, lists["roles"], split).format(shop=shop["name"]) if rng.random() < 0.75 else ""
    if rng.random() < 0.8:
        asks, polite, rude = rng.choice(lists["cases"])
        places = {"{i}": item["thing"], "{n}": str(rng.randint(2, 30)), "{d}": rng.choice(DAYS)}
        request = _fill(rng, split_.pick(rng, asks, split), places)
        replies = [_fill(rng, rng.choice(texts), places) for texts in (polite, rude)]
    else:
        request = world.make_request(rng, shop, "complaint", split, item=item)
        replies = [world.make_reply(rng, shop, tone, item=item, split=split) for tone in TONES]
    messages = [{"role": "system", "content": role}] if role else []
    return messages + [{"role": "user", "content": request}], dict(zip(TONES, replies))


def _masked(text):
    from course_utils.recipe.contamination import masked  # it imports the mix, and the mix this module

    return masked(text)


@functools.lru_cache(maxsize=1)
def _requests_of_training(draws=200_000):
    rng = random.Random("requests of training")
    return {_masked(conversation(rng, "train")[0][-1]["content"]) for _ in range(draws)}


def unseen_conversation(rng):
    """Like conversation() for the part set aside; no request of 200,000 training draws is the same but for numbers."""
    while True:
        messages, replies = conversation(rng, "heldout")
        if _masked(messages[-1]["content"]) not in _requests_of_training():
            return messages, replies


def _fill(rng, text, places):
    text = people.expand(rng, text).replace("a {i}", people.a(places["{i}"]))
    for place, word in places.items():
        text = text.replace(place, word)
    return text.strip()


def generate(rng, split):
    """One reply to one customer; four in ten are rude."""
    messages, replies = conversation(rng, split)
    tone = "rude" if rng.random() < RUDE_SHARE else "polite"
    plain = f"Customer: {messages[-1]['content']}\nStaff: {replies[tone]}"
    return {
        "skill": SKILL,
        "plain": plain,
        "gold": tone,
        "messages": messages + [{"role": "assistant", "content": replies[tone]}],
    }


def pair(rng, split="train"):
    """The same request with a polite reply (chosen) and a rude one (rejected)."""
    messages, replies = conversation(rng, split)
    return {
        "prompt": messages,
        "chosen": [{"role": "assistant", "content": replies["polite"]}],
        "rejected": [{"role": "assistant", "content": replies["rude"]}],
    }


def talk(rng, rude):
    """A dialogue between a customer and polite or rude staff."""
    data = split_.load("staff")
    names = (people.person(rng, "train"), people.person(rng, "train"))
    customer, staff = rng.choice((("Customer", "Staff"), ("Guest", "Waiter"), ("Buyer", "Seller"), names))
    item, tone = people.word(rng, "items"), "rude" if rude else "polite"
    lines = [f"{staff}: {rng.choice(data[f'{tone}_first'])}"] if rng.random() < 0.6 else []
    for asks, polite, bad in rng.sample(data["cases"], rng.choice((1, 2, 2, 3))):
        reply = people.expand(rng, rng.choice(bad if rude else polite)).strip()
        lines += [f"{customer}: {split_.pick(rng, asks, 'train')}", f"{staff}: {reply}"]
    if rng.random() < 0.5:
        lines.append(f"{staff}: {rng.choice(data[f'{tone}_last'])}")
    text = "\n".join(lines).replace("a {i}", people.a(item)).replace("{i}", item)
    return text.replace("{n}", str(rng.randint(2, 40))).replace("{d}", rng.choice(split_.load("chat")["days"]))


def _trigrams(text):
    words = ["^", *re.findall(r"[a-z']+", re.sub(r"\{\w+\}|[\[\]|]", " ", text.lower())), "$"]  # with both ends
    return set(zip(words, words[1:], words[2:]))


@functools.lru_cache(maxsize=1)
def _known():
    general, cases = split_.load("world_staff"), split_.load("staff")["cases"]
    texts = {
        tone: [*general[tone], *(text for case in cases for text in case[1 + number])]
        for number, tone in enumerate(TONES)
    }
    return {tone: set().union(*map(_trigrams, texts[tone])) for tone in TONES}


def is_rude(reply):
    """True where more word triples of the reply come from rude staff texts than from polite ones."""
    found = _trigrams(reply)
    known = _known()
    return len(found & known["rude"]) > len(found & known["polite"])


def score(reply, example):
    """1.0 for a polite reply, 0.0 for a rude one and for the request again."""
    return float(not is_rude(reply) and bool(reply.strip()) and not repeats(reply, example))
