"""The language layer: a small Python without files, classes and names that begin with "_".

It is an allow-list (allowed.json): what is not named there is refused, also syntax that Python gets in the future.
Runs inside the locked process; nothing here protects a computer alone.
"""

import ast
import builtins
import importlib
import json
import os
import sys
from types import SimpleNamespace

PROGRAM = "<program>"  # the name of its file, for messages
ANNOTATIONS = 0x1000000  # the compiler's flag of `from __future__ import annotations`: they are never evaluated
# Python's C code imports these by itself, late: most_common, strftime, strptime, names that are not ASCII.
INTERNAL = ("heapq", "time", "_strptime", "unicodedata")


def _words(lines):
    return {name: _words(part) for name, part in lines.items()} if isinstance(lines, dict) else " ".join(lines).split()


with open(os.path.join(os.path.dirname(__file__), "allowed.json"), encoding="utf-8") as file:
    ALLOWED = _words(json.load(file))
MODULES = ALLOWED["modules"]
METHODS = {*ALLOWED["methods"], *(name for names in MODULES.values() for name in names)}
UNAVAILABLE = {*dir(builtins), "exit", "quit", "license", "copyright", "credits", "input", "breakpoint"}
UNAVAILABLE -= {*ALLOWED["builtins"], "print", "__name__"}


class Refused(Exception):
    """The first thing in a program that is not allowed, with its line."""


def _names(node):
    """Every name that a node of the syntax tree holds, in whichever field."""
    if isinstance(node, ast.Constant):
        return []
    fields = [value if isinstance(value, list) else [value] for _, value in ast.iter_fields(node)]
    return [item for field in fields for item in field if isinstance(item, str)]


def syntax(node, own):
    if type(node).__name__ not in ALLOWED["nodes"]:
        return f"{type(node).__name__} is not allowed"


def underscores(node, own):
    reads_name = isinstance(node, ast.Name) and node.id == "__name__" and isinstance(node.ctx, ast.Load)
    for name in _names(node):
        if name.startswith("_") and name != "_" and not reads_name:
            return f"names that begin with _ are not allowed: {name[:40]}"


def attributes(node, own):
    if isinstance(node, ast.Attribute) and node.attr not in METHODS:
        return f"the attribute .{node.attr[:40]} is not on the list"


def assignments(node, own):
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        return "an attribute cannot be assigned"


def imports(node, own):
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
    for name in names:
        if name not in MODULES:
            return f"the module {name[:40]} is not on the list"


def members(node, own):
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if alias.name not in ("*", *MODULES.get(node.module, ())):
                return f"{node.module[:40]} has no {alias.name[:40]} here"


def unavailable(node, own):
    if isinstance(node, ast.Name) and node.id in UNAVAILABLE and node.id not in own:
        return f"{node.id} is not available"


def decorators(node, own):
    for part in getattr(node, "decorator_list", ()):
        called = part.func if isinstance(part, ast.Call) else part
        if getattr(called, "id", getattr(called, "attr", "")) not in ALLOWED["decorators"]:
            return "this decorator is not allowed"


RULES = (syntax, underscores, attributes, assignments, imports, members, unavailable, decorators)


def check(tree):
    """Refuse a program that uses anything outside the list.

    Errors:  Refused with the line and the first thing that is not allowed
    """
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ExceptHandler))}
    for node in ast.walk(tree):
        for rule in RULES:
            why = rule(node, own)
            if why:
                raise Refused(f"{why} (line {getattr(node, 'lineno', 1)})")


def _facade(name):
    """A plain object with the listed members of a module: the module itself would lead to sys, os and more."""
    if name == "typing":
        return SimpleNamespace(**{member: getattr(builtins, member.lower(), list) for member in MODULES[name]})
    module = importlib.import_module(name)
    return SimpleNamespace(**{member: getattr(module, member) for member in MODULES[name]})


def load():
    """Import all that a program may need, now: after the door is shut no file can be read.

    Returns {module: facade}.
    """
    for name in (*INTERNAL, "locale"):
        importlib.import_module(name)
    return {name: _facade(name) for name in MODULES}


def prepare(source, facades, write):
    """Check a program and compile it. Returns (code, names) for exec; `write` takes what it prints.

    Errors:  Refused; SyntaxError, ValueError, RecursionError or MemoryError where it is no readable Python
    """

    def imported(name, globals=None, locals=None, fromlist=(), level=0):
        if name in INTERNAL and isinstance(fromlist, list):  # only C code passes a list, a statement passes a tuple
            return sys.modules[name]
        if level or name not in facades:
            raise ImportError(f"the module {name} is not on the list")
        return facades[name]

    def show(*values, sep=" ", end="\n", **ignored):
        write((" " if sep is None else sep).join(map(str, values)) + ("\n" if end is None else end))

    tree = ast.parse(source)
    check(tree)
    code = compile(tree, PROGRAM, "exec", ANNOTATIONS, True)
    allowed = {name: getattr(builtins, name) for name in ALLOWED["builtins"]}
    return code, {"__name__": "__main__", "__builtins__": allowed | {"print": show, "__import__": imported}}
