"""Questions to a PDF file in the browser: upload, split, embed, search, answer with the page."""

import numpy
import streamlit as st

from course_utils import apps, retrieval
from course_utils.retrieval.pdf import FILE_MB, read_pdf
from course_utils.settings import CourseError

SIZE_WORDS, OVERLAP_WORDS = 80, 15  # of a chunk
PASSAGES = 3  # so many chunks go into the prompt

st.set_page_config("Questions to a PDF", ":material/picture_as_pdf:", initial_sidebar_state="auto")
state = st.session_state
state.setdefault("document", None)
state.setdefault("turns", [])  # {"question", "text", "note", "passages"}


@st.cache_resource(show_spinner="Loading the model …")
def model_of(which):
    from course_utils.models import load

    return load(which=which)


@st.cache_resource(show_spinner="Loading the embedding model …")
def embedder():
    from course_utils.models import load_embedder

    return load_embedder()


def ask_of(which):
    """The function `ask` that retrieval.answer calls: prompts in, one greedy reply text for each out."""

    def ask(prompts, max_new_tokens=120, stop=(), **_):
        options = {"temperature": 0.0, "top_p": 1.0, "max_tokens": max_new_tokens, "stop": list(stop or ()), "seed": 0}
        replies = []
        for prompt in prompts:
            messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
            if which == apps.REMOTE:
                replies.append("".join(apps.remote_pieces(messages, options)))
            else:
                replies.append("".join(apps.local_pieces(*model_of(which), messages, options)))
        return replies

    return ask


def open_document(upload):
    """Steps 1 to 3: read the pages, split them into chunks that know their page, embed the chunks."""
    pages, chunks = read_pdf(upload.getvalue(), upload.name), []
    for page in pages:
        chunks += retrieval.split(page.text, SIZE_WORDS, OVERLAP_WORDS, f"page {page.number}")
    vectors = embedder().encode([chunk.text for chunk in chunks])
    return {"pages": pages, "chunks": chunks, "vectors": vectors}


def search(document, question):
    """Step 4: the chunks nearest to the question with their cosines. For a few thousand, all are compared."""
    scores = document["vectors"] @ embedder().encode([question])[0]
    best = numpy.argsort(-scores, kind="stable")[:PASSAGES]
    return [(document["chunks"][i], float(scores[i])) for i in best]


def note_of(reply, passages):
    """The line below an answer: on which page it stands, or that it was not found there."""
    named = [passages[number - 1].source for number in reply.cited if 1 <= number <= len(passages)]
    pages = ", ".join(dict.fromkeys(named))
    if reply.checked:
        return f"Source: {pages}"
    if pages:
        return f"Not found word for word on {pages}: read the passages below."
    return "No page is named for this: read the passages below."


def show(turn):
    """One question with its answer, its page and the passages that the model read."""
    with st.chat_message("user"):
        st.text(turn["question"])
    with st.chat_message("assistant"):
        st.text(turn["text"] or "(The model wrote nothing.)")
        st.caption(turn["note"])
        with st.expander("The passages that the model read"):
            for source, score, text in turn["passages"]:
                st.caption(f"{source}, similarity {score:.2f}")
                st.text(text)


def answer(document, question, which):
    """Steps 4 and 5 for one question; what fails is one sentence, and the turns before it stay."""
    try:
        with st.spinner("Searching and answering …"):
            found = search(document, question)
            passages = [chunk for chunk, _ in found]
            reply = retrieval.answer(ask_of(which), question, passages)
        turn = {"question": question, "text": reply.text.strip(), "note": note_of(reply, passages)}
        state.turns.append(turn | {"passages": [(chunk.source, score, chunk.text) for chunk, score in found]})
        show(state.turns[-1])
    except CourseError as error:
        st.error(str(error))
    except Exception as error:
        st.error(f"The model failed ({type(error).__name__}): ask again, or choose another model.")


def update(upload):
    """Read a newly chosen file; a bad one leaves its sentence. Another file begins a new conversation."""
    if upload is None:
        state.document, state.turns = None, []
    elif not state.document or state.document["id"] != upload.file_id:
        state.turns, state.document = [], {"id": upload.file_id, "name": upload.name}
        try:
            with st.spinner("Reading the file …"):
                state.document |= open_document(upload)
        except CourseError as error:
            state.document["problem"] = str(error)
        except Exception as error:
            state.document["problem"] = f"The file was not embedded ({type(error).__name__}): choose it again."


st.title("Questions to a PDF")
labels = {key: label for key, label in apps.choices().items() if key != "base"}
with st.sidebar:
    st.header("Settings")
    which = st.selectbox("Which model answers", list(labels), format_func=labels.get)
update(st.file_uploader("PDF file", type="pdf", max_upload_size=FILE_MB))
document = state.document
if document is None:
    st.markdown("Choose a PDF file with text in it. Then ask, for example, *How long is the warranty?*")
    st.caption(
        "The file stays in the memory of this computer." if which != apps.REMOTE else "The passages go to the address."
    )
elif "problem" in document:
    st.error(document["problem"])
else:
    empty = [str(page.number) for page in document["pages"] if not page.text.strip()]
    without = f" No text on page {', '.join(empty[:9])}{' …' if len(empty) > 9 else ''}." if empty else ""
    st.caption(f"{len(document['pages'])} pages, {len(document['chunks'])} passages.{without}")
    for turn in state.turns:
        show(turn)
    if question := (st.chat_input("Ask about this file", max_chars=500) or "").strip():
        answer(document, question, which)
