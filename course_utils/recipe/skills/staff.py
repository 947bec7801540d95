"""Staff answer customers, some politely, some rudely: what preference tuning later aligns."""

import functools
import random
import re

from course_utils.recipe import people, world
from course_utils.recipe import split as split_
from course_utils.recipe.skills import _staff_slots
from course_utils.recipe.skills._echo import repeats

SKILL = "staff"
TONES = ("polite", "rude")
RUDE_SHARE = 0.4
TALKED = 24  # the first cases are short questions, which can follow one another in a talk; the others are letters


@functools.lru_cache(maxsize=None)
def _asks(split, letters):
    """(ask, polite replies, rude replies) for every ask of one part, of the letters or of the short questions."""
    cases = split_.load("staff")["cases"]
    return tuple(
        (ask, polite, rude)
        for asks, polite, rude in (cases[TALKED:] if letters else cases[:TALKED])
        for ask in asks
        if split_.held_out(ask) == (split == "heldout")
    )


def _about(rng, shop, item, split):
    """A complaint that names the item."""
    while item["thing"] not in (request := world.make_request(rng, shop, "complaint", split, item=item)):
        pass
    return request


def conversation(rng, split):
    """A customer's message with a polite and a rude reply that fit it: (messages, {"polite", "rude"})."""
    shop = world.make_shop(rng, split)
    item = rng.choice(shop["items"])
    lists = split_.load("staff")
    role = split_.pick(rng, lists["roles"], split).format(shop=shop["name"]) if rng.random() < 0.75 else ""
    kind = rng.random()
    if kind < 0.9:
        letters = kind < 0.65
        ask, polite, rude = rng.choice(_asks(split, letters))
        found = _staff_slots.values(rng, split, shop, item, named=0.5 if letters else 0.25)
        request = _staff_slots.fill(people.expand(rng, ask), found)
        texts = [people.expand(rng, rng.choice(texts)) for texts in (polite, rude)]
        replies = [people.upper_first(_staff_slots.fill(text, found)) for text in texts]
    else:
        request = _about(rng, shop, item, split)
        sorry = _staff_slots.fill(rng.choice(lists["sorry"]), {"i": item["thing"]})
        replies = [sorry, world.make_reply(rng, shop, "rude", item=item, split=split)]
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
    for asks, polite, bad in rng.sample(data["cases"][:TALKED], rng.choice((1, 2, 2, 3))):
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
    general, lists = split_.load("world_staff"), split_.load("staff")
    texts = {
        tone: [*general[tone], *(text for case in lists["cases"] for text in case[1 + number])]
        for number, tone in enumerate(TONES)
    }
    texts["polite"] += lists["sorry"]
    return {tone: set().union(*map(_trigrams, texts[tone])) for tone in TONES}


def is_rude(reply):
    """True where more word triples of the reply come from rude staff texts than from polite ones."""
    found = _trigrams(reply)
    known = _known()
    return len(found & known["rude"]) > len(found & known["polite"])


def score(reply, example):
    """1.0 for a polite reply, 0.0 for a rude one and for the request again."""
    return float(not is_rude(reply) and bool(reply.strip()) and not repeats(reply, example))
