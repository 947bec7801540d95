"""Tree search against a slow and plain version on random puzzles, its promises one by one, and planted mistakes."""

import inspect
import random
import types

import pytest

from course_utils import chains
from course_utils.chains import trees


def puzzle(seed):
    """A random graph of small numbers: the next states of each, and a value of each (with many ties)."""
    rng = random.Random(seed)
    following = {state: [rng.randrange(30) for _ in range(rng.choice((0, 1, 2, 3, 5)))] for state in range(30)}
    values = {state: rng.choice((0, 1, 2)) for state in range(30)}
    return following, values


def plain_search(start, following, values, width, depth):
    """One problem, written the long way: for each level the list of (state, value, kept)."""
    level, levels = [start], []
    for _ in range(depth):
        found = []
        for state in level:
            for new in following[state]:
                if new not in found:
                    found.append(new)
        left, kept = list(found), []
        while left and len(kept) < width:
            best = left[0]
            for state in left:
                if values[state] > values[best]:
                    best = state
            left.remove(best)
            kept.append(best)
        levels.append([(state, values[state], state in kept) for state in found])
        level = [state for state in found if state in kept]
    return levels


def disagreements(module, cases=200):
    """The random cases in which a module's search differs from the plain one; several problems share a search."""
    wrong = []
    for seed in range(cases):
        following, values = puzzle(seed)
        rng = random.Random(-seed)
        width, depth, starts = rng.randint(1, 4), rng.randint(1, 4), [rng.randrange(30) for _ in range(rng.randint(0, 5))]
        try:
            found = module.search(
                starts, lambda some: [following[one] for one in some], lambda some: [values[one] for one in some], width, depth
            )
            got = [[[(node.state, node.value, node.kept) for node in level] for level in tree.levels[1:]] for tree in found]
            visited = [tree.visited for tree in found]
        except Exception as error:  # a planted mistake may also stop the search
            got, visited = repr(error), None
        expected = [plain_search(start, following, values, width, depth) for start in starts]
        if got != expected or visited != [sum(map(len, levels)) for levels in expected]:
            wrong.append(seed)
    return wrong


def test_search_equals_the_plain_version_on_200_random_puzzles():
    assert disagreements(trees) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("-scores[place]", "scores[place]"),  # keeps the worst
        ("-scores[place]", "(-scores[place], -place)"),  # the last among equal values
        ("[:width]", "[: width + 1]"),
        ("range(depth)", "range(depth - 1)"),
        ("if node.kept]", "]"),  # dropped states go on
        ("unique.setdefault(key(state) if key else state, (state, parent))", "unique[len(unique)] = state, parent"),
        ("in self.levels[1:]", "in self.levels"),  # the start is counted
        ("scores = [next(values) for _ in group]", "scores = [0 for _ in group]"),  # nobody is asked
    ],
)
def test_planted_mistakes_are_found(right, wrong):
    source = inspect.getsource(trees)
    assert source.count(right) == 1
    planted = types.ModuleType("planted")
    exec(compile(source.replace(right, wrong), "planted", "exec"), planted.__dict__)
    assert disagreements(planted, cases=60)


def count_up(states):
    return [[state + 1, state * 2] for state in states]


def near_ten(states):
    return [-abs(10 - state) for state in states]


def test_a_small_tree_by_hand():
    [tree] = trees.search([3], count_up, near_ten, width=1, depth=2)
    assert [[(node.state, node.kept) for node in level] for level in tree.levels] == [
        [(3, True)], [(4, False), (6, True)], [(7, False), (12, True)],
    ]  # fmt: skip
    assert tree.visited == 4 and tree.best() == 12
    assert tree.path(2, 0) == [3, 6, 7] and tree.path(0, 0) == [3]
    start = tree.levels[0][0]
    assert start.value is None and start.parent is None


def test_one_call_for_each_level_serves_all_problems():
    calls = []

    def propose(states):
        calls.append(("propose", list(states)))
        return count_up(states)

    def value(states):
        calls.append(("value", list(states)))
        return near_ten(states)

    trees.search([3, 8], propose, value, width=2, depth=2)
    assert [name for name, _ in calls] == ["propose", "value"] * 2
    assert calls[0][1] == [3, 8] and calls[1][1] == [4, 6, 9, 16]


def test_problems_do_not_share_their_places():
    """A problem's beam is as wide as when it is searched alone, and equal states of two problems are both kept."""
    together = trees.search([3, 3, 8], count_up, near_ten, width=2, depth=3)
    alone = [trees.search([start], count_up, near_ten, width=2, depth=3)[0] for start in (3, 3, 8)]
    assert together == alone


def test_a_key_says_which_states_are_equal():
    """The first proposed stays, with its own parent."""
    starts = [("", 1)]

    def propose(states):
        return [[(text + "a", number + 1), (text + "b", number + 1)] for text, number in states]

    [tree] = trees.search(starts, propose, lambda states: [0] * len(states), width=9, depth=2, key=lambda state: state[1])
    assert [[node.state for node in level] for level in tree.levels] == [[("", 1)], [("a", 2)], [("aa", 3)]]


def test_a_search_that_dies_out_has_empty_levels_and_calls_nobody():
    calls = []

    def propose(states):
        calls.append(len(states))
        return [[] for _ in states]

    [tree] = trees.search([1], propose, near_ten, width=2, depth=3)
    assert [len(level) for level in tree.levels] == [1, 0, 0, 0] and calls == [1]
    assert tree.visited == 0 and tree.best() is None
    assert trees.search([], propose, near_ten, width=2, depth=3) == []


@pytest.mark.parametrize(("width", "depth"), [(0, 1), (1, 0), (-1, 2)])
def test_a_width_or_depth_below_one_is_refused(width, depth):
    with pytest.raises(ValueError, match="at least 1"):
        trees.search([1], count_up, near_ten, width, depth)


def test_a_missing_answer_is_named():
    with pytest.raises(ValueError, match="propose gave 1 answers for 2 states"):
        trees.search([1, 2], lambda states: [[3]], near_ten, width=1, depth=1)
    with pytest.raises(ValueError, match="value gave 3 answers for 2 states"):
        trees.search([1], lambda states: [[3, 4]], lambda states: [0, 0, 0], width=1, depth=1)


def test_a_drawn_tree_has_a_box_for_each_state_and_a_line_to_each_parent():
    following, values = puzzle(3)
    tree = trees.search([0], lambda states: [following[one] for one in states], lambda states: [values[one] for one in states], 2, 3)[0]
    figure = chains.draw_tree(tree, str, won=lambda state: state == 0)
    axes = figure.axes[0]
    assert len(axes.texts) == tree.visited + 1 == len(axes.lines) + 1 and f"{tree.visited} states" in axes.get_title(loc="left")
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["3 steps", "2 steps", "1 step", "start"]
    empty = trees.search([0], lambda states: [[] for _ in states], lambda states: [], 2, 2)[0]
    assert len(chains.draw_tree(empty, str).axes[0].texts) == 1
