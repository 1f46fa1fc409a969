"""The kiosk page in a real browser, before a real service: what a shopper sees, hears said back, and can do when parts fail.

Chromium gets a recorded question as its microphone and a photo as its camera. KIOSKD_TEST_URL=http://… runs the same tests against
a service that is already running; otherwise each run starts `target/release/kioskd` on a free port with an empty data directory.
"""

import base64
import json
import math
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.request
import wave
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
KIOSKD = ROOT / "target/release/kioskd"
FIXTURES = ROOT / "audio_fixtures"
# Baseline JPEG: of a progressive one Chromium makes no camera, and says that there is none.
PHOTO = ROOT / "tests/photos/apples.jpg"
SCREENSHOTS = ROOT / "target/screenshots"
QUESTION = "How much is this?"
SCREENS = [("standing", 1080, 1920), ("lying", 1920, 1080), ("phone", 390, 844)]

# Loading the models and a spoken turn both take seconds on two busy cores; everything else happens within a few frames.
SERVICE_START_S = 90
TURN_S = 60
PAGE_S = 10
MICROPHONE_HZ = 48_000
QUIET_BEFORE_S = 1
PRICE = re.compile(r"\b(euros?|cents?)\b|€", re.IGNORECASE)


class Service:
    """`kioskd serve` on one port, so that it can be stopped and come back where the page expects it."""

    def __init__(self, data_dir):
        self.given_url = os.environ.get("KIOSKD_TEST_URL", "").rstrip("/")
        self.data_dir = data_dir
        self.process = None
        if self.given_url:
            self.url = self.given_url
        else:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        if not self.given_url:
            assert KIOSKD.exists(), f"{KIOSKD} is missing; build it with `cargo build --release`"
            with open(self.data_dir / "kioskd.log", "ab") as log:
                self.process = subprocess.Popen(
                    [KIOSKD, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.data_dir / "data"],
                    cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
                )
        deadline = time.monotonic() + SERVICE_START_S
        while not self.is_healthy():
            exited = self.process and self.process.poll() is not None
            if exited or time.monotonic() > deadline:
                log = "" if self.given_url else (self.data_dir / "kioskd.log").read_text()[-2000:]
                pytest.fail(f"{self.url}/health did not answer within {SERVICE_START_S} s\n{log}")
            time.sleep(0.1)

    def is_healthy(self):
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as response:
                return response.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


class Page:
    """The page as a person deals with it: by what is on the screen, not by what is in the script."""

    def __init__(self, browser, url):
        self.browser = browser
        self.url = url

    def open(self):
        self.browser.get(self.url)
        self.wait(lambda: self.state() == "ready", "the page is ready")
        return self

    def state(self):
        return self.find("body").get_attribute("data-state")

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.find(selector).text.strip()

    def wait(self, condition, what, seconds=PAGE_S):
        try:
            WebDriverWait(self.browser, seconds, poll_frequency=0.05).until(lambda _: condition())
        except TimeoutException as error:
            shown = f"state {self.state()!r}, status {self.text('#status')!r}, answer {self.text('#answer')!r}"
            raise AssertionError(f"{what}: not within {seconds} s; {shown}") from error

    def wait_for_answer(self, turn=1):
        self.wait(lambda: self.find("body").get_attribute("data-turn") == str(turn), f"turn {turn} is answered", TURN_S)
        assert self.text("#answer")

    def ask_typed(self, question, turn=1):
        self.find("#question").send_keys(question, Keys.ENTER)
        self.wait_for_answer(turn)

    def wait_until_said(self):
        """Until the page counts more seconds than the recording has."""
        self.wait(lambda: self.state() == "listening", "the microphone opens")
        loudest = 0.0

        def is_over():
            nonlocal loudest
            loudest = max(loudest, float(self.browser.execute_script("return document.body.style.getPropertyValue('--level') || 0")))
            counted = re.match(r"\d+", self.text("#seconds"))
            return counted and int(counted[0]) >= microphone_seconds()

        self.wait(is_over, "the question is over", microphone_seconds() + PAGE_S)
        assert loudest > 0.3, f"the level meter only rose to {loudest}"

    def hold_to_talk(self, turn=1):
        ActionChains(self.browser).click_and_hold(self.find("#talk")).perform()
        self.wait_until_said()
        assert self.text("#talk") == "Let go to send"
        self.save_screenshot("listening")
        ActionChains(self.browser).release().perform()
        self.wait_for_answer(turn)

    def turn_camera_on(self):
        self.find("#camera-toggle").click()
        self.wait(lambda: self.find("body").get_attribute("data-camera") == "on", "the camera is on")
        self.wait(lambda: self.browser.execute_script("return document.getElementById('preview').videoWidth") > 0, "a picture is seen")

    def will_reply(self, *replies):
        self.browser.execute_script("replies.push(...arguments[0])", replies)

    def resize(self, width, height):
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        )
        self.wait(lambda: self.browser.execute_script("return [innerWidth, innerHeight]") == [width, height], "the window has its size")

    def save_screenshot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(str(SCREENSHOTS / f"kiosk-{name}.png"))


def spoken_clip():
    """The line about the first clean recording of QUESTION in the fixtures' index."""
    lines = [json.loads(line) for line in (FIXTURES / "index.jsonl").read_text().splitlines()]
    clips = [line for line in lines if line["text"] == QUESTION and line["condition"] == "clean"]
    assert clips, f"audio_fixtures/index.jsonl lists no clean recording of {QUESTION!r}"
    return clips[0]


def microphone_seconds():
    """Whole seconds after which the microphone has said everything."""
    return math.ceil(QUIET_BEFORE_S + spoken_clip()["seconds"])


DECODE = f"""
const [encoded, done] = arguments;
const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
new OfflineAudioContext(1, 1, {MICROPHONE_HZ}).decodeAudioData(bytes.buffer).then((sound) => {{
  done(Array.from(sound.getChannelData(0), (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767)));
}}, (error) => done(String(error)));
"""


def write_microphone(browser, path):
    """The recording after a moment of silence, in which the echo canceller settles.

    Chromium decodes FLAC wherever it plays sound but takes only 16-bit WAV for a microphone, and anything else is silence without
    an error; so it is asked to decode. It opens the file anew for each recording, hence it may be written after the start.
    """
    encoded = base64.b64encode((FIXTURES / spoken_clip()["file"]).read_bytes()).decode()
    samples = browser.execute_async_script(DECODE, encoded)
    assert isinstance(samples, list), samples
    with wave.open(str(path), "wb") as microphone:
        microphone.setnchannels(1)
        microphone.setsampwidth(2)
        microphone.setframerate(MICROPHONE_HZ)
        microphone.writeframes(bytes(2 * QUIET_BEFORE_S * MICROPHONE_HZ))
        microphone.writeframes(struct.pack(f"<{len(samples)}h", *samples))


# Put before the page's own script. The idle limit is the real one and its clock is ours: `clockAhead` is in milliseconds. What the
# service only says on a bad day is put into `replies` (status, headers, body) and taken for its next turn; `audioBytes`, `sessions` and
# `session` are what the page has sent.
CLOCK_AND_WIRE = """{
  const now = performance.now.bind(performance), wire = window.fetch.bind(window);
  Object.assign(window, {clockAhead: 0, replies: [], audioBytes: [], sessions: 0});
  performance.now = () => now() + clockAhead;
  window.fetch = (path, options) => {
    if (path === '/v1/sessions') sessions++;
    if (!path.endsWith('/turns')) return wire(path, options);
    window.session = path.split('/')[3];
    audioBytes.push(options.body.get('audio')?.size ?? 0);
    const [status, headers, body] = replies.shift() ?? [];
    return status ? Promise.resolve(new Response(JSON.stringify(body), {status, headers})) : wire(path, options);
  };
}"""


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("kioskd"))
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="session")
def open_browser(tmp_path_factory):
    """Starts Chromium with the recorded question as its microphone and the photo as its camera."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium, driver = next(filter(None, map(shutil.which, names)), None), shutil.which("chromedriver")
    assert chromium and driver, "chromium and chromedriver are missing; `make test-packages` installs them"
    folder = tmp_path_factory.mktemp("devices")
    microphone = folder / "microphone.wav"
    camera = folder / "camera.mjpeg"
    camera.write_bytes(PHOTO.read_bytes() * 30)
    opened = []

    def open_browser(*, permission="grant"):
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=1080,1920",
            f"--user-data-dir={tmp_path_factory.mktemp('profile')}", "--use-fake-device-for-media-stream",
            f"--use-fake-ui-for-media-stream{'' if permission == 'grant' else '=deny'}",
            f"--use-file-for-fake-audio-capture={microphone}%noloop", f"--use-file-for-fake-video-capture={camera}",
        ):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CLOCK_AND_WIRE})
        opened.append(browser)
        if not microphone.exists():
            write_microphone(browser, microphone)
        return browser

    yield open_browser
    for browser in opened:
        browser.quit()


@pytest.fixture(scope="session")
def granted(open_browser):
    return open_browser()


@pytest.fixture
def page(granted, service):
    granted.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 1080, "height": 1920, "deviceScaleFactor": 1, "mobile": False})
    granted.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    return Page(granted, service.url).open()


def test_the_page_loads_without_an_error_and_asks_no_other_host(page):
    page.browser.get_log("browser")
    page.browser.get_log("performance")
    page.open()
    page.ask_typed("How much are the bananas?")
    events = [json.loads(entry["message"])["message"] for entry in page.browser.get_log("performance")]
    requested = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert f"{page.url}/kiosk.js" in requested
    elsewhere = [url for url in requested if urlsplit(url).scheme not in ("blob", "data") and not url.startswith(f"{page.url}/")]
    assert elsewhere == []
    assert page.browser.get_log("browser") == []


def test_a_spoken_question_with_a_photo_shows_words_answer_and_product(page):
    page.turn_camera_on()
    page.hold_to_talk()
    assert "how much" in page.text("#said").lower()
    assert page.text("#said").startswith("You said:")
    assert PRICE.search(page.text("#answer")), page.text("#answer")
    assert "Granny Smith" in page.text("#product-name")
    assert page.text("#product-certainty") in ("Almost certain", "Probably", "Not sure, but perhaps")
    seen = page.browser.execute_script("const i = document.getElementById('product-photo'); return i.complete && i.naturalWidth")
    assert seen, "the picture that was sent is shown on the card"
    page.save_screenshot("answer")
    page.find("#why summary").click()
    for group in ("Understood", "Seen", "Predicted", "Time taken"):
        assert group in page.text("#why-body")
    page.save_screenshot("why")


def test_a_tap_begins_and_a_second_tap_sends(page):
    talk = page.find("#talk")
    ActionChains(page.browser, duration=0).click(talk).perform()
    page.wait_until_said()
    assert page.text("#talk") == "Tap to send"
    ActionChains(page.browser, duration=0).click(talk).perform()
    page.wait_for_answer()
    assert "how much" in page.text("#said").lower()


def test_a_typed_question_is_answered_without_a_picture(page):
    page.ask_typed("How much are the bananas?")
    assert page.text("#said") == "You asked: How much are the bananas?"
    assert PRICE.search(page.text("#answer")), page.text("#answer")
    assert not page.find("#product").is_displayed()
    assert page.find("#question").get_attribute("value") == ""


def test_an_example_is_a_question(page):
    page.find("#welcome .example").click()
    page.wait_for_answer()
    assert not page.find("#welcome").is_displayed()


def told_of(page):
    """What the service was told of the conversation on the page."""
    session = page.browser.execute_script("return window.session")
    with urllib.request.urlopen(f"{page.url}/v1/sessions/{session}/feedback", timeout=PAGE_S) as reply:
        return [(told["outcome"], told["turn"], told["product"]) for told in json.load(reply)["feedback"]]


def test_an_order_is_shown_with_what_was_chosen_and_what_it_costs(page):
    page.ask_typed("a large latte with oat milk please")
    page.wait(lambda: page.find("#basket").is_displayed(), "the order is shown")
    assert "oat" in page.text("#basket-lines").lower()
    assert PRICE.search(page.text("#basket-total")), page.text("#basket-total")
    page.save_screenshot("order")


def test_whether_it_helped_and_what_is_taken_is_told_to_the_service(page):
    page.ask_typed("What goes well with bananas?")
    page.find("#helped [data-outcome='thumbs_up']").click()
    card = page.find("#recommendation-list li")
    product = card.get_attribute("data-product")
    card.find_element(By.CSS_SELECTOR, "[data-outcome='rejected']").click()
    card.find_element(By.CSS_SELECTOR, "[data-outcome='accepted']").click()
    turn = int(page.find("body").get_attribute("data-turn"))
    expected = {("thumbs_up", turn, None), ("accepted", turn, product)}
    page.wait(lambda: set(told_of(page)) == expected, "both were told, and the change of mind replaced the first choice")
    assert card.find_element(By.CSS_SELECTOR, "[data-outcome='accepted']").get_attribute("aria-pressed") == "true"
    page.save_screenshot("recommendations")


def test_who_asks_for_a_person_is_told_that_one_can_take_over(page):
    page.ask_typed("I want to talk to a human")
    assert page.find("#handoff").is_displayed()


def test_start_over_leaves_nothing_of_the_last_visitor(page):
    page.turn_camera_on()
    page.ask_typed("What is this?")
    page.find("#question").send_keys("half a sentence")
    page.find("#start-over").click()
    assert page.find("#welcome").is_displayed()
    assert page.find("body").get_attribute("data-camera") == "off"
    assert page.find("#question").get_attribute("value") == ""
    left = page.browser.execute_script("return ['said-words', 'answer', 'product-name', 'why-body'].map((id) => document.getElementById(id).textContent).join('')")
    assert left == ""
    assert not page.browser.execute_script("return document.getElementById('product-photo').hasAttribute('src')")
    page.ask_typed("How much are the bananas?", turn=1)


def test_after_ninety_idle_seconds_the_page_starts_over_and_says_so_before(page):
    page.ask_typed("How much are the bananas?")
    page.browser.execute_script("window.clockAhead = 82_000")
    page.wait(lambda: page.find("#leaving").is_displayed(), "the countdown is shown")
    assert 1 <= int(page.text("#leaving-seconds")) <= 10
    page.save_screenshot("countdown")
    page.find("#stay").click()
    page.wait(lambda: not page.find("#leaving").is_displayed(), "the countdown is gone")
    assert page.find("#answer").is_displayed()
    page.browser.execute_script("window.clockAhead = 82_000 + 91_000")
    page.wait(lambda: page.find("#welcome").is_displayed(), "the page started over")
    assert not page.find("#answer").is_displayed()
    assert not page.find("#leaving").is_displayed()


def test_a_refused_microphone_is_said_and_typing_still_works(open_browser, service):
    page = Page(open_browser(permission="deny"), service.url).open()
    ActionChains(page.browser).click_and_hold(page.find("#talk")).perform()
    page.wait(lambda: page.state() == "error", "the refusal is said")
    ActionChains(page.browser).release().perform()
    assert page.text("#status") == "The microphone is not allowed here, so please type your question."
    page.find("#camera-toggle").click()
    page.wait(lambda: "camera is not allowed" in page.text("#privacy"), "the refused camera is said")
    page.save_screenshot("refused")
    page.ask_typed("How much are the bananas?")
    assert PRICE.search(page.text("#answer")), page.text("#answer")


def test_a_stopped_service_is_said_in_one_sentence_and_the_question_is_not_lost(page, service):
    if service.given_url:
        pytest.skip("KIOSKD_TEST_URL names a service that is not ours to stop")
    page.ask_typed("How much are the bananas?")
    service.stop()
    try:
        page.find("#question").send_keys("How much are the lemons?", Keys.ENTER)
        page.wait(lambda: page.state() == "error", "the failure is said")
        assert page.text("#status") == "The service desk cannot be reached. Please wait a moment, or ask a member of staff."
        page.save_screenshot("unreachable")
    finally:
        service.start()
    page.wait(lambda: page.state() == "ready", "the page notices that the service is back")
    page.find("#try-again").click()
    page.wait(lambda: page.text("#said") == "You asked: How much are the lemons?", "the kept question is answered", TURN_S)
    assert PRICE.search(page.text("#answer")), page.text("#answer")


def test_silence_is_said_to_be_silence(page):
    talk = page.find("#talk")
    ActionChains(page.browser, duration=0).click(talk).perform()
    page.wait(lambda: page.state() == "listening", "the microphone opens")
    ActionChains(page.browser, duration=0).click(talk).perform()
    page.wait(lambda: page.state() == "not_heard", "silence is told from speech", TURN_S)
    assert page.text("#status") == "I did not hear anything"
    assert not page.find("#said").is_displayed()


def test_a_recording_ends_by_itself_after_thirty_seconds(page):
    ActionChains(page.browser).click_and_hold(page.find("#talk")).perform()
    page.wait(lambda: page.text("#seconds") == "3 s left", "the end is announced", 40)
    page.wait_for_answer()
    ActionChains(page.browser).release().perform()
    rate = page.browser.execute_script("return new AudioContext().sampleRate")
    assert page.browser.execute_script("return audioBytes") == [44 + 30 * rate * 2]


def test_a_busy_service_is_asked_again(page):
    busy = [503, {"Retry-After": "1"}, {"error": {"code": "busy", "message": "The desk is busy."}}]
    page.will_reply(busy, busy)
    page.find("#question").send_keys("How much are the bananas?", Keys.ENTER)
    page.wait(lambda: "Many people are asking" in page.text("#status"), "the wait is explained")
    page.wait_for_answer()


def test_a_forgotten_session_is_replaced_by_a_new_one(page):
    page.will_reply([404, {}, {"error": {"code": "unknown_session", "message": "There is no such session."}}])
    page.ask_typed("How much are the bananas?")
    assert page.browser.execute_script("return sessions") == 2


def test_what_the_service_refuses_is_said_in_its_own_words(page):
    page.will_reply([422, {}, {"error": {"code": "unreadable_audio", "message": "The recording could not be read."}}])
    page.find("#question").send_keys("How much are the bananas?", Keys.ENTER)
    page.wait(lambda: page.state() == "error", "the refusal is said")
    assert page.text("#status") == "The recording could not be read."
    page.find("#try-again").click()
    page.wait_for_answer()


def test_an_unknown_product_is_not_named_but_compared(page):
    sighting = {"product": None, "label": "Lime", "probability": 0.31, "known": False, "advice": "please hold it closer to the light",
                "top": [{"product": "lime", "label": "Lime", "probability": 0.31}]}
    answer = {"kind": "unknown", "text": "I do not know this product."}
    page.will_reply([200, {}, {"turn": 1, "sighting": sighting, "answer": answer, "recommendations": [], "timings_ms": {"total": 9}}])
    page.turn_camera_on()
    page.ask_typed("What is this?")
    assert page.text("#product-certainty") == "I do not know this one"
    assert page.text("#product-name") == "It looks most like Lime"
    assert page.text("#product-note") == "Please hold it closer to the light."


def test_everything_can_be_done_with_the_keyboard(page):
    def tab_to(selector):
        for _ in range(20):
            ActionChains(page.browser).send_keys(Keys.TAB).perform()
            focused = page.browser.switch_to.active_element
            if focused == page.find(selector):
                assert focused.value_of_css_property("outline-style") != "none", f"{selector} shows no focus"
                return focused
        raise AssertionError(f"{selector} cannot be reached with the Tab key")

    ActionChains(page.browser).key_down(Keys.SPACE).perform()
    page.wait_until_said()
    ActionChains(page.browser).key_up(Keys.SPACE).perform()
    page.wait_for_answer(1)
    assert "how much" in page.text("#said").lower()

    tab_to("#question")
    ActionChains(page.browser).send_keys("How much are the bananas?", Keys.ENTER).perform()
    page.wait_for_answer(2)

    tab_to("#why summary")
    ActionChains(page.browser).send_keys(Keys.ENTER).perform()
    page.wait(lambda: page.find("#why-body").is_displayed(), "the details are open")
    tab_to("#camera-toggle")
    ActionChains(page.browser).send_keys(Keys.SPACE).perform()
    page.wait(lambda: page.find("body").get_attribute("data-camera") == "on", "the camera is on")
    tab_to("#start-over")
    ActionChains(page.browser).send_keys(Keys.ENTER).perform()
    page.wait(lambda: page.find("#welcome").is_displayed(), "the page started over")

    ActionChains(page.browser).key_down(Keys.SPACE).perform()
    page.wait(lambda: page.state() == "listening", "the space bar talks again")
    ActionChains(page.browser).send_keys(Keys.ESCAPE).perform()
    ActionChains(page.browser).key_up(Keys.SPACE).perform()
    assert page.state() == "ready", "Escape takes the recording back"


OUTSIDE_THE_WINDOW = """
const visible = [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && !e.closest('.skip, .hidden-label, svg, video, .level'));
const outside = visible.filter((e) => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.left < -0.5 || r.right > innerWidth + 0.5); });
const scrolling = visible.filter((e) => e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX));
const name = (e) => e.tagName + '#' + e.id + '.' + e.className;
return [...outside, ...scrolling].map(name).concat(document.scrollingElement.scrollWidth > innerWidth ? ['the page'] : []);
"""
TOO_SMALL_TO_TOUCH = """
return [...document.querySelectorAll('button, input, summary')].filter((e) => e.checkVisibility())
  .filter((e) => { const r = e.getBoundingClientRect(); return r.width < 44 || r.height < 44; }).map((e) => e.id || e.textContent);
"""


@pytest.mark.parametrize("name, width, height", SCREENS)
def test_nothing_runs_over_the_side_of_the_screen(page, name, width, height):
    page.resize(width, height)
    page.save_screenshot(f"welcome-{name}")

    def check():
        assert page.browser.execute_script(OUTSIDE_THE_WINDOW) == []
        assert page.browser.execute_script(TOO_SMALL_TO_TOUCH) == []
        talk = page.browser.execute_script("const r = document.getElementById('talk').getBoundingClientRect(); return [r.top, r.bottom]")
        assert 0 <= talk[0] and talk[1] <= height, "the talk button is on the screen without scrolling"

    check()
    page.turn_camera_on()
    check()
    page.ask_typed("What is this?")
    check()
    page.save_screenshot(f"answer-{name}")
    page.find("#why summary").click()
    check()


# WCAG 2.2, 1.4.3: relative luminance and contrast as defined there; 3:1 for large text (24 px, or 18.66 px bold), else 4.5:1.
TOO_FAINT = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
const luminance = (c) => [0, 1, 2].map((i) => c[i] / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
const hasText = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && hasText(e) && !e.closest('.skip, .hidden-label')).flatMap((e) => {
  const style = getComputedStyle(e), [a, b] = [luminance(rgba(style.color)), luminance(behind(e))].sort((x, y) => y - x);
  const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const contrast = (a + 0.05) / (b + 0.05);
  return contrast < (large ? 3 : 4.5) ? [`${e.textContent.trim().slice(0, 30)}: ${contrast.toFixed(2)}`] : [];
});
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_strong_enough_to_read(page, scheme):
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]})
    assert page.browser.execute_script(TOO_FAINT) == []
    page.turn_camera_on()
    page.ask_typed("What is this?")
    page.find("#why summary").click()
    assert page.browser.execute_script(TOO_FAINT) == []
    page.save_screenshot(f"scheme-{scheme}")
