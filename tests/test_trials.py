"""Trials on small models: their rows, the number formats, and that a stopped trial goes on where it was."""

import json
import random

import pytest

from course_utils.commands import recipe
from course_utils.recipe import building, problems, trials, training
from course_utils.settings import CourseError


def test_the_command_offers_every_preset_and_every_trial():
    assert recipe.PRESETS == tuple(training.PRESETS)
    assert recipe.TRIALS == tuple(trials.TRIALS)


@pytest.fixture
def little(monkeypatch):
    """The smallest models, not compiled, so that a trial takes seconds."""
    monkeypatch.setitem(training.PRESETS, "small", (32, 1, 1, 1, 64))
    whole = training.train
    monkeypatch.setattr(training, "train", lambda *given, **named: whole(*given, **named, compile_model=False))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return building.make_tokenizer(tmp_path_factory.mktemp("work"), vocabulary=600)


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ((38, "+", 47, 85), "15,08:85"),
        ((100, "-", 7, 93), "-7,-1,00:93"),
        ((86, "*", 7, 602), "42,60:602"),
        ((5, "+", 4, 9), "09:9"),
    ],
)
def test_carries_stand_before_the_result(case, text):
    assert trials.carries(*case) == text


def test_sums_that_are_asked_are_never_trained_on():
    rng = random.Random(0)
    trained = {trials._drawn_sum(rng, False) for _ in range(4000)}
    asked = {trials._drawn_sum(rng, True) for _ in range(500)}
    assert len(asked) > 100 and not trained & asked


def test_a_trial_writes_its_rows_and_is_resumed(little, tokenizer, tmp_path):
    options = {"say": lambda line: None, "target": tmp_path, "tokens": 3000, "n": 12}
    rows = trials.run_trial("arithmetic", tokenizer, tmp_path / "work", **options)
    assert [(row["optimizer"], row["format"]) for row in rows[:2]] == [("AdamW", "plain"), ("AdamW", "reversed")]
    assert len(rows) == 6 and all(row["low"] <= row["value"] <= row["high"] for row in rows)
    assert json.loads((tmp_path / "arithmetic.json").read_text())["rows"] == rows
    kept = tmp_path / "work" / "trial-arithmetic" / "0.json"
    kept.write_text(kept.read_text().replace('"plain"', '"kept"'))  # what was measured is not measured again
    assert trials.run_trial("arithmetic", tokenizer, tmp_path / "work", **options)[0]["format"] == "kept"


def test_direct_answers_and_chains_see_the_same_items_and_tokens(little, tokenizer, tmp_path, monkeypatch):
    seen = {}

    def fit(shards, tokenizer, folder, tokens, **options):
        _, batches = next(shards("trial", 1, tokenizer, 0, 0))
        seen[folder] = (tokens, sum(int((positions[ids != 0] == 0).sum()) for ids, _, positions in batches))
        return training.new_model("small", len(tokenizer))

    monkeypatch.setattr(trials, "fit", fit)
    options = {"say": lambda line: None, "target": tmp_path, "sizes": (20, 40), "n": 4}
    rows = trials.run_trial("crossover", tokenizer, tmp_path / "work", **options)
    assert [row["items"] for row in rows] == [20, 20, 40, 40]
    assert [documents for _, documents in seen.values()] == [20, 20, 40, 40]
    assert len({tokens for tokens, _ in seen.values()}) == 1


def test_more_schemas_are_a_superset_and_none_is_held_out(little, tokenizer, tmp_path, monkeypatch):
    seen = []

    def fit(shards, tokenizer, folder, tokens, **options):
        seen.append(set())
        whole = problems.draw
        with monkeypatch.context() as patch:
            patch.setattr(
                problems, "draw", lambda rng, schema: (seen[-1].add(schema["id"]), whole(rng, schema=schema))[1]
            )
            source = shards("trial", 1, tokenizer, 0, 0)
            for _ in range(3):
                next(source)
        return training.new_model("small", len(tokenizer))

    monkeypatch.setattr(trials, "fit", fit)
    trials.run_trial("schemas", tokenizer, tmp_path / "work", say=lambda line: None, target=tmp_path, n=4)
    aside = {schema["id"] for schema in problems.schemas("heldout")}
    assert len(seen) == 4 and not any(ids & aside for ids in seen)
    assert len(seen[0]) < len(seen[1]) < len(seen[2])


def test_only_the_weight_of_plain_text_differs_in_the_trial_of_the_loss(little, tokenizer, tmp_path, monkeypatch):
    seen = []

    def fit(shards, tokenizer, folder, tokens, **options):
        seen.append(next(shards("trial", 1, tokenizer, 0, 0))[1])
        return training.new_model("small", len(tokenizer))

    monkeypatch.setattr(trials, "fit", fit)
    trials.run_trial("loss", tokenizer, tmp_path / "work", say=lambda line: None, target=tmp_path, n=4)
    one, other = ([weights for _, weights, _ in batches] for batches in seen)
    assert all((ids == its).all() for (ids, _, _), (its, _, _) in zip(*seen))
    share = [
        sum((found > 0.999).sum() for found in weights) / sum((found > 0).sum() for found in weights)
        for weights in (one, other)
    ]
    assert share[0] > 0.1 > share[1]


def test_an_unknown_trial_is_one_sentence(tokenizer, tmp_path):
    with pytest.raises(CourseError, match="There is no trial 'speed': choose one of crossover"):
        trials.run_trial("speed", tokenizer, tmp_path)
