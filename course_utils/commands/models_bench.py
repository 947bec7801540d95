"""`bench models`: what the bundled models need: megabytes on disk, seconds to load, seconds for a reply."""

import statistics
import time

from course_utils import settings

REPLY_TOKENS = 60


def measure(arguments):
    """Size and loading of each bundled model, and one greedy reply of 60 tokens of the instruct model.

    Units:   megabytes of 10^6 bytes; seconds, the median of three after a first one that is not counted
    """
    import torch

    from course_utils.models import loading
    from course_utils.models.embedding import load_embedder

    found = {"models": {}, "threads": torch.get_num_threads(), "tokens": REPLY_TOKENS}
    for folder in sorted(path for path in settings.MODELS.iterdir() if path.is_dir()):
        its = load_embedder if folder.name == "embed" else lambda: loading.load("bundled", folder.name)  # noqa: B023
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        found["models"][folder.name] = {"megabytes": size, "load_s": median_s(its)}
    model, tokenizer = loading.load("bundled")
    ids = torch.tensor([tokenizer.encode("A shop has 48 tents and sells 15 of them.")])
    count = {"min_new_tokens": REPLY_TOKENS, "max_new_tokens": REPLY_TOKENS, "do_sample": False}
    found["reply_s"] = median_s(lambda: model.generate(ids, attention_mask=torch.ones_like(ids), **count))
    found["megabytes"] = sum(its["megabytes"] for its in found["models"].values())
    return found


def median_s(work, times=3):
    """The median of the seconds that `work()` takes; a first call is not counted."""
    seconds = []
    for _ in range(times + 1):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def show(found):
    """The lines of `bench models`."""
    print(f"{'model':<12} {'MB':>6} {'load, s':>8}")
    for name, its in found["models"].items():
        print(f"{name:<12} {its['megabytes']:>6.1f} {its['load_s']:>8.2f}")
    print(f"{'together':<12} {found['megabytes']:>6.1f}")
    print(f"a reply of {found['tokens']} tokens: {found['reply_s']:.2f} s, {found['threads']} threads")
