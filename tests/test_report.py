"""The skill report and the model's card: rows of both parts, floors, limits of replies, picture and table."""

import json
import random
import re

import pytest
from PIL import Image

from course_utils.models import Reply
from course_utils.recipe import cards, mix, problems, report, split
from course_utils.settings import CourseError
from test_evaluate import call


@pytest.fixture
def right(monkeypatch):
    """Replace the model by one that gives the right reply to every prompt; returns the limits it was given."""
    known, limits = {}, []
    draws = {name: getattr(report, name) for name in ("examples_of", "problems_of")}

    def remember(name):
        def draw(*options):
            examples = draws[name](*options)
            known.update({json.dumps(e["messages"][:-1]): e["messages"][-1]["content"] for e in examples})
            return examples

        return draw

    def reply_all(model, tokenizer, prompts, max_new_tokens):
        limits.append(max_new_tokens)
        return [Reply(known[json.dumps(prompt)], [], "stop") for prompt in prompts]

    for name in draws:
        monkeypatch.setattr(report, name, remember(name))
    monkeypatch.setattr(report, "chat_batch", reply_all)
    monkeypatch.setattr(report, "score_forced", lambda model, tokenizer, start, examples: [1.0] * len(examples))
    return limits


def test_every_skill_has_a_meaning_and_a_limit():
    assert set(report.meanings()) == set(mix.SHARES) == set(report.REPLY_TOKENS)
    assert all(text and not text.endswith(".") for _, text in report.meanings().values())


def test_the_right_replies_get_the_best_score_in_every_row(right):
    lines = []
    rows = report.skill_table(None, None, n=3, report=lines.append)
    labels = list(dict.fromkeys(row["skill"] for row in rows))
    kinds = [label for label in labels if ", " in label]
    assert labels[: len(mix.SHARES)] == list(mix.SHARES) and len(kinds) == 3 * 6 + 2 + 3 + 6 * len(report.CONTROLS)
    assert len(rows) == 2 * len(labels) == 2 * len(lines)
    assert {row["part"] for row in rows} == {"train", "heldout"} and {row["n"] for row in rows} == {3}
    assert all(row["value"] == 1.0 for row in rows if row["skill"] != "staff")  # staff is rude on purpose
    assert all(0 <= row["low"] <= row["value"] <= row["high"] <= 1 for row in rows)
    assert all(row["low"] < 0.9 for row in rows if row["skill"] != "staff")  # three right replies prove little
    assert set(right) <= set(report.REPLY_TOKENS.values())


def test_a_wrong_model_scores_0(monkeypatch):
    wrong = Reply("zzz", [], "stop")
    monkeypatch.setattr(report, "chat_batch", lambda model, tokenizer, prompts, **limits: [wrong for _ in prompts])
    monkeypatch.setattr(report, "score_forced", lambda model, tokenizer, start, examples: [0.0] * len(examples))
    rows = report.skill_table(None, None, n=4, skills=["cot", "extract", "tools"], report=lambda line: None)
    assert {row["value"] for row in rows} == {0.0}
    assert all(0.3 < row["high"] < 1 for row in rows)  # four wrong replies prove little


def test_the_floor_is_the_best_constant_reply():
    gold = ["7", "7", "7", "8", "9", "9"]
    examples = [{"gold": text, "messages": [{"content": "1 + 6"}, {"content": text}]} for text in gold]
    assert report.floor_of("drill", examples) == 0.5


def test_kinds_of_problems_are_what_they_say():
    for count in (1, 2, 3, 4):
        for part in report.PARTS:
            kind = f"{count} operation{'s' * (count > 1)}"
            found = report.problems_of(kind, "cot", part, 20)
            assert {example["problem"]["operations"] for example in found} == {count}
            ids = {schema["id"] for schema in problems.schemas(part)}
            assert all(example["problem"]["id"] in ids for example in found)
    for part in report.PARTS:
        found = report.problems_of("6 to 8 operations", "cot", part, 20)
        assert {6, 7} <= {example["problem"]["operations"] for example in found} <= {6, 7, 8}
        ids = {schema["id"] for schema in problems.schemas(part, long=True)}
        assert all(example["problem"]["id"] in ids for example in found)
    for example in report.problems_of("large numbers", "pal", "heldout", 30):
        asked = example["messages"][0]["content"]
        assert re.search(r"\d{5}", asked) and not re.search(r"\d{8}", asked)
    for part in report.PARTS:
        ids = [example["problem"]["id"] for example in report.problems_of("stories", "cot", part, 30)]
        assert all(name.startswith("story") and split.held_out(name) == (part == "heldout") for name in ids)
    same = [[e["problem"] for e in report.problems_of("stories", form, "heldout", 10)] for form in problems.FORMS]
    assert same[0] == same[1] == same[2]  # so that the forms can be compared problem by problem


def test_limits_leave_room_for_nearly_every_right_reply(course_tokenizer):
    for name, limit in report.REPLY_TOKENS.items():
        examples = [e for part in report.PARTS for e in report.examples_of(name, part, 100, seed=77)]
        sizes = [len(course_tokenizer.encode(e["messages"][-1]["content"], add_special_tokens=False)) for e in examples]
        assert sum(size > limit for size in sizes) <= 5, (name, max(sizes))


@pytest.fixture
def course_tokenizer():
    """A tokenizer trained as the course's own is, on a smaller sample."""
    from course_utils.recipe import tokenizer

    return tokenizer.train_tokenizer(vocabulary=4096, documents=3000)


def _rows(seed=4):
    rng, rows = random.Random(seed), []
    for label in [*mix.SHARES, "cot, 2 operations"]:
        family, metric = report.meanings()[label.split(",")[0]]
        for part in report.PARTS:
            value = round(rng.random(), 3)
            low, high = max(0.0, value - 0.07), min(1.0, value + 0.07)
            row = {"skill": label, "part": part, "family": family, "metric": metric, "n": 200}
            rows.append(row | {"value": value, "low": low, "high": high, "floor": 0.1})
    return rows


def test_the_card_shows_the_same_numbers_as_picture_words_and_table(tmp_path):
    rows = _rows()
    cards.write_card(tmp_path, {"stage": "instruct", "shares": mix.SHARES}, rows)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    alt = re.search(r"!\[(.+)\]\(skills\.png\)", card)[1]
    for row in rows:
        line = next(line for line in card.splitlines() if line.startswith(f"| {row['skill']} |"))
        assert f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}] | 0.100" in line and row["metric"] in line
        if row["part"] == "heldout":
            assert (f" {row['skill']} {row['value']:.2f}" in alt) == ("," not in row["skill"])
    above = sum(row["low"] > 0.1 for row in rows if row["part"] == "heldout" and "," not in row["skill"])
    assert f"{above} of {len(mix.SHARES)} skills" in alt
    with Image.open(tmp_path / "skills.png") as picture:
        assert 700 < picture.width <= 800 and picture.height < 1000
    assert (tmp_path / "skills.png").stat().st_size < 100_000


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "give a FILE.jsonl and its --method, or --skills"),
        (["x.jsonl"], "--method direct or cot or pal"),
        (["x.jsonl", "--skills"], "leave out FILE.jsonl"),
        (["--skills", "--method", "cot"], "leave out FILE.jsonl"),
        (["x.jsonl", "--method", "cot", "--n", "5"], "--n belongs to --skills"),
    ],
)
def test_a_file_or_skills_but_not_both(given, message):
    with pytest.raises(CourseError, match=re.escape(message)):
        call(*given)


def test_the_command_prints_lines_or_one_json_object(monkeypatch, capsys):
    asked = []

    def table(model, tokenizer, n, report):
        asked.append((model, n))
        report("pal  n=3 train 0.5")
        return [{"skill": "pal", "value": 0.5}]

    monkeypatch.setattr("course_utils.models.loading.load", lambda profile, which: (which, None))
    monkeypatch.setattr("course_utils.commands.recipe.skill_table", table)
    assert call("--skills", "--model", "base") == 0
    assert capsys.readouterr().out == "pal  n=3 train 0.5\n"
    assert call("--skills", "--n", 3, "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"model": "instruct", "skills": [{"skill": "pal", "value": 0.5}]}
    assert "pal" in shown.err and asked == [("base", 200), ("instruct", 3)]


def test_of_a_forced_beginning_the_first_number_counts(monkeypatch):
    seen, texts = [], iter([" 12. Then 5 more.", " about 7, not 8", " many", " 1,200"])

    def generate(model, tokenizer, prompts, max_new_tokens):
        seen.extend(prompts)
        return [Reply(next(texts), [], "stop") for _ in prompts]

    monkeypatch.setattr(report, "encode", lambda tokenizer, text: list(text))
    monkeypatch.setattr(report, "encode_chat", lambda tokenizer, messages: [messages[-1]["content"]])
    monkeypatch.setattr(report, "generate_batch", generate)
    examples = [{"gold": gold, "messages": [{"content": "asked"}, {}]} for gold in ("12", "8", "3", "1200")]
    assert report.score_forced(None, None, "The", examples) == [1.0, 0.0, 0.0, 1.0]
    assert seen == [["asked", "T", "h", "e"]] * 4
