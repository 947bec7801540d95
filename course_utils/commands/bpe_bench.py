"""`bench bpe`: seconds of byte-pair training, ours beside a naive one and a library."""

import json
import time


def best_of(function, repeats=5):
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)


def _naive_bpe(text, merges):
    """Count every pair anew for each merge, as one writes it first: the yardstick of `bench bpe`."""
    from collections import Counter

    from course_utils import bpe

    words = {piece: (tuple(piece), count) for piece, count in Counter(bpe.pieces(text)).items()}
    age, learned = {letter: number for number, letter in enumerate(bpe.ALPHABET)}, []
    while len(learned) < merges:
        pairs = Counter()
        for word, count in words.values():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], age[pair[0]], age[pair[1]]))
        learned.append(best)
        age.setdefault(best[0] + best[1], len(age))
        for piece, (word, count) in words.items():
            merged, at = [], 0
            while at < len(word):
                step = 2 if word[at : at + 2] == best else 1
                merged.append("".join(word[at : at + step]))
                at += step
            words[piece] = (tuple(merged), count)
    return learned


def measure(arguments):
    """Seconds of our BPE training, of a naive one and of the `tokenizers` library, on the same text."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    from course_utils import bpe
    from course_utils.settings import DATA

    text = "".join((DATA / "step1" / f"{name}.txt").read_text(encoding="utf-8") for name in ("english", "korean"))
    merges, trained = 2000, {}

    def library():
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(bpe.PIECES.pattern), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.train_from_iterator(
            [text],
            trainers.BpeTrainer(
                vocab_size=256 + merges, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
            ),
        )
        return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]

    methods = {"naive": (lambda: _naive_bpe(text, merges), 1), "ours": (lambda: bpe.train_bpe(text, merges), 3),
               "library": (library, 3)}  # fmt: skip
    seconds = {}
    for name, (train, repeats) in methods.items():
        seconds[name] = best_of(lambda: trained.__setitem__(name, train()), repeats)
    return {
        "characters": len(text),
        "merges": len(trained["ours"]),
        "seconds": seconds,
        "same_merges": trained["naive"] == trained["ours"] == trained["library"],
        "ratio": seconds["naive"] / seconds["ours"],
        "library_ratio": seconds["ours"] / seconds["library"],
    }


def show(result):
    """The lines of `bench bpe`."""
    print(f"{result['characters']} characters of English and Korean, {result['merges']} merges")
    for name, seconds in result["seconds"].items():
        print(f"{name:<10} {seconds:8.2f} s")
    print(f"same merges from all three: {result['same_merges']}")
    print(f"naive / ours: {result['ratio']:.1f}; ours / library: {result['library_ratio']:.1f}")
