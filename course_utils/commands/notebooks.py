"""Where the notebooks are, and what one printed. Standard library only."""

import re

from course_utils.settings import NOTEBOOKS, STEPS, CourseError, step_name

CLAIM = re.compile(r"^claim (.+?): (holds|does not hold)\b", re.MULTILINE)
SCORE = re.compile(r"^ShopBench score: *([0-9.]+)", re.MULTILINE)


def notebook_path(step):
    """The notebook file of a step.

    Errors:  CourseError for an unknown step, or one that this copy does not have
    """
    path = NOTEBOOKS / f"{step_name(step)}.ipynb"
    if not path.is_file():
        raise CourseError(f"notebooks/{path.name} is missing: restore it with `git checkout notebooks`.")
    return path


def notebook_paths(steps=()):
    """The notebook files of some steps, or of all steps that are there."""
    if steps:
        return [notebook_path(step) for step in steps]
    return [path for path in (NOTEBOOKS / f"{name}.ipynb" for name in STEPS) if path.is_file()]


def printed_text(cells):
    """Everything that the cells of a notebook printed."""
    outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell.get("outputs", [])]
    texts = [output.get("text", "") for output in outputs if output.get("output_type") == "stream"]
    return "".join("".join(text) for text in texts)


def claims(text):
    """(claims that held, all claims) in printed lines `claim NAME: holds ...`."""
    verdicts = dict(CLAIM.findall(text))
    return sum(verdict == "holds" for verdict in verdicts.values()), len(verdicts)


def shopbench_score(text):
    """The last printed line `ShopBench score: 0.71`, or None."""
    found = SCORE.findall(text)
    return float(found[-1]) if found else None
