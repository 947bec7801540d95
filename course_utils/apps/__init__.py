"""The two Streamlit applications, chat and poem, and what both need: a stream of replies from some model."""

import os

from ..settings import MODELS, CourseError, profile_name

LOCAL = ("instruct", "preferred", "base")
REMOTE = "remote"


def choices():
    """Model choices as {key: label}. An address comes from the environment, never from code."""
    address = os.environ.get("OPENAI_BASE_URL")
    profile = profile_name()
    if profile == "bundled":
        here = [which for which in LOCAL if (MODELS / which).is_dir()] or LOCAL
    else:
        here = ("instruct", "base")
    return {which: f"{profile}: {which}" for which in here} | ({REMOTE: f"address: {address}"} if address else {})


def local_pieces(model, tokenizer, messages, options):
    """Stream the reply of a local model; with "chat" false it continues the plain text of the messages."""
    from ..models import decoding

    if tokenizer.chat_template and options.get("chat", True):
        prompt = decoding.encode_chat(tokenizer, messages)
    else:
        prompt = "\n".join(message["content"] for message in messages)
    return decoding.stream(
        model,
        tokenizer,
        prompt,
        max_new_tokens=options["max_tokens"],
        temperature=options["temperature"],
        top_p=options["top_p"],
        stop=options["stop"],
        seed=options["seed"],
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
        name, chunk = os.environ.get("OPENAI_MODEL") or client.models.list().data[0].id, None
        for chunk in client.chat.completions.create(model=name, messages=messages, stream=True, **asked):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content
        if chunk is None:  # a web page is read as a stream without events
            raise ValueError("no events")
    except openai.AuthenticationError as error:
        raise CourseError("The address refuses the key: check the variable OPENAI_API_KEY.") from error
    except openai.RateLimitError as error:
        raise CourseError("The address is busy: wait a moment and ask again.") from error
    except openai.APIConnectionError as error:
        raise CourseError("The address does not answer: check OPENAI_BASE_URL, and that its server runs.") from error
    except openai.OpenAIError as error:
        raise CourseError(f"The address answers with an error: {error!s:.200}") from error
    except Exception as error:  # a web page, a stream that is no JSON, a key that is no ASCII text
        raise CourseError(
            f"The address does not answer in OpenAI's format ({type(error).__name__}): "
            "check OPENAI_BASE_URL, which often ends in /v1, and OPENAI_API_KEY."
        ) from error
