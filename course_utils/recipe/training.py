"""Training of the bundled models: next-token loss, Muon for matrices, checkpoints that survive a kill at any moment."""

import hashlib
import json
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import torch
from torch.nn import functional
from transformers import Qwen3Config, Qwen3ForCausalLM

from course_utils.recipe import mix
from course_utils.settings import CourseError, write_atomic

PRESETS = {  # hidden width, layers, heads, key-value heads, width of the feed-forward part
    "tiny": (64, 2, 2, 1, 128),
    "small": (192, 5, 3, 1, 512),
    "medium": (256, 6, 4, 2, 704),
    "large": (384, 8, 6, 2, 1024),
}
LENGTHS = (48, 80, 112, 144, 224, 416, 2048)
TOKENS_IN_BATCH = 8_192


def new_model(preset, vocabulary, seed=1):
    """A fresh Qwen3 model of a preset: normalised queries and keys keep Muon stable; embeddings are tied."""
    if preset not in PRESETS:
        raise CourseError(f"There is no preset {preset!r}: choose one of {', '.join(PRESETS)}.")
    hidden, layers, heads, kv_heads, inner = PRESETS[preset]
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=kv_heads, head_dim=64 if hidden >= 192 else 32, intermediate_size=inner,
        max_position_embeddings=2048, tie_word_embeddings=True, rope_theta=10_000.0, initializer_range=0.02,
        bos_token_id=None, eos_token_id=2, pad_token_id=0, attn_implementation="sdpa")
    return Qwen3ForCausalLM(config)


def _optimizers(model, matrix_rate, other_rate):
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return (torch.optim.Muon(matrices, lr=matrix_rate, momentum=0.95, nesterov=True, weight_decay=0.05,
                             adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=other_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True))


def rate_at(progress, warmup=0.01, decay=0.3):
    """The learning rate's factor over the run's progress in [0, 1]: warm-up, flat, then down to 3 % in a line."""
    if progress < warmup:
        return max(0.02, progress / warmup)
    return 1.0 if progress < 1 - decay else max(0.03, (1 - progress) / decay)


def batches(documents, generator):
    """Documents of one length class share a batch, one document a row, padded on the right.

    Yields (ids, weights), both (rows, length) with a fixed shape for each length class.
    """
    rows_of = {}
    for ids, weights in documents:
        length = next(size for size in LENGTHS if len(ids) <= size)
        rows_of.setdefault(length, []).append((ids, weights))
    found = []
    for length, rows in rows_of.items():
        order = torch.randperm(len(rows), generator=generator).tolist()
        count = TOKENS_IN_BATCH // length
        for start in range(0, len(rows), count):
            ids = torch.zeros(count, length, dtype=torch.long)
            weights = torch.zeros(count, length)
            for row, index in enumerate(order[start:start + count]):
                size = len(rows[index][0])
                ids[row, :size] = torch.tensor(rows[index][0])
                weights[row, :size] = torch.tensor(rows[index][1], dtype=torch.float)
            found.append((ids, weights))
    for index in torch.randperm(len(found), generator=generator).tolist():
        yield found[index]


def loss_nats(model, body, ids_BT, weights_BT):
    """Weighted mean of the next-token loss, in nats; tokens of weight 0 are not even computed."""
    hidden_BTC = body(input_ids=ids_BT, use_cache=False).last_hidden_state
    weights_BT = weights_BT[:, 1:]
    chosen = weights_BT > 0
    logits_NV = model.lm_head(hidden_BTC[:, :-1][chosen])
    losses_N = functional.cross_entropy(logits_NV.float(), ids_BT[:, 1:][chosen], reduction="none")
    weights_N = weights_BT[chosen]
    return (losses_N * weights_N).sum() / weights_N.sum()


def save_checkpoint(folder, step, state):
    """Write a checkpoint beside its place and move it; only a complete one carries its final name."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".writing-{os.getpid()}"
    with open(temporary, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, folder / f"step-{step:07d}.pt")
    for old in sorted(folder.glob("step-*.pt"))[:-2]:
        old.unlink()


def last_checkpoint(folder):
    """The newest checkpoint that can be read, or None. A damaged one is passed over."""
    for path in sorted(Path(folder).glob("step-*.pt"), reverse=True):
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # a torn or foreign file is no reason to lose the older one
            continue
    return None


def _shard_ahead(stage, seed, tokenizer, first):
    """Shards in order, the next one made by another process while this one is trained on."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        index, waiting = first, pool.apply_async(mix.shard, (stage, seed, first, tokenizer))
        while True:
            documents = waiting.get()
            waiting = pool.apply_async(mix.shard, (stage, seed, index + 1, tokenizer))
            yield index, documents
            index += 1


def data_hash(stage, seed, tokenizer, tokens=20_000):
    """A sha256 over the start of shard 0, to show that two runs train on the same text."""
    documents = mix.shard(stage, seed, 0, tokenizer, tokens=tokens)
    return hashlib.sha256(json.dumps(documents).encode()).hexdigest()


def train(model, tokenizer, stage, folder, tokens, seed=1, matrix_rate=4e-3, other_rate=2e-3, save_every_s=240,
          compile_model=True, shards=_shard_ahead, report=print):
    """Train a stage ("base" or "instruct") for a number of tokens, resuming from the last complete checkpoint.

    `folder` holds checkpoints and curve.jsonl. Returns the curve: a list of {"step", "tokens", "loss_nats", "seconds"}.
    """
    folder = Path(folder)
    state = last_checkpoint(folder) or {"step": 0, "tokens": 0, "shard": 0, "done": 0, "curve": [], "seconds": 0.0}
    optimizers = _optimizers(model, matrix_rate, other_rate)
    if "model" in state:
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        report(f"resumed at step {state['step']}, {state['tokens']:,} tokens")
    rates = [rate for optimizer, rate in zip(optimizers, (matrix_rate, other_rate)) for _ in optimizer.param_groups]
    body = torch.compile(model.model, dynamic=False) if compile_model else model.model
    device = next(model.parameters()).device
    model.train()
    running, started, saved_at = [], time.monotonic() - state["seconds"], time.monotonic()

    def checkpoint():
        save_checkpoint(folder, state["step"], {
            "model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers],
            "seconds": time.monotonic() - started, **{k: state[k] for k in ("step", "tokens", "shard", "done", "curve")}})
        write_atomic(folder / "curve.jsonl", "".join(json.dumps(point) + "\n" for point in state["curve"]))

    for index, documents in shards(stage, seed, tokenizer, state["shard"]):
        skip = state["done"] if index == state["shard"] else 0
        order = torch.Generator().manual_seed(seed * 1_000_003 + index)
        for number, (ids_BT, weights_BT) in enumerate(batches(documents, order)):
            if number < skip:
                continue
            ids_BT, weights_BT = ids_BT.to(device), weights_BT.to(device)
            factor = rate_at(state["tokens"] / tokens)
            for group, rate in zip([g for o in optimizers for g in o.param_groups], rates):
                group["lr"] = rate * factor
            with torch.autocast(device.type, dtype=torch.bfloat16):
                loss = loss_nats(model, body, ids_BT, weights_BT)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            state |= {"step": state["step"] + 1, "tokens": state["tokens"] + int((ids_BT != 0).sum()),
                      "shard": index, "done": number + 1}
            running.append(loss.item())
            if state["step"] % 25 == 0:
                point = {"step": state["step"], "tokens": state["tokens"], "loss_nats": round(sum(running) / len(running), 4),
                         "seconds": round(time.monotonic() - started, 1)}
                state["curve"].append(point)
                running = []
                report(f"{stage} step {point['step']} tokens {point['tokens']:,} of {tokens:,} loss {point['loss_nats']:.3f} "
                       f"{point['tokens'] / max(1, point['seconds']):,.0f} tokens/s")
            finished = state["tokens"] >= tokens
            if finished or time.monotonic() - saved_at > save_every_s:
                checkpoint()
                saved_at = time.monotonic()
            if finished:
                model.eval()
                return state["curve"]


def save_model(model, tokenizer, folder):
    """Write model and tokenizer as a folder of bf16 safetensors, beside its place, then move it."""
    folder = Path(folder)
    temporary = folder.with_name(f".{folder.name}-writing")
    shutil.rmtree(temporary, ignore_errors=True)
    copy = Qwen3ForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    copy.to(torch.bfloat16).save_pretrained(temporary, safe_serialization=True)
    tokenizer.save_pretrained(temporary)
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(temporary, folder)
