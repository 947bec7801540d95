"""Run small programs written by a model, in a separate and limited process.

A program may assign, calculate, print, use `if` and loop over `range`. All else is refused before it runs.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass

SOURCE_LIMIT = 10_000
OUTPUT_LIMIT = 2_000


@dataclass
class Result:
    """status: ok, rejected, error, timeout, memory, output_limit or crash; `output` is what the program printed."""

    status: str
    output: str = ""
    error: str = ""


# The program of the separate process. It reads one line of JSON for each program and answers with one line.
# Where the system can fork, every program gets a process of its own, so 500 programs need one start of Python.
CHILD = r'''
import ast, json, os, select, signal, sys, time
FUNCTIONS = {"print": print, "round": round, "min": min, "max": max, "sum": sum, "int": int, "float": float, "abs": abs,
             "len": len, "range": range}
NODES = (ast.Module, ast.Expr, ast.Assign, ast.AugAssign, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp,
         ast.If, ast.For, ast.Call, ast.Constant, ast.Name, ast.Tuple, ast.List, ast.JoinedStr, ast.FormattedValue,
         ast.Load, ast.Store, ast.Pass, ast.Break, ast.Continue, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
REFUSED = (ast.MatMult, ast.LShift, ast.RShift, ast.BitOr, ast.BitXor, ast.BitAnd, ast.Invert, ast.Is, ast.IsNot)


def objection(tree):
    """The first thing in a program that is not allowed, or None."""
    for count, node in enumerate(ast.walk(tree)):
        name, line = type(node).__name__, getattr(node, "lineno", 1)
        if count > 2000:
            return "the program is too long"
        if not isinstance(node, NODES) or isinstance(node, REFUSED):
            return f"line {line}: {name} is not allowed"
        if isinstance(node, ast.Name):
            if node.id.startswith("_") or isinstance(node.ctx, ast.Store) and node.id in FUNCTIONS:
                return f"line {line}: the name {node.id} is not allowed"
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
                return f"line {line}: this call is not allowed"
        if isinstance(node, ast.For):
            looped = node.iter.func.id if isinstance(node.iter, ast.Call) else None
            if looped != "range" or not isinstance(node.target, ast.Name):
                return f"line {line}: a loop must run over range(...)"
        if isinstance(node, ast.Constant):
            value = node.value
            if type(value) not in (int, float, str, bool, type(None)) or type(value) is int and abs(value) > 10**100:
                return f"line {line}: this constant is not allowed"
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if not all(isinstance(target, (ast.Name, ast.Tuple)) for target in targets):
                return f"line {line}: this assignment is not allowed"
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            return f"line {line}: a format is not allowed"
    return None


class Full(Exception):
    pass


def limits(order):
    try:
        import resource
    except ImportError:
        return
    seconds = max(1, int(order["timeout_s"]) + 1)
    for name, value in (("AS", order["memory_mb"] << 20), ("CPU", seconds), ("FSIZE", 0), ("CORE", 0), ("NPROC", 0)):
        try:
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
        except (AttributeError, ValueError, OSError):
            pass


def attempt(order):
    """Check and run one program. Returns (status, output, error)."""
    printed, room = [], [order["output_limit"]]

    def write(*values):
        text = " ".join(str(value) for value in values) + "\n"
        room[0] -= len(text)
        if room[0] < 0:
            raise Full
        printed.append(text)

    try:
        limits(order)
        tree = ast.parse(order["source"])
        why = objection(tree)
        if why:
            return "rejected", "", why
        exec(compile(tree, "<program>", "exec"), {"__builtins__": {}, **FUNCTIONS, "print": write})
        return "ok", "".join(printed), ""
    except Full:
        return "output_limit", "".join(printed), "the program printed too much"
    except MemoryError:
        return "memory", "", "the program needs too much memory"
    except SyntaxError as error:
        return "rejected", "", f"line {error.lineno}: {error.msg}"
    except RecursionError:
        return "rejected", "", "the program is nested too deeply"
    except Exception as error:
        return "error", "".join(printed), f"{type(error).__name__}: {error}"[:300]


def forked(order):
    """Run `attempt` in a process of its own, killed when its time is over."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        data = json.dumps(attempt(order)).encode()
        while data:
            data = data[os.write(writing, data):]
        os._exit(0)
    os.close(writing)
    data, deadline = b"", time.monotonic() + order["timeout_s"]
    late = False
    while True:
        ready, _, _ = select.select([reading], [], [], max(0, deadline - time.monotonic()))
        part = os.read(reading, 65536) if ready else b""
        data += part
        if not part:
            late = not ready
            break
    if late:
        os.kill(child, signal.SIGKILL)
    os.close(reading)
    code = os.waitpid(child, 0)[1]
    if late or os.WIFSIGNALED(code) and os.WTERMSIG(code) in (signal.SIGXCPU, signal.SIGKILL):
        return "timeout", "", f"stopped after {order['timeout_s']} seconds"
    try:
        return json.loads(data)
    except ValueError:
        return "crash", "", "the process ended without an answer"


sys.setrecursionlimit(1000)
for line in sys.stdin.buffer:
    order = json.loads(line)
    answer = forked(order) if hasattr(os, "fork") else attempt(order)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
'''


def _objection(source):
    """What is wrong with a text before any parser sees it, or None."""
    if not isinstance(source, str) or "\0" in source:
        return "the program is not text"
    if len(source) > SOURCE_LIMIT:
        return f"the program is longer than {SOURCE_LIMIT} characters"
    try:
        source.encode("utf-8")
    except UnicodeEncodeError:
        return "the program is not valid Unicode"
    return None


def _clean(text):
    return "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text)


def _ask(orders, patience_s):
    """Send orders to one fresh process; returns as many answers as it gave."""
    posix = os.name == "posix"
    python = sys.executable if posix else getattr(sys, "_base_executable", sys.executable)
    environment = {} if posix else {"SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [python, "-I", "-S", "-B", "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=environment, cwd=folder, close_fds=True, start_new_session=posix,
        )  # fmt: skip
        data = "".join(json.dumps(order) + "\n" for order in orders).encode()
        try:
            out = process.communicate(data, timeout=patience_s)[0]
        except subprocess.TimeoutExpired as error:
            out = error.output or b""
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL) if posix else process.kill()
            except (ProcessLookupError, PermissionError):
                pass
            process.wait()
            process.stdout.close()
            process.stdin.close()
    answers = []
    for line in out.splitlines():
        try:
            answers.append(Result(*json.loads(line)))
        except (ValueError, TypeError):
            break
    return answers


def run_programs(sources, timeout_s=2.0, memory_mb=512):
    """Run many programs, each in its own limited process. Returns a list of `Result` in the same order.

    Covers:         imports, attributes, files, network and names outside the list (refused on the syntax tree);
                    endless loops (killed after `timeout_s`); too much memory or output; an empty environment and
                    an empty folder; a crash of the interpreter ends that program only
    Does not cover: a fault in Python itself that the listed arithmetic can reach (no filter of the operating system
                    stands behind the list); the memory limit on macOS and Windows
    Units:          timeout_s seconds of wall clock for each program; memory_mb MiB
    """
    results, orders, places = [None] * len(sources), [], []
    for place, source in enumerate(sources):
        why = _objection(source)
        if why:
            results[place] = Result("rejected", "", why)
            continue
        orders.append({"source": source, "timeout_s": timeout_s, "memory_mb": memory_mb, "output_limit": OUTPUT_LIMIT})
        places.append(place)
    while orders:
        batch = orders if hasattr(os, "fork") else orders[:1]
        answers = _ask(batch, len(batch) * (timeout_s + 0.5) + 10 if hasattr(os, "fork") else timeout_s + 1)
        if not answers:
            late = not hasattr(os, "fork")
            answers = [Result("timeout", "", f"stopped after {timeout_s} seconds") if late else Result("crash")]
        for place, answer in zip(places, answers):
            results[place] = Result(answer.status, _clean(answer.output), _clean(answer.error))
        orders, places = orders[len(answers) :], places[len(answers) :]
    return results


def run_program(source, timeout_s=2.0, memory_mb=512):
    """Run one program; see `run_programs` for what is covered.

    Example: run_program("print(6 * 7)").output -> "42" and a line end
    """
    return run_programs([source], timeout_s, memory_mb)[0]
