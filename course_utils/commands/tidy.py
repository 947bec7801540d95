"""`tidy [STEP ...] [--check]`: write the notebooks in the one normal form, so that differences stay small."""

from course_utils import notebook
from course_utils.commands import notebooks


def add_arguments(parser):
    parser.add_argument("steps", nargs="*", metavar="STEP", help="1 to 7 (default: all)")
    parser.add_argument("--check", action="store_true", help="change nothing; end with 1 where something would change")


def check(arguments):
    notebooks.notebook_paths(arguments.steps)


def run(arguments):
    paths = notebooks.notebook_paths(arguments.steps)
    changed = [path.name for path in paths if notebook.tidy(path, check=arguments.check)]
    for name in changed:
        print(f"{name}: {'would change' if arguments.check else 'tidied'}")
    print(f"{len(paths) - len(changed)} of {len(paths)} notebooks were tidy")
    return 1 if changed and arguments.check else 0
