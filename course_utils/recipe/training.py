"""Training of the bundled models: next-token loss, Muon for matrices, checkpoints that survive a kill at any moment."""

import ctypes
import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

from course_utils.recipe import attention, batches, mix
from course_utils.settings import CourseError, write_atomic

PRESETS = {  # hidden width, layers, heads, key-value heads, width of the feed-forward part
    "tiny": (64, 2, 2, 1, 128),
    "small": (128, 4, 4, 2, 384),
    "medium": (256, 6, 4, 2, 768),
    "large": (384, 8, 6, 2, 1024),
}
MARKS = (500_000, 1.5)  # the weights are kept at about these tokens, and each time there are so many times as many
BATCH_TOKENS = {"cpu": 8_192, "cuda": 65_536}


def new_model(preset, vocabulary, seed=1):
    """A fresh Qwen3 model of a preset: normalised queries and keys keep Muon stable; embeddings are tied."""
    if preset not in PRESETS:
        raise CourseError(f"There is no preset {preset!r}: choose one of {', '.join(PRESETS)}.")
    hidden, layers, heads, kv_heads, inner = PRESETS[preset]
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=hidden // heads,
        intermediate_size=inner,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        rope_theta=10_000.0,
        initializer_range=0.02,
        bos_token_id=None,
        eos_token_id=2,
        pad_token_id=0,
        attn_implementation="sdpa",
    )
    return Qwen3ForCausalLM(config)


def _optimizers(model, matrix_rate, other_rate):
    """[(optimizer, rate)]: Muon for the matrices, AdamW for the rest; without a rate for matrices AdamW for all."""
    matrices = [p for n, p in model.named_parameters() if matrix_rate and p.ndim == 2 and "embed" not in n]
    known = set(map(id, matrices))
    others = [p for p in model.parameters() if id(p) not in known]
    found = [(torch.optim.AdamW(others, lr=other_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True), other_rate)]
    if matrices:
        muon = torch.optim.Muon(
            matrices, lr=matrix_rate, momentum=0.95, nesterov=True, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"
        )
        found.insert(0, (muon, matrix_rate))
    return found


def rate_at(progress, warmup=0.01, decay=0.3):
    """The learning rate's factor over the run's progress in [0, 1]: warm-up, flat, then down to 3 % in a line."""
    if progress < warmup:
        return max(0.02, progress / warmup)
    return 1.0 if progress < 1 - decay else max(0.03, (1 - progress) / decay)


def token_losses(hidden_NC, weight_VC, targets_N):
    """The loss of each token in nats, shape (N,)."""
    return functional.cross_entropy(functional.linear(hidden_NC, weight_VC).float(), targets_N, reduction="none")


def loss_nats(model, body, ids_BT, weights_BT, positions_BT=None, losses=token_losses):
    """Weighted mean of the next-token loss, in nats; tokens of weight 0 are not even computed."""
    hidden_BTC = body(input_ids=ids_BT, position_ids=positions_BT, use_cache=False).last_hidden_state
    weights_BT = weights_BT[:, 1:]
    chosen = weights_BT > 0
    losses_N = losses(hidden_BTC[:, :-1][chosen], model.lm_head.weight, ids_BT[:, 1:][chosen])
    weights_N = weights_BT[chosen]
    return (losses_N * weights_N).sum() / weights_N.sum()


def save_checkpoint(folder, step, state, keep=2):
    """Write a checkpoint beside its place and move it; only a complete one carries its final name. Older ones go."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".writing-{os.getpid()}"
    with open(temporary, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, folder / f"step-{step:07d}.pt")
    for old in sorted(folder.glob("step-*.pt"))[:-keep] if keep else ():
        old.unlink()


def last_checkpoint(folder):
    """The newest checkpoint that can be read, or None. A damaged one is passed over."""
    for path in sorted(Path(folder).glob("step-*.pt"), reverse=True):
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # a torn or foreign file is no reason to lose the older one
            continue
    return None


def data_hash(stage, seed, tokenizer, tokens=20_000, index=0):
    """A sha256 over the start of a shard, to show that two runs train on the same text."""
    documents = mix.shard(stage, seed, index, tokenizer, tokens=tokens)
    return hashlib.sha256(json.dumps(documents).encode()).hexdigest()


class Run:
    """A training run that can be saved and picked up: model, optimizers, where it stands, its curve."""

    def __init__(self, model, folder, matrix_rate, other_rate):
        self.model, self.folder = model, Path(folder)
        optimizers = _optimizers(model, matrix_rate, other_rate)
        self.optimizers = [optimizer for optimizer, _ in optimizers]
        self.state = {"step": 0, "tokens": 0, "shard": 0, "done": 0, "curve": [], "seconds": 0.0}
        saved = last_checkpoint(self.folder)
        if saved:
            model.load_state_dict(saved.pop("model"))
            for optimizer, its in zip(self.optimizers, saved.pop("optimizers")):
                optimizer.load_state_dict(its)
            self.state = saved
        self.groups = [(group, rate) for optimizer, rate in optimizers for group in optimizer.param_groups]
        self.resumed, self.losses = bool(saved), []
        self.started, self.saved_at = time.monotonic() - self.state["seconds"], time.monotonic()

    def save(self):
        """Write a checkpoint, and the curve as text beside it."""
        self.state["seconds"], self.saved_at = time.monotonic() - self.started, time.monotonic()
        save_checkpoint(
            self.folder,
            self.state["step"],
            self.state
            | {
                "model": self.model.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            },
        )
        write_atomic(self.folder / "curve.jsonl", "".join(json.dumps(point) + "\n" for point in self.state["curve"]))
        if self.state["tokens"] >= self.state.get("mark", MARKS[0]):
            weights = {name: tensor.to("cpu", torch.bfloat16) for name, tensor in self.model.state_dict().items()}
            save_checkpoint(self.folder / "marks", self.state["tokens"], weights, keep=None)
            self.state["mark"] = self.state["tokens"] * MARKS[1]

    def step(self, body, losses, batch, factor):
        """One step of all optimizers on one batch (ids, weights, positions), the learning rates scaled by `factor`."""
        with torch.autocast(batch[0].device.type, dtype=torch.bfloat16):
            loss = loss_nats(self.model, body, *batch, losses)
        self.descend(loss, factor)

    def descend(self, loss, factor):
        """One step of all optimizers down the gradient of a loss."""
        for group, rate in self.groups:
            group["lr"] = rate * factor
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.losses.append(loss.detach())
        self.state["step"] += 1

    def point(self):
        """Add the mean loss since the last point to the curve; says how far the run is."""
        found = {
            "step": self.state["step"],
            "tokens": self.state["tokens"],
            "loss_nats": round(torch.stack(self.losses).mean().item(), 4),
            "seconds": round(time.monotonic() - self.started, 1),
        }
        self.state["curve"].append(found)
        self.losses = []
        speed = found["tokens"] / max(1, found["seconds"])
        return f"step {found['step']} loss {found['loss_nats']:.3f} {speed:,.0f} tokens/s, {found['tokens']:,} tokens"


def keep_memory():
    """Keep freed memory for the next step: without this, glibc gave it back and half of the time went into the kernel."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(-4, 0)  # M_MMAP_MAX: no block of its own from the system
            mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
            mallopt(-2, 2**28)  # M_TOP_PAD


def train(
    model,
    tokenizer,
    stage,
    folder,
    tokens,
    seed=1,
    matrix_rate=4e-3,
    other_rate=2e-3,
    decay=0.3,
    save_every_s=240,
    compile_model=True,
    shards=batches.ahead,
    report=print,
):
    """Train a stage ("base" or "instruct") for a number of tokens, resuming from the last complete checkpoint.

    `folder` holds checkpoints and curve.jsonl; the learning rate falls over the last part `decay` of the run. Returns
    the curve: a list of {"step", "tokens", "loss_nats", "seconds"}.
    """
    keep_memory()
    run = Run(model, folder, matrix_rate, other_rate)
    if run.resumed:
        report(f"resumed at step {run.state['step']}, {run.state['tokens']:,} tokens")
    if run.state["tokens"] >= tokens:  # it was stopped between its last checkpoint and its end
        model.eval()
        return run.state["curve"]
    device, first = next(model.parameters()).device, run.state["shard"]
    model.set_attn_implementation(attention.NAME)
    body = torch.compile(model.model, dynamic=False) if compile_model else model.model
    losses = torch.compile(token_losses, dynamic=True) if compile_model else token_losses
    model.train()
    for index, packed in shards(stage, seed, tokenizer, first, BATCH_TOKENS[device.type]):
        skip = run.state["done"] if index == first else 0
        for number, (ids, weights, positions) in enumerate(packed):
            if number < skip:
                continue
            batch = [torch.from_numpy(array).to(device) for array in (ids.astype(np.int64), weights, positions)]
            run.step(body, losses, batch, rate_at(run.state["tokens"] / tokens, decay=decay))
            run.state["tokens"] += int((ids != 0).sum())
            run.state |= {"shard": index, "done": number + 1}
            if run.state["step"] % 25 == 0:
                report(f"{stage} {run.point()} of {tokens:,}")
            finished = run.state["tokens"] >= tokens
            if finished or time.monotonic() - run.saved_at > save_every_s:
                run.save()
            if finished:
                model.eval()
                return run.state["curve"]


def save_model(model, tokenizer, folder):
    """Write model and tokenizer as a folder of bf16 safetensors, beside its place, then move it."""
    folder = Path(folder)
    temporary = folder.with_name(f".{folder.name}-writing")
    shutil.rmtree(temporary, ignore_errors=True)
    model.set_attn_implementation("sdpa")
    copy = Qwen3ForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    # The base model ends a document with <|endoftext|>, a tuned one ends its turn with <|im_end|>.
    copy.generation_config = GenerationConfig(
        eos_token_id=tokenizer.pad_token_id if folder.name == "base" else tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    copy.to(torch.bfloat16).save_pretrained(temporary, safe_serialization=True)
    tokenizer.save_pretrained(temporary)
    for path in temporary.iterdir():
        path.chmod(0o644)
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(temporary, folder)
