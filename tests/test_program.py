"""Programs written by a model: what runs, what is refused, what is stopped."""

import os
import time
from pathlib import Path

import pytest

from course_utils.program import run_program, run_programs


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("a = 70\nb = 27\nprint(a - b)", "43\n"),
        ("print(round(10 / 4, 2), max(1, 2))", "2.5 2\n"),
        ("t = 0\nfor i in range(1, 5):\n    t += i\nprint(t)", "10\n"),
        ("a, b = 3, 4\nif a < b and not a == 0:\n    print('less')\nelse:\n    print('more')", "less\n"),
        ("x = [1, 2, 3]\nprint(sum(x), len(x), abs(-2), min(x))", "6 3 2 1\n"),
        ("n = 3\nprint(f'{n} apples')", "3 apples\n"),
        ("print(int(7.9) // 2 % 2 ** 3, float(1))", "3 1.0\n"),
        ("", ""),
    ],
)
def test_arithmetic_runs(source, output):
    result = run_program(source)
    assert (result.status, result.output) == ("ok", output), result


REFUSED = [
    "import os", "from os import system", "__import__('os')", "().__class__", "print.__self__", "open('x', 'w')",
    "eval('1')", "exec('1')", "def f(): pass", "lambda: 1", "class A: pass", "while True: pass", "[i for i in range(3)]",
    "with open('x') as f: pass", "try:\n    pass\nexcept Exception:\n    pass", "print = 3", "_x = 1", "x[0]", "x = {}",
    "print(1, file=2)", "for i in [1]: pass", "for i in range(3).x: pass", "print(f'{1:>999999999}')", "global x",
    "del x", "(y := 3)", "a = b'x'", "1j", "assert 0", "'a' @ 1", "1 << 9999999999", "~1", "getattr(1, 'x')", "a.b = 1",
    "x = 1" + "0" * 101, "def", "(" * 300 + ")" * 300, "-" * 5000 + "1", "a" * 10_001, "\0", "\ud800", "raise 1", "await x",
    "match 1:\n    case 1: pass", "async def f(): pass", "print(*[1])", "a: int = 1", "'%s'.format(1)", "print((lambda: 1)())",
]  # fmt: skip


def test_everything_else_is_refused():
    for source, result in zip(REFUSED, run_programs(REFUSED)):
        assert result.status == "rejected" and result.error and not result.output, (source[:40], result)


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX systems")
def test_limits_stop_programs():
    slow = "t = 0\nfor i in range(10 ** 12):\n    t += i\nprint(t)"
    big = "x = [1] * 10 ** 9\nprint(len(x))"
    loud = "for i in range(10 ** 6):\n    print('a lot of text')"
    power = "print(9 ** 9 ** 9)"
    started = time.monotonic()
    results = run_programs([slow, big, loud, power, "print(1)", "print(1 / 0)", "print(y)"], timeout_s=0.5)
    assert [result.status for result in results] == [
        "timeout", "memory", "output_limit", "timeout", "ok", "error", "error"
    ]  # fmt: skip
    assert time.monotonic() - started < 6 and results[4].output == "1\n"
    assert results[5].error == "ZeroDivisionError: division by zero" and "NameError" in results[6].error


def test_control_characters_are_replaced():
    assert run_program("print('\\x1b[2Jhi')").output == "\ufffd[2Jhi\n"


@pytest.mark.skipif(os.name != "posix", reason="without fork every program starts Python anew")
def test_five_hundred_programs_take_seconds():
    started = time.monotonic()
    results = run_programs([f"a = {i}\nprint(a * 2)" for i in range(500)])
    assert [result.output for result in results] == [f"{2 * i}\n" for i in range(500)]
    assert time.monotonic() - started < 20


def test_no_environment_and_no_side_effect(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET_TOKEN", "canary")
    sources = ["print(open('x', 'w'))", "import os\nprint(os.environ)", "print(environ)", "print(__builtins__)"]
    assert all(
        result.status != "ok" and "canary" not in result.output + result.error for result in run_programs(sources)
    )
    assert not list(Path(tmp_path).iterdir())
