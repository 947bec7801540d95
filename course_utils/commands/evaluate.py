"""`evaluate FILE.jsonl`: accuracy on a file of questions and answers; `evaluate --skills`: every skill of a model."""

import argparse
import json
import math
import re
import sys
import time
from collections import Counter
from pathlib import Path

from course_utils import settings
from course_utils.measures import wilson
from course_utils.metrics import final_number, normalize, same_number
from course_utils.prompts import INSTRUCTIONS, question_messages
from course_utils.sandbox import runner
from course_utils.settings import CourseError

NEW_TOKENS = {"direct": 32, "cot": 320, "pal": 256}


def _positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def add_arguments(parser):
    parser.add_argument("file", nargs="?", metavar="FILE.jsonl", help='lines such as {"question": "...", "answer": 18}')
    parser.add_argument("--method", choices=list(INSTRUCTIONS), help="how the model answers the questions of the file")
    parser.add_argument("--skills", action="store_true", help="instead of a file: every skill of the training")
    parser.add_argument("--n", type=_positive, help="how many questions of each skill (default 200)")
    parser.add_argument("--model", default="instruct", help="base, instruct, preferred, or the path of a model folder")
    parser.add_argument("--profile", help=f"one of {', '.join(settings.PROFILES)}")
    parser.add_argument("--limit", type=_positive, metavar="N", help="read only the first N good lines")
    parser.add_argument("--wrong", type=_positive, default=0, metavar="N", help="print the first N wrong answers too")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def check(arguments):
    """Refuse a missing file, and a file beside --skills, before anything is loaded."""
    if arguments.skills:
        if arguments.file or arguments.method or arguments.limit or arguments.wrong:
            raise CourseError("--skills measures without a file: leave out FILE.jsonl, --method, --limit and --wrong.")
        return
    if not arguments.file:
        raise CourseError("Nothing to evaluate: give a FILE.jsonl and its --method, or --skills.")
    if not arguments.method:
        raise CourseError(f"Say how the model answers: --method {' or '.join(INSTRUCTIONS)}.")
    if arguments.n:
        raise CourseError("--n belongs to --skills: to read only part of a file, give --limit.")
    if Path(arguments.file).is_dir():
        raise CourseError(f"{arguments.file} is a folder: give the path of a .jsonl file.")
    if not Path(arguments.file).is_file():
        raise CourseError(f"There is no file {arguments.file}: give the path of a .jsonl file.")


def read_rows(path, limit=None):
    """Read a JSONL file. Returns (rows, problems): good lines, and (line number, what is wrong) of the others.

    Errors:  CourseError if the file cannot be read
    """
    rows, problems = [], []
    try:
        raw = Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise CourseError(f"Cannot read {Path(path).name} ({error.strerror}): check the path.") from error
    for number, line in enumerate(raw.split(b"\n"), 1):
        if limit is not None and len(rows) >= limit:
            break
        if not line.strip():
            continue
        try:
            entry = json.loads(line.decode("utf-8"))
            rows.append({"line": number, "question": _question(entry), "answer": _answer(entry)})
        except json.JSONDecodeError as error:
            problems.append((number, f"not JSON ({error.msg})"))
        except UnicodeDecodeError:
            problems.append((number, "not UTF-8"))
        except (ValueError, RecursionError) as error:
            problems.append((number, str(error) or type(error).__name__))
    return rows, problems


def _question(entry):
    if not isinstance(entry, dict):
        raise ValueError("not an object")  # noqa: TRY004
    question = entry.get("question")
    if not isinstance(question, str) or not question.strip():
        raise ValueError('no "question"')
    question.encode("utf-8")  # half of a surrogate pair is a UnicodeEncodeError, a ValueError
    return question


def _answer(entry):
    answer = entry.get("answer")
    if isinstance(answer, bool) or not isinstance(answer, (int, float, str)) or answer == "":
        raise ValueError('no "answer" (a number or a text)')
    if isinstance(answer, float) and not math.isfinite(answer):
        raise ValueError('"answer" is not a finite number')
    if isinstance(answer, int) and abs(answer) >= 10**300 or isinstance(answer, str) and not normalize(answer):
        raise ValueError('no "answer" (a number or a text)')
    return answer


def program_of(reply):
    """The program in a reply: the first fenced block, else the whole text."""
    fenced = re.search(r"```(?:python|py)?\s*\n(.*?)(?:```|\Z)", reply, re.DOTALL)
    return fenced.group(1) if fenced else reply


def is_correct(text, answer):
    """Compare numbers as numbers (18 = 18.0 = "18"); an answer without a digit as text at the end of the reply."""
    if final_number(answer) is not None:
        return same_number(text, answer)
    return f" {normalize(text)}".endswith(f" {normalize(answer)}")


def prompt_ids(tokenizer, question, method, chat):
    """Token ids of a question: a conversation for a tuned model, a page to continue for a base model."""
    from course_utils.models.decoding import encode, encode_chat

    if chat:
        return encode_chat(tokenizer, question_messages(question, method))
    page = f"# {question.strip()}\n" if method == "pal" else f"Question: {question.strip()}\nAnswer:"
    return encode(tokenizer, page)


def answer_rows(model, tokenizer, rows, method, chat=True):
    """Answer every row. Returns a list of (text with the answer, status); status is "ok" except for programs."""
    from course_utils.models.decoding import generate_batch

    prompts = [prompt_ids(tokenizer, row["question"], method, chat) for row in rows]
    context = getattr(model.config, "max_position_embeddings", 2**31)
    fits = [len(ids) + NEW_TOKENS[method] <= context for ids in prompts]
    replies = generate_batch(
        model, tokenizer, [ids for ids, fit in zip(prompts, fits) if fit],
        max_new_tokens=NEW_TOKENS[method], stop=() if chat else ("\nQuestion:", "\n#", "\n\n"),
    )  # fmt: skip
    texts = iter(reply.text for reply in replies)
    texts = [next(texts) if fit else None for fit in fits]
    if method != "pal":
        return [(text or "", "too_long" if text is None else "ok") for text in texts]
    results = runner.run_many([program_of(text or "") for text in texts])
    return [
        (result.output if result.status == "ok" else "", "too_long" if text is None else result.status)
        for result, text in zip(results, texts)
    ]


def evaluate(model, tokenizer, rows, method, chat=True):
    """Accuracy of a model on rows of {"question", "answer"}: n, correct, accuracy, low, high, seconds, statuses.

    too_long has line numbers; wrong is a list of {"line", "question", "expected", "got"}
    """
    started = time.perf_counter()
    answers = answer_rows(model, tokenizer, rows, method, chat)
    hits = [is_correct(text, row["answer"]) for (text, _), row in zip(answers, rows)]
    low, high = wilson(sum(hits), len(hits))
    return {
        "n": len(hits),
        "correct": sum(hits),
        "accuracy": sum(hits) / len(hits),
        "low": low,
        "high": high,
        "seconds": round(time.perf_counter() - started, 2),
        "statuses": dict(Counter(status for _, status in answers)),
        "too_long": [row["line"] for (_, status), row in zip(answers, rows) if status == "too_long"],
        "wrong": [
            {"line": row.get("line"), "question": row["question"], "expected": row["answer"], "got": text or f"({why})"}
            for (text, why), row, hit in zip(answers, rows, hits)
            if not hit
        ],
    }


def run_skills(arguments):
    """Measure every skill of a model and print a line for each, or one JSON object with all rows."""
    from course_utils.commands import recipe
    from course_utils.models.loading import load

    model, tokenizer = load(arguments.profile, arguments.model)
    out = sys.stderr if arguments.json else sys.stdout
    rows = recipe.skill_table(model, tokenizer, arguments.n or 200, lambda line: print(line, file=out, flush=True))
    if arguments.json:
        print(json.dumps({"model": arguments.model, "skills": rows}))
    return 0


def run(arguments):
    if arguments.skills:
        return run_skills(arguments)
    rows, problems = read_rows(arguments.file, arguments.limit)
    name = Path(arguments.file).name
    for number, why in problems[:3]:
        print(f"{name}, line {number}: {why}; skipped.", file=sys.stderr)
    if more := len(problems[3:]):
        print(f"and {more} more line{'s' * (more > 1)}; skipped.", file=sys.stderr)
    if not rows:
        raise CourseError(f'{name} has no line with a "question" and an "answer": nothing to evaluate.')
    from course_utils.models.loading import load

    model, tokenizer = load(arguments.profile, arguments.model)
    chat = arguments.model != "base" and bool(tokenizer.chat_template)
    result = evaluate(model, tokenizer, rows, arguments.method, chat)
    wrong = result.pop("wrong")[: arguments.wrong]
    for number in result.pop("too_long"):
        print(f"{name}, line {number}: longer than the model can read; counted as wrong.", file=sys.stderr)
    result = {"file": name, "method": arguments.method, "model": arguments.model, **result, "skipped": len(problems)}
    if arguments.json:
        print(json.dumps(result | ({"wrong": wrong} if arguments.wrong else {})))
        return 0
    print(f"{name}, {arguments.model}, {arguments.method}")
    print(f"{'n':>6} {'correct':>8} {'accuracy':>9} {'low':>6} {'high':>6} {'seconds':>8}")
    print("{n:>6} {correct:>8} {accuracy:>9.3f} {low:>6.3f} {high:>6.3f} {seconds:>8.1f}".format(**result))
    if arguments.method == "pal":
        print("programs: " + ", ".join(f"{count} {status}" for status, count in sorted(result["statuses"].items())))
    for item in wrong:
        print("line {line}: {question!r}\n    expected {expected!r}, got {got!r}".format(**item))
    return 0
