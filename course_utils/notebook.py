"""Notebook files as plain JSON: read them, find their parts, and write them always in the same way.

The normaliser never goes through another format. It keeps sources, outputs, counts, tags, reasons and alt texts,
and drops what changes by itself: timings, folded cells, widget state, the kernel's version, local paths.
Standard library only.
"""

import ast
import hashlib
import json
import re
from pathlib import Path

from course_utils.settings import ROOT, CourseError, write_atomic

ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("alt", "reason", "tags")
OUTPUT_METADATA = ("alt", "height", "width")
WIDGET = "application/vnd.jupyter.widget-"


def read(path):
    """A notebook as a dictionary.

    Errors:  CourseError if it is missing or damaged
    """
    path = Path(path)
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        if book["nbformat"] == 4 and isinstance(book["cells"], list):
            return book
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise CourseError(f"{path.name} is missing or damaged: restore it with `git checkout notebooks/{path.name}`.")


def text(value):
    """A source or an output text, which the format stores as one string or as a list of lines."""
    return value if isinstance(value, str) else "".join(value or [])


def lines(value):
    """The text as the format's list of lines, each with its line end."""
    return text(value).splitlines(keepends=True)


def code_cells(cells):
    """The code cells that hold code."""
    return [cell for cell in cells if cell["cell_type"] == "code" and text(cell["source"]).strip()]


def printed(cell):
    """What a code cell shows as text: its streams and the plain text of its results."""
    found = []
    for output in cell.get("outputs", []):
        found.append(text(output.get("text")) or text(output.get("data", {}).get("text/plain")))
    return "\n".join(found)


def headings(cells, level):
    """(index, title) of every heading of a level in the Markdown cells."""
    mark, found = "#" * level + " ", []
    for index, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            plain = re.sub(r"(?ms)^```.*?^```", "", text(cell["source"]))
            titles = [line for line in plain.splitlines() if line.startswith(mark)]
            found += [(index, title[len(mark):].strip()) for title in titles]
    return found


def parts(book):
    """The cells of each part. A part begins with an H1 or with a cell tagged `part`, and holds code."""
    cells = book["cells"]
    tagged = [index for index, cell in enumerate(cells) if "part" in cell["metadata"].get("tags", [])]
    starts = sorted({0, *tagged, *(index for index, _ in headings(cells, 1))})
    found = []
    for start, end in zip(starts, [*starts[1:], len(cells)]):
        if found and not code_cells(found[-1]):
            found[-1] = found[-1] + cells[start:end]
        else:
            found.append(cells[start:end])
    return found


def sections(cells):
    """(title, cells) for each H2, the heading's own cell first."""
    starts = headings(cells, 2)
    ends = [index for index, _ in starts[1:]] + [len(cells)]
    return [(title, cells[index:end]) for (index, title), end in zip(starts, ends)]


def defined(source):
    """The names that a cell defines at its top level; an empty set for a cell that is not plain Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    found, todo = set(), list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            todo += ast.iter_child_nodes(node)
    return found


def place_of(book, source, cell_id=None):
    """The code cell with this id, or else with this text; None where there is none or more than one."""
    cells = code_cells(book["cells"])
    found = [cell for cell in cells if cell_id and cell.get("id") == cell_id]
    found = found or [cell for cell in cells if text(cell["source"]).strip() == source.strip()]
    return found[0] if len(found) == 1 else None


def home_of(book, name, here=None):
    """The heading above a name's last definition before `here` in its part, or else above its first of all; or None."""
    heading, first = "the first cells", None
    for part in parts(book):
        near = None
        for cell in part:
            if near and cell is here:
                return near
            source = text(cell["source"])
            if cell["cell_type"] == "markdown":
                plain = re.sub(r"(?ms)^```.*?^```", "", source)
                heading = (re.findall(r"(?m)^#{1,3} (.+)$", plain) or [heading])[-1].strip()
            elif name in defined(source):
                near, first = heading, first or heading
    return first


def _clean_text(value):
    return lines(text(value).replace(f"{ROOT}/", "").replace(str(ROOT), "."))


def _clean_data(data):
    kept = {}
    for kind, value in sorted(data.items()):
        if kind.startswith(WIDGET):
            continue
        if kind.startswith("image/") and kind != "image/svg+xml":
            kept[kind] = text(value).strip() + "\n"
        else:
            kept[kind] = value if isinstance(value, dict) else _clean_text(value)
    return kept


def _clean_outputs(outputs):
    kept = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            last = kept[-1] if kept else {}
            joined = text(output["text"])
            if last.get("name") == output["name"]:
                joined = text(last["text"]) + joined
                kept.pop()
            kept.append({"name": output["name"], "output_type": kind, "text": _clean_text(joined)})
        elif kind == "error":
            trace = ["".join(_clean_text(line)) for line in output["traceback"]]
            named = {"ename": output["ename"], "evalue": output["evalue"]}
            kept.append(named | {"output_type": kind, "traceback": trace})
        else:
            data, metadata = _clean_data(output["data"]), {}
            for name, value in output.get("metadata", {}).items():
                value = value if isinstance(value, dict) else {}
                chosen = {key: value[key] for key in OUTPUT_METADATA if key in value}
                if chosen and name in data:
                    metadata[name] = chosen
            entry = {"data": data, "metadata": metadata, "output_type": kind}
            if kind == "execute_result":
                entry["execution_count"] = output["execution_count"]
            kept.append(entry)
    return kept


def tidied(book):
    """The notebook with everything that changes by itself removed, as a new dictionary."""
    cells, used = [], set()
    for cell in book["cells"]:
        source = text(cell["source"]).strip("\n")
        metadata = {key: cell["metadata"][key] for key in CELL_METADATA if cell.get("metadata", {}).get(key)}
        if "tags" in metadata:
            metadata["tags"] = list(dict.fromkeys(metadata["tags"]))
        name, number = cell.get("id", ""), 0
        while not ID.fullmatch(name) or name in used:
            name = hashlib.sha256(f"{cell['cell_type']}\n{source}\n{number}".encode()).hexdigest()[:12]
            number += 1
        used.add(name)
        new = {"cell_type": cell["cell_type"], "id": name, "metadata": metadata, "source": lines(source)}
        if cell["cell_type"] == "code":
            new["execution_count"] = cell.get("execution_count")
            new["outputs"] = _clean_outputs(cell.get("outputs", []))
        elif cell.get("attachments"):
            new["attachments"] = cell["attachments"]
        cells.append(new)
    return {"cells": cells, "metadata": NOTEBOOK_METADATA, "nbformat": 4, "nbformat_minor": 5}


def dumps(book):
    """The one way in which the course writes a notebook: sorted keys, one space, no escapes, one line end."""
    return json.dumps(book, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def tidy(path, check=False):
    """Normalise a notebook file. Returns True where something changed, or with `check` would change.

    Errors:  CourseError if the file is missing, damaged or cannot be written
    """
    new = dumps(tidied(read(path)))
    changed = Path(path).read_bytes() != new.encode("utf-8")
    if changed and not check:
        write_atomic(path, new)
    return changed
