"""The command `evaluate`: lines, comparison, interval, all three methods."""

import argparse
import json

import pytest
from model_fixture import random_qwen3, tiny_tokenizer

from course_utils.commands import bench, evaluate
from course_utils.models import decoding, loading
from course_utils.models.decoding import Reply
from course_utils.settings import CourseError

GOOD = [{"question": "What is 9 + 9?", "answer": answer} for answer in (18, 18.0, "18", "9 + 9 = 18\n#### 18", 19)]


@pytest.fixture
def answers(monkeypatch):
    """Replace the model: every question gets this reply."""

    def make(text):
        model, tokenizer = random_qwen3(), tiny_tokenizer()
        monkeypatch.setattr(loading, "load", lambda profile, which: (model, tokenizer))
        monkeypatch.setattr(
            decoding, "generate_batch", lambda m, t, prompts, **options: [Reply(text, [], "stop") for _ in prompts]
        )

    return make


def call(*given):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    arguments = parser.parse_args([str(item) for item in given])
    evaluate.check(arguments)
    return evaluate.run(arguments)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "q.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in GOOD))
    return path


@pytest.mark.parametrize(
    ("method", "reply"),
    [("direct", "18"), ("cot", "9 + 9 = 18. The answer is 18."), ("pal", "a = 9\nprint(a + a)"),
     ("pal", "Here:\n```python\nprint(18.0)\n```\n19")],
)  # fmt: skip
def test_accuracy_and_interval(answers, file, capsys, method, reply):
    answers(reply)
    assert call(file, "--method", method, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["correct"], result["accuracy"]) == (5, 4, 0.8)
    assert result["low"] == pytest.approx(0.3755, abs=1e-4) and result["high"] == pytest.approx(0.9638, abs=1e-4)
    assert result["method"] == method and result["seconds"] >= 0


def test_table_names_every_column(answers, file, capsys):
    answers("import os")
    call(file, "--method", "pal", "--limit", 3)
    out = capsys.readouterr().out
    assert out.splitlines()[1].split() == ["n", "correct", "accuracy", "low", "high", "seconds"]
    assert out.splitlines()[2].split()[:3] == ["3", "0", "0.000"] and "3 rejected" in out


def test_broken_lines_are_named_and_the_rest_runs(answers, tmp_path, capsys):
    answers("18")
    path = tmp_path / "broken.jsonl"
    bad = [b"{not json", b"[1]", b'{"question": "x"}', b'{"answer": 1}', b'{"question": "x", "answer": null}',
           b'{"question": "x", "answer": NaN}', b'{"question": "\xff", "answer": 1}', b'{"question": " ", "answer": 1}',
           b'{"question": "\\ud800", "answer": 1}', b'{"question": "x", "answer": "?"}',
           b'{"question": "x", "answer": 1' + b"0" * 400 + b"}"]  # fmt: skip
    good = json.dumps(GOOD[0]).encode()
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join([good, *bad, b"", good]))
    assert call(path, "--method", "direct", "--json") == 0
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == [f"broken.jsonl, line {n}" for n in (2, 3, 4)]
    assert lines[3:] == ["and 8 more lines; skipped."]
    assert [number for number, _ in evaluate.read_rows(path)[1]] == list(range(2, 13))
    result = json.loads(captured.out)
    assert (result["n"], result["correct"], result["skipped"]) == (2, 2, 11)


def test_wrong_answers_are_shown_where_asked(answers, file, capsys):
    answers("19")
    call(file, "--method", "direct")
    assert "expected" not in capsys.readouterr().out
    call(file, "--method", "direct", "--wrong", 2)
    lines = capsys.readouterr().out.splitlines()[3:]
    assert lines[:2] == ["line 1: 'What is 9 + 9?'", "    expected 18, got '19'"] and len(lines) == 4
    answers("import os")
    call(file, "--method", "pal", "--wrong", 1, "--json")
    wrong = {"line": 1, "question": "What is 9 + 9?", "expected": 18, "got": "(rejected)"}
    assert json.loads(capsys.readouterr().out)["wrong"] == [wrong]


def test_a_question_too_long_is_counted_as_wrong(answers, tmp_path, capsys):
    answers("18")
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"question": "word " * 400, "answer": 18}) + "\n" + json.dumps(GOOD[0]))
    call(path, "--method", "direct", "--json")
    captured = capsys.readouterr()
    assert "line 1: longer" in captured.err and json.loads(captured.out)["correct"] == 1


def test_user_mistakes(file, tmp_path):
    with pytest.raises(CourseError, match="no file"):
        call(tmp_path / "none.jsonl", "--method", "cot")
    with pytest.raises(SystemExit):
        call(file, "--method", "guess")
    with pytest.raises(SystemExit):
        call(file, "--method", "cot", "--limit", "0")
    (tmp_path / "empty.jsonl").write_text("\n\n")
    with pytest.raises(CourseError, match="nothing to evaluate"):
        call(tmp_path / "empty.jsonl", "--method", "cot")


def test_comparison():
    assert evaluate.is_correct("It is $1,200.00.", 1200) and not evaluate.is_correct("", 0)
    assert evaluate.is_correct("The answer is yes.", "Yes") and not evaluate.is_correct("The answer is no.", "yes")
    assert not evaluate.is_correct("eyes", "yes")


def test_real_decoding_path():
    model, tokenizer = random_qwen3(), tiny_tokenizer()
    for method in evaluate.NEW_TOKENS:
        for chat in (True, False):
            result = evaluate.evaluate(model, tokenizer, GOOD[:2], method, chat)
            assert result["n"] == 2 and 0 <= result["low"] <= result["high"] <= 1


def test_bench_decode_on_a_small_case(capsys):
    arguments = argparse.Namespace(name="decode", json=True, model="random", prompts=3, tokens=4)
    assert bench.run(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["equal"] == 3 and result["tokens"] > 0 and result["gflops"] > 0
    bench.show_decode(result)
    assert "equal token lists: 3 of 3" in capsys.readouterr().out
