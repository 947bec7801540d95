"""Generate, stream and score text with any plain transformers causal language model.

One loop serves every experiment of the course: prompts are sorted by length, read in batches, and decoded
together; a finished row gives its place to the next prompt. Greedy tokens equal `model.generate`.
"""

import hashlib
from dataclasses import dataclass

import torch

from .. import sampling
from ..settings import CourseError
from .packed import packed_linears
from .slots import PREFILL_TOKENS, Slots
from .text import chat_text, encode, encode_chat, end_tokens, hidden_tokens, reply_text

__all__ = [
    "Reply", "chat_batch", "chat_text", "choose", "encode", "encode_chat", "end_tokens", "generate_batch", "score", "stream",
]  # fmt: skip


@dataclass
class Reply:
    """What a model wrote. `finish_reason` is "stop" (an end token or a stop word) or "length"."""

    text: str
    tokens: list[int]
    finish_reason: str


def choose(logits, draws, temperature, top_p, top_k):
    """One token for each row: the largest logit, or a draw by inverse probability.

    Shapes:  logits (B, V), draws B numbers in [0, 1) -> (B,)
    Units:   temperature > 0 flattens above 1; 0 is greedy
    """
    if temperature < 1e-6:  # the limit is greedy; a smaller divisor overflows
        return logits.argmax(-1)
    probs = sampling.softmax(logits.float(), temperature)
    if top_k:
        probs = sampling.top_k(probs, top_k)
    if top_p < 1:
        probs = sampling.top_p(probs, top_p)
    return sampling.draw(probs, draws)


def row_draws(ids, copy, seed, count):
    """Random numbers of one row. They depend on the prompt, its copy number and the seed, not on the batch."""
    name = f"{seed}:{copy}:{ids}".encode()
    generator = torch.Generator().manual_seed(int.from_bytes(hashlib.blake2b(name, digest_size=7).digest()))
    return torch.rand(count, generator=generator, dtype=torch.float64).tolist()


class _Row:
    def __init__(self, index, ids, limit, draws):
        self.index, self.ids, self.limit, self.draws = index, ids, limit, draws
        self.tokens, self.finish_reason = [], None


def _rows(model, prompts, max_new_tokens, sampled, seed):
    context = getattr(model.config, "max_position_embeddings", None) or 2**31
    seen, rows = {}, []
    for index, ids in enumerate(prompts):
        if len(ids) >= context:
            raise CourseError(
                f"Prompt {index} has {len(ids)} tokens and the model reads at most {context - 1}: shorten it."
            )
        limit = min(max_new_tokens, context - len(ids))
        copy = seen[tuple(ids)] = seen.get(tuple(ids), -1) + 1
        rows.append(_Row(index, ids, limit, row_draws(ids, copy, seed, limit) if sampled else ()))
    return rows


@torch.inference_mode()
def _decode(model, rows, ends, pick, finished, batch_size, pad_id):
    """Run all rows to their end; yields (row, token) for every token that is kept."""
    waiting = sorted((row for row in rows if row.limit > 0), key=lambda row: -len(row.ids))[::-1]
    slots, running, last = Slots(model, pad_id), [], None
    while waiting or any(row.finish_reason is None for row in running):
        done = [place for place, row in enumerate(running) if row.finish_reason]
        if waiting and (not running or len(done) * 8 >= len(running)):
            places = done or list(range(min(batch_size, len(waiting))))
            fresh = [waiting.pop() for _ in range(min(len(places), len(waiting)))]
            running = running or list(fresh)
            logits = slots.add([row.ids for row in fresh], places[: len(fresh)])
            tokens = pick(logits, fresh)
            for place, row in zip(places, fresh):
                running[place] = row
            following = torch.zeros(len(running), dtype=torch.long, device=slots.device)
            if len(fresh) < len(running):
                following[: len(last)] = last
            following[torch.tensor(places[: len(fresh)], device=slots.device)] = tokens
            last, changed = following, fresh
        else:
            if len(done) * 4 >= len(running):
                alive = [place for place, row in enumerate(running) if not row.finish_reason]
                slots.keep(alive)
                running, last = [running[place] for place in alive], last[alive]
            last = pick(slots.step(last), running)
            changed = running
        ids = (tokens if changed is not running else last).tolist()
        for row, token in zip(changed, ids):
            if row.finish_reason:
                continue
            if token in ends:
                row.finish_reason = "stop"
                continue
            row.tokens.append(token)
            row.finish_reason = finished(row)
            yield row, token


def masked(logits, rows, allowed):
    """The logits with -inf for every token that `allowed(row's index, its tokens, tokens left)` does not name."""
    kept = logits.clone()
    for place, row in enumerate(rows):
        ids = None if row.finish_reason else allowed(row.index, row.tokens, row.limit - len(row.tokens))
        if ids is not None:
            ids = torch.tensor(ids, device=logits.device)
            kept[place] = -torch.inf
            kept[place, ids] = logits[place, ids]
    return kept


def _run(
    model, tokenizer, prompts, max_new_tokens, temperature, top_p, top_k, seed, stop, batch_size, allowed=None
):  # fmt: skip
    """A generator of (row, token) over all prompts, and the list of its rows."""
    kinds = set(getattr(model.config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"}:
        raise CourseError(f"This model has layers of kind {sorted(kinds)}: the decoder needs full attention only.")
    tail = max((len(word.encode()) for word in stop), default=0) + 4
    hidden = hidden_tokens(tokenizer)
    rows = _rows(model, prompts, max_new_tokens, temperature > 0, seed)

    def pick(logits, wanted):
        logits = masked(logits, wanted, allowed) if allowed else logits
        draws = [row.draws[min(len(row.tokens), row.limit - 1)] for row in wanted] if temperature > 0 else None
        return choose(logits, draws, temperature, top_p, top_k)

    def finished(row):
        if stop:
            text = reply_text(tokenizer, row.tokens[-tail:], hidden)
            if any(word in text for word in stop):
                return "stop"
        return "length" if len(row.tokens) >= row.limit else None

    def steps():
        training = model.training
        model.eval()
        try:
            pad_id, ends = tokenizer.pad_token_id or 0, end_tokens(model, tokenizer)
            with packed_linears(model, min(len(rows), batch_size)):
                yield from _decode(model, rows, ends, pick, finished, batch_size, pad_id)
        finally:
            model.train(training)

    return rows, steps()


def _cut(text, stop):
    return text[: min((text.find(word) for word in stop if word in text), default=len(text))]


def _words(stop):
    return tuple(word for word in ([stop] if isinstance(stop, str) else stop or ()) if word)


def generate_batch(
    model, tokenizer, prompts, max_new_tokens=128, temperature=0.0, top_p=1.0, top_k=0, seed=0, stop=(), batch_size=64,
    allowed=None,
):  # fmt: skip
    """Continue many prompts at once; the replies come in the order of the prompts.

    `prompts` are strings or lists of token ids. Sampling is repeatable for each prompt, whatever else is in the
    batch; equal prompts get different samples. `stop` words are cut off; `tokens` still holds what was generated.
    `allowed(index of the prompt, tokens so far, tokens left)` may name the ids that can come next (None: all of them).
    Errors:  CourseError for an empty prompt or one longer than the model's context
    Example: [reply.text for reply in generate_batch(model, tokenizer, ["1 + 1 ="], max_new_tokens=4)]
    """
    stop, prompts = _words(stop), [encode(tokenizer, prompt) for prompt in prompts]
    rows, steps = _run(
        model, tokenizer, prompts, max_new_tokens, temperature, top_p, top_k, seed, stop, batch_size, allowed
    )
    for _ in steps:
        pass
    hidden = hidden_tokens(tokenizer)
    return [
        Reply(_cut(reply_text(tokenizer, row.tokens, hidden), stop), row.tokens, row.finish_reason or "length")
        for row in rows
    ]


def chat_batch(model, tokenizer, conversations, tools=None, template=None, **options):
    """Answer many conversations at once: each is a list of {"role", "content"} messages. Options: generate_batch."""
    prompts = [encode_chat(tokenizer, messages, tools, **(template or {})) for messages in conversations]
    return generate_batch(model, tokenizer, prompts, **options)


def stream(model, tokenizer, prompt, max_new_tokens=128, temperature=0.0, top_p=1.0, top_k=0, seed=0, stop=()):
    """Yield the reply to one prompt piece by piece, as it is written.

    The pieces joined are the text of `generate_batch`. No piece holds half a character or a part of a stop word.
    The generator's return value is the `Reply`.
    """
    stop = _words(stop)
    rows, steps = _run(
        model, tokenizer, [encode(tokenizer, prompt)], max_new_tokens, temperature, top_p, top_k, seed, stop, 1
    )
    row, hidden, shown = rows[0], hidden_tokens(tokenizer), 0
    for _ in steps:
        text = reply_text(tokenizer, row.tokens, hidden)
        safe = len(_cut(text, stop))
        if safe == len(text):
            safe -= max((n for word in stop for n in range(1, len(word)) if text.endswith(word[:n])), default=0)
        if safe > shown:
            yield text[shown:safe]
            shown = safe
    text = _cut(reply_text(tokenizer, row.tokens, hidden), stop)
    if len(text) > shown:
        yield text[shown:]
    return Reply(text, row.tokens, row.finish_reason or "length")


@torch.inference_mode()
def score(model, tokenizer, texts, batch_size=64):
    """Log-probability of every token of each text but the first, given the tokens before it.

    Shapes:  a text of n tokens -> n - 1 numbers
    Units:   nats (natural logarithm); all are <= 0
    """
    prompts = [encode(tokenizer, text) for text in texts]
    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    scores = [[] for _ in prompts]
    device, vocab = model.get_input_embeddings().weight.device, model.config.vocab_size
    budget = max(1, min(PREFILL_TOKENS, 2**27 // vocab))
    training, first = model.training, 0
    model.eval()
    while first < len(order):
        width = len(prompts[order[first]])
        group = order[first : first + max(1, min(batch_size, budget // width))]
        ids = torch.zeros(len(group), width, dtype=torch.long)
        for row, index in enumerate(group):
            ids[row, : len(prompts[index])] = torch.tensor(prompts[index])
        ids = ids.to(device)
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1].float()
        chosen = logits.gather(-1, ids[:, 1:, None])[..., 0] - logits.logsumexp(-1)
        for index, row in zip(group, chosen.tolist()):
            scores[index] = row[: len(prompts[index]) - 1]
        first += len(group)
    model.train(training)
    return scores
