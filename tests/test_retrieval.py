"""Retrieval without a model: loading, splitting, BM25, fusion, reranking, the store, citations."""

import math
import random
import re
import sqlite3
import subprocess
import sys
import zlib
from collections import Counter

import numpy
import pytest
from conftest import one_sentence

from course_utils import retrieval
from course_utils.retrieval import answering, searching, shelf
from course_utils.settings import ROOT, CourseError


class FakeEmbedder:
    """Stands for the embedding model: words fall into 64 bins by their checksum; rows have length 1."""

    size = 64

    def encode(self, texts):
        rows = numpy.full((len(texts), self.size), 1e-6, numpy.float32)
        for row, text in zip(rows, texts):
            for word in re.findall(r"\w+", text.lower()):
                row[zlib.crc32(word.encode()) % self.size] += 1
        return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)


encode = FakeEmbedder().encode


# splitting


def windows(n, size, overlap):
    text = " ".join(map(str, range(n)))
    return [list(map(int, chunk.text.split())) for chunk in retrieval.split(text, size, overlap)]


def test_split_covers_every_word_in_order_and_overlaps_as_asked():
    rng = random.Random(1)
    for _ in range(200):
        n, size = rng.randint(0, 40), rng.randint(1, 12)
        overlap = rng.randrange(size)
        found = windows(n, size, overlap)
        assert sorted(set(sum(found, []))) == list(range(n)) and all(len(window) <= size for window in found)
        assert all(len(window) == size for window in found[:-1])
        for before, after in zip(found, found[1:]):
            assert after[0] == before[-1] + 1 - overlap and after[-1] > before[-1]  # none lies inside another


def test_split_keeps_the_text_between_the_words_and_its_place():
    text = "  One\n\ntwo  three.\tFour "
    chunks = retrieval.split(text, 2, 1, "a.txt", {"page": 3})
    assert [chunk.text for chunk in chunks] == ["One\n\ntwo", "two  three.", "three.\tFour"]
    assert all(text[chunk.start :].startswith(chunk.text) for chunk in chunks)
    assert chunks[0].id == "a.txt#2" and chunks[2].facts == {"page": 3} and chunks[0].source == "a.txt"
    assert retrieval.split(" \n ", 3) == []


@pytest.mark.parametrize(("size", "overlap"), [(3, 3), (3, 4), (0, 0), (3, -1)])
def test_split_refuses_windows_that_do_not_move_on(size, overlap):
    with pytest.raises(CourseError) as caught:
        retrieval.split("a b c d", size, overlap)
    assert one_sentence(str(caught.value))


# loading


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_markdown_becomes_sections(tmp_path):
    text = "\ufeffBefore.\r\n# Gift cards #\r\nTen euros.\n```\n# no heading\n```\n## Empty\n"
    chunks = retrieval.load(put(tmp_path, "book.md", text + "## Gift cards\nAgain.\n#hashtag\n"))
    assert [chunk.source for chunk in chunks] == ["book.md", "book.md#gift-cards", "book.md#gift-cards-2"]
    assert chunks[0].text == "Before." and chunks[1].text == "Ten euros.\n```\n# no heading\n```"
    assert chunks[1].facts == {"head": "Gift cards"} and chunks[2].text == "Again.\n#hashtag"


def test_the_handbook_loads_as_the_shop_reads_it():
    from course_utils import shop

    path = shop.WORLD / "handbook.md"
    found = [(chunk.facts["head"], " ".join(chunk.text.split())) for chunk in retrieval.load(path)]
    assert found == [(section["head"], section["text"]) for section in shop.handbook()]


def test_html_gives_what_a_reader_sees(tmp_path):
    page = (
        "<html><head><title>Rules &amp; fees</title><style>p {}</style></head><body><p>Par<b>cel</b> fee</p>"
        "<p>5&nbsp;euros</p><!-- hidden --><script>steal()</script><ul><li>one<li>two</ul>"
        "<table><tr><td>a<td>b</table>"
    )
    (chunk,) = retrieval.load(put(tmp_path, "page.HTML", page))
    assert chunk.text == "Parcel fee\n5 euros\none\ntwo\na b" and chunk.facts == {"head": "Rules & fees"}


def test_csv_gives_rows_with_their_line(tmp_path):
    text = 'name,price,text\nTent,189,"Two ""doors"",\nand a fly"\n\nMug,,Blue\n'
    chunks = retrieval.load(put(tmp_path, "goods.csv", text))
    assert chunks[0].text == 'name: Tent; price: 189; text: Two "doors",\nand a fly'
    assert chunks[1].text == "name: Mug; text: Blue" and chunks[1].source == "goods.csv line 5"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.docx", "x"),
        ("a.txt", ""),
        ("a.txt", "  \n"),
        ("a.txt", b"caf\xe9"),
        ("a.txt", "a\0b"),
        ("a.md", "# Head only\n"),
        ("a.html", "<script>x</script>"),
        ("a.csv", "a,b\n1,2,3\n"),
        ("a.csv", "a,a\n1,2\n"),
        ("a.csv", 'a,b\n1,"2\n'),
        ("a.csv", "a,b\n"),
        ("a.csv", "a\n" + "x" * 200_000),
    ],
)
def test_a_bad_file_gets_one_sentence(tmp_path, name, content):
    with pytest.raises(CourseError) as caught:
        retrieval.load(put(tmp_path, name, content))
    assert one_sentence(str(caught.value)) and "a." in str(caught.value)


def test_missing_large_and_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("course_utils.retrieval.loading.LIMIT_MB", 0)
    (tmp_path / "b.txt").mkdir()
    for path in (put(tmp_path, "a.txt", "x"), tmp_path / "none.txt", tmp_path / "b.txt"):
        with pytest.raises(CourseError) as caught:
            retrieval.load(path)
        assert one_sentence(str(caught.value))


def test_a_table_gives_rows_and_its_name_is_looked_up():
    with sqlite3.connect(":memory:") as connection:
        connection.execute('CREATE TABLE "odd ""name" (sku TEXT, "unit price" REAL, note TEXT)')
        connection.execute("""INSERT INTO "odd ""name" VALUES ('TN-1', 189.5, NULL), ('TN-2', 0, '')""")
        chunks = retrieval.load_table(connection, 'odd "name')
        assert [chunk.text for chunk in chunks] == ["sku: TN-1; unit price: 189.5", "sku: TN-2; unit price: 0.0"]
        assert [chunk.source for chunk in chunks] == ['odd "name row 1', 'odd "name row 2']
        for wrong in ("orders", "sqlite_master; DROP TABLE x", ""):
            with pytest.raises(CourseError) as caught:
                retrieval.load_table(connection, wrong)
            assert one_sentence(str(caught.value))
    connection.close()


# the shop's collection


def test_every_question_has_its_text_in_the_collection_with_the_gold():
    chunks = {chunk.source: chunk for chunk in retrieval.shop_chunks()}
    questions = retrieval.shop_questions()
    kinds = Counter(chunk.facts["kind"] for chunk in chunks.values())
    assert set(kinds) == {"handbook", "catalogue", "encyclopedia", "dialogues"} and min(kinds.values()) >= 80
    for row in questions:
        assert row["gold"].lower() in chunks[row["source"]].text.lower()
    counts = Counter((row["kind"], row["part"]) for row in questions)
    assert all(counts[kind, part] >= 50 for kind in ("literal", "paraphrase", "entry") for part in shelf.PARTS)
    parts = {}
    for row in questions:  # all questions on one text stand in one part
        assert parts.setdefault(row["source"], row["part"]) == row["part"]


# searching


def test_bm25_equals_the_scores_of_a_library():
    """Reference: bm25s 0.3.16, method "lucene", k1 1.5, b 0.75, on the same words."""
    index = retrieval.Bm25(["a b", "B c, c!", "", "d"])
    assert index.scores("c b zz") == pytest.approx([0.24109468, 0.7118499, 0.0, 0.0], abs=1e-6)
    assert index.scores("") == index.scores("zz") == [0.0] * 4
    assert index.scores("b b")[0] == pytest.approx(2 * index.scores("b")[0])


def slow_bm25(query, texts, k1, b):
    """BM25 as its formula says it, text by text."""
    bags = [searching.words_of(text) for text in texts]
    mean = sum(map(len, bags)) / len(bags) or 1
    found = []
    for bag in bags:
        score = 0.0
        for word in searching.words_of(query):
            having = sum(word in other for other in bags)
            weight = math.log(1 + (len(bags) - having + 0.5) / (having + 0.5))
            if bag.count(word):
                score += weight * bag.count(word) / (bag.count(word) + k1 * (1 - b + b * len(bag) / mean))
        found.append(score)
    return found


def test_bm25_equals_its_formula_on_random_texts():
    rng = random.Random(2)
    for _ in range(200):
        texts = [" ".join(rng.choices("abcdefg", k=rng.choice((0, 1, 5, 20)))) for _ in range(rng.randint(1, 8))]
        query, k1, b = " ".join(rng.choices("abcxyz", k=rng.randint(0, 4))), rng.choice((0, 0.9, 1.5)), rng.random()
        assert retrieval.Bm25(texts, k1, b).scores(query) == pytest.approx(slow_bm25(query, texts, k1, b))
    assert retrieval.Bm25([]).scores("a") == []


def test_bm25_with_cut_words_meets_other_forms():
    assert retrieval.Bm25(["Many parcels", "x"]).scores("parcel") == [0.0, 0.0]
    assert retrieval.Bm25(["Many parcels", "x"], letters=5).scores("parcel")[0] > 0


def test_best_is_stable():
    assert retrieval.best([1, 3, 3, 2]) == [1, 2, 3, 0] and retrieval.best([1, 3, 3, 2], 2) == [1, 2]
    assert retrieval.best([], 3) == []


def test_fusion_by_hand():
    assert retrieval.fuse([["a", "b"], ["b", "c"]]) == ["b", "a", "c"]
    assert retrieval.fuse([["a", "b"], ["b", "a"]]) == ["a", "b"]  # equal points: the one met first
    assert retrieval.fuse([["a", "b", "c"], ["c", "b", "a"]], weights=[1, 0]) == ["a", "b", "c"]
    assert retrieval.fuse([["a", "a", "b"]]) == ["a", "b"] and retrieval.fuse([[], []]) == []
    # with c = 60 two sixth places beat one first place and nothing; with c = 0 they do not
    rankings = [["x", 1, 2, 3, 4, "y"], ["z", 5, 6, 7, 8, "y"]]
    assert retrieval.fuse(rankings)[0] == "y" and retrieval.fuse(rankings, c=0)[:2] == ["x", "z"]
    with pytest.raises(ValueError):
        retrieval.fuse([["a"]], weights=[1, 2])


def test_fusion_of_random_rankings_equals_the_sum_of_points():
    rng = random.Random(3)
    for _ in range(200):
        rankings = [rng.sample(range(9), rng.randint(0, 9)) for _ in range(rng.randint(1, 3))]
        points = {}
        for ranking in rankings:
            for item in ranking:
                points[item] = sum(1 / (60 + other.index(item) + 1) for other in rankings if item in other)
        fused = retrieval.fuse(rankings)
        assert sorted(fused) == sorted(points)
        assert all(points[one] >= points[two] - 1e-15 for one, two in zip(fused, fused[1:]))


def test_ranks_recall_and_mrr():
    ranks = [retrieval.rank_of("a", ranking) for ranking in ("abc", "bac", "bca", "xyz")]
    assert ranks == [1, 2, 3, None]
    assert [retrieval.recall(ranks, k) for k in (1, 2, 10)] == [0.25, 0.5, 0.75]
    assert retrieval.mrr(ranks) == pytest.approx((1 + 1 / 2 + 1 / 3) / 4)
    assert retrieval.recall([], 5) == retrieval.mrr([]) == 0.0


def test_reranking_moves_the_top_only():
    assert retrieval.rerank(["a", "b", "c"], [0.1, 0.9, 5], depth=2) == ["b", "a", "c"]
    assert retrieval.rerank(["a", "b"], [0.5, 0.5]) == ["a", "b"] and retrieval.rerank([], []) == []
    with pytest.raises(ValueError):
        retrieval.rerank(["a", "b"], [0.5])


def test_fit_reads_the_word_of_the_judge(monkeypatch):
    """The score is that of "yes" after the prompt; another word than "yes" would give other numbers."""

    def score(model, tokenizer, texts):
        assert [ids[-2:] for ids in texts] == [[7, 8], [7, 8]]
        return [[-9.0, -0.25, -0.5], [-9.0, -9.0, -1.0, -2.0]]

    monkeypatch.setattr(searching.models, "score", score, raising=False)
    monkeypatch.setattr(searching.models, "encode_chat", lambda tokenizer, messages: [1, len(messages)], raising=False)
    yes = lambda text, add_special_tokens: {"input_ids": {"yes": [7, 8]}[text]}
    assert retrieval.fit_nats(None, yes, [("q", "p"), ("q", "longer")]) == [-0.75, -3.0]


# answering

PASSAGES = ["Goods may come back within 45 days.", "The fee is 7.50 euros, cash only.", "Ask Elna, Mo or Tarik."]


@pytest.mark.parametrize(
    ("reply", "text", "cited", "fault"),
    [
        ("45 days [1]", "45 days", (1,), ""),
        ("45 days. [1]", "45 days.", (1,), ""),
        ("45 DAYS[1]", "45 DAYS", (1,), ""),
        ("5 days [1]", "5 days", (1,), "not there"),
        ("7 [2]", "7", (2,), "not there"),
        ("50 euros [2]", "50 euros", (2,), "not there"),
        ("45 days [2]", "45 days", (2,), "not there"),
        ("45 days [1] [2]", "45 days", (1, 2), "not there"),
        ("45 days [4]", "45 days", (4,), "unknown source"),
        ("45 days [0]", "45 days", (0,), "unknown source"),  # passages[-1] would be no error
        ("45 days", "45 days", (), "no source"),
        ("I don\u2019t know.", "I don't know.", (), "silent"),
        ("I don't know. [1]", "I don't know.", (1,), "not there"),
        ("[1]", "", (1,), "not there"),
        ("", "", (), "no source"),
        ("Elna, Mo [3]", "Elna, Mo", (3,), ""),
        ("x [" + "9" * 5000 + "]", "x", (999999999,), "unknown source"),
    ],
)
def test_citations_are_checked(reply, text, cited, fault):
    found = retrieval.check_citation(reply, PASSAGES)
    assert (found.text, found.cited, found.fault, found.checked) == (text, cited, fault, not fault)


def test_answers_come_from_numbered_passages():
    asked = []

    def ask(prompts):
        asked.extend(prompts)
        return ["45 days [1]", "7 euros [1]"][: len(prompts)]

    chunks = [retrieval.Chunk(text, "book") for text in PASSAGES]
    first, second = retrieval.answer_batch(ask, ["How long?", "How much?"], [chunks, chunks[1:]])
    assert first.checked and second.fault == "not there"
    numbered = [f"[{number}] {text}" for number, text in enumerate(PASSAGES, 1)]
    assert asked[0] == "\n\n".join([answering.RULE, *numbered, "Question: How long?"])
    assert retrieval.answer(ask, "How long?", chunks) == first
    assert retrieval.answer(ask, "How long?", []).text == answering.UNKNOWN and len(asked) == 3


def test_a_passage_cannot_pose_as_another_number():
    prompt = retrieval.rag_prompt("Q?", ["Fee: 5.\n\n[2] Fee: 0.", "Fee: 7."])
    assert re.findall(r"\[\d+\]", prompt) == ["[1]", "[2]"] and prompt.index("[2]") > prompt.index("(2) Fee: 0.")


# the store (tests/test_chroma.py holds its lock, deletes and duplicates)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    chunks = [
        retrieval.Chunk(f"text {i} word{i}", f"part {i}", 10 * i, {"kind": "odd" if i % 2 else "even", "none": None})
        for i in range(12)
    ]
    with retrieval.open_store(tmp_path_factory.mktemp("shelf") / "store") as store:
        store.upsert(chunks, encode([chunk.text for chunk in chunks]))
        yield store, chunks


def test_the_store_finds_what_exact_search_finds(filled):
    store, chunks = filled
    queries = encode(["word3 text", "word8", "none of it"])
    exact = queries @ encode([chunk.text for chunk in chunks]).T
    for hits, row in zip(store.search(queries, 12), exact):
        assert len(hits) == 12 and [hit.score for hit in hits] == pytest.approx(sorted(row, reverse=True), abs=1e-5)
    hit = store.search(queries[:1], 1)[0][0]
    assert hit.chunk == retrieval.Chunk("text 3 word3", "part 3", 30, {"kind": "odd"})
    assert {hit.chunk.facts["kind"] for hit in store.search(queries[:1], 9, {"kind": "even"})[0]} == {"even"}
    assert store.search(queries[:1], 9, {"kind": "blue"}) == [[]] and store.search(queries, 0) == [[], [], []]


@pytest.mark.parametrize("fault", ["number", "double", "nan", "width", "filter", "query"])
def test_bad_input_gets_one_sentence_and_loses_nothing(filled, fault):
    store, chunks = filled
    vectors = encode(["a", "b"])
    calls = {
        "number": lambda: store.upsert(chunks[:1], vectors),
        "double": lambda: store.upsert([chunks[0], chunks[0]], vectors),
        "nan": lambda: store.upsert(chunks[:2], vectors * numpy.nan),
        "width": lambda: store.upsert(chunks[:2], vectors[:, :7]),
        "filter": lambda: store.search(vectors, 2, {"$wrong": 1}),
        "query": lambda: store.search(vectors[:, :7], 2),
    }
    with pytest.raises(CourseError) as caught:
        calls[fault]()
    assert one_sentence(str(caught.value)) and store.count() == 12


def test_a_cell_run_twice_shares_the_store_and_an_interrupted_rebuild_is_swept(tmp_path):
    chunk = retrieval.Chunk("word", "part", 0)
    first = retrieval.open_store(tmp_path / "s")
    second = retrieval.open_store(tmp_path / "s")  # the same cell, run again
    first.upsert([chunk], encode(["word"]))
    assert second.count() == 1 and second.upsert([], encode([])) == 0
    assert second.delete("part", "other") == 1 and second.delete() == second.delete("part") == 0
    assert first.count() == 0 and first.search(encode(["word"]), 3) == [[]]
    first.upsert([chunk], encode(["word"]))
    first.close()
    assert second.count() == 1  # closing one does not close the other
    second.close()
    second.close()
    with pytest.raises(CourseError) as caught:
        second.count()
    assert one_sentence(str(caught.value))
    (tmp_path / "s" / ".building").mkdir()
    (tmp_path / "s" / "data-1").mkdir()  # an old folder that a kill left behind
    with retrieval.open_store(tmp_path / "s") as third:
        assert third.count() == 1
    left = sorted(path.name for path in (tmp_path / "s").iterdir() if path.name[1:] not in ("lock", "owner"))
    assert left == ["data-2"]


def test_a_delete_that_fails_has_deleted_nothing_and_can_be_repeated(tmp_path, monkeypatch):
    def full(old, new):
        raise OSError(28, "No space left on device")

    chunks = [retrieval.Chunk(f"SESAME{i}", f"part {i}") for i in range(3)]
    with retrieval.open_store(tmp_path / "s") as store:
        store.upsert(chunks, encode([chunk.text for chunk in chunks]))
        with monkeypatch.context() as patch, pytest.raises(CourseError) as caught:
            patch.setattr("course_utils.retrieval.store.os.replace", full)
            store.delete("part 1")
        assert one_sentence(str(caught.value)) and "No space" in str(caught.value)
    with retrieval.open_store(tmp_path / "s") as store:
        assert store.count() == 3 and store.delete("part 1") == 1 and store.count() == 2
    files = [path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()]
    assert any(b"SESAME2" in raw for raw in files) and not any(b"SESAME1" in raw for raw in files)


def test_a_damaged_folder_gets_one_sentence_and_is_free_again(tmp_path):
    (tmp_path / "s" / "data-1").mkdir(parents=True)
    (tmp_path / "s" / "data-1" / "chroma.sqlite3").write_bytes(b"no database" * 100)
    for _ in range(2):
        with pytest.raises(CourseError) as caught:
            retrieval.open_store(tmp_path / "s")
        assert one_sentence(str(caught.value)) and "in use" not in str(caught.value)


def test_the_package_loads_nothing_heavy():
    code = "from course_utils import retrieval; import sys; print({'torch', 'chromadb', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()"
