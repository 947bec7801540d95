"""The mix of training text: which generator gives which share, and how an example becomes a document."""

import functools
import importlib
import random

from course_utils.recipe import lookups, problems
from course_utils.recipe.skills import _problem

# How often a document of each skill is drawn, beside the others.
SHARES = {
    "pal": 0.2,
    "cot": 0.22,
    "direct": 0.14,
    "drill": 0.05,
    "classify": 0.11,
    "extract": 0.06,
    "passage": 0.09,
    "cite": 0.03,
    "poem": 0.02,
    "refuse": 0.015,
    "chat": 0.05,
    "rewrite": 0.025,
    "word_facts": 0.015,
    "staff": 0.03,
    "tools": 0.04,
    "sql": 0.03,
    "react": 0.03,
    "game": 0.025,
    "rank": 0.015,
    "summary": 0.035,
    "density": 0.01,
    "outline": 0.01,
    "revise": 0.01,
    "buoyancy": 0.025,
    "repair": 0.02,
    "tables": 0.015,
}
# The base model's text has no programs on tables, no programs to repair, no densities: these three came later.
LATER = ("buoyancy", "repair", "tables")
BASE = {name: share for name, share in SHARES.items() if name not in LATER}
# From this shard of the instruct stage on, this share of the word problems has three to eight steps: short ones come first.
LONG_FROM, LONG = 20, 0.35
# Most questions of a conversation with short replies: one reply of three tokens is too little for a whole document.
TURNS = {"drill": 10, "direct": 5, "word_facts": 4}
# Of the problems of several operations this share is answered directly: a single pass of the model has no room for them.
DIRECT_LONG = 0.1
# A bare number is few tokens: weighed like other replies, it was hardly learned beside the chains.
EMPHASIS = {"direct": 2.0}


@functools.lru_cache(maxsize=None)
def skill(name):
    """The module of a skill: has generate(rng, split) and score(reply, example)."""
    return importlib.import_module(f"course_utils.recipe.skills.{name}")


def example(rng, part="train", name=None, shares=None):
    """One example of a skill drawn by the shares (or of the named skill)."""
    if name is None:
        shares = shares or SHARES
        name = rng.choices(list(shares), weights=list(shares.values()))[0]
    return skill(name).generate(rng, part)


def plain_text(rng, part="train", shares=None):
    """One document of the base model's text, or of other shares."""
    for _ in range(50):
        text = example(rng, part, shares=shares or BASE).get("plain")
        if text:
            return text
    raise ValueError("no skill gives plain text")


def long_page(rng, shares=None, characters=7000):
    """A long page made of many short documents, so that the model meets its whole context."""
    parts, size = [], 0
    while size < characters:
        parts.append(plain_text(rng, shares=shares))
        size += len(parts[-1])
    return "\n\n".join(parts)


def base_ids(rng, tokenizer, limit=2048, shares=None):
    """A document of plain text as (token ids, weights of each token in the loss).

    Among conversations, which have `shares`, it weighs as they do: where each of its tokens weighed 1, one document in
    seventeen took 58 % of the loss.
    """
    kind = rng.random()
    if kind < 0.0006:
        text = long_page(rng, shares)
    else:
        text = lookups.page(rng) if kind < 0.03 else plain_text(rng, shares=shares)
    ids = tokenizer.encode(text, add_special_tokens=False)[: limit - 1] + [tokenizer.pad_token_id]
    return ids, [len(ids) ** -0.5 if shares else 1] * len(ids)


def direct(rng):
    """A word problem answered with the bare number, most often of one operation."""
    problem = _problem.draw(rng)
    while len(problem["steps"]) > 1 and rng.random() > DIRECT_LONG:
        problem = _problem.draw(rng)
    return _problem.generate(rng, "train", "direct", problem=problem)


def conversation(rng, long=0.0):
    """One training example: of the skills with short replies, several questions in a row.

    `long` is the share of chains and programs that come from the long schemas.
    """
    chosen = example(rng)
    if chosen["skill"] == "direct":
        chosen = direct(rng)
    elif long and chosen["skill"] in problems.FORMS and rng.random() < long:
        problem = problems.draw(rng, schema=rng.choice(problems.schemas(long=True)))
        return _problem.generate(rng, "train", chosen["skill"], problem=problem)
    again = direct if chosen["skill"] == "direct" else functools.partial(skill(chosen["skill"]).generate, split="train")
    more = [again(rng) for _ in range(rng.randrange(TURNS.get(chosen["skill"], 1)))]
    return chosen | {"messages": chosen["messages"] + [message for other in more for message in other["messages"]]}


def chat_ids(rng, tokenizer, limit=2048, chosen=None, long=0.0):
    """A conversation as (token ids, weights): what the assistant says counts in the loss.

    What an assistant's message marked "given" says stands there only to be read, such as a program that failed.
    Each document's tokens weigh 1 / sqrt(their number), so that a label of one token is not drowned by long chains;
    those of a skill with EMPHASIS more.
    The labels of solved examples count like replies, the rest of such a prompt a little: so the model learns to read it.
    """
    chosen = chosen or conversation(rng, long)
    ids, said = [], []
    for number, message in enumerate(chosen["messages"]):
        mine = message["role"] == "assistant" and not message.get("given")
        parts = chosen.get("parts") if number == 0 else None
        for text, counts in (
            (f"<|im_start|>{message['role']}\n", False),
            *(parts or [(message["content"], mine)]),
            ("<|im_end|>", mine),
            ("\n", False),
        ):
            part = tokenizer.encode(text, add_special_tokens=False)
            ids += part
            said += [counts] * len(part)
    weight = EMPHASIS.get(chosen["skill"], 1.0) * max(1, sum(said)) ** -0.5
    prompt_weight = 0.2 * len(ids) ** -0.5 if chosen.get("shots") else 0.0
    return ids[:limit], [weight if mine else prompt_weight for mine in said[:limit]]


def shard(stage, seed, index, tokenizer, tokens=400_000):
    """Shard `index` of a stage ("base" or "instruct"): a list of (ids, weights); the same for the same seed."""
    rng, found, count = random.Random(f"{stage} {seed} {index}"), [], 0
    long = LONG if index >= LONG_FROM else 0.0
    while count < tokens:
        # About one document in seventeen of the instruct stage stays plain text, so that language is not forgotten.
        if stage == "base":
            pair = base_ids(rng, tokenizer)
        else:
            pair = base_ids(rng, tokenizer, shares=SHARES) if rng.random() < 0.06 else chat_ids(rng, tokenizer, long=long)
        if sum(pair[1]) > 0:
            found.append(pair)
            count += len(pair[0])
    return found

