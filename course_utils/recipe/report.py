"""The skill report of a bundled model: every skill, n, score, interval, floor; on training draws and held-out ones."""

import random
from collections import Counter

from course_utils import measures
from course_utils.models import chat_batch
from course_utils.recipe import mix

REPLY_TOKENS = {"direct": 12, "drill": 12, "classify": 10, "cot": 160, "pal": 110, "extract": 110, "poem": 100}


def examples_of(name, part, n, seed=9):
    """Fresh draws of a skill with a seed of their own; for "heldout" with other wordings too, where some are set aside."""
    rng = random.Random(f"report {name} {part} {seed}")
    return [mix.example(rng, part, name) for _ in range(n)]


def score_examples(model, tokenizer, name, examples):
    """The score of each reply in [0, 1], and the replies."""
    prompts = [example["messages"][:-1] for example in examples]
    replies = [
        reply.text for reply in chat_batch(model, tokenizer, prompts, max_new_tokens=REPLY_TOKENS.get(name, 60))
    ]
    return [float(mix.skill(name).score(reply, example)) for reply, example in zip(replies, examples)], replies


def floor_of(name, examples):
    """The score of the best constant reply: the most frequent right answer given to every example."""
    common = [text for text, _ in Counter(example["messages"][-1]["content"] for example in examples).most_common(3)]
    return max(sum(mix.skill(name).score(text, example) for example in examples) for text in common) / len(examples)


def skill_table(model, tokenizer, n=200, seed=9, skills=None, report=print):
    """Measure every skill in both columns. Returns [{"skill", "part", "value", "low", "high", "n", "floor"}]."""
    rows = []
    for name in skills or mix.SHARES:
        for part in ("train", "heldout"):
            examples = examples_of(name, part, n, seed)
            scores, _ = score_examples(model, tokenizer, name, examples)
            groups = [example["problem"]["id"] for example in examples] if "problem" in examples[0] else None
            found = measures.mean(name, scores, groups=groups)
            rows.append(
                {
                    "skill": name,
                    "part": part,
                    "value": round(found.value, 4),
                    "low": round(found.low, 4),
                    "high": round(found.high, 4),
                    "n": n,
                    "floor": round(floor_of(name, examples), 4),
                }
            )
            report(
                f"{name:<11} {part:<8} {found.value:.3f} in [{found.low:.3f}, {found.high:.3f}] n={n} "
                f"floor {rows[-1]['floor']:.3f}"
            )
    return rows
