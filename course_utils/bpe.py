"""Byte-pair encoding: learn merges from text and encode with them. Same merges as the `tokenizers` library.

Source:  Sennrich et al. 2016, arXiv:1508.07909; bytes as symbols: Radford et al. 2019 (GPT-2)
"""

import heapq
import re
from collections import Counter, defaultdict

from course_utils.settings import CourseError

# Words with their leading space, single digits, signs, white space: the pieces that merges never cross.
PIECES = re.compile(r" ?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+|\s+")


def _byte_letters():
    """A printable letter for each of the 256 bytes, as GPT-2 and the `tokenizers` library write them."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in plain}
    for number, byte in enumerate(b for b in range(256) if b not in letters):
        letters[byte] = chr(256 + number)
    return letters


LETTERS = _byte_letters()
BYTES = {letter: byte for byte, letter in LETTERS.items()}
ALPHABET = sorted(BYTES)


def pieces(text):
    """Split text into the pieces that are encoded one by one, each written in byte letters."""
    return ["".join(LETTERS[byte] for byte in piece.encode("utf-8")) for piece in PIECES.findall(text)]


def train_bpe(text, merges):
    """Learn up to `merges` merges: again and again the most frequent pair of neighbours becomes one symbol.

    Counts are kept up to date instead of counted anew, and a heap gives the largest; ties go to the pair whose
    symbols are older, as in `tokenizers`. Returns [(left, right), ...] in the order learned.
    Errors:  CourseError if `merges` is negative
    """
    if merges < 0:
        raise CourseError(f"The number of merges must not be negative, not {merges}: 0 keeps single bytes.")
    symbols = list(ALPHABET)
    number_of = {letter: number for number, letter in enumerate(symbols)}
    words, counts = [], []
    for piece, count in Counter(pieces(text)).items():
        words.append([number_of[letter] for letter in piece])
        counts.append(count)
    pairs, places = Counter(), defaultdict(set)
    for index, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += counts[index]
            places[pair].add(index)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    learned = []
    while heap and len(learned) < merges:
        count, pair = heapq.heappop(heap)
        if -count != pairs[pair]:
            if pairs[pair] > 0:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        name = symbols[pair[0]] + symbols[pair[1]]
        learned.append((symbols[pair[0]], symbols[pair[1]]))
        new = number_of.setdefault(name, len(symbols))
        if new == len(symbols):
            symbols.append(name)
        for changed in _merge_everywhere(words, counts, pairs, places, pair, new):
            heapq.heappush(heap, (-pairs[changed], changed))
    return learned


def _merge_everywhere(words, counts, pairs, places, pair, new):
    """Replace the pair in every word that holds it and mend the counts. Returns the pairs that became more frequent."""
    grown = set()
    for index in places.pop(pair):
        old, count = words[index], counts[index]
        word = _merge(old, pair, new)
        for gone in zip(old, old[1:]):
            pairs[gone] -= count
        for come in zip(word, word[1:]):
            pairs[come] += count
            places[come].add(index)
            if new in come:
                grown.add(come)
        words[index] = word
    pairs[pair] = 0
    return grown


def _merge(word, pair, new):
    merged, at = [], 0
    while at < len(word):
        if at + 1 < len(word) and (word[at], word[at + 1]) == pair:
            merged.append(new)
            at += 2
        else:
            merged.append(word[at])
            at += 1
    return merged


def encode(text, merges):
    """Cut text into tokens (byte letters): in each piece the earliest learned pair is merged first.

    `merges` is what train_bpe returned. Returns a list of strings; decode() gives the text back.
    """
    rank = {pair: number for number, pair in enumerate(merges)}
    tokens, known = [], {}
    for piece in pieces(text):
        if piece not in known:
            word = list(piece)
            while len(word) > 1:
                best = min(zip(word, word[1:]), key=lambda pair: rank.get(pair, len(rank)))
                if best not in rank:
                    break
                word = _merge(word, best, best[0] + best[1])
            known[piece] = word
        tokens += known[piece]
    return tokens


def decode(tokens):
    """The text of tokens written in byte letters; a broken character becomes the replacement sign."""
    return bytes(BYTES[letter] for letter in "".join(tokens)).decode("utf-8", errors="replace")
