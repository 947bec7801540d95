"""Read files into chunks: Markdown, plain text, HTML, CSV and a table of a database. (For PDF see retrieval.pdf.)"""

import csv
import io
import re
from pathlib import Path

from course_utils.retrieval.splitting import Chunk
from course_utils.settings import CourseError
from course_utils.shop import slug

LIMIT_MB = 20
ROWS = 100_000  # of a table
BLOCKS = (  # a word does not run on from one of these into the next
    "address article aside blockquote br dd div dl dt figcaption footer h1 h2 h3 h4 h5 h6 header hr li main nav ol "
    "p pre section table tr ul"
).split()


def load(path):
    """Read a file into chunks, one for each section (.md), page (.html, .htm, .txt) or row (.csv).

    Covers:  a mark at the start of the file (BOM), code fences in Markdown, scripts and styles in HTML, quoted cells
    Errors:  CourseError for a missing, large, empty, binary or broken file, or a kind that is not known
    Does not cover: other encodings than UTF-8; what a hostile text says (see Section 6 of Step 3)
    """
    path = Path(path)
    readers = {".md": _markdown, ".txt": _text, ".html": _html, ".htm": _html, ".csv": _csv}
    if path.suffix.lower() not in readers:
        raise CourseError(f"{path.name} cannot be read: give a file that ends in {', '.join(readers)}.")
    found = [chunk for chunk in readers[path.suffix.lower()](_read(path), path.name) if chunk.text.strip()]
    if not found:
        raise CourseError(f"{path.name} holds no text: choose another file.")
    return found


def _read(path):
    try:
        if path.stat().st_size > LIMIT_MB * 2**20:
            raise CourseError(f"{path.name} has more than {LIMIT_MB} MB: split it, and choose a part.")
        raw = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path.name} cannot be opened ({error.strerror}): choose another file.") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CourseError(f"{path.name} is no UTF-8 text (byte {error.start}): save it as UTF-8.") from error
    if "\0" in text:
        raise CourseError(f"{path.name} is no text file (it holds a zero byte): choose another file.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _text(text, name):
    return [Chunk(text.strip(), name)]


def _markdown(text, name):
    """One chunk for each heading with what stands below it; a heading in a code fence is none."""
    sections, fence = [("", [])], None
    for line in text.split("\n"):
        mark = re.match(r" {0,3}(```|~~~)", line)
        if mark:
            fence = mark[1] if fence is None else None if fence == mark[1] else fence
        heading = re.fullmatch(r"#{1,6}\s+(.+?)(\s+#+)?\s*", line) if fence is None else None
        if heading:
            sections.append((heading[1], []))
        else:
            sections[-1][1].append(line)
    found, seen = [], {}
    for head, lines in sections:
        body, key = "\n".join(lines).strip(), slug(head)
        seen[key] = seen.get(key, 0) + 1
        source = f"{name}#{key}" if seen[key] == 1 else f"{name}#{key}-{seen[key]}"
        if body:
            found.append(Chunk(body, source if head else name, facts={"head": head} if head else {}))
    return found


def _html(text, name):
    """What a reader sees of a page: no script, style or template; one line for each block or row of a table."""
    from bs4 import BeautifulSoup, Comment

    page = BeautifulSoup(text, "html.parser")
    title = page.title.get_text().strip() if page.title else ""
    for hidden in page(["head", "script", "style", "template", "noscript"]):
        hidden.decompose()
    for comment in page.find_all(string=lambda part: isinstance(part, Comment)):
        comment.extract()
    for names, between in ((BLOCKS, "\n"), (["td", "th"], " ")):
        for part in page(names):
            part.insert_before(between)
            part.insert_after(between)
    lines = (" ".join(line.split()) for line in page.get_text().split("\n"))
    return [Chunk("\n".join(line for line in lines if line), name, facts={"head": title} if title else {})]


def _row_text(names, values):
    """A row as text that can be searched: "name: Vaskell Solo; price: 189"."""
    cells = [(name, str("" if value is None else value).strip()) for name, value in zip(names, values)]
    return "; ".join(f"{name}: {value}" for name, value in cells if value)


def _csv(text, name):
    rows = csv.reader(io.StringIO(text), strict=True)
    try:
        names = [cell.strip() for cell in next(rows, [])]
        if len(set(names)) < len(names) or not all(names):
            raise CourseError(f"{name}: the first line must name each column once and leave none empty.")
        found = []
        for row in rows:
            if row and len(row) != len(names):
                raise CourseError(f"{name}: line {rows.line_num} has {len(row)} cells, not {len(names)}: mend it.")
            found.append(Chunk(_row_text(names, row), f"{name} line {rows.line_num}"))
    except csv.Error as error:
        raise CourseError(f"{name}: line {rows.line_num} is no CSV ({error}): mend it.") from error
    return found


def load_table(connection, table):
    """Read a table of an SQLite database into chunks, one for each row.

    Covers:  names with any character (they are looked up, then quoted); empty cells
    Errors:  CourseError if there is no such table, or it has more than 100,000 rows
    Does not cover: secrets in the columns: choose the columns first, with a view of the database
    """
    known = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    if table not in known:
        raise CourseError(f"There is no table {table!r} in this database: choose one of {', '.join(known)}.")
    quoted = '"' + table.replace('"', '""') + '"'
    cursor = connection.execute(f"SELECT * FROM {quoted} LIMIT {ROWS + 1}")
    names, rows = [column[0] for column in cursor.description], cursor.fetchall()
    if len(rows) > ROWS:
        raise CourseError(f"The table {table} has more than {ROWS:,} rows: read a part of it with a view.")
    return [Chunk(_row_text(names, row), f"{table} row {number}") for number, row in enumerate(rows, 1)]
