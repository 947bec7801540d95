"""`recipe build`: make the bundled models again from one seed. Stopped at any moment, it goes on where it was."""

import os
import shutil
from pathlib import Path

from course_utils.settings import MODELS, CourseError

PRESETS = ("tiny", "small", "medium", "large")
TRIALS = ("crossover", "schemas", "loss", "arithmetic", "checkpoints")


def add_arguments(parser):
    parser.add_argument(
        "action",
        choices=("build", "hash", "contamination", "trial"),
        help="build: make the models; hash: print what a seed gives; contamination: look for test questions; "
        "trial: train small models on purpose and keep their scores as data",
    )
    parser.add_argument(
        "names", nargs="*", help=f"contamination: JSONL files of {{question, answer}}; trial: {' '.join(TRIALS)}"
    )
    parser.add_argument(
        "--preset", default="medium", choices=PRESETS, help="size of the models (default medium, 6 M parameters)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--work", default="recipe-work", help="folder for checkpoints and results (default recipe-work)"
    )
    parser.add_argument("--publish", action="store_true", help="replace assets/models with the result")
    parser.add_argument("--no-compile", action="store_true", help="do not compile the model (slower, starts at once)")


def check(arguments):
    if arguments.action == "contamination" and not arguments.names:
        raise CourseError("Name the JSONL files to look through.")
    if arguments.action == "trial" and not (arguments.names and set(arguments.names) <= set(TRIALS)):
        raise CourseError(f"Name the trials to run: {', '.join(TRIALS)}.")


def skill_table(model, tokenizer, n, report):
    """The skill report of a model, for the command `evaluate --skills`; see recipe/report.py."""
    from course_utils.recipe import report as skills

    return skills.skill_table(model, tokenizer, n=n, report=report)


def run(arguments):
    """Build, run a trial, look for test questions, or print the hashes of tokenizer and data."""
    from course_utils.recipe import building, contamination, mix, tokenizer, training

    if arguments.action == "contamination":
        asked = {file: contamination.questions_of(file) for file in arguments.names}
        found = set(contamination.matches(sum(asked.values(), []), contamination.training_text()))
        for file, questions in asked.items():
            its = [question for question in questions if question in found]
            print(f"{Path(file).name}: {len(its)} of {len(questions)} questions stand in 20,000 fresh training documents")
            print("".join(f"  {question}\n" for question in its[:5]), end="")
        return 0
    work = Path(arguments.work)
    if arguments.action == "hash":
        building.claim_work(work, seed=arguments.seed)
        made = building.make_tokenizer(work, seed=arguments.seed)
        print("tokenizer", tokenizer.tokenizer_hash(made))
        for stage, index in (("base", 0), ("instruct", 0), ("instruct", mix.LONG_FROM)):
            print(f"{stage}, shard {index}", training.data_hash(stage, arguments.seed, made, index=index))
        return 0
    if arguments.action == "trial":
        from course_utils.recipe import trials

        for name in arguments.names:
            made = building.make_tokenizer(work, seed=arguments.seed)
            trials.run_trial(name, made, work, lambda line: print(line, flush=True))
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
