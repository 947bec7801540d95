"""Step 3 of ShopBot: rules of the shop, looked up in the handbook and answered with a checked citation."""

import functools

from course_utils import retrieval
from course_utils.chains import Asker
from course_utils.models import load_embedder
from course_utils.retrieval.answering import UNKNOWN
from course_utils.shopbench import Outcome
from course_utils.shopbot.routing import alone, answered, said

PASSAGES, ANSWER_TOKENS = 3, 32


@functools.lru_cache(maxsize=1)
def embedder():
    """The bundled embedder, loaded once."""
    return load_embedder()


@functools.lru_cache(maxsize=1)
def _handbook():
    """The handbook's sections as chunks, the same for a search by words, the sections' vectors."""
    chunks = [chunk for chunk in retrieval.shop_chunks() if chunk.facts["kind"] == "handbook"]
    texts = [chunk.text for chunk in chunks]
    return chunks, retrieval.Bm25(texts), embedder().encode(texts)


def search_handbook(questions, k=PASSAGES):
    """The k best sections of the handbook for each question, by words and by meaning together.

    Shapes:  n questions -> n lists of k chunks
    """
    chunks, words, vectors = _handbook()
    meaning = embedder().encode(list(questions)) @ vectors.T
    orders = [
        retrieval.fuse([retrieval.best(words.scores(question)), retrieval.best(row.tolist())])
        for question, row in zip(questions, meaning)
    ]
    return [[chunks[place] for place in order[:k]] for order in orders]


def _looked_up(model, tokenizer, requests):
    questions = [said(request) for request in requests]
    ask = Asker(model, tokenizer, max_new_tokens=ANSWER_TOKENS)
    answers = retrieval.answer_batch(ask, questions, search_handbook(questions))
    texts = [answer.text if answer.checked else UNKNOWN for answer in answers]
    silent = [not answer.checked and not alone(request) for request, answer in zip(requests, answers)]
    return [None if gone else Outcome(text) for gone, text in zip(silent, texts)]


def look_up(model, tokenizer, requests):
    """Step 3: a question about a rule is answered from the handbook; where that is silent, "I don't know."

    Inside a talk a question without an answer in the handbook goes to Step 2.
    """
    mine = [request["kind"] == "fact" for request in requests]
    return answered(requests, mine, lambda asked: _looked_up(model, tokenizer, asked))
