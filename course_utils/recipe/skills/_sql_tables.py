"""Small invented databases: tables with varied names, their rows, and queries run on them."""

import functools
import sqlite3

from course_utils.recipe import split as parts
from course_utils.recipe.skills import _toolbox as box

FORMS = (
    {"INTEGER": "INTEGER", "TEXT": "TEXT", "REAL": "REAL"},
    {"INTEGER": "INTEGER", "TEXT": "TEXT", "REAL": "REAL"},
    {"INTEGER": "INT", "TEXT": "VARCHAR(60)", "REAL": "NUMERIC"},
    {"INTEGER": "integer", "TEXT": "text", "REAL": "real"},
)
FUNCTIONS = frozenset(
    "abs avg coalesce count date ifnull iif instr length like lower max min nullif round strftime substr sum "
    "total trim upper".split()
)


def _words(text):
    return tuple(word.strip() for word in text.split(",") if word.strip())


@functools.lru_cache(maxsize=None)
def _columns(key):
    found = {}
    for role, text in parts.load("sql")["tables"][key]["columns"].items():
        kinds, words, names, phrases = (text.split("; ") + [""])[:4]
        form, kind = kinds.split(" ", 1)
        sort = "date" if kind == "date" else "text" if form == "TEXT" else "num"
        found[role] = {"role": role, "form": form, "kind": kind, "sort": sort}
        found[role] |= {"words": _words(words), "names": _words(names), "phrases": _words(phrases)}
    return found


def _parents(key):
    return parts.load("sql")["tables"][key].get("links", {})


def draw_tables(rng, split):
    """One to three tables, the first one with links to others where there is room; rows included."""
    data, count = parts.load("sql")["tables"], rng.choice((1, 1, 2, 2, 3))
    chosen = [rng.choice(tuple(data))]
    for _ in range(20):
        if len(chosen) == count:
            break
        near = [key for name in chosen for key in _parents(name).values() if key not in chosen]
        other = rng.choice(near) if near and rng.random() < 0.85 else rng.choice(tuple(data))
        if other not in chosen:
            chosen.append(other)
    tables, forms, key = [], rng.choice(FORMS), rng.random() < 0.4
    for name in chosen:
        tables.append(_table(rng, name, chosen, split, {table["name"] for table in tables}))
    for table in tables:
        _fill(rng, table, tables, split, 9 if table is tables[0] else 5)
        table["create"] = _create(table, forms, key)
    rng.shuffle(tables)
    return tables


def _table(rng, key, chosen, split, taken):
    entry = parts.load("sql")["tables"][key]
    (one, many), known = rng.choice(entry["words"]), _columns(key)
    name = parts.pick(rng, entry["names"], split)
    if key == "products" and rng.random() < 0.6:
        one, many = parts.pick(rng, parts.load("sql")["goods"], split)
        name = rng.choice((many, many, one, f"{one}_list"))
        known = known | {"title": known["title"] | {"kind": "made"}}
    if name in taken or rng.random() < 0.1:
        name = rng.choice(("shop_", "all_", "t_", "my_", "x_")) + name
    label = entry["label"]
    first = ["id"] if label == "id" else ["id", label]
    rest = [role for role in known if role not in first]
    roles = first + rng.sample(rest, min(len(rest), rng.choice((2, 3, 3, 4))))
    columns, used = [], set()
    for role in roles:
        free = [word for word in known[role]["names"] if word not in used] or [f"{role}_{len(used)}"]
        columns.append(known[role] | {"name": rng.choice(free), "word": rng.choice(known[role]["words"])})
        used.add(columns[-1]["name"])
    links = {}
    for role, parent in _parents(key).items():
        if parent in chosen:
            free = [form.format(role) for form in ("{}_id", "{}_id", "{}_no", "{}_ref", "for_{}", "its_{}")]
            links[parent] = rng.choice([word for word in free if word not in used])
            used.add(links[parent])
    if rng.random() < 0.3:
        columns[1:] = rng.sample(columns[1:], len(columns) - 1)
    table = {"key": key, "name": name, "one": one, "many": many, "columns": columns, "links": links, "rows": None}
    named = next(column for column in columns if column["role"] == label)
    return table | {"label": named, "asks": entry.get("asks", {})}


def _fill(rng, table, tables, split, count):
    """Give a table its rows: ids, labels and numbers differ, other texts come from a small pool."""
    if table["rows"] is not None:
        return
    by_key, series = {other["key"]: other for other in tables}, []
    for column in table["columns"]:
        if column["sort"] == "text" and column is not table["label"] and column["role"] != "id":
            pool = [box.value(rng, column["kind"], split) for _ in range(3)]
            series.append([rng.choice(pool) for _ in range(count)])
            continue
        values = []
        while len(values) < count:
            one = box.value(rng, column["kind"], split)
            values += [one] if one not in values else []
        series.append(values)
    for parent in table["links"]:
        _fill(rng, by_key[parent], tables, split, 5)
        ids = [row[0] for row in by_key[parent]["rows"]]
        series.append([rng.choice(ids) for _ in range(count)])
    table["rows"] = [list(row) for row in zip(*series)]


def _create(table, forms, key):
    shown = [f"{column['name']} {forms[column['form']]}" for column in table["columns"]]
    shown[0] += " PRIMARY KEY" if key else ""
    by_form = {"shipments": "TEXT", "invoices": "TEXT"}
    shown += [f"{name} {forms[by_form.get(parent, 'INTEGER')]}" for parent, name in table["links"].items()]
    return f"CREATE TABLE {table['name']} ({', '.join(shown)});"


def _allow(action, first, second, *_):
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_OK if str(second).lower() in FUNCTIONS else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ) else sqlite3.SQLITE_DENY


def run_query(stored, *queries, limit=200):
    """The rows of each query on a database in memory, None for one that is not a SELECT, fails or takes too long."""
    connection, found = sqlite3.connect(":memory:"), []
    try:
        for create, name, rows in stored:
            connection.execute(create)
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        connection.set_authorizer(_allow)
        for query in queries:
            left = iter(range(limit))
            connection.set_progress_handler(lambda left=left: next(left, None) is None, 1000)
            try:
                cursor = connection.execute(query) if query.lstrip()[:6].upper() == "SELECT" else None
                found.append(cursor.fetchmany(1000) if cursor else None)
            except (sqlite3.Error, sqlite3.Warning, ValueError):
                found.append(None)
    finally:
        connection.close()
    return found
