"""A chatbot in the browser that keeps its conversations.

Streamlit runs this script again after every click; session_state survives that, and the store survives a restart.
"""

import secrets

import streamlit as st

from course_utils import apps, feedback
from course_utils.apps import conversations
from course_utils.settings import CourseError

st.set_page_config("Course chat", ":material/forum:", initial_sidebar_state="auto")
state = st.session_state
state.setdefault("messages", [])  # {"role", "content"}; replies also have "model", "system", "id", "thumb", "thumb_id"
conversations.restore()


@st.cache_resource(show_spinner="Loading the model …")
def model_of(which):
    from course_utils.models import load

    return load(which=which)


def settings():
    """The side bar. Returns (which model, system prompt, options)."""
    with st.sidebar:
        st.header("Settings")
        labels = apps.choices()
        which = st.selectbox("Which model answers", list(labels), format_func=labels.get)
        if which == "base":
            st.caption("The base model was never taught to chat: it only continues the text.")
        system = st.text_area("System prompt", "You are a friendly assistant.", height=80)
        temperature = st.slider("Temperature", 0.0, 2.0, 0.7, 0.1, help="0 always takes the most probable token.")
        top_p = st.slider(
            "Top-p", 0.05, 1.0, 0.95, 0.05, help="Only the most probable tokens with this sum are drawn."
        )
        tokens = st.slider("Most new tokens", 8, 512, 160, 8)
        stop = st.text_input("Stop words", help="The reply ends before any of them. Separate several with a comma.")
    words = [word.strip() for word in stop.split(",") if word.strip()][:4]
    options = {"temperature": temperature, "top_p": top_p, "max_tokens": tokens, "stop": words}
    return which, system.strip(), options | {"chat": which != "base", "seed": secrets.randbelow(2**31)}


def prompt_before(number, system=""):
    """The conversation before message `number`, as a model reads it."""
    turns = [{"role": item["role"], "content": item["content"]} for item in state.messages[:number]]
    return ([{"role": "system", "content": system}] if system else []) + turns


def judge(number):
    """Keep a thumb; a second click changes it or takes it back."""
    item = state.messages[number]
    thumb, before = state[f"thumb_{item['id']}"], item.get("thumb_id")
    try:
        if before:
            feedback.delete(before)
            item["thumb_id"] = None
        if thumb is not None:
            talk = prompt_before(number, item["system"])
            item["thumb_id"] = feedback.add(talk, item["content"], ("down", "up")[thumb], item["model"])
        item["thumb"] = thumb
        conversations.mark(item)
    except CourseError as error:
        state.kept["problem"] = str(error)


def show(number):
    """One message of the history, with thumbs below a reply."""
    item = state.messages[number]
    with st.chat_message(item["role"]):
        st.text(item["content"] or "(The model wrote nothing.)")
        if item["role"] == "assistant":
            given, key = item.get("thumb"), f"thumb_{item['id']}"
            st.feedback("thumbs", default=given, key=key, on_change=judge, args=(number,))


def answer(which, system, options):
    """Stream the reply to the last message into the page and into the history, and keep both.

    A click stops this script at any place; what was written until then is kept.
    """
    turns, kept, text, failed = state.messages, state.kept, "", False
    with st.chat_message("assistant"):
        place = st.empty()
        place.caption("…")
        messages = prompt_before(None, system)
        try:
            if which == apps.REMOTE:
                pieces = apps.remote_pieces(messages, options)
            else:
                pieces = apps.local_pieces(*model_of(which), messages, options)
            for piece in pieces:
                text += piece
                place.text(text)
        except CourseError as error:
            failed, kept["problem"] = True, str(error)
        except Exception as error:
            failed = True
            kept["problem"] = f"The model failed ({type(error).__name__}): ask again, or choose another model."
        finally:
            if failed:
                turns.pop()
            else:
                about = {"model": which, "system": system, "id": secrets.token_hex(8)}
                turns.append({"role": "assistant", "content": text.strip()} | about)
                conversations.keep(turns[-2:], kept)
    st.rerun()


st.title("Course chat")
conversations.sidebar()
which, system, options = settings()
if not state.messages:
    st.markdown("Write a message below, for example *Who are you?*, *Tell me a joke.* or *I am happy today.*")
    st.caption("Everything stays on this computer." if which != apps.REMOTE else "Your messages go to the address.")
for number in range(len(state.messages)):
    show(number)
if state.kept["problem"]:
    st.error(state.kept["problem"])
    state.kept["problem"] = None
if text := st.chat_input("Write a message"):
    state.messages.append({"role": "user", "content": text})
    show(len(state.messages) - 1)
    answer(which, system, options)
