"""A poem writer in the browser: three slots of a prompt template, and a button."""

import secrets

import streamlit as st

from course_utils import apps
from course_utils.settings import CourseError

TEMPLATE = "Name: {name}\nSubject: {subject}\nContents: {contents}\nWrite a poem."

st.set_page_config("Poem writer", ":material/edit_note:")


@st.cache_resource(show_spinner="Loading the model …")
def model_of(which):
    from course_utils.models import load

    return load(which=which)


def write(slots, which):
    """The poem for the filled slots."""
    options = {"temperature": 0.7, "top_p": 0.9, "max_tokens": 160, "stop": [], "seed": secrets.randbelow(2**31)}
    messages = [{"role": "user", "content": TEMPLATE.format(**slots)}]
    if which == apps.REMOTE:
        return "".join(apps.remote_pieces(messages, options))
    return "".join(apps.local_pieces(*model_of(which), messages, options))


st.title("Poem writer")
st.caption("Fill in three words or phrases. They become the slots of a prompt template.")
labels = {key: label for key, label in apps.choices().items() if key != "base"}
with st.form("slots"):
    slots = {
        "name": st.text_input("For whom (name)", placeholder="Mia", max_chars=60).strip(),
        "subject": st.text_input("Subject", placeholder="the sea", max_chars=60).strip(),
        "contents": st.text_input(
            "Contents (what it must mention)", placeholder="waves and gulls", max_chars=120
        ).strip(),
    }
    which = st.selectbox("Which model writes", list(labels), format_func=labels.get)
    pressed = st.form_submit_button("Write the poem", icon=":material/edit:", type="primary", width="stretch")
if pressed:
    empty = [name for name, text in slots.items() if not text]
    if empty:
        st.error(f"The poem needs every slot: fill in {' and '.join(empty)}.")
    else:
        try:
            with st.spinner("Writing …"):
                poem = write(slots, which)
            with st.container(border=True):
                st.text(poem.strip() or "(The model wrote nothing.)")
            st.success("Done.", icon=":material/check:")
            with st.expander("The prompt that the model read"):
                st.text(TEMPLATE.format(**slots))
        except CourseError as error:
            st.error(str(error))
