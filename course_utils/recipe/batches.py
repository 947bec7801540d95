"""Batches for training: shards of text made ahead by other processes, documents of like length padded to one shape."""

import multiprocessing
import os
import random

import numpy as np

from course_utils.recipe import mix

LENGTHS = (48, 80, 112, 144, 224, 416, 704, 2048)


def pack(documents, rng, batch_tokens):
    """Documents of one length class share a batch, one document a row, padded on the right.

    The rows that do not fill a batch go to the next longer class, so that little is padding. Returns a list of
    (ids, weights) in random order, both (rows, length), with one fixed shape for each length class.
    """
    rows_of = {length: [] for length in LENGTHS}
    for ids, weights in documents:
        rows_of[next(length for length in LENGTHS if len(ids) <= length)].append((ids, weights))
    found, rest = [], []
    for length in LENGTHS:
        rows, count = rows_of[length] + rest, max(1, batch_tokens // length)
        rng.shuffle(rows)
        full = len(rows) - len(rows) % count if length != LENGTHS[-1] else len(rows)
        rest = rows[full:]
        for start in range(0, full, count):
            ids, weights = np.zeros((count, length), np.int32), np.zeros((count, length), np.float32)
            for row, (its_ids, its_weights) in enumerate(rows[start : start + count]):
                ids[row, : len(its_ids)] = its_ids
                weights[row, : len(its_ids)] = its_weights
            found.append((ids, weights))
    rng.shuffle(found)
    return found


def shard(stage, seed, index, tokenizer, batch_tokens):
    """The batches of one shard, thirty full ones or so; the same for the same arguments."""
    documents = mix.shard(stage, seed, index, tokenizer, tokens=30 * batch_tokens)
    return pack(documents, random.Random(f"order {seed} {index}"), batch_tokens)


def ahead(stage, seed, tokenizer, first, batch_tokens):
    """(index, batches) of the shards in order; the next ones are made by other processes while one is trained on."""
    workers = max(1, (os.cpu_count() or 2) - 1)
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        waiting = []
        for index in range(first, 10**9):
            while len(waiting) <= workers:
                waiting.append(
                    pool.apply_async(shard, (stage, seed, index + len(waiting), tokenizer, batch_tokens))
                )
            yield index, waiting.pop(0).get()
