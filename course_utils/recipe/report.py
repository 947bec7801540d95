"""The skill report of a bundled model: every skill, n, score, interval, floor; on training draws and held-out ones."""

import functools
import random
import re
from collections import Counter

from course_utils import measures
from course_utils.metrics import same_number
from course_utils.models import chat_batch, generate_batch
from course_utils.models.decoding import encode, encode_chat
from course_utils.prompts import question_messages
from course_utils.recipe import mix, problems, split, stories

PARTS = ("train", "heldout")  # new draws of known schemas and wordings; schemas and wordings never seen
# The 99.5 % quantile of the right replies' tokens, rounded up to tens; for cot and pal with the large numbers.
REPLY_TOKENS = {
    "pal": 90,
    "cot": 170,
    "direct": 10,
    "drill": 10,
    "classify": 10,
    "extract": 70,
    "passage": 20,
    "cite": 20,
    "poem": 60,
    "refuse": 30,
    "chat": 30,
    "rewrite": 40,
    "word_facts": 30,
    "staff": 45,
    "tools": 80,
    "sql": 60,
    "react": 70,
    "game": 130,
    "rank": 10,
    "summary": 60,
    "density": 100,
    "outline": 130,
    "revise": 50,
    "buoyancy": 60,
    "repair": 80,
    "tables": 40,
}


# Controls of the chain: the reply begins so, and the next number counts. No room to reason stands before it.
CONTROLS = {"dots only": ". . . . . . . . . . . . . . . . The answer is", "answer first": "The answer is"}
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def meanings():
    """What a score of 1.0 means: {skill: (family, sentence)}, family by family."""
    families = split.load("report")["families"]
    return {name: (family, text) for family, skills in families.items() for name, text in skills.items()}


def examples_of(name, part, n, seed=9):
    """Fresh draws of a skill with a seed of their own; for "heldout" with wordings set aside, where there are such."""
    rng = random.Random(f"report {name} {part} {seed}")
    return [mix.example(rng, part, name) for _ in range(n)]


def _with_operations(rng, part, least, most, long=False):
    chosen = [one for one in problems.schemas(part, long) if least <= len(one["steps"]) <= most]
    return problems.draw(rng, part, rng.choice(chosen))


def _with_large_numbers(rng, part):
    """A problem that gives a number of five to seven digits and none of more, of a schema that allows it."""
    while True:
        try:
            problem = problems.draw(rng, part, low=10_000, high=9_999_999)
        except ValueError:
            continue
        if re.search(r"\d{5}", problem["question"]) and not re.search(r"\d{8}", problem["question"]):
            return problem


def kinds_of_problems():
    """The kinds of word problems with rows of their own: {kind: (forms, draw(rng, part))}."""
    kinds = {
        f"{count} operation{'s' * (count > 1)}": (
            problems.FORMS,
            functools.partial(_with_operations, least=count, most=count, long=count == 5),
        )
        for count in (1, 2, 3, 4, 5)
    }
    kinds["6 to 8 operations"] = (problems.FORMS, functools.partial(_with_operations, least=6, most=8, long=True))
    kinds["large numbers"] = (("cot", "pal"), _with_large_numbers)
    return kinds | {"stories": (problems.FORMS, stories.draw)}


def problems_of(kind, form, part, n, seed=9):
    """Problems of one kind in a form, with the course's own instruction; the same problems for every form."""
    rng, examples = random.Random(f"report {kind} {part} {seed}"), []
    for _ in range(n):
        problem = kinds_of_problems()[kind][1](rng, part)
        right = {"role": "assistant", "content": problems.reply(problem, form)}
        messages = [*question_messages(problem["question"], form), right]
        examples.append({"skill": form, "gold": problem["answer"], "problem": problem, "messages": messages})
    return examples


def score_examples(model, tokenizer, name, examples):
    """The score of each reply in [0, 1], and the replies."""
    prompts = [example["messages"][:-1] for example in examples]
    replies = [reply.text for reply in chat_batch(model, tokenizer, prompts, max_new_tokens=REPLY_TOKENS[name])]
    return [float(mix.skill(name).score(reply, example)) for reply, example in zip(replies, examples)], replies


def score_forced(model, tokenizer, start, examples):
    """The score of the first number after a reply's forced beginning, for each example."""
    beginning = encode(tokenizer, start)
    prompts = [encode_chat(tokenizer, example["messages"][:-1]) + beginning for example in examples]
    replies = generate_batch(model, tokenizer, prompts, max_new_tokens=REPLY_TOKENS["direct"])
    found = [NUMBER.search(reply.text) for reply in replies]
    return [float(bool(it) and same_number(it[0], example["gold"])) for it, example in zip(found, examples)]


def floor_of(name, examples):
    """The score of the best constant reply: the three most frequent right answers, each given to every example."""
    common = [text for text, _ in Counter(example["messages"][-1]["content"] for example in examples).most_common(3)]
    return max(sum(mix.skill(name).score(text, example) for example in examples) for text in common) / len(examples)


def interval(label, scores, groups=None):
    """The mean score: shares with Wilson's interval, graded scores and groups with a bootstrap interval."""
    if set(scores) <= {0.0, 1.0} and (groups is None or len(set(scores)) == 1):  # equal scores cannot be redrawn
        return measures.share(label, scores)
    return measures.mean(label, scores, groups=groups)


def measured_row(name, label, part, examples, scores):
    """The row of one skill and part; word problems are redrawn by schema (or structure of a story)."""
    groups = [example["problem"]["id"] for example in examples] if "problem" in examples[0] else None
    found = interval(label, scores, groups)
    row = {"skill": label, "part": part, "family": meanings()[name][0], "metric": meanings()[name][1], "n": found.n}
    row |= {key: round(getattr(found, key), 4) for key in ("value", "low", "high")}
    return row | {"floor": round(floor_of(name, examples), 4)}


def line_of(pair):
    """The rows of one skill, train and heldout, as a line of text."""
    cells = [
        f"{row['part']} {row['value']:.3f} in [{row['low']:.3f}, {row['high']:.3f}] floor {row['floor']:.3f}"
        for row in pair
    ]
    return f"{pair[0]['skill']:<31} n={pair[0]['n']} {' | '.join(cells)} | 1.0: {pair[0]['metric']}"


def skill_table(model, tokenizer, n=200, seed=9, skills=None, report=print):
    """Measure every skill in both parts, then word problems by operations (with controls), with large numbers, and stories.

    Returns [{"skill", "part", "family", "metric", "n", "value", "low", "high", "floor"}]; the rows of kinds of word
    problems have a comma in "skill", such as "cot, 2 operations".
    """
    skills, rows = list(skills or mix.SHARES), []
    cases = [(name, name, functools.partial(examples_of, name)) for name in skills]
    for kind, (forms, _) in kinds_of_problems().items():
        chosen = [form for form in forms if form in skills]
        cases += [(form, f"{form}, {kind}", functools.partial(problems_of, kind, form)) for form in chosen]
    for name, label, draw in cases:
        drawn = {part: draw(part, n, seed) for part in PARTS}
        measures_of = {label: lambda examples: score_examples(model, tokenizer, name, examples)[0]}
        if label.startswith("cot, ") and "operation" in label:
            measures_of |= {
                f"{label}, {control}": functools.partial(score_forced, model, tokenizer, start)
                for control, start in CONTROLS.items()
            }
        for its, score in measures_of.items():
            pair = [measured_row(name, its, part, examples, score(examples)) for part, examples in drawn.items()]
            report(line_of(pair))
            rows += pair
    return rows
