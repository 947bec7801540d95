"""`sandbox FILE`: run a program in the sandbox; without a program: say which guards hold on this computer."""

import dataclasses
import json
import sys

from course_utils.sandbox import runner
from course_utils.settings import CourseError


def add_arguments(parser):
    parser.add_argument("file", nargs="?", metavar="FILE|-", help="a Python program; - reads it from a pipe")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _read(name):
    """The text of a program. One letter more than allowed is enough: the sandbox refuses it then."""
    most = 4 * runner.SOURCE_LIMIT + 1  # bytes: a letter has at most 4
    try:
        if name == "-":
            data = sys.stdin.buffer.read(most)
        else:
            with open(name, "rb") as file:
                data = file.read(most)
        return data.decode("utf-8-sig", "ignore" if len(data) == most else "strict")
    except OSError as error:
        raise CourseError(f"Cannot read {name} ({error.strerror}): give the path of a Python program.") from error
    except UnicodeDecodeError as error:
        raise CourseError(f"{name} is no UTF-8 text: give the path of a Python program.") from error


def run(arguments):
    source = _read(arguments.file or "-") if arguments.file or not sys.stdin.isatty() else ""
    if not arguments.file and not source.strip():
        guards = runner.report()
        print(json.dumps(guards) if arguments.json else runner.described(guards))
        return 0
    result = runner.run(source)
    if arguments.json:
        print(json.dumps(dataclasses.asdict(result)))
        return int(result.status != "ok")
    answer, output = json.dumps(result.answer, ensure_ascii=False), result.output.rstrip()
    lines = {"status": result.status, "answer": answer, "output": output}
    lines |= {"error": result.error, "layers": ", ".join(result.layers), "seconds": f"{result.seconds:.2f}"}
    for name, text in lines.items():
        if text or name == "answer":
            print(f"{name:<8} {text}".replace("\n", "\n" + " " * 9))  # what it printed cannot pose as our lines
    return int(result.status != "ok")


def measure(arguments):
    """`bench sandbox`: seconds from a program's text to its answer, beside an empty Python; medians of 31 runs."""
    import statistics
    import subprocess
    import time

    def empty():
        started = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
        return time.perf_counter() - started

    runner.run("answer = 1")  # the first one fills the caches of the disk
    times = [runner.run("answer = 1").seconds for _ in range(31)]
    floor = [empty() for _ in range(31)]
    return {
        "runs": len(times), "median_ms": statistics.median(times) * 1000, "slowest_ms": max(times) * 1000,
        "python_ms": statistics.median(floor) * 1000, "layers": runner.run("answer = 1").layers,
    }  # fmt: skip


def show(result):
    """The lines of `bench sandbox`."""
    print(f"{result['runs']} programs, one after the other; layers: {', '.join(result['layers'])}")
    print(f"median {result['median_ms']:.0f} ms (wanted: under 60), slowest {result['slowest_ms']:.0f} ms")
    print(f"an empty Python alone: median {result['python_ms']:.0f} ms")
