"""Packed rows: every document once, none sees another, and the loss is that of the documents alone."""

import random

import numpy as np
import pytest
import torch
from model_fixture import random_qwen3

from course_utils.recipe import batches, mix, training

VOCABULARY = 300


def documents(count, seed=1, longest=700):
    """Random documents as (ids, weights); each begins with a token pair of its own, so that it can be found again."""
    rng, made = random.Random(seed), []
    for number in range(count):
        size = rng.randint(3, longest if rng.random() < 0.2 else 120)
        ids = [1 + number // 250, 1 + number % 250, *(rng.randint(1, VOCABULARY - 1) for _ in range(size - 2))]
        made.append((ids, [rng.choice((0.0, 0.5, 1.0)) for _ in ids]))
    return made


def found_in(packed):
    """The documents of packed rows, cut where the positions begin again at 0; padding is left out."""
    found = []
    for ids, weights, positions in packed:
        for row in range(len(ids)):
            starts = [*np.flatnonzero(positions[row] == 0), ids.shape[1]]
            for start, end in zip(starts, starts[1:]):
                if ids[row, start]:  # token 0 is padding
                    found.append((ids[row, start:end].tolist(), weights[row, start:end].tolist()))
    return found


def faults(made, packed):
    """What is wrong with packed rows."""
    wrong, found = [], found_in(packed)
    without_first = [(ids, [0.0, *weights[1:]]) for ids, weights in made]
    if sorted(found) != sorted(without_first):
        wrong.append("documents")
    for ids, weights, positions in packed:
        if (weights[positions == 0] != 0).any():
            wrong.append("weight of a first token")
        steps = np.diff(positions, axis=1)
        if positions[:, 0].any() or not ((steps == 1) | (positions[:, 1:] == 0)).all():
            wrong.append("positions")
        if ids.shape[1] not in batches.LENGTHS:
            wrong.append("shape")
    return wrong


def pack(made, batch_tokens=4096, seed=2):
    return batches.pack(made, random.Random(seed), batch_tokens)


def test_every_document_stands_in_exactly_one_row():
    made = documents(600)
    packed = pack(made)
    assert faults(made, packed) == []
    for length in batches.LENGTHS:  # one shape for each length, so that a compiled model meets few shapes
        assert len({ids.shape for ids, _, _ in packed if ids.shape[1] == length}) <= 1


def test_planted_faults_of_rows_are_found():
    made = documents(100)
    for fault, array, value in (("documents", 0, 299), ("weight of a first token", 1, 1.0), ("positions", 2, 1)):
        packed = pack(made)
        packed[0][array][0, 0] = value  # another token, weight or position at the start of a row
        assert fault in faults(made, packed)
    again = pack(made)
    assert "documents" in faults(made, [*again, again[0]])


def test_the_same_draw_gives_the_same_batches():
    one, two, other = (pack(documents(200), seed=seed) for seed in (1, 1, 2))
    same = [all((a == b).all() for a, b in zip(*pair)) for pair in zip(one, two)]
    assert all(same) and len(one) == len(two)
    assert not all(a[0].shape == b[0].shape and (a[0] == b[0]).all() for a, b in zip(one, other))


class Words:
    """Stands in for a tokenizer: about one token for four letters, as long as the course's own."""

    pad_token_id = 0

    def encode(self, text, add_special_tokens=False):
        return [1 + ord(letter) % (VOCABULARY - 1) for letter in text[::4]]


@pytest.mark.parametrize("stage", ["base", "instruct"])
def test_there_is_little_padding(stage):
    made = mix.shard(stage, 1, 0, Words(), tokens=80_000)
    packed = pack(made, 2048)
    filled = sum((ids != 0).sum() for ids, _, _ in packed) / sum(ids.size for ids, _, _ in packed)
    sizes = [len(ids) for ids, _ in made]
    one_each = sum(sizes) / sum(min(length for length in batches.LENGTHS if length >= size) for size in sizes)
    assert filled > 0.75 and filled > one_each + 0.05, (filled, one_each)  # one document to a row leaves more empty


def _loss(model, batch):
    """Sum of the weighted losses and sum of the weights."""
    ids, weights, positions = (torch.from_numpy(np.asarray(array)) for array in batch)
    with torch.no_grad():
        mean = training.loss_nats(model, model.model, ids.long(), weights, positions.long())
    total = weights[:, 1:].sum().double()
    return mean.double() * total, total


def _alone(model, made):
    """The mean loss with every document in a row of its own."""
    pairs = []
    for ids, weights in made:
        row = (np.array([ids]), np.array([weights], np.float32), np.arange(len(ids))[None])
        if sum(weights[1:]):
            pairs.append(_loss(model, row))
    return (sum(loss for loss, _ in pairs) / sum(total for _, total in pairs)).item()


def _packed(model, packed):
    pairs = [_loss(model, batch) for batch in packed if batch[1][:, 1:].any()]
    return (sum(loss for loss, _ in pairs) / sum(total for _, total in pairs)).item()


def test_the_loss_of_packed_rows_is_that_of_the_documents_alone():
    model = random_qwen3(VOCABULARY, context=2048, spread=8.0)
    model.set_attn_implementation("plain")
    made = documents(40, longest=200)
    packed = pack(made, batch_tokens=800)
    assert len(found_in(packed)) == 40
    several = [row for _, _, positions in packed for row in positions if (row[1:] == 0).any()]
    alone = _alone(model, made)
    assert len(several) > 3 and abs(_packed(model, packed) - alone) < 1e-5
    # Planted: positions that run on, so that a document sees those before it.
    run_on = [(ids, weights, np.arange(ids.shape[1])[None].repeat(len(ids), 0)) for ids, weights, _ in packed]
    assert abs(_packed(model, run_on) - alone) > 1e-3
