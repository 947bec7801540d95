"""The command line: the table of commands, one-sentence errors, and the change into the environment."""

import argparse
import difflib
import importlib
import os
import re
import subprocess
import sys
from typing import NamedTuple

from course_utils import __version__, settings
from course_utils.settings import ROOT, CourseError


class Command(NamedTuple):
    module: str  # has add_arguments(parser) and run(arguments) -> int; may have check(arguments)
    sentence: str
    makes_environment: bool = True


TABLE = {
    "lab": Command("lab", "open a step in JupyterLab (sets everything up the first time)"),
    "test": Command("test", "run the tests: unit tests and notebooks"),
    "run": Command("run", "execute notebooks without a browser and print a table"),
    "doctor": Command("doctor", "say what this computer can run and what is missing", False),
    "evaluate": Command("evaluate", "accuracy on a file of questions and answers"),
    "app": Command("app", "start an application: chat, poem or pdf"),
    "serve": Command("serve", "serve the model on 127.0.0.1 in OpenAI's format"),
    "sandbox": Command("sandbox", "run a program in the sandbox, or say what the sandbox promises here", False),
    "bench": Command("bench", "measure speed, and ShopBot in ShopBench"),
    "tidy": Command("tidy", "write the notebooks in the one normal form", False),
    "recipe": Command("recipe", "make the bundled models again"),
}
RESUMED = {"lab", "test", "recipe"}  # started again after Ctrl-C, they go on


def _near(wrong, names):
    """"did you mean NAME?" where a name is spelled much like the wrong one, else ""."""
    return "".join(f"did you mean {name}?" for name in difflib.get_close_matches(wrong, names, 1))


class Parser(argparse.ArgumentParser):
    def error(self, message):
        choice = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        question = choice and _near(choice[1], re.findall(r"[\w-]+", choice[2]))
        if question:
            raise CourseError(f"`{self.prog}` knows no {choice[1]!r}: {question}")
        raise CourseError(f"{message[0].upper()}{message[1:]}: `{self.prog} --help` shows what is possible.")


def _load(name):
    """The module of a command, imported only now."""
    module = f"course_utils.commands.{TABLE[name].module}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            raise CourseError(f"The command {name!r} is not part of this copy of the course yet.") from error
        raise


def _parse(name, rest):
    """(module, arguments) of a command, checked; nothing is started yet."""
    module = _load(name)
    parser = Parser(prog=f"python3 -m course_utils {name}", description=TABLE[name].sentence)
    module.add_arguments(parser)
    arguments = parser.parse_args(rest)
    if getattr(arguments, "profile", None):
        os.environ["COURSE_PROFILE"] = arguments.profile
    settings.profile_name()
    if hasattr(module, "check"):
        module.check(arguments)
    return module, arguments


def _enter(python, argv):
    """Run the same command again with the environment's interpreter and return its exit status."""
    command = [str(python), str(ROOT / "course_utils" / "__main__.py"), *argv]
    environment = dict(os.environ, COURSE_READY=str(python))
    environment["PATH"] = str(python.parent) + os.pathsep + environment.get("PATH", "")
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment)
    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the child got it too and says the sentence
                continue


def dispatch(argv):
    """Run one command. Returns the exit status."""
    from course_utils.commands import environment

    name, rest = argv[0], argv[1:]
    if name not in TABLE:
        advice = _near(name, TABLE) or f"choose one of {', '.join(TABLE)}."
        raise CourseError(f"There is no command {name!r}: {advice}")
    try:
        module, arguments = _parse(name, rest)
    except ModuleNotFoundError:  # the module needs packages: the environment comes first
        module = None
    python = environment.ensure() if TABLE[name].makes_environment else environment.ready_python()
    if python and os.path.abspath(python) != os.path.abspath(sys.executable):
        return _enter(python, argv)
    if module is None:
        module, arguments = _parse(name, rest)
    return module.run(arguments)


def overview():
    """The list of commands as text."""
    rows = [f"  {name:<9} {command.sentence}" for name, command in TABLE.items()]
    return "\n".join(["python3 -m course_utils COMMAND", "", *rows, "", "COMMAND --help says more."])


def main(argv):
    """The entry point: 0 done, 1 failed, 2 a mistake that the user can mend, 130 stopped with Ctrl-C."""
    try:
        if not argv or argv[0] in ("-h", "--help"):
            print(overview())
            return 0
        if argv[0] == "--version":
            print(__version__)
            return 0
        if argv[0] == "--packages":  # one environment asks another; not for people
            import json
            import platform

            from course_utils.commands import pins

            print(json.dumps({"python": platform.python_version(), "packages": pins.installed()}))
            return 0
        return dispatch(argv) or 0
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        resumed = RESUMED.intersection(argv[:1])
        print("\nStopped." + (" Start the same command again to continue." if resumed else ""), file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, for example `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
