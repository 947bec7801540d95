"""Sentence embeddings: vectors depend on their text alone, pairs have no fault, training survives kills."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy
import pytest
import torch
from model_fixture import tiny_tokenizer
from transformers import AutoModel

from course_utils import models, settings
from course_utils.models import embedding as layer
from course_utils.recipe import embedding, embedding_report, pairs, training
from course_utils.recipe import split as parts
from course_utils.settings import ROOT, CourseError

TEXTS = ["a", "The shop opens at nine.", "", "Delivery takes four days and costs five euros.", "zebra " * 60]
TRAIN = """
import sys
sys.path.insert(0, "tests")
import test_embedding
test_embedding.train_short(sys.argv[1])
"""


def train_short(folder, steps=60, broken=None, save_every_s=0.2, report=str):
    """Train the tiny encoder on short pairs, broken off at a step if one is named. Returns its curve and weights."""
    torch.set_num_threads(1)
    short = {kind: pairs.KINDS[kind] for kind in ("use", "product")}
    model = embedding.new_encoder(262, "tiny")

    def made(part, seed, tokenizer, first, size, make):
        for index in range(first, 10**6):
            if index == broken:
                raise KeyboardInterrupt
            yield index, make(part, seed, index, tokenizer, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "KINDS", short)
        options = {"size": 16, "save_every_s": save_every_s, "made": made, "report": report}
        curve = embedding.train(model, tiny_tokenizer(), folder, 16 * steps, **options)
    return curve, torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.fixture(scope="module")
def embedder():
    torch.manual_seed(0)
    model = embedding.new_encoder(262, "tiny")
    with torch.no_grad():  # large weights make each mistake visible
        for parameter in model.parameters():
            parameter.mul_(5.0 if parameter.ndim == 2 else 1.0)
    return layer.Embedder(model, tiny_tokenizer())


def alone(embedder, texts):
    return numpy.concatenate([embedder.encode([text]) for text in texts])


def test_vectors_have_length_one_and_the_shape_that_is_promised(embedder):
    vectors = embedder.encode(TEXTS)
    assert vectors.shape == (5, 32) and vectors.dtype == numpy.float32
    assert numpy.allclose(numpy.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert embedder.encode([]).shape == (0, 32)


def test_a_vector_depends_on_its_text_alone(embedder):
    rng, expected = random.Random(0), alone(embedder, TEXTS)
    for _ in range(20):
        order = [rng.randrange(len(TEXTS)) for _ in range(rng.randint(1, 9))]
        found = embedder.encode([TEXTS[i] for i in order])
        assert numpy.allclose(found, expected[order], atol=2e-5)
    assert numpy.array_equal(embedder.encode(TEXTS), embedder.encode(TEXTS))
    same = embedder.encode(["x", "yy", "x"])
    assert numpy.array_equal(same[0], same[2])


@pytest.mark.parametrize("batch_tokens", [1, 30, 100_000])
def test_the_size_of_a_batch_changes_nothing(embedder, batch_tokens):
    ids = [embedder.ids(text) for text in TEXTS]
    with torch.no_grad():
        found = layer.embed_ids(embedder.model, ids, batch_tokens).numpy()
    assert numpy.allclose(found, alone(embedder, TEXTS), atol=2e-5)


def _mean_of_all(hidden_BTC, mask_BT):
    return torch.nn.functional.normalize(hidden_BTC.mean(1), dim=-1)


def _last_place(hidden_BTC, mask_BT):
    return torch.nn.functional.normalize(hidden_BTC[:, -1], dim=-1)


def test_pooling_ignores_padding_and_planted_mistakes_are_found(embedder, monkeypatch):
    hidden_BTC, mask_BT = torch.randn(2, 4, 3), torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]])
    pooled = layer.mean_pool(hidden_BTC, mask_BT)
    assert torch.allclose(pooled[0], torch.nn.functional.normalize(hidden_BTC[0, :2].mean(0), dim=0), atol=1e-6)
    changed = hidden_BTC.clone()
    changed[0, 2:] = 1e4
    assert torch.equal(layer.mean_pool(changed, mask_BT), pooled)
    expected = alone(embedder, TEXTS)
    for mistake in (_mean_of_all, _last_place):
        monkeypatch.setattr(layer, "mean_pool", mistake)
        assert not numpy.allclose(embedder.encode(TEXTS), alone(embedder, TEXTS), atol=1e-2), mistake.__name__
    monkeypatch.undo()
    assert numpy.allclose(embedder.encode(TEXTS), expected, atol=2e-5)


def test_of_a_long_text_the_first_512_tokens_count(embedder):
    rng = random.Random(1)
    start = "".join(rng.choice("abcdefgh") for _ in range(layer.LIMIT))
    one, two, shorter = embedder.encode([start, start + " something else" * 20_000, start[:-50]])
    assert numpy.allclose(one, two, atol=2e-5) and not numpy.allclose(one, shorter, atol=1e-3)


@pytest.mark.parametrize("text", ["", " ", "\n", "\x00", "\ud800 broken", "<|endoftext|>", "é" * 3000, "😀"])
def test_odd_texts_give_ordinary_vectors(embedder, text):
    vectors = embedder.encode([text, "plain"])
    assert numpy.isfinite(vectors).all() and abs(numpy.linalg.norm(vectors[0]) - 1) < 1e-5


@pytest.mark.parametrize("wrong", ["one text", [1], [None], ["a", b"b"]])
def test_what_is_no_list_of_texts_is_refused(embedder, wrong):
    with pytest.raises(CourseError, match="list of str") as error:
        embedder.encode(wrong)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_a_saved_encoder_is_a_plain_folder_in_bf16_and_loads_verified(embedder, tmp_path, monkeypatch):
    folder = tmp_path / "models" / "embed"
    folder.parent.mkdir()
    embedding.save_encoder(embedder.model, tiny_tokenizer(), folder)
    assert {p.dtype for p in AutoModel.from_pretrained(folder).parameters()} == {torch.bfloat16}
    given = models.load_embedder(folder=folder)
    assert next(given.model.parameters()).dtype == torch.float32 and not given.model.training
    assert numpy.sum(given.encode(TEXTS) * embedder.encode(TEXTS), axis=1).min() > 0.99

    manifest = tmp_path / "MANIFEST.json"
    listed = {f"models/embed/{path.name}": settings.sha256_of(path) for path in folder.iterdir()}
    manifest.write_text(settings.json.dumps(listed))
    monkeypatch.setattr(settings, "MODELS", tmp_path / "models")
    monkeypatch.setattr(settings, "MANIFEST", manifest)
    for profile in ("bundled", "laptop", "auto", None):
        assert numpy.array_equal(models.load_embedder(profile).encode(TEXTS), given.encode(TEXTS))
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-9] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    with pytest.raises(CourseError, match="altered .*git checkout"):
        models.load_embedder()
    (folder / "model.safetensors").write_bytes(data[:-5])
    with pytest.raises(CourseError, match="half-downloaded"):
        models.load_embedder(folder=folder)


def test_same_seed_same_pairs_and_another_seed_others():
    def draw(seed):
        rng = random.Random(seed)
        return [pairs.pair(rng) for _ in range(60)]

    assert draw(1) == draw(1) != draw(2)
    one, two = (embedding.batch("train", 1, 3, tiny_tokenizer(), 8) for _ in range(2))
    assert one[:2] == two[:2] and (one[2] == two[2]).all()


@pytest.mark.parametrize("kind", pairs.KINDS)
def test_the_first_text_answers_and_the_near_ones_do_not(kind):
    for part in ("train", "heldout"):
        rng = random.Random(part)
        for _ in range(60):
            hard = rng.choice((0, 2, 5))
            found = pairs.pair(rng, part, kind, hard)
            told = [found["topic"] in topics for _, topics in found["texts"]]
            assert told == [True] + [False] * (len(told) - 1) and len(told) <= hard + 1, found
            texts = [found["query"], *(text for text, _ in found["texts"])]
            assert all(text.strip() and not set("{}<>[]") & set(text) for text in texts), found
            assert found["query"] not in texts[1:] or kind == "same_fact", found


def test_held_out_rules_and_questions_never_reach_training():
    rng, rules = random.Random(4), parts.load("pairs")["rules"]
    train, aside = (
        {pairs.pair(rng, part, "house_situation")["topic"] for _ in range(400)} for part in ("train", "heldout")
    )
    assert len(rules) >= 60 and not train & aside and len(aside) >= 8
    texts = [text for _ in range(200) for text in pairs.pair(rng, "train", "house_rule")["texts"]]
    assert not {topic for _, topics in texts for topic in topics} & aside
    for kind in ("shop_rule", "shop_situation", "same_question", "need"):
        train, aside = ({pairs.pair(rng, part, kind)["query"] for _ in range(500)} for part in ("train", "heldout"))
        assert not train & aside and len(aside) >= 5, kind


def test_a_text_that_answers_too_is_neither_right_nor_wrong():
    queries, texts, also = embedding.batch("train", 1, 0, tiny_tokenizer(), 48)
    assert also.shape == (48, len(texts)) and len(queries) == 48 and also.any() and not also.diagonal().any()
    unit = torch.eye(2)
    texts_TC, free = torch.cat([unit, unit[:1]]), torch.zeros(2, 3, dtype=bool)
    masked = torch.tensor([[False, False, True], [False, False, False]])
    clash, clear = embedding.contrastive_nats(unit, texts_TC, free), embedding.contrastive_nats(unit, texts_TC, masked)
    assert clear < 0.01 < 0.3 < clash


def test_recall_of_a_perfect_encoder_is_one_and_of_a_constant_one_is_chance():
    cases = embedding_report.cases_of(4)
    right = {(case["query"], case["texts"][0][0]) for its in cases.values() for case in its}
    scored = {
        "perfect": lambda queries, texts: [[float((query, text) in right) for text in texts] for query in queries],
        "constant": lambda queries, texts: [[0.0] * len(texts) for _ in queries],
    }
    rows, found = embedding_report.evaluate(cases, scored, report=lambda line: None)
    perfect = [row for row in rows if row["skill"].startswith("perfect")]
    assert len(perfect) == 8 and all(row["value"] == row["low"] == row["high"] == 1.0 for row in perfect)
    constant = [row for row in rows if row["skill"].startswith("constant") and "recall@1 " in row["skill"] + " "]
    assert constant and all(row["value"] == 0.0 and row["floor"] > 0 for row in constant)
    assert [rank for _, rank in found["perfect"]] == [1.0] * 4 * len(pairs.KINDS)


def test_a_question_is_literal_where_half_of_its_words_stand_in_the_text():
    def style(query, text):
        return embedding_report.style({"query": query, "texts": [(text, ())]})

    assert style("What does delivery cost?", "For a delivery we charge 4 euros.") == "literal"
    assert style("How do I return a broken kettle?", "Broken goods are exchanged.") == "paraphrased"
    assert style("Will it be here in time?", "Delivery takes four days.") == "paraphrased"


def test_bm25_by_hand():
    texts = ["the red hat", "the blue hat", "the red red coat and more words", ""]
    scores = embedding_report.bm25("RED hat?", texts)
    assert scores[0] == max(scores) and scores[3] == 0.0 and scores[2] > scores[1] * 0.5
    weight = numpy.log(1 + 2.5 / 2.5)  # "red" and "hat" stand in two of four texts each
    lengths = [3, 3, 7, 0]
    part = 2.5 / (1 + 1.5 * (0.25 + 0.75 * 3 / numpy.mean(lengths)))
    assert abs(scores[0] - 2 * weight * part) < 1e-9
    assert embedding_report.bm25("nothing", texts) == [0.0] * 4


def test_the_loss_falls_and_the_same_seed_gives_the_same_weights(tmp_path):
    (curve, one), (_, two) = (train_short(tmp_path / name, 75, save_every_s=60) for name in ("one", "two"))
    losses = [point["loss_nats"] for point in curve]
    assert len(losses) == 3 and losses[-1] < losses[0] - 0.3, losses
    assert torch.equal(one, two)


def test_training_killed_and_resumed_ends_as_if_never_killed(tmp_path):
    whole, folder, lines = train_short(tmp_path / "whole")[1], tmp_path / "killed", []
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    process = subprocess.Popen([sys.executable, "-c", TRAIN, str(folder)], cwd=ROOT, env=environment)
    deadline = time.time() + 60
    while time.time() < deadline and process.poll() is None and not list(folder.glob("step-*.pt")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    for step in (30, 31, 50):
        with pytest.raises(KeyboardInterrupt):
            train_short(folder, broken=step, report=lines.append)
    assert torch.equal(train_short(folder, report=lines.append)[1], whole)
    assert sum("resumed at step" in line for line in lines) == 4
    lines.clear()
    assert torch.equal(train_short(folder, report=lines.append)[1], whole) and lines == ["resumed at step 60"]


def test_the_recipe_makes_a_measured_model_once(tmp_path, monkeypatch):
    with pytest.raises(CourseError, match="tokenizer"):
        embedding.train_embed(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path / "tokenizer")
    (tmp_path / "tokenizer" / "done").write_text("")
    cases = {"use": [pairs.pair(random.Random(seed), kind="use") for seed in range(40)]}
    monkeypatch.setattr(embedding_report, "cases_of", lambda n, seed: cases)
    lines = []
    folder = embedding.train_embed(tmp_path, 64, size="tiny", report=lines.append)
    facts = settings.json.loads((folder / "facts.json").read_text())
    assert facts["stage"] == "embed" and facts["curve"] and facts["parameters"] < 100_000
    measured = {row["skill"] for row in facts["skills"]}
    assert measured >= {f"{name} literal MRR" for name in ("embed", "BM25", "untrained")}
    lines.clear()
    assert embedding.train_embed(tmp_path, 64, size="tiny", report=lines.append) == folder and not lines


def test_the_small_encoder_has_two_to_three_million_parameters():
    count = sum(p.numel() for p in embedding.new_encoder(4096).parameters())
    assert 2_000_000 <= count <= 3_000_000
    with pytest.raises(CourseError, match="choose one of tiny, small"):
        embedding.new_encoder(4096, "huge")
    assert training.rate_at(0.0, 0.03) < 0.1
