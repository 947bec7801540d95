"""The two Streamlit applications, chat and poem, and what both need: a stream of replies from some model."""

import os
import sys
from pathlib import Path

from ..settings import CourseError

BUNDLED = {"instruct": "bundled: instruct", "preferred": "bundled: preferred", "base": "bundled: base"}
REMOTE = "remote"


def choices():
    """Model choices as {key: label}. An OpenAI-compatible address comes from the environment, never from code."""
    address = os.environ.get("OPENAI_BASE_URL")
    return BUNDLED | ({REMOTE: f"address: {address}"} if address else {})


def local_pieces(model, tokenizer, messages, options):
    """Stream the reply of a local model. A model without a chat template continues the text of the conversation."""
    from ..models import decoding

    if tokenizer.chat_template and options.get("chat", True):
        prompt = decoding.encode_chat(tokenizer, messages)
    else:
        prompt = "\n".join(message["content"] for message in messages)
    return decoding.stream(
        model, tokenizer, prompt, max_new_tokens=options["max_tokens"], temperature=options["temperature"],
        top_p=options["top_p"], stop=options["stop"], seed=options["seed"],
    )


def remote_pieces(messages, options):
    """Stream the reply of the OpenAI-compatible address in OPENAI_BASE_URL, with the key in OPENAI_API_KEY.

    The model is OPENAI_MODEL, or the first one that the address lists.
    Errors:  CourseError in one sentence: wrong key, busy, refused connection, or the server's own message
    """
    import openai

    key = os.environ.get("OPENAI_API_KEY")
    if not key:
        raise CourseError("There is no key for the address: put it into the variable OPENAI_API_KEY and start again.")
    client = openai.OpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=key, timeout=60)
    asked = {name: options[name] for name in ("temperature", "top_p", "max_tokens", "seed")}
    if options["stop"]:
        asked["stop"] = options["stop"]
    try:
        name = os.environ.get("OPENAI_MODEL") or client.models.list().data[0].id
        for chunk in client.chat.completions.create(model=name, messages=messages, stream=True, **asked):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content
    except openai.AuthenticationError as error:
        raise CourseError("The address refuses the key: check the variable OPENAI_API_KEY.") from error
    except openai.RateLimitError as error:
        raise CourseError("The address is busy: wait a moment and ask again.") from error
    except openai.APIConnectionError as error:
        raise CourseError("The address does not answer: check OPENAI_BASE_URL, and that its server runs.") from error
    except (openai.OpenAIError, IndexError) as error:
        raise CourseError(f"The address answers with an error: {error!s:.200}") from error


def command_line(name, port):
    """How Streamlit is started for one application; settings are flags, so no file is written for it."""
    script = Path(__file__).with_name(f"{name}.py")
    flags = {
        "server.address": "127.0.0.1", "server.port": port, "server.headless": "true", "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false", "client.toolbarMode": "viewer", "logger.level": "error",
    }
    return [sys.executable, "-m", "streamlit", "run", str(script), *(f"--{key}={value}" for key, value in flags.items())]
