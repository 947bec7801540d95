"""`recipe build`: make the bundled models again from one seed. Stopped at any moment, it goes on where it was."""

import os
import shutil
from pathlib import Path

from course_utils.settings import MODELS, CourseError

PRESETS = ("tiny", "small", "medium", "large")


def add_arguments(parser):
    parser.add_argument(
        "action",
        choices=("build", "hash", "contamination"),
        help="build: make the models; hash: print what a seed gives; contamination: look for test questions",
    )
    parser.add_argument("files", nargs="*", help="contamination: JSONL files of {question, answer}")
    parser.add_argument(
        "--preset", default="small", choices=PRESETS, help="size of the models (default small, 3 M parameters)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--work", default="recipe-work", help="folder for checkpoints and results (default recipe-work)"
    )
    parser.add_argument("--publish", action="store_true", help="replace assets/models with the result")
    parser.add_argument("--no-compile", action="store_true", help="do not compile the model (slower, starts at once)")


def check(arguments):
    if arguments.action == "contamination" and not arguments.files:
        raise CourseError("Name the JSONL files to look through.")


def run(arguments):
    """Build, or print the hashes of tokenizer and data."""
    from course_utils.recipe import building, contamination, tokenizer, training

    if arguments.action == "contamination":
        for file in arguments.files:
            questions = contamination.questions_of(file)
            found = contamination.matches(questions, contamination.training_text())
            print(
                f"{Path(file).name}: {len(found)} of {len(questions)} questions stand in 20,000 fresh training documents"
            )
            print("".join(f"  {question}\n" for question in found[:5]), end="")
        return 0
    work = Path(arguments.work)
    if arguments.action == "hash":
        building.claim_work(work, seed=arguments.seed)
        made = building.make_tokenizer(work, seed=arguments.seed)
        print("tokenizer", tokenizer.tokenizer_hash(made))
        for stage in ("base", "instruct"):
            print(stage, training.data_hash(stage, arguments.seed, made))
        return 0
    building.build(
        work,
        arguments.preset,
        arguments.seed,
        not arguments.no_compile and any(map(shutil.which, (os.environ.get("CXX") or "g++", "clang++"))),
        lambda line: print(line, flush=True),
        MODELS if arguments.publish else None,
    )
    return 0
