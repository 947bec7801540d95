"""Where the notebooks are, and what one printed. Standard library only."""

import re

from course_utils.settings import DATA, NOTEBOOKS, STEPS, CourseError, step_name

CLAIM = re.compile(r"^claim (.+?): (holds|does not hold)\b(?: \| (.*))?", re.MULTILINE)
SCORE = re.compile(r"^ShopBench score: *([0-9.]+)", re.MULTILINE)


def notebook_path(step):
    """The notebook file of a step.

    Errors:  CourseError for an unknown step, or one that this copy does not have
    """
    path = NOTEBOOKS / f"{step_name(step)}.ipynb"
    if path.is_file():
        return path
    # A step that is written has a record, even where its notebook was deleted.
    written = [name for name in STEPS if _is_there(name) or (DATA / "records" / f"{name}.json").is_file()]
    if path.stem in written:
        raise CourseError(f"notebooks/{path.name} is missing: restore it with `git checkout notebooks/{path.name}`.")
    there = f"there {'is step' if len(written) == 1 else 'are the steps'} {', '.join(name[1] for name in written)}"
    raise CourseError(f"Step {path.name[1]} is not in this copy of the course: {there if written else 'it has none'}.")


def _is_there(name):
    return (NOTEBOOKS / f"{name}.ipynb").is_file()


def notebook_paths(steps=()):
    """The notebook files of some steps, or of all steps that are there.

    Errors:  CourseError where a step, or every step, is not there
    """
    return [notebook_path(step) for step in steps or list(filter(_is_there, STEPS)) or STEPS[:1]]


def printed_text(cells):
    """Everything that the cells of a notebook printed."""
    outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell.get("outputs", [])]
    texts = [output.get("text", "") for output in outputs if output.get("output_type") == "stream"]
    return "".join("".join(text) for text in texts)


def claims(text):
    """{name: (holds, sentence)} of printed lines `claim NAME: holds | SENTENCE`."""
    return {name: (verdict == "holds", sentence) for name, verdict, sentence in CLAIM.findall(text)}


def shopbench_score(text):
    """The last printed line `ShopBench score: 0.71`, or None."""
    found = SCORE.findall(text)
    return float(found[-1]) if found else None
