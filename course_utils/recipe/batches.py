"""Batches for training: shards of text made ahead by other processes, several documents to a row."""

import bisect
import multiprocessing
import os
import random

import numpy as np

from course_utils.recipe import mix

LENGTHS = (192, 320, 576, 2048)


def fill_rows(documents, lengths=LENGTHS):
    """Rows of documents, as {length: [rows]}; the longest documents open rows, shorter ones fill what is left of them."""
    rows, free = {length: [] for length in lengths}, []  # free: (room left, number of the row), sorted by room
    opened = []
    for document in sorted(documents, key=lambda pair: -len(pair[0])):
        size = len(document[0])
        place = bisect.bisect_left(free, (size, -1))
        if place < len(free):
            room, number = free.pop(place)
            opened[number].append(document)
        else:
            length = next(length for length in lengths if size <= length)
            room, number = length, len(opened)
            opened.append([document])
            rows[length].append(opened[-1])
        bisect.insort(free, (room - size, number))
    return rows


def _batch(rows, count, length):
    """Arrays (count, length) of token ids, weights in the loss, and positions, which begin at 0 in each document."""
    ids, weights = np.zeros((count, length), np.int32), np.zeros((count, length), np.float32)
    positions = np.zeros((count, length), np.int32)
    for row, documents in enumerate(rows):
        start = 0
        for its_ids, its_weights in documents:
            end = start + len(its_ids)
            ids[row, start:end], weights[row, start:end] = its_ids, its_weights
            weights[row, start] = 0.0  # nothing of its own document stands before the first token
            positions[row, start:end] = np.arange(end - start)
            start = end
    return ids, weights, positions


def pack(documents, rng, batch_tokens, lengths=LENGTHS):
    """Batches (ids, weights, positions) in random order, with one fixed shape (rows, length) for each length class.

    The documents of rows that do not fill a batch go to the next longer class.
    """
    rows_of, found, rest = fill_rows(documents, lengths), [], []
    for length in lengths:
        rows, count = rows_of[length] + fill_rows(rest, (length,))[length], max(1, batch_tokens // length)
        rng.shuffle(rows)
        full = len(rows) - len(rows) % count if length != lengths[-1] else len(rows)
        rest = [document for row in rows[full:] for document in row]
        found += [_batch(rows[start : start + count], count, length) for start in range(0, full, count)]
    rng.shuffle(found)
    return found


def shard(stage, seed, index, tokenizer, batch_tokens):
    """The batches of one shard, forty full ones or so; the same for the same arguments."""
    documents = mix.shard(stage, seed, index, tokenizer, tokens=40 * batch_tokens)
    return pack(documents, random.Random(f"order {seed} {index}"), batch_tokens)


def ahead(stage, seed, tokenizer, first, batch_tokens, make=shard):
    """(index, batches) of the shards in order; the next ones are made by other processes while one is trained on."""
    workers = max(1, (os.cpu_count() or 2) - 1)
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        waiting = []
        for index in range(first, 10**9):
            while len(waiting) <= workers:
                waiting.append(
                    pool.apply_async(make, (stage, seed, index + len(waiting), tokenizer, batch_tokens))
                )
            yield index, waiting.pop(0).get()
