"""The six memories: what stands in the next prompt; replies of a model that are garbage; the talks that measure them."""

import json
import random

import numpy as np
import pytest

from course_utils import memory
from course_utils.memory import kinds
from course_utils.metrics import stands_in
from course_utils.recipe import split
from course_utils.recipe.data_sets import remembering
from course_utils.recipe.skills import chat
from course_utils.settings import CourseError

TURNS = [(f"said {number}", f"reply {number}") for number in range(12)]
GARBAGE = ("", "   ", "null", "[]", "7", '"x"', "{", '{"name": ["Mia"]}', '{"name": {"a": 1}}', '{"name": true}', "[" * 9000)


def count(messages):
    """A stand-in for tokens: words, and two for each message."""
    return sum(len(message["content"].split()) + 2 for message in messages)


def told(mind, turns=TURNS):
    for turn in turns:
        mind.add(*turn)
    return mind


def said(mind, question="?"):
    return [message["content"] for message in mind.messages(question) if message["role"] == "user"][:-1]


def embed(texts):
    """The number at the end of a text as an angle."""
    angles = [float(text.split()[-1]) / 10 for text in texts]
    return np.array([[np.cos(angle), np.sin(angle)] for angle in angles])


def test_messages_have_system_turns_and_question_in_this_order():
    assert memory.as_messages([], "Who?") == [{"role": "user", "content": "Who?"}]
    messages = told(memory.Buffer("Be kind."), TURNS[:2]).messages("Who?")
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[0]["content"] == "Be kind." and messages[-1]["content"] == "Who?"


def test_a_buffer_keeps_all_and_a_window_the_newest():
    assert said(told(memory.Buffer())) == [text for text, _ in TURNS]
    for size in (0, 1, 4, 12, 13, 99):
        assert said(told(memory.Window(size))) == [text for text, _ in TURNS[len(TURNS) - min(size, 12) :]]
    assert said(memory.Window(3)) == []


@pytest.mark.parametrize("make", [memory.Window, lambda n: memory.TokenBudget(n, count), lambda n: memory.Vector(embed, n)])
@pytest.mark.parametrize("wrong", [-1, 1.5, "4", None, True])
def test_a_size_that_is_no_whole_number_is_refused(make, wrong):
    with pytest.raises(CourseError, match="whole number"):
        make(wrong)


def test_the_token_budget_equals_trim_messages_on_200_random_talks():
    from langchain_core.messages import convert_to_messages, trim_messages

    rng, refused = random.Random(0), 0
    for _ in range(200):
        turns = [(" ".join("w" * rng.randrange(4)), " ".join("w" * rng.randrange(4))) for _ in range(rng.choice((0, 1, 2, 5, 9)))]
        system, question = rng.choice(("", "Be kind.")), "And now?"
        whole = memory.as_messages(turns, question, system)
        budget = max(1, count(whole[rng.randrange(len(whole)) :]) + rng.choice((-1, 0, 1)))
        theirs = trim_messages(
            convert_to_messages(whole),
            max_tokens=budget,
            token_counter=lambda messages: sum(len(one.content.split()) + 2 for one in messages),
            strategy="last",
            start_on="human",
            include_system=True,
        )
        texts = [message.content for message in theirs]
        try:
            ours = told(memory.TokenBudget(budget, count, system), turns).messages(question)
        except CourseError:
            refused += 1
            assert question not in texts
        else:
            assert [message["content"] for message in ours] == texts and count(ours) <= budget
    assert 0 < refused < 100


def test_vector_memory_finds_near_turns_and_keeps_the_order_of_the_talk():
    mind = told(memory.Vector(embed, k=2, keep=2))
    assert said(mind, "about 3") == ["said 3", "said 4", "said 10", "said 11"]  # 2 is as near as 4: the newer one
    assert said(mind, "about 0") == ["said 0", "said 1", "said 10", "said 11"]
    assert said(told(memory.Vector(embed, k=0, keep=1)), "about 3") == ["said 11"]
    assert said(told(memory.Vector(embed, k=9, keep=3)), "about 3") == [text for text, _ in TURNS]
    assert said(memory.Vector(embed), "about 3") == []


def test_vector_memory_embeds_each_turn_once():
    seen = []
    mind = memory.Vector(lambda texts: seen.extend(texts) or embed(texts), k=1, keep=1)
    for turn in TURNS:
        mind.add(*turn)
        mind.messages("about 2")
    assert sorted(text for text in seen if text != "about 2") == sorted(text for text, _ in TURNS)


def test_notes_take_the_oldest_turns_and_talks_share_a_batch():
    batches = []

    def ask(wishes):
        batches.append(wishes)
        return [f"summary {len(batches)}" for _ in wishes]

    short, long = memory.remember([memory.Summary(), memory.Summary(system="Be kind.")], [TURNS[:7], TURNS], ask)
    assert [len(batch) for batch in batches] == [1, 1] and said(short) == [text for text, _ in TURNS[:7]]
    assert kinds.START in batches[0][0] and "User: said 3\nAssistant: reply 3\n" in batches[0][0]
    assert "summary 1" in batches[1][0] and "said 3" not in batches[1][0] and "said 7" in batches[1][0]
    assert said(long) == [text for text, _ in TURNS[8:]]
    assert long.messages("?")[0]["content"] == "Be kind. Summary of the talk so far: summary 2"
    assert len(memory.remember([memory.Summary()], [TURNS])[0].turns) == 12  # nobody was asked: nothing is lost


def test_an_empty_reply_leaves_the_summary_and_nothing_is_learned_unasked():
    mind = told(memory.Summary(keep=1), TURNS[:2])
    mind.learn(" The user is Mia. ")
    mind.add("a", "b")
    mind.learn("  \n")
    assert mind.summary == "The user is Mia." and len(mind.turns) == 1
    for mind in (memory.Summary(), memory.Entity()):
        with pytest.raises(CourseError, match="did not ask"):
            mind.learn("x")


def test_facts_are_copied_from_the_user_and_the_later_one_stays():
    mind = memory.Entity(keep=1)

    def hear(said, reply):
        mind.add(said, "Good.")
        while mind.pending():
            mind.learn(reply)

    hear("I am Mia from Orle, order 4711.", "")
    hear("Hello.", '{"name": "Mia", "town": "Ulm", "order_number": 4711, "shoe": "Mia"}')
    assert mind.facts == {"name": "Mia", "order_number": "4711"}  # Ulm was never said, shoe is no field
    for reply in GARBAGE:
        hear("Tom, or Thomas?", reply)
    assert mind.facts == {"name": "Mia", "order_number": "4711"}
    hear("Well.", '{"name": "Tho", "town": null}')
    hear("Call me Ann.", '{"name": ""}')
    hear("Now a story.", '{"name": "Ann"}')
    hear("y" * 50, "no")
    hear("Hm.", json.dumps({"name": "y" * 50}))
    assert mind.notes() == "Known facts about the user: The user is called Ann. The user's order number is 4711."


@pytest.mark.parametrize("make", [memory.Summary, memory.Entity])
def test_any_reply_ends_the_asking(make):
    for reply in GARBAGE:
        [mind] = memory.remember([make(keep=2)], [TURNS], lambda wishes, reply=reply: [reply] * len(wishes))
        assert len(mind.turns) == 2 and mind.messages("?")[-1]["content"] == "?"


def test_as_many_memories_as_talks():
    with pytest.raises(ValueError, match="zip"):
        memory.remember([memory.Buffer()], [TURNS, TURNS])


MAKERS = (remembering.facts, remembering.conversations, remembering.corrections, remembering.questions, remembering.rounds)


def rows_of(maker):
    [text] = maker().values()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("maker", (*MAKERS, remembering.talk_lines))
def test_the_talks_are_the_same_each_time_and_small(maker):
    first, again = maker(), maker()
    assert first == again and all(len(text.encode()) < 150_000 for text in first.values())


def test_questions_and_statements_were_set_aside():
    data = split.load("chat")
    asks = {text for fact in data["facts"].values() for text in fact["ask"] if not split.held_out(text)}
    frames = [text for text in data["np_frames"] if not split.held_out(text)]
    asks |= {frame.replace("{p}", one) for frame in frames for fact in data["facts"].values() for one in fact["np"]}
    for maker in MAKERS[:4]:
        assert not {row["question"] for row in rows_of(maker)} & asks
    for row in rows_of(remembering.facts):
        says = [text for text in data["facts"][row["kind"]]["say"] if split.held_out(text)]
        assert row["said"] in {chat._fill(text, row["gold"]) for text in says}


def test_each_value_stands_where_it_was_told_and_nowhere_else():
    pairs = [tuple(json.loads(line).values()) for line in remembering.talk_lines()["step4/small_talk.jsonl"].splitlines()]
    for maker in (remembering.conversations, remembering.corrections, remembering.questions):
        for row in rows_of(maker):
            texts = [" ".join(pairs[turn] if isinstance(turn, int) else turn) for turn in row["turns"]]
            for value in {row.get("gold"), row.get("old"), row.get("new"), *row.get("facts", ())} - {None}:
                assert sum(stands_in(value, text) for text in texts) == 1, (value, row)
    rows = rows_of(remembering.facts)
    assert len({(row["kind"], row["gold"]) for row in rows}) == len(rows) == 108
    assert all(row["kind"] == rows[(place + 9) % 108]["kind"] for place, row in enumerate(rows))


def test_the_other_words_share_none_with_the_question():
    for row in rows_of(remembering.questions):
        ask = remembering.content(row["question"])
        value = remembering.content(row["gold"])
        assert ask & remembering.content(row["same_words"]) - value
        assert not ask & remembering.content(row["other_words"]) - value
