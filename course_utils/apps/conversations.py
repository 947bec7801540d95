"""The side bar's list of kept conversations: open, begin, rename, and delete after a question.

What a page shows lives in `session_state`: `messages`, and `kept` = {"thread": id or None, "asked": id or None, "problem"}.
The address of the page names the conversation (?talk=...), so a reload shows it again.
"""

import re

import streamlit as st

from course_utils import feedback
from course_utils.memory.store import ConversationStore
from course_utils.settings import CourseError

USER = "local"  # nobody logs in here; a page for several people takes the user from its log-in, never from a text box
TITLE_CHARS = 40
state = st.session_state


def store():
    """The file in the folder for user data."""
    return ConversationStore(feedback.data_folder() / "conversations.sqlite3")


def title(text):
    """A name for a conversation: the first words of its first message."""
    words = " ".join(text.split())
    return words if len(words) <= TITLE_CHARS else f"{words[:TITLE_CHARS].rsplit(' ', 1)[0]} …"


def plain(text):
    """A text for a label, in which Streamlit would read Markdown: links, pictures and colours become plain signs."""
    return re.sub(r"([\\`*_{}\[\]()<>#+.!|~$:-])", r"\\\1", text)


def restore():
    """At the start of each run: the first one opens what the address names, later ones write the address."""
    if "kept" not in state:
        state.kept = {"thread": None, "asked": None, "problem": None}
        if "talk" in st.query_params:
            show(st.query_params["talk"])
    if state.kept["thread"]:
        st.query_params["talk"] = state.kept["thread"]
    else:
        st.query_params.pop("talk", None)


def told(action):
    """Let a click's function put a CourseError on the page instead of stopping the script."""

    def safe(*arguments):
        try:
            action(*arguments)
        except CourseError as error:
            state.kept["problem"] = str(error)

    return safe


@told
def show(thread=None):
    """Open a kept conversation, or begin a new one."""
    messages = store().read(USER, thread) if thread else []
    state.messages[:] = [message | {"place": place} for place, message in enumerate(messages)]
    state.kept |= {"thread": thread, "asked": None}


@told
def rename(thread):
    """Take the name from the text box; an empty one changes nothing."""
    if state[f"name_{thread}"].strip():
        store().rename(USER, thread, state[f"name_{thread}"])


@told
def delete(thread):
    """Delete a conversation and the thumbs given in it, to the last byte of both files."""
    for message in store().read(USER, thread):
        if message.get("thumb_id"):
            feedback.delete(message["thumb_id"])
    store().delete(USER, thread)
    show()


def ask(thread):
    """Put the question before a delete, or take it back (None)."""
    state.kept["asked"] = thread


def keep(turn, kept):
    """Keep a turn (what was said, and the reply) as a whole; the first one begins a conversation and gives it a name.

    It touches neither the page nor `session_state`: while a click or a closed page stops the script, both would raise.
    """
    try:
        kept["thread"] = kept["thread"] or store().new(USER, title(turn[0]["content"]))
        turn[-1]["place"] = store().add(USER, kept["thread"], turn) - 1
    except CourseError as error:
        kept["problem"] = str(error)


def mark(message):
    """Keep the thumb of a message that is kept."""
    if "place" in message:
        facts = {name: message.get(name) for name in ("thumb", "thumb_id")}
        store().mark(USER, state.kept["thread"], message["place"], **facts)


def sidebar():
    """The list in the side bar; below it, the name of the open conversation, and a way to delete it."""
    with st.sidebar:
        st.header("Conversations")
        st.button("New conversation", icon=":material/add:", on_click=show, width="stretch")
        try:
            threads = store().threads(USER)
        except CourseError as error:
            st.error(str(error))
            return
        with st.container(height=230 if len(threads) > 5 else "content", border=False):
            for thread in threads:
                kind = "primary" if thread.id == state.kept["thread"] else "tertiary"
                key, label = f"open_{thread.id}", plain(thread.name)
                st.button(label, key=key, type=kind, on_click=show, args=(thread.id,), width="stretch")
        for thread in threads:
            if thread.id == state.kept["thread"]:
                _open_one(thread)


def _open_one(thread):
    key, click = f"name_{thread.id}", {"args": (thread.id,), "width": "stretch"}
    st.text_input("Name of this conversation", thread.name, max_chars=80, key=key, on_change=rename, args=(thread.id,))
    if state.kept["asked"] != thread.id:
        st.button("Delete this conversation", icon=":material/delete:", on_click=ask, **click)
        return
    st.warning(f"Delete its {thread.messages} messages and the thumbs given in it? Nothing brings them back.")
    st.button("Yes, delete them", type="primary", on_click=delete, **click)
    st.button("No, keep them", on_click=ask, args=(None,), width="stretch")
