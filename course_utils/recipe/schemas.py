"""Check the hand-written schemas: `python3 -m course_utils.recipe.schemas [PREFIX]`."""

import ast
import random
import re
import sys

from course_utils.recipe import problems


def check(schema, draws=30):
    """The first fault of a schema as a sentence, or None. Tells it often enough to meet every wording."""
    rng = random.Random(schema.get("id", ""))
    try:
        for key in ("id", "type", "numbers", "question", "steps", "answer"):
            if key not in schema:
                return f"{schema.get('id')}: the key {key!r} is missing"
        for _, source, wordings in schema["steps"]:
            tree = ast.parse(str(source), mode="eval").body
            if not (
                isinstance(tree, ast.BinOp)
                and all(isinstance(s, (ast.Name, ast.Constant)) for s in (tree.left, tree.right))
            ):
                return f"{schema['id']}: the step {source!r} is not one operation of two numbers"
            if any(wording.count("{calc}") != 1 for wording in wordings):
                return f"{schema['id']}: a step wording does not hold {{calc}} once"
        for index in range(draws):
            problem = problems.draw(rng, schema=schema)
            text = problem["question"] + " ".join(problem["steps"])
            if "{" in text or "}" in text or "None" in text:
                return f"{schema['id']}: a place is left open: {text}"
            unknown = [n for n in re.findall(r"\b[a-z]\w*\b", problem["program"].replace("print", "")) if len(n) > 1]
            if unknown:
                return f"{schema['id']}: the steps use {unknown[0]!r}, which the text does not give"
            if index < 3 and abs(_run(problem["program"]) - float(problem["answer"])) > 1e-6:
                return f"{schema['id']}: the program gives another answer"
    except Exception as error:  # a report for the writer of the schema, whatever is wrong with it
        return f"{schema.get('id')}: {type(error).__name__}: {error}"
    return None


def _run(program):
    """Run one of our own generated programs (never a model's) and return what it prints."""
    shown = []
    exec(program, {"__builtins__": {}, "print": shown.append})  # noqa: S102
    return float(shown[0])


def main(arguments):
    """Print faults, counts and a few problems to read, of the schemas whose id begins with the given text."""
    name = arguments[0] if arguments else ""
    every = problems.schemas("all") + problems.schemas("all", long=True)
    chosen = [schema for schema in every if schema.get("id", "").startswith(name)]
    faults = [fault for fault in map(check, chosen) if fault]
    print("\n".join(faults))
    print(f"{len(chosen)} schemas, {len({s.get('type') for s in chosen})} types, {len(faults)} faults")
    rng = random.Random()
    for schema in rng.sample(chosen, min(4, len(chosen))) if not faults else []:
        problem = problems.draw(rng, schema=schema)
        print(
            f"\n{problem['id']}: {problem['question']}\n  chain: {problems.reply(problem, 'cot')}\n  {problem['program']!r}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
