"""Retrieval: load, split, embed, store, search, fuse, rerank, answer with a citation that is checked."""

from importlib import import_module

_HOMES = {
    "Chunk": "splitting",
    "split": "splitting",
    "load": "loading",
    "load_table": "loading",
    "shop_chunks": "shelf",
    "shop_questions": "shelf",
    "Hit": "store",
    "Store": "store",
    "open_store": "store",
    "Bm25": "searching",
    "best": "searching",
    "fuse": "searching",
    "rank_of": "searching",
    "recall": "searching",
    "mrr": "searching",
    "fit_nats": "searching",
    "rerank": "searching",
    "Answer": "answering",
    "answer": "answering",
    "answer_batch": "answering",
    "check_citation": "answering",
    "rag_prompt": "answering",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
