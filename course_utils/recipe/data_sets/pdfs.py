"""Step 3, section 7: the handbook as a PDF file, and files that strangers may upload. Each is written byte by byte."""

import re
import textwrap
import zlib

from course_utils.recipe.data_sets import data_set
from course_utils.recipe.data_sets import world as own_shop

ON_A_PAGE = 3  # sections of the handbook
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
PICTURE = b"q 500 0 0 700 40 60 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI Q"  # a page without letters, as a scan has
# What a file with a password says of itself; no key is needed, since nobody opens it.
LOCK = b"/Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 /P -4 /O <%s> /U <%s> /OE <%s> /UE <%s> >>" % (
    b"00" * 48, b"00" * 48, b"00" * 32, b"00" * 32,
)  # fmt: skip


def drawn(text):
    """The drawing commands for a text: begin, font, place, one line below the other, end."""
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, 90) or [""]]
    safe = [re.sub(r"([()\\])", r"\\\1", line).encode("latin-1", "replace") for line in lines]
    return b"BT /F1 11 Tf 60 780 Td " + b" 0 -14 Td ".join(b"(%s) Tj" % line for line in safe) + b" ET"


def make_pdf(pages, trailer=b""):
    """A PDF file: a catalog, a list of pages, a font, and for each page its packed drawing commands (bytes)."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * i) for i in range(len(pages)))
    tree = b"<< /Type /Pages /Kids [ %s ] /Count %d >>" % (kids, len(pages))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", tree, FONT]
    for commands in pages:
        data = zlib.compress(commands, 9)
        page = b"/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(b"<< %s /Contents %d 0 R >>" % (page, len(objects) + 2))
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(data), data))
    out, places = b"%PDF-1.7\n", b""
    for number, body in enumerate(objects, 1):
        places += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    count = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, places)
    return out + table + b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (count, trailer, len(out))


@data_set
def pdfs():
    """The handbook, three sections on a page, and seven files that no text can be read from."""
    written = [f"{section['head']}\n\n{' '.join(section['text'].split())}" for section in own_shop.own("handbook")]
    book = make_pdf([drawn("\n\n".join(written[i : i + ON_A_PAGE])) for i in range(0, len(written), ON_A_PAGE)])
    files = {
        "handbook": book,
        "empty": b"",
        "scan": make_pdf([PICTURE] * 2),
        "locked": make_pdf([drawn("A secret.")], LOCK),
        "bomb": make_pdf([bytes(50_000_000)]),
        "web_page": b"<html><body>Hello</body></html>\n",
        "half": book[:400],
        "long": make_pdf([drawn("x")] * 301),
    }
    return {f"step3/pdf/{name}.pdf": data for name, data in files.items()}
