"""The sandbox under attack: every attack is stopped, harmless programs are exact, each rule is needed."""

import ast
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from sandbox_corpus import (
    LINUX, PYTHONS, corpus, late, left_over, locked_processes, need_system_lock, open_files, system_lock, without,
)  # fmt: skip

from course_utils.sandbox import child, language, runner

HARMLESS = corpus("benign_python")
ATTACKS = corpus("attacks_python", "more_python")
ATTACKS.append({"id": "PYM-source-01", "code": "#" * 20_000 + "\nanswer = 1\n"})
BY_ID = {attack["id"]: attack["code"] for attack in ATTACKS}
SECRET = "canary-5f1d"


def many(programs, **options):
    return runner.run_many(list(programs), at_once=PYTHONS, **options)


def pwned():
    """Files that some attacks try to write."""
    return sorted(name for name in os.listdir("/tmp" if os.name == "posix" else ".") if "pwned" in name)


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """A secret in the environment, a file, a listening port; afterwards nothing has changed and nothing is left."""
    (tmp_path / "scratch").mkdir()
    kept = tmp_path / "kept.txt"
    kept.write_text(SECRET)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    here, planted = sorted(os.listdir()), pwned()
    runner.run("answer = 1")
    files, children = open_files(), len(psutil.Process().children())
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.01)
        files = files and files + 1
        yield {"path": str(kept), "port": listening.getsockname()[1]}
        with pytest.raises(TimeoutError):
            listening.accept()
        assert open_files() == files
    assert kept.read_text() == SECRET and sorted(os.listdir()) == here
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.txt", "scratch"]
    assert list((tmp_path / "scratch").iterdir()) == []
    assert len(psutil.Process().children()) == children and left_over() == []
    assert pwned() == planted


def test_harmless_programs_are_exact():
    results = many([program["code"] for program in HARMLESS], timeout_s=20)
    wrong = [
        (program["id"], result)
        for program, result in zip(HARMLESS, results)
        if (result.status, result.answer) != ("ok", program["expected"])
    ]
    assert wrong == [] and len(HARMLESS) == 56


def test_every_attack_is_stopped(watched, ran):
    results = many([attack["code"] for attack in ATTACKS], timeout_s=1.0)
    assert [(attack["id"], result) for attack, result in zip(ATTACKS, results) if result.status == "ok"] == []
    assert {result.status for result in results} <= set(runner.STATUSES)
    assert late(ran, lambda program: runner.run(program, timeout_s=1.0), limit_s=1.0 + 2) == []
    for result in results:
        shown = f"{result.answer} {result.output} {result.error}"
        assert SECRET not in shown and "root:" not in shown and "\x1b" not in shown
        assert len(result.output) <= 20_000 and len(result.error) < 1000


def test_a_late_program_is_found():
    """Late beside others is forgiven, late each time is not."""
    ran = {"busy": 9, "endless": 9, "quick": 1}
    assert late(ran, lambda program: ran.update(busy=1), limit_s=3) == ["endless"]


def direct(watched):
    """Attacks that need no language to fight with: plain Python against files, network, processes and secrets."""
    path, port = watched["path"], watched["port"]
    return {
        "read": f"answer = open({path!r}).read()",
        "truncate": f"import os\nopen({path!r}, 'w')\nanswer = 1",
        "truncate by name": f"import os\nos.truncate({path!r}, 0)\nanswer = 1",
        "unlink": f"import os\nos.unlink({path!r})\nanswer = 1",
        "rename": f"import os\nos.rename({path!r}, {path + '.2'!r})\nanswer = 1",
        "mode": f"import os\nos.chmod({path!r}, 0)\nanswer = 1",
        "link": f"import os\nos.symlink({path!r}, 'pwned')\nanswer = 1",
        "folder": "import os\nanswer = os.listdir('/')",
        "status": f"import os\nanswer = os.stat({path!r}).st_size",
        "connect": f"import _socket\ns = _socket.socket()\ns.connect(('127.0.0.1', {port}))\nanswer = 1",
        "pair": "import _socket\nanswer = str(_socket.socketpair())",
        "fork": "import os\nanswer = os.fork()",
        "exec": "import os\nos.execv('/bin/true', ['true'])",
        "spawn": "import os\nanswer = os.posix_spawn('/bin/true', ['true'], {})",
        "thread": "import _thread\nanswer = _thread.start_new_thread(print, ('x',))",
        "kill the parent": f"import os\nos.kill({os.getpid()}, 9)\nanswer = 1",
        "signal all": "import os\nos.kill(-1, 0)\nanswer = 1",
        "parent's number": "import os\nanswer = os.getppid() > 0 or 1 / 0",
        "priority": "import os\nanswer = os.nice(5)",
        "pipe": "import os\nanswer = os.pipe()",
        "memory file": "import os\nanswer = os.memfd_create('x')",
        "limits": "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (9, 9))\nanswer = 1",
        "trace": "import ctypes\nanswer = ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0) == 0 or 1 / 0",
        "raw call": "import ctypes\nanswer = ctypes.CDLL(None).syscall(2, b'/etc/passwd', 0) >= 0 or 1 / 0",
        "32-bit number": "import ctypes\nanswer = ctypes.CDLL(None).syscall(0x40000002, b'/etc', 0) >= 0 or 1 / 0",
        "ring": "import ctypes\nanswer = ctypes.CDLL(None).syscall(425, 1, 0) >= 0 or 1 / 0",
        "user namespace": "import ctypes\nanswer = ctypes.CDLL(None).unshare(0x10000000) == 0 or 1 / 0",
        "undo": "import ctypes\nctypes.CDLL(None).prctl(22, 0)\nanswer = open('/etc/passwd').read()",
    }


PRELOAD = ("_socket", "ctypes") + (("resource",) if os.name == "posix" else ())


def test_without_the_language_the_system_still_stops_them(watched, ran):
    need_system_lock()
    attacks = direct(watched)
    results = many(attacks.values(), language=False, timeout_s=2.0, preload=PRELOAD)
    assert [(name, result) for name, result in zip(attacks, results) if result.status == "ok"] == []
    results = many([attack["code"] for attack in ATTACKS], language=False, timeout_s=1.0)
    for attack, result in zip(ATTACKS, results):
        shown = f"{attack['id']} {result.answer} {result.output} {result.error}"
        assert SECRET not in shown and "root:" not in shown and result.status in runner.STATUSES
        assert "language" not in result.layers
    again = lambda program: runner.run(program, language=False, timeout_s=2.0, preload=PRELOAD)  # noqa: E731
    assert late(ran, again, limit_s=2.0 + 2) == []


def test_the_direct_attacks_are_attacks(tmp_path):
    """Without both layers some of them reach their goal; only harmless ones are tried."""
    kept = tmp_path / "kept.txt"
    kept.write_text(SECRET)
    attacks = direct({"path": str(kept), "port": 9})
    names = ["read", "folder", "status", "parent's number"] if os.name == "posix" else ["read", "status"]
    results = many([attacks[name] for name in names], language=False, system=False, timeout_s=20)
    assert {result.status for result in results} == {"ok"} and results[0].answer == SECRET


# rule -> (file, text, text without the rule, an attack that then gets through)
LANGUAGE_RULES = {
    "syntax": ("PYM-syntax-01", "PYM-syntax-02"),
    "underscores": ("PYM-underscore-02",),
    "attributes": ("PYM-attribute-01", "PYM-attribute-02"),
    "assignments": ("PYM-assignment-01", "PYM-assignment-02", "PYM-assignment-03"),
    "imports": ("PYM-import-01", "PYM-import-02"),
    "members": ("PYM-member-01",),
    "unavailable": ("PYM-unavailable-01",),
    "decorators": ("PYM-decorator-01",),
}
OTHER_RULES = {
    "the bare namespace": (
        "language.py", 'allowed = {name: getattr(builtins, name) for name in ALLOWED["builtins"]}',
        "allowed = dict(vars(builtins))", "PYM-namespace-01",
    ),
    "facades": ("language.py", '"__import__": imported}', '"__import__": builtins.__import__}', "PYM-facade-01"),
    "types of answers": (
        "child.py", '    raise ValueError(f"an answer of type {kind.__name__} is not data")', "    return repr(value)",
        "PYM-answer-01",
    ),
    "depth of answers": ("child.py", "if depth > 20:", "if False:", "PYM-answer-02"),
    "size of numbers": ("child.py", "value.bit_length() > 4000", "False", "PYM-answer-03"),
    "finite answers": ("child.py", "not math.isfinite(value)", "False", "PYM-answer-04"),
    "size of answers": ("child.py", "if room[0] < 0:", "if False:", "PYM-answer-05"),
    "size of output": ("child.py", "return self.room < 0", "return False", "PYM-output-01"),
    "output that is caught": ("child.py", "if printed.full():", "if False:", "PYM-output-02"),
    "memory": ("confinement.py", '"AS": memory_mb << 20, ', "", "PYM-memory-01"),
}  # fmt: skip


def test_every_rule_of_the_language_is_tested():
    assert list(LANGUAGE_RULES) == [rule.__name__ for rule in language.RULES]


@pytest.mark.parametrize("rule", LANGUAGE_RULES)
def test_a_rule_of_the_language_removed_lets_an_attack_through(rule, tmp_path, monkeypatch):
    need_system_lock()
    names = [name for name in LANGUAGE_RULES if name != rule]
    all_rules, fewer = f"RULES = ({', '.join(LANGUAGE_RULES)})", f"RULES = ({', '.join(names)})"
    without(tmp_path, monkeypatch, "language.py", all_rules, fewer)
    results = many([BY_ID[attack] for attack in LANGUAGE_RULES[rule]], timeout_s=20)
    assert [result.status for result in results] == ["ok"] * len(results), results


@pytest.mark.parametrize("rule", OTHER_RULES)
def test_a_rule_removed_lets_an_attack_through(rule, tmp_path, monkeypatch):
    need_system_lock()
    file, old, new, attack = OTHER_RULES[rule]
    assert runner.run(BY_ID[attack], timeout_s=20).status != "ok"
    without(tmp_path, monkeypatch, file, old, new)
    result = runner.run(BY_ID[attack], timeout_s=20)
    assert result.status == "ok", result


def test_the_length_of_a_program_is_limited(monkeypatch):
    assert runner.run(BY_ID["PYM-source-01"]).status == "rejected"
    monkeypatch.setattr(runner, "SOURCE_LIMIT", 10**6)
    assert runner.run(BY_ID["PYM-source-01"], timeout_s=20).status == "ok"


def test_the_time_is_limited():
    slow = "import itertools\nfor i in itertools.repeat(0, 60_000_000):\n    pass\nanswer = 1\n"
    assert runner.run(slow, timeout_s=0.3).status == "timeout"
    assert runner.run(slow, timeout_s=60).status == "ok"


def test_no_codec_is_imported_later(tmp_path, monkeypatch):
    """Python imports a codec by a name from the program; where the system does not lock files, too."""
    program = "answer = 'ab'.encode('punycode').decode()"
    assert "unknown encoding" in runner.run(program, system=False, timeout_s=20).error
    without(tmp_path, monkeypatch, "child.py", "    sys.meta_path.clear()", "    ()")
    assert runner.run(program, system=False, timeout_s=20).answer == "ab-"


def test_errors_and_answers_carry_no_control_characters(monkeypatch):
    program = "answer = ['\\x1b[2J', {'\\u202e': 1}]\nprint('\\x07')\n"
    dirty = "raise ValueError('\\x1b[2J')"
    assert runner.run(program, timeout_s=20).answer == ["\ufffd[2J", {"\ufffd": 1}]
    assert "\x1b" not in runner.run(dirty, timeout_s=20).error
    monkeypatch.setattr(runner, "clean", lambda value: value)
    assert "\x1b" in runner.run(dirty, timeout_s=20).error


def test_a_blind_forgery_is_no_answer(monkeypatch):
    """Without the language a program can write into the channel; without the number of this run nobody listens."""
    need_system_lock()
    line = json.dumps({"status": "ok", "answer": "forged", "nonce": "0"})
    forged = f"import os\nos.write(3, b'{line}\\n')\nos._exit(0)\n"
    assert runner.run(forged, timeout_s=20, language=False).status == "crash"
    known = "import json, os, sys\nreply = {'nonce': sys._getframe(2).f_locals['order']['nonce']}\n"
    known += "reply |= {'status': 7, 'layers': 7, 'missing': [], 'error': {}, 'output': None}\n"
    known += "os.write(3, json.dumps(reply).encode() + b'\\n')\nos._exit(0)\n"
    assert runner.run(known, timeout_s=20, language=False).status == "crash"
    deep = "import os, sys\nnonce = sys._getframe(2).f_locals['order']['nonce']\nstart = '{\"status\": \"ok\", '\n"
    deep += "start += '\"layers\": [\"forged\"], \"nonce\": \"' + nonce + '\", \"answer\": '\n"
    deep += "os.write(3, (start + '[' * 5000 + ']' * 5000 + '}\\n' + start + '7}\\n').encode())\nos._exit(0)\n"
    result = runner.run(deep, timeout_s=20, language=False)
    assert result.answer == 7 and "forged" not in result.layers  # this process lives, and layers are not taken back
    monkeypatch.setattr(runner, "_reply", lambda line, nonce: json.loads(line))
    assert runner.run(forged, timeout_s=20, language=False).answer == "forged"


def test_a_flood_in_the_channel_is_cut():
    need_system_lock()
    flood = "import os\nwhile True:\n    os.write(3, b'x' * 65536)\n"
    result = runner.run(flood, timeout_s=20, language=False)
    assert result.status == "output_limit"


@pytest.mark.skipif(os.name != "posix", reason="limits of the kernel are those of POSIX")
def test_every_limit_is_in_force(tmp_path, monkeypatch):
    """Asked of the kernel; each limit taken out is seen."""
    ask = "import resource\nanswer = [resource.getrlimit(resource.RLIMIT_%s)[0] for _ in (0,)]"
    wanted = {"CPU": 21, "FSIZE": 0, "CORE": 0, "NPROC": 0} | ({"AS": 256 << 20} if LINUX else {})
    lines = {"AS": '"AS": memory_mb << 20, ', "CPU": '"CPU": cpu_s, ', "FSIZE": '"FSIZE": 0, ', "CORE": '"CORE": 0, '}
    options = {"language": False, "system": False, "timeout_s": 20, "preload": ["resource"]}
    for name, value in wanted.items():
        assert runner.run(ask % name, **options).answer == [value]
    import resource

    for name, line in lines.items():
        if name in wanted and resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] != wanted[name]:
            with monkeypatch.context() as patch:
                without(tmp_path, patch, "confinement.py", line, "")
                assert runner.run(ask % name, **options).answer != [wanted[name]]


@pytest.mark.skipif(os.name != "posix", reason="process groups are those of POSIX")
def test_what_a_program_started_ends_with_it(tmp_path, monkeypatch):
    """Both layers off and the limit of processes taken out: the group is killed, and without that a process stays."""
    without(tmp_path, monkeypatch, "confinement.py", ', "NPROC": 0}', "}")
    program = "import os, time\nif os.fork() == 0:\n    os.closerange(0, 9)\n    time.sleep(60)\nanswer = 1\n"
    options = {"language": False, "system": False, "timeout_s": 20}
    assert runner.run(program, **options).status == "ok" and left_over() == []
    monkeypatch.setattr(runner, "_kill", lambda process: process.kill())
    assert runner.run(program, **options).status == "ok"
    left = locked_processes()
    for number in left:
        os.kill(number, signal.SIGKILL)
    assert len(left) == 1


@pytest.mark.skipif(os.name != "posix", reason="the limit of CPU seconds is that of POSIX")
def test_an_orphan_ends_by_itself(tmp_path):
    """The process that waits is killed: nobody is left to stop the program but its limit of CPU seconds."""
    order = {"source": "while True: pass", "memory_mb": 256, "output_limit": 9, "language": True, "system": True}
    script = f"from course_utils.sandbox import runner; runner.exchange({order | {'cpu_s': 3}}, 120)"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(runner.HOME)}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as waiting:
        until = time.monotonic() + 90
        while time.monotonic() < until:
            running = [psutil.Process(number).cpu_times().user for number in locked_processes()]
            if running and running[0] > 0.4:  # the loop has begun
                break
            time.sleep(0.02)
        waiting.kill()
    assert locked_processes() and left_over(120) == []


def test_no_secret_and_no_folder_of_ours(monkeypatch, watched):
    look = "import os\nanswer = [sorted(os.environ), os.getcwd(), os.listdir('.')]"
    options = {"language": False, "system": False, "timeout_s": 20}
    names, folder, inside = runner.run(look, **options).answer
    assert set(names) <= {"PYTHONHASHSEED", "SYSTEMROOT", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"} and inside == []
    assert os.path.realpath(folder) != os.path.realpath(os.getcwd())
    start = subprocess.Popen
    monkeypatch.setattr(runner.subprocess, "Popen", lambda *a, **k: start(*a, **{**k, "env": None}))
    assert runner.run("import os\nanswer = os.environ['HF_TOKEN']", **options).answer == SECRET


def test_300_programs_on_16_threads(watched):
    def one(number):
        program = HARMLESS[number % len(HARMLESS)]
        code = f"{program['code']}\nprint({number})\n" if number % 2 else f"answer = {number} * 7"
        own = runner.run(code, timeout_s=60)
        wanted = program["expected"] if number % 2 else number * 7
        printed = number % 2 and program["id"] == "OK-strings-10"  # its answer is what it prints
        return own.status == "ok" and (own.answer == wanted or printed and own.answer == f"12\n{number}")

    with ThreadPoolExecutor(16) as pool:
        right = list(pool.map(one, range(300)))
    assert [number for number, good in enumerate(right) if not good] == []
    assert threading.active_count() < 20


NAMES = ["open", "__import__", "print", "x", "answer", "solution", "str", "_", "type", "eval", "list", "__doc__", "é"]
VALUES = [0, -1, 10**9, 1e308, "", "\x1b", "\ud800", None, b"", 2**70, "{0.real}", True, 1j, ...]


class Mutation(ast.NodeTransformer):
    """Change about one node in `rarity`."""

    def __init__(self, rng, rarity=12):
        self.rng, self.rarity = rng, rarity

    def generic_visit(self, node):
        super().generic_visit(node)
        if self.rng.randrange(self.rarity):
            return node
        for name, value in ast.iter_fields(node):
            if isinstance(value, str):
                setattr(node, name, self.rng.choice(NAMES))
            elif isinstance(value, list) and value:
                self.rng.choice([value.reverse, value.pop, lambda: value.extend(value)])()
            elif isinstance(node, ast.Constant) and name == "value":
                node.value = self.rng.choice(VALUES)
            elif isinstance(value, ast.operator):
                setattr(node, name, self.rng.choice(ast.operator.__subclasses__())())
        return node


def mutants(count):
    rng = random.Random(0)
    while count:
        tree = Mutation(rng).visit(ast.parse(rng.choice(HARMLESS)["code"]))
        try:
            text = ast.unparse(tree)
        except Exception:  # a tree that is no program, such as an `import` of nothing
            continue
        letters = list(text)
        for _ in range(rng.choice((0, 0, 0, 1, 3))):
            letters.insert(rng.randrange(len(letters) + 1), rng.choice("()[]{}:=.,*_0'\"\\\n\t\x00\ud800é"))
        yield "".join(letters)
        count -= 1


def test_2000_mutants_give_a_status_of_the_list(watched):
    results = many(list(mutants(2000)), timeout_s=1.0)
    statuses = {status: sum(result.status == status for result in results) for status in runner.STATUSES}
    assert sum(statuses.values()) == 2000
    assert statuses["ok"] > 100 and statuses["rejected"] > 100 and statuses["error"] > 100, statuses
    assert statuses["crash"] < 20, [result for result in results if result.status == "crash"]


def test_answers_are_data():
    given = "from fractions import Fraction\nanswer = [(1, 2), {3}, {4: 'x'}, Fraction(1, 3), None, True, 1.5]"
    assert runner.run(given, timeout_s=20).answer == [[1, 2], [3], {"4": "x"}, "1/3", None, True, 1.5]
    with pytest.raises(ValueError):
        child.plain(object(), [10])


def test_the_same_program_gives_the_same_answer_twice():
    program = "import random\nanswer = [random.random(), list({'a', 'b', 'c', 'd', 'e'})]"
    assert runner.run(program, timeout_s=20).answer == runner.run(program, timeout_s=20).answer


@pytest.mark.parametrize(
    ("program", "status", "error"),
    [
        ("answer = 1", "ok", ""),
        ("", "no_answer", "the program printed nothing"),
        ("x = 1", "no_answer", "the program printed nothing"),
        ("import os", "rejected", "the module os is not on the list (line 1)"),
        ("answer = 1\nanswer.real.__class__", "rejected", "that begin with _ are not allowed: __class__ (line 2)"),
        ("answer = (", "rejected", "SyntaxError: '(' was never closed (line 1)"),
        ("answer = '\ud800' + chr(0xD800)", "rejected", "cannot be read"),
        ("answer = 1\0", "rejected", ""),
        ("answer = 1 / 0", "error", "ZeroDivisionError: division by zero (line 1)"),
        ("x = 1\nanswer = undefined", "error", "NameError: name 'undefined' is not defined (line 2)"),
        ("a = 3\nb = 4 apples\n", "rejected", "SyntaxError: invalid syntax (line 2)"),
        ("def solution():\n    x = 0\n    return 1 / x\n", "error", "division by zero (line 3)"),
        ("import statistics\n\nstatistics.mean([])", "error", "(line 3)"),
        ("raise ValueError('a\\nb')", "error", "ValueError: a b (line 1)"),
        ("raise ValueError", "error", "ValueError (line 1)"),
        ("x = 7 ** 20000\nraise ValueError(x)", "error", "ValueError: a message that cannot be shown (line 2)"),
        ("answer = {}['x']", "error", "KeyError: 'x' (line 1)"),
        ("answer = list", "bad_answer", "an answer of type type is not data."),
        (b"answer = 1", "rejected", "a program is a text"),
        (None, "rejected", "a program is a text"),
    ],
)
def test_every_status_says_why(program, status, error):
    result = runner.run(program, timeout_s=20)
    assert result.status == status and error in result.error and "\n" not in result.error


def test_no_process_can_be_started(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(runner.subprocess, "Popen", refuse)
    with pytest.raises(runner.CourseError, match="The sandbox cannot start"):
        runner.run("answer = 1")


def test_a_program_that_cannot_start_is_a_crash(monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "HOME", tmp_path)
    assert runner.run("answer = 1", timeout_s=20).status == "crash"


SYSTEM_GUARDS = ("reading", "writing", "network", "processes")


def test_the_report_with_all_layers():
    guards = runner.report()
    assert all(guards[name] for name in ("language", "time", "environment"))
    assert guards["memory"] or not LINUX
    if system_lock():
        assert all(guards[name] for name in SYSTEM_GUARDS) and guards["missing"] == {}
        assert " NO " not in runner.described(guards) and "stands between" not in runner.described(guards)


def test_the_report_with_a_layer_forced_off():
    guards = runner.report(system=False)
    assert not guards["reading"] and not guards["network"]
    assert "switched off" in str(guards["missing"]) or not LINUX
    told = runner.described(guards)
    assert "reading      NO" in told and "only the list of the language stands" in told
    guards = runner.report(language=False)
    assert guards["language"] is False and "language" not in guards["layers"]
    assert "language     NO" in runner.described(guards)


@pytest.mark.skipif(not LINUX, reason="seccomp is Linux's")
def test_the_report_tells_why_a_lock_failed(tmp_path, monkeypatch):
    without(tmp_path, monkeypatch, "confinement.py", "        lock()\n", '        raise OSError(1, "not here")\n')
    guards = runner.report()
    assert "not here" in guards["missing"]["seccomp"] and "seccomp" not in guards["layers"]
    assert not guards["reading"] and not guards["network"] and guards["language"]
    assert "not in force: seccomp" in runner.described(guards)


@pytest.mark.skipif(not LINUX, reason="seccomp is Linux's")
def test_the_report_believes_attempts_not_names(tmp_path, monkeypatch):
    """A lock that says it is shut and is open is found out; so is a missing limit of memory."""
    without(tmp_path, monkeypatch, "confinement.py", "        lock()\n", "        pass\n")
    guards = runner.report()
    assert "seccomp" in guards["layers"] and not guards["reading"] and not guards["network"]
    without(tmp_path, monkeypatch, "confinement.py", '"AS": memory_mb << 20, ', "")
    assert not runner.report()["memory"]


def test_the_command(course, tmp_path):
    program = tmp_path / "program.py"
    program.write_text("print('cake')\nanswer = 200 - 93 - 39 + 6\n")
    done = course("sandbox", program)
    assert done.returncode == 0 and done.stderr == ""
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (lines["status"], lines["answer"], lines["output"]) == ("ok", "74", "cake")
    assert "process" in lines["layers"] and float(lines["seconds"]) > 0
    told = json.loads(course("sandbox", program, "--json").stdout)
    assert {"status": "ok", "answer": 74}.items() <= told.items() and {"layers", "seconds"} <= told.keys()
    program.write_text("import os\n")
    done = course("sandbox", program)
    assert done.returncode == 1 and "rejected" in done.stdout and "the module os is not on the list" in done.stdout


def test_the_command_without_a_program_says_what_holds_here(course):
    done = course("sandbox")
    assert done.returncode == 0 and "language     yes" in done.stdout and "network" in done.stdout
    assert json.loads(course("sandbox", "--json").stdout)["time"] is True


def test_mistakes_of_the_command(course, tmp_path):
    (tmp_path / "x.bin").write_bytes(b"\xff\xfe\x00")
    for name in (tmp_path / "none.py", tmp_path, tmp_path / "x.bin"):
        done = course("sandbox", name)
        assert done.returncode == 2 and done.stderr.count("\n") == 1
        assert "give the path of a Python program" in done.stderr
    (tmp_path / "long.py").write_text("#" * 10**6)
    assert "at most 10000 characters" in course("sandbox", tmp_path / "long.py").stdout
