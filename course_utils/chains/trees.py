"""Tree search over states: one function proposes the next states, another one values them. No model is needed here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Node:
    """One visited state, kept or dropped. `parent` is a place in the level above. The start has no parent, no value."""

    state: object
    value: float | None
    parent: int | None
    kept: bool


@dataclass
class Tree:
    """What a search saw of one problem: levels[0] holds the start alone, levels[d] every state after d steps."""

    levels: list[list[Node]]

    @property
    def visited(self):
        """How many states were valued. The start does not count; equal states of one level count once."""
        return sum(len(level) for level in self.levels[1:])

    def best(self):
        """The state of the largest value in the last level (the first among equals), or None where nothing was left."""
        last = self.levels[-1] if self.visited else []
        return max(last, key=lambda node: node.value).state if last else None

    def path(self, depth, place):
        """The states from the start to levels[depth][place]."""
        states = []
        while depth >= 0:
            node = self.levels[depth][place]
            states.append(node.state)
            depth, place = depth - 1, node.parent
        return states[::-1]


def search(starts, propose, value, width, depth, key=None):
    """Search one tree for each start, breadth first: of every level only the `width` best states go on.

    `propose(states)` returns a list of next states for each state, `value(states)` a number for each, larger is better.
    Both see the states of all problems at once, so a model can answer them in one batch; neither is called with none.
    Within a problem's level, states of equal `key(state)` (default: the state itself) count once: the first proposed
    stays. It also comes first among equal values.
    Returns a list of Trees; each has depth + 1 levels, the last ones empty where nothing was proposed any more.
    Errors:  ValueError for a width or depth below 1, or where propose or value does not answer once for each state
    Source:  Yao et al. 2023, arXiv:2305.10601 (the breadth-first search)
    """
    if width < 1 or depth < 1:
        raise ValueError(f"A search needs a width and a depth of at least 1, not {width} and {depth}.")
    trees = [Tree([[Node(start, None, None, True)]]) for start in starts]
    for _ in range(depth):
        beams = [[(place, node.state) for place, node in enumerate(tree.levels[-1]) if node.kept] for tree in trees]
        proposed = iter(_answers("propose", propose, [state for beam in beams for _, state in beam]))
        groups = [_first_of_each([(new, place) for place, _ in beam for new in next(proposed)], key) for beam in beams]
        values = iter(_answers("value", value, [state for group in groups for state, _ in group]))
        for tree, group in zip(trees, groups):
            scores = [next(values) for _ in group]
            best = sorted(range(len(group)), key=lambda place: -scores[place])[:width]
            tree.levels.append(
                [Node(state, scores[i], parent, i in best) for i, (state, parent) in enumerate(group)]
            )
    return trees


def _answers(name, function, states):
    answers = list(function(states)) if states else []
    if len(answers) != len(states):
        raise ValueError(f"{name} gave {len(answers)} answers for {len(states)} states: it must give one for each.")
    return answers


def _first_of_each(found, key):
    """(state, parent) pairs without later ones of equal key, in their order."""
    unique = {}
    for state, parent in found:
        unique.setdefault(key(state) if key else state, (state, parent))
    return list(unique.values())
