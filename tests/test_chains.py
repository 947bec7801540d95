"""Chains: the order of nodes, what a run records, faults of a chain, its picture; and votes."""

import pytest

from course_utils import chains
from course_utils.metrics import same_number
from course_utils.settings import CourseError


class CountingAsker:
    """Stands in for chains.Asker: ten tokens in, three out, for each prompt."""

    tokens_in = tokens_out = 0

    def __call__(self, prompts):
        self.tokens_in += 10 * len(prompts)
        self.tokens_out += 3 * len(prompts)
        return ["4"] * len(prompts)


def test_a_run_follows_names_and_functions_and_leaves_the_given_state_alone():
    nodes = {
        "read": (lambda state: {"n": state["n"] + 1}, lambda state: "read" if state["n"] < 3 else "done"),
        "done": (lambda state: {"text": "ready"}, chains.END),
    }
    given = {"n": 0, "kept": True}
    state, visits = chains.run(nodes, given)
    assert state == {"n": 3, "kept": True, "text": "ready"} and given == {"n": 0, "kept": True}
    assert [visit.node for visit in visits] == ["read", "read", "read", "done"]
    assert all(visit.seconds >= 0 and visit.tokens_in == 0 for visit in visits)
    assert chains.run({}, {"n": 1}) == ({"n": 1}, [])


def test_each_visit_carries_the_tokens_of_its_own_calls():
    ask = CountingAsker()
    nodes = {"ask": (lambda state: {"a": ask(["x", "y"])}, "code"), "code": (lambda state: {}, chains.END)}
    _, visits = chains.run(nodes, {}, ask)
    assert [(visit.tokens_in, visit.tokens_out) for visit in visits] == [(20, 6), (0, 0)]


def test_a_chain_that_never_ends_and_one_that_leads_nowhere_say_so():
    with pytest.raises(CourseError, match="not ended after 5 visits; the last node was 'a'"):
        chains.run({"a": (lambda state: {}, "a")}, {}, limit=5)
    with pytest.raises(CourseError, match="no node 'b'"):
        chains.run({"a": (lambda state: {}, "b")}, {})


def test_the_picture_shows_the_way_and_refuses_another_one():
    nodes = {
        "a": (lambda state: {}, lambda state: state["to"]),
        "b": (lambda state: {}, chains.END),
        "c": (lambda state: {}, "b"),
    }
    _, visits = chains.run(nodes, {"to": "c"})
    figure = chains.draw(nodes, visits, {"a": ("b", "c")})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert any(text.startswith("c\n0 tokens") for text in texts) and "3 of 3" in figure.axes[0].get_title(loc="left")
    with pytest.raises(CourseError, match="from 'a' to 'c'"):
        chains.draw(nodes, visits, {"a": ("b",)})
    with pytest.raises(CourseError, match="name its choices"):
        chains.draw(nodes, visits)


def test_the_majority_ignores_missing_answers_and_keeps_the_first_of_equal_ones():
    assert chains.majority(["9", None, "8", "9"]) == "9"
    assert chains.majority(["8", "9"]) == "8"
    assert chains.majority([None, None, "3"]) == "3"
    assert chains.majority([None]) is None and chains.majority([]) is None


def test_votes_of_all_samples_are_the_majority_and_of_one_sample_its_mean():
    samples, golds = [["1", "1", "2"], ["5", "6", "7"]], ["1", "6"]
    assert chains.vote_hits(samples, golds, 3, same_number) == [1.0, 0.0]
    one = chains.vote_hits(samples, golds, 1, same_number, draws=4000)
    assert one == pytest.approx([2 / 3, 1 / 3], abs=0.03)
    assert chains.vote_hits(samples, golds, 1, same_number) == chains.vote_hits(samples, golds, 1, same_number)
    with pytest.raises(ValueError, match="4 votes"):
        chains.vote_hits(samples, golds, 4, same_number)
