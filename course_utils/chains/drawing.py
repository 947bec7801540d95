"""A picture of a chain: boxes for the nodes, arrows for what may follow, costs in the boxes that were visited."""

from course_utils import figures
from course_utils.settings import CourseError


def _edges(nodes, branches):
    """All (from, to) pairs; a node whose next one is chosen by a function needs its choices in `branches`."""
    found = []
    for name, (_, following) in nodes.items():
        if callable(following) and name not in branches:
            raise CourseError(f"What follows {name!r} is chosen by a function: name its choices in `branches`.")
        choices = branches[name] if callable(following) else (following,)
        found += [(name, other) for other in choices if other is not None]
    return found


def _columns(nodes, edges):
    """The column of each node: one to the right of the first node that leads to it."""
    columns, todo = {next(iter(nodes)): 0}, [next(iter(nodes))]
    while todo:
        name = todo.pop(0)
        for other in [other for one, other in edges if one == name and other not in columns]:
            columns[other] = columns[name] + 1
            todo.append(other)
    return columns


def draw(nodes, visits=(), branches=None):
    """Draw a chain (see graph.run). Boxes of visited nodes are filled and carry tokens and milliseconds.

    `branches` names the possible next nodes where a function chooses: {node: (names, ...)}. Returns the figure.
    Errors:  CourseError if `branches` lacks a node, or if the visits took a way that is not in the picture
    """
    edges = _edges(nodes, branches or {})
    path = [visit.node for visit in visits]
    strange = [step for step in zip(path, path[1:]) if step not in edges]
    if strange:
        raise CourseError(f"The run went from {strange[0][0]!r} to {strange[0][1]!r}, which `branches` does not name.")
    columns = _columns(nodes, edges)
    rows = {column: [name for name in columns if columns[name] == column] for column in set(columns.values())}
    places = {name: (column, -(row - (len(names) - 1) / 2)) for column, names in rows.items() for row, name in enumerate(names)}
    figure, axes = figures.new_figure("tall", title=f"{len(path)} of {len(nodes)} nodes were visited" if path else "")
    for one, other in edges:
        used = (one, other) in zip(path, path[1:])
        bend = 0.25 if columns[other] <= columns[one] else 0.0
        arrow = {"arrowstyle": "->", "color": figures.COLOURS[0] if used else "#999999", "linewidth": 2 if used else 1}
        arrow |= {"connectionstyle": f"arc3,rad={bend}", "shrinkA": 34, "shrinkB": 34}
        axes.annotate("", places[other], places[one], arrowprops=arrow)
    for name, (x, y) in places.items():
        its = [visit for visit in visits if visit.node == name]
        cost = sum(visit.tokens_in + visit.tokens_out for visit in its), 1000 * sum(visit.seconds for visit in its)
        text = f"{name}\n{cost[0]} tokens\n{cost[1]:.0f} ms" if its else name
        box = {"boxstyle": "round", "facecolor": "#D6E9F5" if its else "white", "edgecolor": "#555555"}
        axes.text(x, y, text, ha="center", va="center", fontsize=8, bbox=box)
    axes.set(xlim=(-0.5, max(columns.values()) + 0.5))
    height = max(map(len, rows.values())) / 2
    axes.set(ylim=(-height - 0.1, height + 0.1))
    axes.axis("off")
    return figure


def draw_tree(tree, text, won=lambda state: False):
    """Draw one tree of trees.search, a level for each step. Solid boxes were kept, dotted ones dropped, green ones won.

    `text(state)` stands in a box, `won(state)` says whether it is green. Returns the figure.
    """
    dropped = sum(not node.kept for level in tree.levels for node in level)
    figure, axes = figures.new_figure("tall", title=f"{tree.visited} states visited, {dropped} of them dropped")
    spots = [[(place + 1) / (len(level) + 1) for place in range(len(level))] for level in tree.levels]
    for depth, level in enumerate(tree.levels):
        for x, node in zip(spots[depth], level):
            look = {"linewidth": 1 + node.kept, "linestyle": "-" if node.kept else ":"}
            colour = figures.COLOURS[2 if won(node.state) else 0] if node.kept else "#999999"
            if depth:
                axes.plot([spots[depth - 1][node.parent], x], [1 - depth, -depth], color=colour, zorder=1, **look)
            box = {"boxstyle": "round", "facecolor": "white", "edgecolor": colour, **look}
            axes.text(x, -depth, text(node.state), ha="center", va="center", fontsize=8, bbox=box)
    last = len(tree.levels) - 1
    axes.set(xlim=(0, 1), ylim=(-last - 0.4, 0.4), xticks=[])
    axes.set_yticks(range(-last, 1), [f"{depth} step{'s' * (depth > 1)}" if depth else "start" for depth in range(last, -1, -1)])
    return figure
