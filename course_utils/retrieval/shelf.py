"""All texts of the shop as one collection to search, and questions that know which of them has the answer."""

import hashlib

from course_utils import shop
from course_utils.retrieval.splitting import Chunk

PARTS = ("dev", "held-out")


def shop_chunks():
    """The handbook's sections, the products, the encyclopedia and the past dialogues as chunks, each with its "kind".

    A source is the kind and a name: "handbook/postage", "catalogue/TN-110", "dialogues/D101".
    """
    texts = {f"handbook/{row['id']}": f"{row['head']}. {row['text']}" for row in shop.handbook()}
    for row in shop.catalogue():
        head = f"{row['name']} ({row['kind']}, {row['price']:g} euros)."
        texts[f"catalogue/{row['sku']}"] = f"{head} {row['text']} {row['care']}"
    texts |= {f"encyclopedia/{row['title']}": " ".join(row["sentences"]) for row in shop.encyclopedia()}
    for row in shop.dialogues():
        texts[f"dialogues/{row['id']}"] = " ".join(turn["text"] for turn in row["turns"])
    return [Chunk(text, source, facts={"kind": source.split("/")[0]}) for source, text in texts.items()]


def part_of(source):
    """The part that a text's questions belong to, "dev" or "held-out", by a hash: all of one text together."""
    return PARTS[hashlib.sha256(source.encode("utf-8")).digest()[0] % 2]


def shop_questions():
    """Questions with one right text: [{"question", "kind", "gold", "source", "part"}].

    Kinds: "literal" and "paraphrase" (the handbook, two of each fact), "entry" (the encyclopedia, about one entry).
    """
    known = [row for row in shop.questions("handbook") if row["gold"] is not None]
    rows = [row | {"source": f"handbook/{row['section']}"} for row in known]
    for row in shop.questions("encyclopedia", "one-hop"):
        rows.append(row | {"kind": "entry", "source": f"encyclopedia/{row['facts'][0][0]}"})
    return [
        {name: row[name] for name in ("question", "kind", "gold", "source")} | {"part": part_of(row["source"])}
        for row in rows
    ]
