"""Training of the sentence-embedding model: a small bidirectional encoder, InfoNCE on pairs with near texts."""

import hashlib
import json
import os
import random
import shutil
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoTokenizer, ModernBertConfig, ModernBertModel

from course_utils.models.embedding import LIMIT, embed_ids, load_embedder
from course_utils.recipe import batches, embedding_report, pairs, training
from course_utils.recipe.tokenizer import tokenizer_hash
from course_utils.settings import CourseError, write_atomic

SIZES = {  # hidden width, layers, heads, width of the feed-forward part, pairs to train on
    "tiny": (32, 1, 2, 48, 20_000),
    "small": (192, 5, 4, 384, 400_000),
}
BATCH_PAIRS = {"cpu": 64, "cuda": 512}
BATCH_TOKENS = {"cpu": 2_048, "cuda": 32_768}  # in one pass through the encoder
TEMPERATURE = 0.05


def new_encoder(vocabulary, size="small", seed=1):
    """A fresh ModernBERT encoder of one of SIZES, every layer with attention over the whole text."""
    if size not in SIZES:
        raise CourseError(f"There is no embedding model of size {size!r}: choose one of {', '.join(SIZES)}.")
    hidden, layers, heads, inner, _ = SIZES[size]
    torch.manual_seed(seed)
    config = ModernBertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=LIMIT,
        global_attn_every_n_layers=1,
        pad_token_id=0,
        eos_token_id=2,
        bos_token_id=None,
        cls_token_id=None,
        sep_token_id=None,
        attn_implementation="sdpa",
    )
    return ModernBertModel(config)


def batch(part, seed, index, tokenizer, size):
    """Batch `index` of a run: (ids of the queries, ids of the texts, mask); the same for the same arguments.

    The right text of query i is text i; the near texts of all queries follow. The mask is 1 where a text that is
    not the right one tells the query's topic too: such a text counts neither as right nor as wrong.
    """
    rng = random.Random(f"{part} {seed} {index}")
    drawn = [pairs.pair(rng, part) for _ in range(size)]
    texts = [pair["texts"][0] for pair in drawn] + [text for pair in drawn for text in pair["texts"][1:]]
    also_BT = np.array([[pair["topic"] in topics for _, topics in texts] for pair in drawn])
    also_BT[np.arange(size), np.arange(size)] = False
    written = [pair["query"] for pair in drawn] + [text for text, _ in texts]
    ids = tokenizer(written, add_special_tokens=False, truncation=True, max_length=LIMIT)["input_ids"]
    return ids[:size], ids[size:], also_BT


def contrastive_nats(queries_BC, texts_TC, also_BT):
    """InfoNCE in nats: each query must find its own text among all texts of the batch.

    Shapes:  queries (B, C), texts (T, C) of unit length, the right one of query i at i; also (B, T) of bool
    Source:  van den Oord et al. 2018, arXiv:1807.03748
    """
    scores_BT = (queries_BC @ texts_TC.T / TEMPERATURE).masked_fill(also_BT, -torch.inf)
    return functional.cross_entropy(scores_BT, torch.arange(len(scores_BT), device=scores_BT.device))


def train(model, tokenizer, folder, count, seed=1, size=None, save_every_s=240, made=batches.ahead, report=print):
    """Train on about `count` pairs, resumed from the last complete checkpoint. Returns the curve like training.train.

    `size` is the number of pairs in a batch; a run that is resumed keeps the one it began with.
    """
    run = training.Run(model, folder, matrix_rate=4e-3, other_rate=2e-3)
    size = run.state.setdefault("size", size or BATCH_PAIRS[model.device.type])
    first, steps = run.state["step"], -(-count // size)
    if run.resumed:
        report(f"resumed at step {first}")
    model.train()
    for index, (queries, texts, also) in made("train", seed, tokenizer, first, size, make=batch):
        if index >= steps:
            break
        also_BT = torch.from_numpy(also).to(model.device)
        with torch.autocast(model.device.type, dtype=torch.bfloat16):
            vectors = embed_ids(model, queries + texts, BATCH_TOKENS[model.device.type])
        run.descend(contrastive_nats(vectors[:size], vectors[size:], also_BT), training.rate_at(index / steps, 0.03))
        run.state["tokens"] += sum(map(len, queries + texts))
        if (index + 1) % 25 == 0 or index + 1 == steps:
            report(f"embed {run.point()}, pairs {(index + 1) * size:,} of {count:,}")
        if index + 1 == steps or time.monotonic() - run.saved_at > save_every_s:
            run.save()
    model.eval()
    return run.state["curve"]


def save_encoder(model, tokenizer, folder):
    """Write encoder and tokenizer as a folder of bf16 safetensors, beside its place, then move it."""
    folder = Path(folder)
    temporary = folder.with_name(f".{folder.name}-writing")
    shutil.rmtree(temporary, ignore_errors=True)
    copy = ModernBertModel(model.config)
    copy.load_state_dict(model.state_dict())
    copy.to(torch.bfloat16).save_pretrained(temporary, safe_serialization=True)
    tokenizer.save_pretrained(temporary)
    for path in temporary.iterdir():
        path.chmod(0o644)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(temporary, folder)


def train_embed(work, count=None, seed=1, size="small", report=print):
    """Make the embedding model: train it, save it to work/embed, measure it against BM25 and an untrained copy.

    Takes the tokenizer from work/tokenizer. Resumed where it was stopped; a finished one is not trained again.
    Returns the folder; facts.json in it holds the settings, the curve and the measures.
    """
    work, count = Path(work), count or SIZES[size][-1]
    folder = work / "embed"
    if (folder / "facts.json").exists():
        return folder
    if not (work / "tokenizer" / "done").exists():
        raise CourseError(f"{work} has no finished tokenizer: make it first with building.make_tokenizer.")
    tokenizer = AutoTokenizer.from_pretrained(work / "tokenizer")
    model = new_encoder(len(tokenizer), size, seed).to("cuda" if torch.cuda.is_available() else "cpu")
    curve = train(model, tokenizer, work / "embed-training", count, seed, report=report)
    save_encoder(model, tokenizer, folder)
    facts = {
        "stage": "embed",
        "preset": size,
        "seed": seed,
        "pairs": count,
        "seconds": round(curve[-1]["seconds"]),
        "parameters": sum(p.numel() for p in model.parameters()),
        "shares": {name: share for name, (_, share) in pairs.KINDS.items()},
        "tokenizer_sha256": tokenizer_hash(tokenizer),
        "data_sha256": hashlib.sha256(repr(batch("train", seed, 0, tokenizer, 128)[:2]).encode()).hexdigest(),
        "torch": torch.__version__,
        "curve": curve,
        "skills": embedding_report.compare(
            load_embedder(folder=folder), new_encoder(len(tokenizer), size, seed), report=report
        ),
    }
    write_atomic(folder / "facts.json", json.dumps(facts, indent=1) + "\n")
    return folder
