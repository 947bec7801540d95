"""A question about a small database becomes one SELECT statement; sometimes its rows become a sentence."""

import json

from course_utils.recipe import people, world
from course_utils.recipe import split as parts
from course_utils.recipe.skills import _sql_tables as base
from course_utils.recipe.skills import _toolbox as box
from course_utils.recipe.skills._echo import repeats

SKILL = "sql"
SIGNS = {
    "equal": "=",
    "other": "<>",
    "above": ">",
    "below": "<",
    "least": ">=",
    "most": "<=",
    "after": ">",
    "before": "<",
    "since": ">=",
    "day": "=",
}
WAYS = {
    "text": ("equal", "equal", "equal", "other", "starts"),
    "num": ("above", "above", "below", "below", "least", "most", "between", "equal"),
    "date": ("after", "before", "since", "day", "between"),
}


def _quote(value):
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _column(rng, table, sort, skip=()):
    """A column that a question can be about, or None."""
    columns = [column for column in table["columns"] if column["role"] != "id" and column["name"] not in skip]
    if sort == "text":
        columns = [column for column in columns if column is not table["label"]]
    if sort == "order":
        columns = [column for column in columns if column["sort"] != "text"]
    elif sort != "any":
        columns = [column for column in columns if column["sort"] == sort]
    return rng.choice(columns) if columns else None


def _values(table, column):
    at = table["columns"].index(column)
    return [row[at] for row in table["rows"]]


def _filter(rng, table, split, prefix="", skip=()):
    """A condition in words and in SQL, and the column it is about; at least one row fits."""
    columns = [c for c in table["columns"] if c["role"] != "id" and c is not table["label"] and c["name"] not in skip]
    if not columns:
        return None
    column, data = rng.choice(columns), parts.load("sql")
    way, values = rng.choice(WAYS[column["sort"]]), _values(table, column)
    value, name = rng.choice(values), prefix + column["name"]
    way = "equal" if way == "other" and values.count(value) == len(values) else way
    if way in ("above", "below", "after", "before"):
        value = sorted(values)[rng.randrange(1, len(values) - 1)]
    wording = parts.pick(rng, data["filters"][way], split)
    if way == "equal" and column["phrases"] and rng.random() < 0.7:
        wording = rng.choice(column["phrases"])
    if way in data["days"] and column["phrases"] and rng.random() < 0.6:
        wording = rng.choice(column["phrases"]).replace("{d}", data["days"][way])
    wording = wording.replace("a {c}", world.article(column["word"])).replace("{c}", column["word"])
    if way == "between":
        low, high = sorted(rng.sample(values, 2))
        shown = wording.replace("{v}", str(low)).replace("{w}", str(high))
        return shown, f"{name} BETWEEN {_quote(low)} AND {_quote(high)}", column["name"]
    if way == "starts":
        value = value[: rng.choice((1, 1, 2))].rstrip()
        return wording.replace("{v}", value), f"{name} LIKE {_quote(value + '%')}", column["name"]
    return wording.replace("{v}", str(value)), f"{name} {SIGNS[way]} {_quote(value)}", column["name"]


def _label_words(table):
    word = "id" if table["label"]["role"] == "id" else "name"
    return word, word + "s"


def _link_slots(rng, tables, table, split):
    """Slots about a linked table, or None where there is none."""
    if not table["links"]:
        return None
    key = rng.choice(list(table["links"]))
    parent = next(other for other in tables if other["key"] == key)
    column, chosen = _column(rng, parent, "any"), rng.choice(table["rows"])
    own = chosen[len(table["columns"]) + list(table["links"]).index(key)]
    row = next(row for row in parent["rows"] if row[0] == own)
    name = row[parent["columns"].index(parent["label"])]
    # The condition must hold for a row that is linked, so the filter looks at linked rows only.
    linked = {one[len(table["columns"]) + list(table["links"]).index(key)] for one in table["rows"]}
    kept = parent | {"rows": [one for one in parent["rows"] if one[0] in linked]}
    found = _filter(rng, kept, split, parent["name"] + ".") if len(kept["rows"]) > 2 else None
    return {
        "P": parent["one"],
        "Ps": parent["many"],
        "pv": name,
        "pw": _quote(name),
        "pc": column["word"],
        "PC": column["name"],
        "pl": _label_words(parent)[0],
        "PL": parent["label"]["name"],
        "PT": parent["name"],
        "PI": parent["columns"][0]["name"],
        "K": table["links"][key],
        "PF": found and found[0],
        "pf": found and found[1],
        "id": chosen[0],
        "i": _quote(chosen[0]),
    }


def _slots(rng, tables, table, kind, split):
    """Everything the wordings and the SQL of a kind may need; None where the table lacks it."""
    row, (word, words) = rng.choice(table["rows"]), _label_words(table)
    slots = {"one": table["one"], "many": table["many"], "T": table["name"], "l": word, "ls": words}
    slots |= {"L": table["label"]["name"], "I": table["columns"][0]["name"], "id": row[0], "i": _quote(row[0])}
    slots |= {"n": rng.randint(2, 5) if "LIMIT" in kind["sql"] else rng.randint(1, 3)}
    skip = []
    for low, high in (("c", "C"), ("e", "E")):
        if low in kind:
            column = _column(rng, table, kind[low], skip)
            if column is None:
                return None
            skip.append(column["name"])
            slots |= {low: column["word"], high: column["name"], low + "role": column["role"]}
    for low, high in (("f", "F"), ("g", "G")):
        if "{" + low + "}" in kind["sql"]:
            found = _filter(rng, table, split, skip=skip)
            if found is None:
                return None
            slots |= {high: found[0], low: found[1]}
            skip.append(found[2])
    if "{PT}" in kind["sql"]:
        more = _link_slots(rng, tables, table, split)
        if more is None or ("{pf}" in kind["sql"] and not more["pf"]):
            return None
        slots |= more
    return slots


def _stored(tables):
    return [[table["create"], table["name"], table["rows"]] for table in tables]


def _question(rng, tables, split):
    """A question and its statement: (text, SQL, kind, slots)."""
    kinds, slots = parts.load("sql")["kinds"], None
    linked = [table for table in tables if table["links"]]
    while slots is None:
        table = rng.choice(linked) if linked and rng.random() < 0.7 else rng.choice(tables)
        name = rng.choice(tuple(kinds))
        if table["links"] and rng.random() < 0.45:
            name = rng.choice([kind for kind in kinds if kind.startswith("link_")])
        elif rng.random() < 0.2:
            name = rng.choice(("field", "field", "list", "count_if", "sum_if"))
        kind = kinds[name]
        slots = _slots(rng, tables, table, kind, split)
        rare = "{g}" in kind["sql"] or "HAVING" in kind["sql"]
        if slots and rare and not base.run_query(_stored(tables), box.fill(kind["sql"], slots))[0]:
            slots = None
    asks = kind["asks"]
    if name == "field" and slots["crole"] in table["asks"] and rng.random() < 0.5:
        asks = table["asks"][slots["crole"]]
    text = people.upper_first(box.fill(parts.pick(rng, asks, split), slots))
    return text, box.fill(kind["sql"], slots) + ";", kind, slots


def _as_sentence(rng, table_rows, sql, kind, slots):
    """Turns that give the rows back and answer in a sentence, with the words it must hold; None if unfit."""
    rows = base.run_query(table_rows, sql)[0]
    if "tells" not in kind or len(rows) != 1 or any(len(str(value)) > 30 or value is None for value in rows[0]):
        return None
    if any(isinstance(value, float) and round(value, 2) != value for value in rows[0]):
        return None
    data, values = parts.load("sql"), rows[0]
    found = slots | {"r": values[0], "s": values[-1]}
    told = people.upper_first(box.fill(rng.choice(kind["tells"]), found))
    plain = rng.choice((json.dumps([list(values)], ensure_ascii=False), ", ".join(map(str, values))))
    if rng.random() < 0.4:
        turns = [("tool", plain)]
    else:
        turns = [("user", rng.choice(data["rows"]).replace("{r}", plain) + rng.choice(data["then"]))]
    return turns + [("assistant", told)], [str(value) for value in values]


def _head(rng, tables, split):
    """Where instruction and tables stand: (system text or "", text before the first question)."""
    data, schema = parts.load("sql"), "\n".join(table["create"] for table in tables)
    shop = parts.pick(rng, parts.load("talk")["shops"], split)
    order = parts.pick(rng, data["systems"], split).format(shop=shop)
    schema = rng.choice(("", "", "Tables:\n", "Schema:\n", f"Database of {shop}:\n")) + schema
    way = rng.random()
    if way < 0.6:
        return f"{order}\n{schema}" if way < 0.45 else f"{schema}\n\n{order}", ""
    if way < 0.8:
        return order, schema + "\n\n"
    return "", f"{order}\n\n{schema}\n\n" if way < 0.9 else f"{schema}\n\n{order}\n"


def _page(rng, split):
    """A schema with questions as comments and their statements."""
    tables = base.draw_tables(rng, split)
    lines = [table["create"] for table in tables]
    for _ in range(rng.choice((1, 2, 3))):
        text, sql, _, _ = _question(rng, tables, split)
        lines += ["", f"-- {text}", sql]
    return "\n".join(lines)


def generate(rng, split):
    """Questions about one database; the last reply is a statement, or a sentence that tells the rows."""
    tables = base.draw_tables(rng, split)
    stored = _stored(tables)
    system, before = _head(rng, tables, split)
    turns = [("system", system)] if system else []
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        text, sql, kind, slots = _question(rng, tables, split)
        turns += [("user", before + text), ("assistant", sql)]
        before, gold = "", {"sql": sql}
        told = _as_sentence(rng, stored, sql, kind, slots) if "tells" in kind and rng.random() < 0.5 else None
        if told:
            turns, gold = turns + told[0], {"contains": told[1]}
    messages = [{"role": role, "content": content} for role, content in turns]
    plain = _page(rng, split) if rng.random() < 0.5 else ""
    return {"skill": SKILL, "messages": messages, "plain": plain, "gold": gold, "tables": stored}


def _comparable(rows, ordered):
    shown = [tuple(round(v, 6) if isinstance(v, float) else v for v in row) for row in rows]
    return shown if ordered else sorted(shown, key=repr)


def score(reply, example):
    """1.0 if the statement gives the same rows as the right one, or the sentence holds the rows' values."""
    gold = example["gold"]
    if "contains" in gold:
        text = reply.strip()
        told = not text.upper().startswith("SELECT") and not repeats(text, example)
        return float(told and all(box.holds(text, word) for word in gold["contains"]))
    mine, right = base.run_query(example["tables"], reply.strip(), gold["sql"])
    ordered = "ORDER BY" in gold["sql"]
    return float(mine is not None and _comparable(mine, ordered) == _comparable(right, ordered))
