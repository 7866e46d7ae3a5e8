"""The book in headless Chromium: from a web server and from the file system, light and dark."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab
from tests.book.site import Page

pytestmark = pytest.mark.browser
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# No sandbox: containers run as root. The rest keeps Chromium from calling its makers.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
LEAST_CONTRAST = 4.5  # WCAG 2, level AA
# The colour behind an element, the first of its ancestors' that is not transparent; channels 0 to 255.
COLOURS = """element => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  let behind = element;
  const opaque = node => { const c = rgb(getComputedStyle(node).backgroundColor); return c.length == 3 || c[3] > 0; };
  while (behind.parentElement && !opaque(behind)) behind = behind.parentElement;
  return [rgb(getComputedStyle(element).color), rgb(getComputedStyle(behind).backgroundColor)];
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        if os.environ.get("MMCOURSE_REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium here, and MMCOURSE_REQUIRE_BROWSER=1 asks for one", pytrace=False)
        pytest.skip("no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def web(html: Path) -> Iterator[str]:
    """The address of a web server that serves the book."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["http", "file"])
def address(request: pytest.FixtureRequest, html: Path) -> str:
    return request.getfixturevalue("web") if request.param == "http" else html.resolve().as_uri()


@dataclass
class Seen:
    """What happened in a tab that must not: requests elsewhere, and what the console complained of."""

    home: str
    complaints: list[str] = field(default_factory=list)

    def watch(self, tab: Tab) -> None:
        tab.on("request", self.request)
        tab.on("requestfailed", lambda request: self.complaints.append(f"not loaded: {request.url}"))
        tab.on("response", self.response)
        tab.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        tab.on("console", self.console)

    def request(self, request: object) -> None:
        if not request.url.startswith((self.home, "data:")):
            self.complaints.append(f"asked elsewhere: {request.url}")

    def response(self, response: object) -> None:
        if response.status >= 400:
            self.complaints.append(f"status {response.status}: {response.url}")

    def console(self, message: object) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")


@contextmanager
def opened(chromium: Browser, home: str, scheme: str, width: int = 1280) -> Iterator[tuple[Tab, Seen]]:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab, seen = context.new_page(), Seen(home)
    seen.watch(tab)
    yield tab, seen
    context.close()


def luminance(colour: list[float]) -> float:
    """Relative luminance of an sRGB colour, 0 to 1 (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour[:3])]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colours: tuple[list[float], list[float]]) -> float:
    dark, light = sorted(luminance(colour) for colour in colours)
    return (light + 0.05) / (dark + 0.05)


def show(tab: Tab, home: str, page: Page) -> None:
    tab.goto(f"{home}/{page.name}")
    if page.has_formula:
        tab.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
        tab.evaluate("MathJax.startup.promise")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_without_a_word_to_anybody(chromium: Browser, address: str, readable: list[Page], scheme: str):
    with opened(chromium, address, scheme) as (tab, seen):
        for page in readable:
            show(tab, address, page)
            assert not seen.complaints, f"{page.name}: {seen.complaints}"
            formulas = tab.locator(".math").count()
            assert tab.locator(".math mjx-container").count() == formulas, f"{page.name}: formulas are not drawn"
            assert tab.locator("mjx-merror").count() == 0, f"{page.name}: a formula that MathJax cannot read"
            assert tab.evaluate("document.documentElement.dataset.theme") == scheme
            for image in tab.locator("article figure img").all():
                box = image.bounding_box()
                assert box, f"{page.name}: a figure is hidden"
                assert box["width"] > 100, f"{page.name}: a figure is {box['width']:.0f} pixels wide"
                assert image.evaluate("image => image.naturalWidth") > 0, f"{page.name}: a figure does not load"
                assert image.evaluate("image => getComputedStyle(image).filter") == "none", "the theme dims figures"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(chromium: Browser, web: str, readable: list[Page], scheme: str):
    places = (
        "article p", "article li", "article td a", "article figcaption .caption-text", "article figcaption",
        "article h1", "article .admonition-title", "article .admonition p", "article pre", "article .lesson-claim",
        "article .work-checked", "article .correction-about", ".bd-sidebar-primary a.reference",
    )  # fmt: skip
    met = set()
    with opened(chromium, web, scheme) as (tab, _):
        for page in readable:
            show(tab, web, page)
            for place in places:
                found = tab.locator(place)
                if found.count():
                    met.add(place)
                    ratio = contrast(found.first.evaluate(COLOURS))
                    assert ratio >= LEAST_CONTRAST, f"{page.name}, {scheme}: {place} has a contrast of {ratio:.1f}"
    assert met == set(places), f"nothing to measure: {set(places) - met}"


def test_a_phone_shows_whole_pages(chromium: Browser, web: str, readable: list[Page]):
    with opened(chromium, web, "light", width=400) as (tab, _):
        for page in readable:
            show(tab, web, page)
            width = tab.evaluate("document.documentElement.scrollWidth")
            assert width <= 400, f"{page.name} is {width} pixels wide"


def test_the_search_finds_the_lesson(chromium: Browser, web: str):
    with opened(chromium, web, "light") as (tab, seen):
        tab.goto(f"{web}/search.html?q=softmax")
        tab.wait_for_selector("#search-results li a")
        links = [link.get_attribute("href") for link in tab.locator("#search-results li a").all()]
        assert any("notebooks/fusion/weighted_sum" in link for link in links), links
        assert not seen.complaints


def test_the_landing_page_leads_on(chromium: Browser, address: str):
    with opened(chromium, address, "light") as (tab, seen):
        tab.goto(f"{address}/index.html")
        tab.wait_for_url("**/book/index.html")
        tab.get_by_role("link", name="Start reading").click()
        assert tab.url.endswith("/book/fusion/weighted_sum.html")
        assert not seen.complaints


def test_dark_mode_can_be_chosen_and_stays(chromium: Browser, web: str):
    with opened(chromium, web, "light") as (tab, _):
        tab.goto(f"{web}/book/how_to_use.html")
        for _ in range(3):  # automatic, light, dark
            if tab.evaluate("document.documentElement.dataset.mode") == "dark":
                break
            tab.locator(".theme-switch-button").first.click()
        tab.goto(f"{web}/book/credits.html")
        assert tab.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_screen_reader_finds_its_way(chromium: Browser, web: str, pages: list[Page]):
    """The faults that axe-core found in the theme, and what it asks of every page, checked by hand."""
    with opened(chromium, web, "light") as (tab, _):
        for page in pages:
            show(tab, web, page)
            assert tab.locator("html[lang]").count() == 1
            assert tab.title().strip()
            assert tab.locator("main").count() == 1, page.name
            assert tab.locator("h1").count() == 1, f"{page.name}: one heading of the first level"
            for place in ("button", "summary", "a[href]", "input:not([type=hidden])"):
                for element in tab.locator(f"{place}:visible").all():
                    name = element.evaluate(
                        "e => (e.getAttribute('aria-label') || e.title || e.textContent || e.placeholder || "
                        "[...e.querySelectorAll('img[alt]')].map(i => i.alt).join('')).trim()"
                    )
                    assert name, f"{page.name}: {place} has no name: {element.evaluate('e => e.outerHTML')[:120]}"
