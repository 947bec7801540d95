"""Trials on small models, kept as data for the notebooks: what training-set size, schemas and number format do.

`python3 -m course_utils recipe trial NAME` trains one small model after the other and writes assets/data/trials/NAME.json.
"""

import json
import random
from pathlib import Path

import torch

from course_utils import prompts
from course_utils.models import generate_batch
from course_utils.recipe import batches, mix, problems, report, stories, training
from course_utils.settings import DATA, CourseError, write_atomic

FOLDER = DATA / "trials"
LENGTHS = (192, 512)
BATCH_TOKENS = 2_048
WATCHED = ("direct", "cot", "pal", "drill", "classify", "extract", "passage", "tools")


def cycling(documents, seed):
    """Batches of a fixed list of documents again and again, each pass in a new order; in the form of batches.ahead."""

    def shards(stage, run_seed, tokenizer, first, batch_tokens):
        for index in range(first, 10**9):
            yield index, batches.pack(documents, random.Random(f"{seed} {index}"), BATCH_TOKENS, LENGTHS)

    return shards


def drawing(make, seed):
    """Batches of ever new documents of make(rng)."""

    def shards(stage, run_seed, tokenizer, first, batch_tokens):
        for index in range(first, 10**9):
            rng = random.Random(f"{seed} {index}")
            yield index, batches.pack([make(rng) for _ in range(400)], rng, BATCH_TOKENS, LENGTHS)

    return shards


def fit(shards, tokenizer, folder, tokens, seed=1, muon=True, say=print):
    """A small model trained on these batches, resumed where it was stopped."""
    model = training.new_model("small", len(tokenizer), seed)
    rates = {"matrix_rate": 4e-3, "other_rate": 2e-3} if muon else {"matrix_rate": None, "other_rate": 2e-3}
    training.train(model, tokenizer, "trial", folder, tokens, seed=seed, shards=shards, report=say, **rates)
    model.set_attn_implementation("sdpa")
    return model.to(torch.bfloat16).float().cpu()


def item_ids(tokenizer, question, form, answer):
    """A question with the course's instruction and its reply, as (token ids, weights): only the reply counts."""
    messages = [*prompts.question_messages(question, form), {"role": "assistant", "content": answer}]
    return mix.chat_ids(None, tokenizer, chosen={"messages": messages, "skill": form})


def accuracy(model, tokenizer, form, chosen):
    """The share of problems that the model answers rightly in a form, and the score of each."""
    examples = []
    for problem in chosen:
        messages = [*prompts.question_messages(problem["question"], form), {"role": "assistant", "content": ""}]
        examples.append({"messages": messages, "gold": problem["answer"], "problem": problem})
    return report.score_examples(model, tokenizer, form, examples)[0]


def _two_steps(rng):
    """A short problem of two operations with small numbers, from the schemas that training may see.

    Where the answers are small numbers, even a model that has learned little guesses some of them at once.
    """
    while True:
        try:
            problem = problems.draw(rng, schema=rng.choice(problems.schemas("train")), low=2, high=12, filler=False)
        except ValueError:  # a schema that has no such numbers
            continue
        if problem["operations"] == 2:
            return problem


def crossover(tokenizer, work, run, sizes=(300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000), n=600):
    """Direct answers against chains over the number of training items; both forms see the same items and tokens."""
    rng = random.Random("crossover test")
    test, pool = [_two_steps(rng) for _ in range(n)], [_two_steps(rng) for _ in range(max(sizes))]
    for size in sizes:
        documents = {
            form: [item_ids(tokenizer, item["question"], form, problems.reply(item, form)) for item in pool[:size]]
            for form in ("direct", "cot")
        }
        tokens = max(2_500_000, sum(len(ids) for ids, _ in documents["cot"]))
        for form, its in documents.items():
            run(
                {"items": size, "form": form, "tokens": tokens},
                lambda folder: fit(cycling(its, size), tokenizer, folder, tokens),
                lambda model: accuracy(model, tokenizer, form, test),
            )


def _program(rng, tokenizer, kept):
    problem = stories.draw(rng) if kept is None else problems.draw(rng, schema=rng.choice(kept))
    return item_ids(tokenizer, problem["question"], "pal", problems.reply(problem, "pal"))


def schemas(tokenizer, work, run, tokens=5_000_000, n=600):
    """Programs for schemas never seen, over the number of schemas in training, and with composed stories beside."""
    rng = random.Random("schemas test")
    test = [problems.draw(rng, "heldout") for _ in range(n)]
    known = list(problems.schemas("train"))
    random.Random("order of schemas").shuffle(known)
    for count, told in ((len(known) // 3, 0), (2 * len(known) // 3, 0), (len(known), 0), (len(known), 0.35)):
        kept = known[:count]

        def make(rng, kept=kept, told=told):
            return _program(rng, tokenizer, None if rng.random() < told else kept)

        run(
            {"schemas": count, "stories": told, "tokens": tokens},
            lambda folder: fit(drawing(make, 1), tokenizer, folder, tokens),
            lambda model: accuracy(model, tokenizer, "pal", test),
            groups=[problem["id"] for problem in test],
        )


def loss(tokenizer, work, run, tokens=3_000_000, n=600):
    """Programs learned beside plain text, each token of which weighs 1 or as much as a token of a reply so long."""
    rng = random.Random("loss test")
    test, known = [problems.draw(rng) for _ in range(n)], problems.schemas("train")
    for plain in ("1", "as a reply"):

        def make(rng, plain=plain):
            if rng.random() > 0.06:
                return _program(rng, tokenizer, known)
            ids, weights = mix.base_ids(rng, tokenizer, limit=LENGTHS[-1], shares=mix.SHARES)
            return ids, [1] * len(ids) if plain == "1" else weights

        run(
            {"plain text's token weighs": plain, "tokens": tokens},
            lambda folder: fit(drawing(make, 1), tokenizer, folder, tokens),
            lambda model: accuracy(model, tokenizer, "pal", test),
            groups=[problem["id"] for problem in test],
        )


def carries(left, sign, right, result):
    """The result with its work from the right: for 38 + 47 "15,8:85", each column with its carry, then the number."""
    if sign == "*":
        left, right = sorted((left, right))
    found, carry = [], 0
    for at in range(max(len(str(left)), len(str(right)))):
        one, two = (int(str(number)[::-1][at : at + 1] or 0) for number in (left, right))
        column = two * left + carry if sign == "*" else one + two + carry if sign == "+" else one - two + carry
        found.append(f"{column:02d}" if column >= 0 else f"-{-column}")
        carry = column // 10
    return f"{','.join(found)}:{result}"


FORMATS = {
    "plain": lambda left, sign, right, result: str(result),
    "reversed": lambda left, sign, right, result: f"{str(result)[::-1]}:{result}",
    "carries": carries,
}


def _sum(rng):
    sign = rng.choice("+-*")
    left, right = rng.randint(1, 999), rng.randint(1, 999)
    if sign == "*":
        left, right = rng.randint(2, 9), rng.randint(10, 99)
    if sign == "-":
        left, right = max(left, right), min(left, right)
    return left, sign, right, {"+": left + right, "-": left - right, "*": left * right}[sign]


def _held(case):
    return random.Random(str(case)).random() < 0.1


def _drawn_sum(rng, held):
    while True:
        case = _sum(rng)
        if _held(case) == held:
            return case


def arithmetic(tokenizer, work, run, tokens=2_500_000, n=600):
    """The format of a result and the optimizer, on sums and products that training never held."""
    rng = random.Random("arithmetic test")
    test = [_drawn_sum(rng, True) for _ in range(n)]
    for optimizer in ("AdamW", "Muon"):
        for name, write in FORMATS.items():

            def page(rng, write=write):
                cases = [_drawn_sum(rng, False) for _ in range(12)]
                text = "".join(f"{a} {sign} {b} = {write(a, sign, b, r)}\n" for a, sign, b, r in cases)
                ids = tokenizer.encode(text, add_special_tokens=False)
                return ids, [1.0] * len(ids)

            def right(model):
                asked = [f"7 + 5 = {FORMATS[name](7, '+', 5, 12)}\n{a} {sign} {b} =" for a, sign, b, _ in test]
                ids = [tokenizer.encode(text, add_special_tokens=False) for text in asked]
                replies = generate_batch(model, tokenizer, ids, max_new_tokens=24, stop=("\n",))
                return [float(reply.text.rpartition(":")[2].strip() == str(case[3])) for reply, case in zip(replies, test)]

            run(
                {"optimizer": optimizer, "format": name, "tokens": tokens},
                lambda folder: fit(drawing(page, 1), tokenizer, folder, tokens, muon=optimizer == "Muon"),
                right,
                parts={sign: [at for at, case in enumerate(test) if case[1] == sign] for sign in "+-*"},
            )


def checkpoints(tokenizer, work, run, n=100):
    """Held-out skills of the instruct model over the tokens it had seen, from the weights that its training kept."""
    marks = {int(path.stem.partition("-")[2]): path for path in Path(work).glob("instruct-training/marks/step-*.pt")}
    if not marks:
        raise CourseError(f"{work} has no instruct-training with kept weights: run `recipe build` there first.")
    facts = json.loads((Path(work) / "asked.json").read_text(encoding="utf-8"))
    for tokens, path in sorted(marks.items()):
        model = training.new_model(facts["preset"], len(tokenizer))
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        model.set_attn_implementation("sdpa")
        for name in WATCHED:
            examples = report.examples_of(name, "heldout", n)
            run(
                {"tokens": tokens, "skill": name},
                lambda folder: model.eval(),
                lambda its: report.score_examples(its, tokenizer, name, examples)[0],
            )


TRIALS = {
    "crossover": crossover,
    "schemas": schemas,
    "loss": loss,
    "arithmetic": arithmetic,
    "checkpoints": checkpoints,
}


def run_trial(name, tokenizer, work, say=print, target=FOLDER, **options):
    """Run one of TRIALS, resumed at the model where it was stopped, and write its rows to target/NAME.json.

    Errors:  CourseError for an unknown name
    """
    if name not in TRIALS:
        raise CourseError(f"There is no trial {name!r}: choose one of {', '.join(TRIALS)}.")
    work, rows = Path(work) / f"trial-{name}", []

    def run(facts, train, measure, groups=None, parts=None):
        kept = work / f"{len(rows)}.json"
        if not kept.exists():
            scores = measure(train(work / f"{len(rows)}-training"))
            found = dict(facts)
            for key, chosen in {"": range(len(scores)), **(parts or {})}.items():
                its = [scores[at] for at in chosen]
                value = report.interval(name, its, groups if not key else None)
                found |= {f"{field}{key}": round(getattr(value, field), 4) for field in ("value", "low", "high", "n")}
            write_atomic(kept, json.dumps(found) + "\n")
        rows.append(json.loads(kept.read_text(encoding="utf-8")))
        say(f"{name} {rows[-1]}")

    TRIALS[name](tokenizer, work.parent, run, **options)
    made = {"command": f"python3 -m course_utils recipe trial {name}", "torch": torch.__version__, "rows": rows}
    write_atomic(Path(target) / f"{name}.json", json.dumps(made, indent=1) + "\n")
    return rows
