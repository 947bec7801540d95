"""Both applications as a person sees them, in headless Chromium."""

import os
import shutil
import subprocess
import sys
import time

import model_fixture
import pytest

from course_utils import feedback
from course_utils.server import running_server
from course_utils.settings import MODELS, ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and chromedriver are not installed")
TINY = model_fixture.random_qwen3(263), model_fixture.tiny_tokenizer()
BUNDLED = (MODELS / "instruct").is_dir()
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
)
WATCH = """window.lengths = new Set(); window.watcher = setInterval(() => {
  const all = document.querySelectorAll('[data-testid="stChatMessage"]');
  const text = all.length > 1 && all[1].querySelector('[data-testid="stText"]');
  if (text) window.lengths.add(text.textContent.length);
}, 10);"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}", "--window-size=1280,900"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start an application as a user does. Without bundled models a tiny one answers."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    processes = []

    def open_app(name, **variables):
        environment = dict(os.environ, COURSE_READY=sys.executable, COURSE_DATA=str(tmp_path), **variables)
        process = subprocess.Popen(
            [sys.executable, "-m", "course_utils", "app", name, "--no-browser"],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        for line in process.stderr:
            if "http://" in line:
                return line.strip()
        raise AssertionError("the application did not start")

    try:
        if BUNDLED:
            yield open_app
        else:
            with running_server(loaded=TINY) as server:
                address = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": server.token}
                yield lambda name, **variables: open_app(name, **(address | variables))
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)
            process.stderr.close()


def wait(browser, selector, count=1, seconds=60):
    """The elements of a CSS selector, as soon as there are at least `count`."""
    from selenium.webdriver.common.by import By

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = browser.find_elements(By.CSS_SELECTOR, selector)
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{selector} did not appear: {browser.find_element(By.TAG_NAME, 'body').text[-300:]}")


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    assert condition()


def choose_model(browser, address=not BUNDLED):
    """Without bundled models the address must answer; it stands in the list of models."""
    from selenium.webdriver.common.keys import Keys

    if address:
        box = wait(browser, '[data-testid="stSelectbox"] input')[0]
        box.send_keys("address" + Keys.ENTER)
        time.sleep(1)


def picture(browser, name):
    """Keep a picture where COURSE_PICTURES names a folder."""
    if os.environ.get("COURSE_PICTURES"):
        time.sleep(0.7)
        browser.save_screenshot(os.path.join(os.environ["COURSE_PICTURES"], f"{name}.png"))


def phone(browser, name):
    """The page 390 pixels wide must not be cut off at the side."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    )
    time.sleep(0.5)
    picture(browser, f"{name}_390")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_chat_in_a_browser(browser, start):
    from selenium.webdriver.common.keys import Keys

    browser.get(start("chat"))
    box = wait(browser, '[data-testid="stChatInput"] textarea')[0]
    choose_model(browser)
    picture(browser, "chat_empty")
    browser.execute_script(WATCH)
    box.send_keys("Hello! Who are you?" + Keys.ENTER)
    thumbs = wait(browser, '[data-testid="stFeedback"] button', 2)
    lengths = sorted(browser.execute_script("clearInterval(window.watcher); return [...window.lengths]"))
    assert len(lengths) >= 3, f"the reply did not stream: {lengths}"
    assert all(thumb.get_attribute("aria-label") for thumb in thumbs)
    thumbs[-1].click()
    until(lambda: feedback.read())
    [row] = feedback.read()
    assert row.messages[-1]["content"] == "Hello! Who are you?" and row.reply
    picture(browser, "chat_reply")
    phone(browser, "chat_reply")
    buttons = lambda: browser.find_elements("css selector", '[data-testid="stSidebar"] button')  # noqa: E731
    begin = lambda: [button for button in buttons() if "New conversation" in button.text]  # noqa: E731
    until(begin)  # the side bar comes back with a movement
    begin()[0].click()
    until(lambda: not browser.find_elements("css selector", '[data-testid="stChatMessage"]'))
    assert len(feedback.read()) == 1


def test_a_click_during_a_reply_keeps_what_was_written(browser, start, monkeypatch):
    from selenium.webdriver.common.keys import Keys

    from course_utils import models

    closed = []

    def slow(*_, **__):
        try:
            for number in range(300):
                time.sleep(0.05)
                yield f"{number} "
        finally:
            closed.append(number)

    monkeypatch.setattr(models, "stream", slow, raising=False)
    with running_server(loaded=TINY) as server:
        browser.get(start("chat", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=server.token))
        box = wait(browser, '[data-testid="stChatInput"] textarea')[0]
        choose_model(browser, address=True)
        box.send_keys("Count." + Keys.ENTER)
        wait(browser, '[data-testid="stChatMessage"] [data-testid="stText"]', 2)
        time.sleep(1)
        wait(browser, '[data-testid="stTextInput"] input')[0].send_keys("END" + Keys.ENTER)
        wait(browser, '[data-testid="stFeedback"]')
        until(lambda: closed, 10)
        text = wait(browser, '[data-testid="stChatMessage"] [data-testid="stText"]', 2)[1].text
        assert text.startswith("0 1 2") and closed[0] < 200


def test_poem_in_a_browser(browser, start):
    browser.get(start("poem"))
    boxes = wait(browser, '[data-testid="stTextInput"] input', 3)
    assert all(box.get_attribute("aria-label") for box in boxes)
    choose_model(browser)
    picture(browser, "poem_empty")
    for box, text in zip(boxes, ("Mia", "the sea", "waves and gulls"), strict=True):
        box.send_keys(text)
    wait(browser, '[data-testid="stFormSubmitButton"] button')[0].click()
    wait(browser, '[data-testid="stAlertContentSuccess"]')
    assert wait(browser, '[data-testid="stText"]')[0].text.strip()
    picture(browser, "poem_done")
    phone(browser, "poem_done")


def test_kept_conversations_in_a_browser(browser, start, tmp_path):
    """A reload and a second process show the history; rename; a delete asks first and leaves no byte."""
    from selenium.webdriver.common.keys import Keys

    def press(label):
        # Looked for and pressed in one script: between two commands the page may draw its buttons anew.
        script = """
            const found = [...document.querySelectorAll('[data-testid="stSidebar"] button')]
                .filter(one => one.innerText.includes(arguments[0]));
            if (found.length) found[0].click();
            return found.length > 0"""
        end = time.monotonic() + 60
        while not browser.execute_script(script, label):
            assert time.monotonic() < end, f"no button {label}"
            time.sleep(0.1)

    def texts():
        script = "return [...document.querySelectorAll(arguments[0])].map(one => one.innerText)"
        return browser.execute_script(script, '[data-testid="stChatMessage"] [data-testid="stText"]')

    def every_byte():
        return b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    browser.get(start("chat"))
    box = wait(browser, '[data-testid="stChatInput"] textarea')[0]
    choose_model(browser)
    box.send_keys("Hello from SECRET-ONE" + Keys.ENTER)
    wait(browser, '[data-testid="stFeedback"]')
    until(lambda: "talk=" in browser.current_url)
    before = texts()
    browser.refresh()
    until(lambda: texts() == before and before[0] == "Hello from SECRET-ONE")
    thread = browser.current_url.split("talk=")[1]
    browser.get(f"{start('chat').rstrip('/')}/?talk={thread}")  # another process on the same file
    until(lambda: texts() == before)
    name = wait(browser, 'input[aria-label="Name of this conversation"]')[0]
    name.send_keys(Keys.CONTROL + "a")
    name.send_keys("Boots" + Keys.ENTER)
    side = "return document.querySelector('[data-testid=\"stSidebar\"]').innerText"
    until(lambda: "Boots" in browser.execute_script(side))
    picture(browser, "chat_conversations")
    phone(browser, "chat_conversations")
    press("Delete this conversation")
    wait(browser, '[data-testid="stAlertContentWarning"]')
    picture(browser, "chat_delete")
    assert b"SECRET-ONE" in every_byte()
    press("Yes, delete them")
    until(lambda: not texts() and "talk=" not in browser.current_url)
    assert b"SECRET-ONE" not in every_byte()
