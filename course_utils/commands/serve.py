"""`serve`: the model of a profile on 127.0.0.1 in OpenAI's format, until Ctrl-C."""

import json
import os
import time

from course_utils.commands.app import stop_on_terminate
from course_utils.commands.installer import say
from course_utils.settings import PROFILES, CourseError


def add_arguments(parser):
    parser.add_argument("--port", type=int, default=8000, help="wanted port (default: 8000)")
    parser.add_argument(
        "--model", default="instruct", help="base, instruct, preferred or a folder (default: instruct)"
    )
    parser.add_argument("--token", help="the key that clients must send (default: COURSE_TOKEN, or a fresh one)")
    parser.add_argument("--waiting", type=int, default=4, help="requests that may wait; others hear 429 (default: 4)")
    parser.add_argument("--profile", help=f"one of {', '.join(PROFILES)}")


def check(arguments):
    if not 1 <= arguments.port <= 65535:
        raise CourseError(f"There is no port {arguments.port}: choose a number from 1024 to 65535.")
    if not 0 <= arguments.waiting <= 1000:
        raise CourseError("--waiting must be a number from 0 to 1000.")
    token = arguments.token
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise CourseError("The token must be printable ASCII text without spaces.")


def example(server, model, key):
    """A curl line that asks the server once; temperature 0, because OpenAI's default of 1 suits large models only."""
    path, ask = "chat/completions", {"messages": [{"role": "user", "content": "What is 17 + 25?"}]}
    if model == "base":
        path, ask = "completions", {"prompt": "The shop is open"}
    body = json.dumps({"model": server.model, "temperature": 0, **ask})
    return f'curl {server.url}/{path} -H "Authorization: Bearer {key}" -d \'{body}\''


def run(arguments):
    from course_utils.server import running_server

    token = arguments.token or os.environ.get("COURSE_TOKEN")
    say(f"Loading the model {arguments.model} …")
    stop_on_terminate()
    with running_server(arguments.port, arguments.model, token, arguments.waiting, arguments.profile) as server:
        if server.port != arguments.port:
            say(f"Port {arguments.port} is taken: using port {server.port}.")
        print(f"OPENAI_BASE_URL={server.url}")
        if not token:
            print(f"OPENAI_API_KEY={server.token}")
        print(f"model={server.model}", flush=True)
        say(f"To try it:\n    {example(server, arguments.model, '$OPENAI_API_KEY' if token else server.token)}")
        say("Only this computer can reach it. Ctrl-C here ends it.")
        while True:  # waiting for an event could not be interrupted on Windows
            time.sleep(1)
