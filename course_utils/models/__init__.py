"""Models: load them, decode with them, use them as a LangChain chat model, embed texts. Loaded on first use."""

from importlib import import_module

_HOMES = {
    "load": "loading",
    "verify_folder": "files",
    "Reply": "decoding",
    "generate_batch": "decoding",
    "chat_batch": "decoding",
    "stream": "decoding",
    "score": "decoding",
    "encode_chat": "decoding",
    "LocalChat": "chat",
    "load_chat": "chat",
    "load_embedder": "embedding",
}
__all__ = [
    "LocalChat",
    "Reply",
    "chat_batch",
    "encode_chat",
    "generate_batch",
    "load",
    "load_chat",
    "load_embedder",
    "score",
    "stream",
    "verify_folder",
]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
