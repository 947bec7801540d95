"""`bench NAME`: measure every figure of speed that the course states, and the scores of ShopBot."""

import json
import time

from course_utils.commands import bpe_bench, chroma_bench, models_bench, sandbox, shop_bench
from course_utils.commands.bpe_bench import best_of
from course_utils.settings import CourseError


def add_arguments(parser):
    parser.add_argument(
        "name", choices=list(BENCHMARKS), help="; ".join(f"{k}: {v[1]}" for k, v in BENCHMARKS.items())
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--model", default="instruct", help="base, instruct, a model folder, or random")
    parser.add_argument("--prompts", type=int, default=64, help="how many prompts (default 64)")
    parser.add_argument("--tokens", type=int, default=128, help="new tokens for each prompt (default 128)")
    shop_bench.add_arguments(parser)
    chroma_bench.add_arguments(parser)


def machine_limits():
    """What this machine can do at best, by torch: float32 matrix products and memory traffic.

    Units:   gflops 10^9 operations a second; gigabytes 10^9 bytes a second, read plus written
    """
    import torch

    a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
    source = torch.randn(32 * 2**20)
    target = torch.empty_like(source)
    with torch.inference_mode():
        a @ b, target.copy_(source)
        product = best_of(lambda: a @ b)
        copy = best_of(lambda: target.copy_(source))
    return {"gflops": 2 * 1536**3 / product / 1e9, "gigabytes": 2 * source.nbytes / copy / 1e9}


def _random_model():
    """A model of the bundled models' kind with random weights (5 million parameters), and token-id prompts for it."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=4096, hidden_size=256, intermediate_size=640, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=2, head_dim=64, max_position_embeddings=2048, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    return Qwen3ForCausalLM(config).eval()


class _NoTokenizer:
    """Stands in for a tokenizer where prompts are token ids and the text does not matter."""

    eos_token_id = pad_token_id = 0
    all_special_ids = (0,)

    def convert_tokens_to_ids(self, token):
        return None

    def decode(self, tokens, **options):
        return ""


def _questions(count):
    names, things = ("Tovi", "Mara", "Ilo", "Senka"), ("shells", "stamps", "pears", "coins", "ribbons")
    return [
        f"{names[i % 4]} has {20 + 7 * i} {things[i % 5]} and finds {3 + i} more. Then {names[(i + 1) % 4]} takes "
        f"{2 + i % 9} of them. How many {things[i % 5]} does {names[i % 4]} have now?"
        for i in range(count)
    ]


def _prompts(arguments):
    import torch

    if arguments.model == "random":
        generator = torch.Generator().manual_seed(0)
        sizes = torch.randint(24, 96, (arguments.prompts,), generator=generator).tolist()
        prompts = [torch.randint(1, 4096, (size,), generator=generator).tolist() for size in sizes]
        return _random_model(), _NoTokenizer(), prompts
    from course_utils.commands.evaluate import prompt_ids
    from course_utils.models.loading import load

    model, tokenizer = load(None, arguments.model)
    chat = arguments.model != "base" and bool(tokenizer.chat_template)
    return (model, tokenizer, [prompt_ids(tokenizer, text, "cot", chat) for text in _questions(arguments.prompts)])


def bench_decode(arguments):
    """Batched decoding against one prompt at a time by plain `generate`, and against the machine's limits."""
    import torch

    from course_utils.models.decoding import end_tokens, generate_batch

    if arguments.prompts < 1 or arguments.tokens < 1:
        raise CourseError("--prompts and --tokens must be at least 1.")
    model, tokenizer, prompts = _prompts(arguments)
    limits, ends = machine_limits(), end_tokens(model, tokenizer)
    generate_batch(model, tokenizer, prompts[:2], max_new_tokens=4)

    def single(ids):
        out = model.generate(
            torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            max_new_tokens=arguments.tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id or 0,
        )[0, len(ids) :].tolist()  # fmt: skip
        return out[:-1] if out and out[-1] in ends else out

    single(prompts[0])
    started = time.perf_counter()
    alone = [single(ids) for ids in prompts]
    alone_s = time.perf_counter() - started
    runs = []
    for _ in range(3):
        started = time.perf_counter()
        replies = generate_batch(model, tokenizer, prompts, max_new_tokens=arguments.tokens)
        runs.append(time.perf_counter() - started)
    batch_s = sorted(runs)[1]
    tokens = sum(len(reply.tokens) for reply in replies)
    weights = sum(p.numel() for p in model.parameters())
    work = 2 * weights * (tokens + sum(map(len, prompts)))
    return {
        "prompts": len(prompts),
        "tokens": tokens,
        "threads": torch.get_num_threads(),
        "equal": sum(reply.tokens == other for reply, other in zip(replies, alone)),
        "one_at_a_time": sum(map(len, alone)) / alone_s,
        "batched": tokens / batch_s,
        "ratio": (tokens / batch_s) / (sum(map(len, alone)) / alone_s),
        "arithmetic_limit": tokens / (work / limits["gflops"] / 1e9),
        "memory_limit_one": limits["gigabytes"] * 1e9 / (4 * weights),
        **limits,
    }


def show_decode(result):
    """The lines of `bench decode`: estimate, measurement and ratio stand side by side."""
    rows = [
        ("one prompt at a time (generate)", result["memory_limit_one"], result["one_at_a_time"]),
        ("64 rows together (generate_batch)".replace("64", str(result["prompts"])), result["arithmetic_limit"],
         result["batched"]),
    ]  # fmt: skip
    print(f"{result['prompts']} prompts, {result['tokens']} new tokens, greedy, {result['threads']} threads")
    print(f"this machine: {result['gflops']:.0f} GFLOP/s float32, memory {result['gigabytes']:.1f} GB/s")
    print(f"{'tokens a second':<36} {'estimated limit':>16} {'measured':>10} {'ratio':>7}")
    for name, limit, measured in rows:
        print(f"{name:<36} {limit:>16.0f} {measured:>10.0f} {measured / limit:>7.2f}")
    print("limits: weights read once for each token (one row); products at full speed, prompts included (batch)")
    print(
        f"batched / one at a time: {result['ratio']:.1f}; equal token lists: {result['equal']} of {result['prompts']}"
    )


# name -> (measure(arguments) -> dict, one sentence, show(dict))
BENCHMARKS = {
    "decode": (bench_decode, "batched decoding against one prompt at a time", show_decode),
    "models": (models_bench.measure, "size, loading and reply of the bundled models", models_bench.show),
    "bpe": (bpe_bench.measure, "our byte-pair training against a naive one and the tokenizers library", bpe_bench.show),
    "shop": (shop_bench.measure, "the scores of ShopBot in ShopBench, by group", shop_bench.show),
    "sandbox": (sandbox.measure, "from a program's text to its answer, beside an empty Python", sandbox.show),
    "chroma": (chroma_bench.measure, "Chroma's index against exact search, 1,000 to 100,000 vectors", chroma_bench.show),
}


def run(arguments):
    measure, _, show = BENCHMARKS[arguments.name]
    result = measure(arguments)
    if arguments.json:
        print(json.dumps(result))
    else:
        show(result)
    return 0
