"""The exact versions in pins.txt, and what an interpreter lacks of them. Standard library only."""

import ast
import hashlib
import importlib.metadata
import os
import platform
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from course_utils.settings import ROOT

PINS = ROOT / "course_utils" / "pins.txt"


class Pin(NamedTuple):
    name: str
    version: str
    direct: bool


class Gap(NamedTuple):
    name: str
    found: str | None
    needed: str


def normal(name):
    """A package name as the index compares it: lower case, one dash."""
    return re.sub(r"[-_.]+", "-", name).lower()


def version_key(version):
    """The numbers of a version, for comparing: "2.13.0+cpu" -> (2, 13, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0]))


def _marker_values():
    return {
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "python_full_version": platform.python_version(),
        "sys_platform": sys.platform,
        "platform_system": platform.system(),
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "implementation_name": sys.implementation.name,
        "os_name": os.name,
    }


def applies(marker, values=None):
    """True where an environment marker such as "os_name == 'nt'" holds on this machine."""
    if not marker:
        return True
    values = values or _marker_values()

    def value(node):
        if isinstance(node, ast.BoolOp):
            parts = [value(part) for part in node.values]
            return all(parts) if isinstance(node.op, ast.And) else any(parts)
        if isinstance(node, ast.Compare):
            left, right = value(node.left), value(node.comparators[0])
            names = [part.id for part in (node.left, node.comparators[0]) if isinstance(part, ast.Name)]
            if any("version" in name for name in names):
                left, right = version_key(left), version_key(right)
            operators = {
                ast.Eq: left == right,
                ast.NotEq: left != right,
                ast.Lt: left < right,
                ast.LtE: left <= right,
                ast.Gt: left > right,
                ast.GtE: left >= right,
            }
            return operators[type(node.ops[0])]
        return values[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node)

    return value(ast.parse(marker.strip(), mode="eval").body)


def read(path=None):
    """The pins that apply on this machine, as a list of Pin."""
    pins, direct = [], False
    for line in Path(path or PINS).read_text(encoding="utf-8").splitlines():
        if line.startswith("# ---"):
            direct = line.startswith("# --- direct")
        requirement, _, marker = line.split("#")[0].partition(";")
        if "==" in requirement and applies(marker):
            name, version = requirement.strip().split("==")
            pins.append(Pin(normal(name), version.strip(), direct))
    return pins


def stamp(python_version, path=None):
    """One hash for "these pins on this Python": an environment with the same stamp needs no repair."""
    text = Path(path or PINS).read_bytes()
    minor = ".".join(python_version.split(".")[:2])
    return hashlib.sha256(text + b"\n" + minor.encode()).hexdigest()


def installed():
    """Name -> version of every package that this interpreter can import."""
    found = {}
    for package in importlib.metadata.distributions():
        name = package.metadata["Name"]
        if name:
            found.setdefault(normal(name), package.version)
    return found


def ranges():
    """Name -> range text such as ">=2.10", from pyproject.toml."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        lines = tomllib.load(file)["project"]["dependencies"]
    parts = [re.match(r"([A-Za-z0-9._-]+)(.*)", line).groups() for line in lines]
    return {normal(name): limits.strip() for name, limits in parts}


def inside(version, limits):
    """True where a version lies in a range made of >= and < parts."""
    for limit in filter(None, (part.strip() for part in limits.split(","))):
        bound = version_key(limit.lstrip("<>="))
        good = version_key(version) >= bound if limit.startswith(">=") else version_key(version) < bound
        if not good:
            return False
    return True


def gaps(found, pins=None, ranges_by_name=None):
    """What `found` (name -> version) lacks, as a list of Gap.

    A direct package must have the pinned version; for the packages below it, being there is enough. With
    `ranges_by_name` (Colab: its own torch and numpy stay) a direct package may be anywhere in its range.
    """
    missing = []
    for pin in pins if pins is not None else read():
        version = found.get(pin.name)
        same = version is not None and version_key(version) == version_key(pin.version)
        near = version is not None and inside(version, (ranges_by_name or {}).get(pin.name, "<0"))
        if version is None or (pin.direct and not same and not near):
            missing.append(Gap(pin.name, version, pin.version))
    return missing


def gaps_here():
    """What this interpreter lacks."""
    on_colab = "COLAB_RELEASE_TAG" in os.environ
    return gaps(installed(), ranges_by_name=ranges() if on_colab else None)


def pip_line(missing, python="python3"):
    """One line that installs what is missing."""
    if len(missing) > 8:
        return f"{python} -m pip install -r course_utils/pins.txt"
    return f"{python} -m pip install " + " ".join(f'"{gap.name}=={gap.needed}"' for gap in missing)
