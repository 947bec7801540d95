"""Answers from numbered passages with the number of the passage; "I don't know." when none has the answer."""

import re

from course_utils.recipe import handbook
from course_utils.recipe import split as parts
from course_utils.recipe.people import upper_first
from course_utils.recipe.skills import passage

SKILL = "cite"
CITED = re.compile(r"\[(\d+)\]")


def _from_handbook(rng, split):
    """(passages, their question, answer or None, index of the passage or None) from a shop's handbook."""
    book = handbook.make_handbook(rng, split, size=rng.randint(3, 9))
    texts = {section["id"]: section for section in book["sections"]}
    known = rng.random() < 0.68
    row = rng.choice([row for row in book["questions"] if (row["gold"] is not None) == known])
    names = [name for name in texts if name != row["section"]]
    names = rng.sample(names, min(len(names), rng.randint(1, 4)))
    # A question without an answer mostly comes with the passage it is near to; a known one sometimes lost its passage.
    if row["section"] and (not known or rng.random() < 0.9):
        names.insert(rng.randint(0, len(names)), row["section"])
    headed = rng.random() < 0.5
    passages = [(texts[n]["head"] + ". " if headed else "") + texts[n]["text"] for n in names]
    found = row["section"] if known and row["section"] in names else None
    return passages, row["question"], row["gold"] if found else None, names.index(found) if found else None


def _from_entries(rng, split):
    """The same from entries of an encyclopedia; two of them may be of one kind."""
    entries = [passage.lore(rng, split) for _ in range(rng.randint(2, 5))]
    count = rng.choice((1, 2, 2, 3))
    passages = [" ".join([head, *(upper_first(say) for say, *_ in facts[:count])]) for head, facts in entries]
    index = rng.randrange(len(entries))
    facts = entries[index][1]
    known = rng.random() < 0.68 or len(facts) <= count
    fact = rng.choice(facts[:count] if known else facts[count:])
    return passages, fact[1], fact[2] if known else None, index if known else None


def generate(rng, split):
    """One question about two to five numbered passages; in about a third of them none has the answer."""
    passages, question, gold, index = (_from_handbook if rng.random() < 0.7 else _from_entries)(rng, split)
    gap = rng.choice(("\n", "\n\n"))
    numbered = gap.join(f"[{number}] {text}" for number, text in enumerate(passages, 1))
    instruction = parts.pick(rng, parts.load("cite")["ask"], split)
    asked = f"{rng.choice(('Question: ', 'Q: ', ''))}{question}"
    order = (instruction, numbered, asked) if rng.random() < 0.75 else (numbered, asked, instruction)
    reply = passage.UNKNOWN if gold is None else f"{upper_first(gold)} [{index + 1}]"
    if rng.random() < 0.25:
        messages = [{"role": "system", "content": f"{instruction}{gap}{numbered}"}, {"role": "user", "content": question}]
    else:
        messages = [{"role": "user", "content": gap.join(order)}]
    messages.append({"role": "assistant", "content": reply})
    return {
        "skill": SKILL,
        "messages": messages,
        "plain": f"{numbered}{gap}Q: {question}\nA: {reply}",
        "gold": reply,
    }


def score(reply, example):
    """1.0 if the reply has the answer and cites its passage and no other, or is "I don't know." where none has it."""
    gold = example["gold"]
    if gold == passage.UNKNOWN:
        return float(reply.strip() == gold)
    answer = gold.rpartition(" [")[0]
    right = passage.holds(CITED.sub("", reply), answer)
    return float(right and CITED.findall(reply) == CITED.findall(gold))
