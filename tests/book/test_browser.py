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
from importlib import resources
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
EXERCISES = "notebooks/fusion/exercises.html"
LEAST_CONTRAST = 4.5  # WCAG 2, level AA
PLACES = (
    "article p", "article li", "article td a", "article figcaption", "article figcaption .caption-text", "article h1",
    "article .admonition-title", "article .admonition p", "article pre", "article .lesson-claim",
    "article .claim-bound", "article .lesson-exact",
    "article .work-checked", "article .correction-about", "article details.hide summary", "article a.glossary-term",
    "article .glossary-chinese", "article .glossary-also", "article th.stub a", "article td a.glossary-term",
    ".bd-sidebar-primary a.reference",
)  # fmt: skip
# Visible controls without a name, as the first letters of their HTML.
NAMELESS = """() => {
  const name = e => e.getAttribute("aria-label") || e.title || e.textContent.trim() || e.placeholder
    || [...e.querySelectorAll("img")].map(image => image.alt).join("");
  return [...document.querySelectorAll("button, summary, a[href], input:not([type=hidden])")]
    .filter(e => e.checkVisibility() && !name(e)).map(e => e.outerHTML.slice(0, 120));
}"""
# The glyphs of a formula are thousands of elements, hidden from screen readers, which get the formula as MathML.
AXE = "axe.run({exclude: [['mjx-math']]}, {resultTypes: ['violations']})"
# What is too wide there can be scrolled by the keyboard too.
AXE_ON_A_PHONE = AXE.replace("{resultTypes", "{runOnly: ['scrollable-region-focusable'], resultTypes")
# Opens all that is folded; it fades in, and while it does its colours are others.
UNFOLD = """() => {
  document.querySelectorAll("details").forEach(folded => folded.open = true);
  return Promise.all(document.getAnimations().map(fading => fading.finished)).then(() => null);
}"""
# Formulas, code and tables that are wider than their place and cannot be scrolled, as the first letters of their text.
CUT_OFF = """() => [...document.querySelectorAll("article .math, article pre, article .pst-scrollable-table-container")]
  .filter(e => e.scrollWidth > e.clientWidth + 1 && !["auto", "scroll"].includes(getComputedStyle(e).overflowX)
    && getComputedStyle(e.querySelector("mjx-container") ?? e).overflowX != "auto")
  .map(e => e.textContent.slice(0, 60))"""
# For each place its colour and the first of its own and its ancestors' grounds that is not transparent; 0 to 255.
COLOURS = """places => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const opaque = node => { const c = rgb(getComputedStyle(node).backgroundColor); return c.length == 3 || c[3] > 0; };
  const colours = element => {
    let ground = element;
    while (ground.parentElement && !opaque(ground)) ground = ground.parentElement;
    return [rgb(getComputedStyle(element).color), rgb(getComputedStyle(ground).backgroundColor)];
  };
  return places.map(place => [place, document.querySelector(place)]).filter(([, element]) => element)
    .map(([place, element]) => [place, colours(element)]);
}"""
# Figures that are hidden, small, not loaded or dimmed.
BAD_FIGURES = """() => [...document.querySelectorAll("article figure img")]
  .filter(i => !i.naturalWidth || i.getBoundingClientRect().width < 100 || getComputedStyle(i).filter != "none")
  .map(i => i.getAttribute("src"))"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        without("no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


def without(what: str) -> None:
    """Skip, or fail where the browser tests must run."""
    if os.environ.get("MMCOURSE_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what}, and MMCOURSE_REQUIRE_BROWSER=1 asks for it", pytrace=False)
    pytest.skip(what)


def require_axe() -> str:
    try:
        return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    except ModuleNotFoundError:
        without("no axe-playwright-python here")
        raise


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
        tab.on("requestfailed", self.failed)
        tab.on("response", self.response)
        tab.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        tab.on("console", self.console)

    def failed(self, request: object) -> None:
        # What a page still asked for when the tab went on to the next is aborted, not missing.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"not loaded: {request.url}")

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


def check_formulas(tab: Tab) -> Iterator[str]:
    if tab.locator(".math mjx-container").count() != tab.locator("article .math").count():
        yield "formulas are not drawn"
    if tab.locator("mjx-merror").count():
        yield f"a formula that MathJax cannot read: {tab.locator('mjx-merror').first.text_content()}"


def check_looks(tab: Tab) -> Iterator[str]:
    """Figures and colours, which differ between light and dark."""
    yield from (f"hidden, small, not loaded or dimmed: {name}" for name in tab.evaluate(BAD_FIGURES))
    for place, colours in tab.evaluate(COLOURS, PLACES):
        if contrast(colours) < LEAST_CONTRAST:
            yield f"{place} has a contrast of {contrast(colours):.1f}"


def check_width_on_a_phone(tab: Tab) -> Iterator[str]:
    wide = tab.viewport_size
    tab.set_viewport_size({"width": 400, "height": 800})
    width = tab.evaluate("document.documentElement.scrollWidth")
    cut = tab.evaluate(CUT_OFF)
    tab.set_viewport_size(wide)
    if width > 400:
        yield f"{width} pixels wide on a phone of 400"
    yield from (f"cut off on a phone: {start}" for start in cut)


def check_names(tab: Tab) -> Iterator[str]:
    """What a screen reader reads out: the page's language, title and heading, and a name for all that can be used."""
    for place, wanted in (("html[lang]", 1), ("main", 1), ("article h1", 1)):
        if tab.locator(place).count() != wanted:
            yield f"{tab.locator(place).count()} of {place}, wanted {wanted}"
    if not tab.title().strip():
        yield "no title"
    yield from (f"no name: {element}" for element in tab.evaluate(NAMELESS))


def test_every_page_can_be_read_in_light_and_dark(chromium: Browser, address: str, readable: list[Page]):
    faults = []
    with opened(chromium, address, "light") as (tab, seen):
        for page in readable:
            show(tab, address, page)
            found = [*check_formulas(tab), *check_names(tab), *check_width_on_a_phone(tab), *check_looks(tab)]
            tab.emulate_media(color_scheme="dark")
            tab.wait_for_function("document.documentElement.dataset.theme == 'dark'")
            found += [f"in the dark: {fault}" for fault in check_looks(tab)]
            tab.emulate_media(color_scheme="light")
            faults += [f"{page.name}: {fault}" for fault in [*found, *seen.complaints]]
            seen.complaints.clear()
    assert not faults, "\n".join(faults)


def test_a_page_opens_in_the_colours_of_the_system(chromium: Browser, address: str):
    for scheme in ("light", "dark"):
        with opened(chromium, address, scheme) as (tab, seen):
            tab.goto(f"{address}/book/index.html")
            assert tab.evaluate("document.documentElement.dataset.theme") == scheme
            assert not seen.complaints


def test_axe_finds_no_fault(chromium: Browser, web: str, readable: list[Page]):
    """The rules of axe-core, which the package axe-playwright-python brings, on one page of each kind."""
    axe = require_axe()
    kinds = (
        "book/index.html", "book/benchmarks.html", "book/glossary.html", "book/concepts/models.html",
        "book/concepts/architectures.html", "notebooks/fusion/weighted_sum.html", EXERCISES,
    )  # fmt: skip
    faults = []
    with opened(chromium, web, "light") as (tab, _):
        for page in (page for page in readable if page.name in kinds):
            show(tab, web, page)
            tab.evaluate(UNFOLD)
            tab.evaluate(f"{axe};0")
            found = tab.evaluate(AXE)["violations"]
            tab.set_viewport_size({"width": 400, "height": 800})
            show(tab, web, page)  # anew: the theme's script looks at what scrolls when the page is loaded
            tab.evaluate(f"{axe};0")
            found += tab.evaluate(AXE_ON_A_PHONE)["violations"]
            tab.set_viewport_size({"width": 1280, "height": 900})
            for fault in found:
                faults.append(f"{page.name}: {fault['id']}: {fault['nodes'][0]['html'][:120]}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_solution_shows_when_it_is_asked_for(chromium: Browser, address: str, html: Path, scheme: str):
    page = Page(html, EXERCISES)
    with opened(chromium, address, scheme) as (tab, seen):
        show(tab, address, page)
        solutions = tab.locator("article details.hide")
        assert solutions.count() == len(page.article.select("details.hide")) > 0
        assert tab.locator("article details.hide[open]").count() == 0
        first = solutions.first
        assert not first.locator("pre").first.is_visible()
        first.locator("summary").click()
        code, said = first.locator("pre").all()
        assert code.is_visible()
        assert "SOLUTION" not in code.inner_text()
        assert "passed\n  ✓ " in said.inner_text()
        places = ["details[open] summary", "details[open] .cell_input pre", "details[open] .cell_output pre"]
        measured = tab.evaluate(COLOURS, places)
        assert len(measured) == len(places)
        faults = [
            f"{place}: {contrast(colours):.1f}" for place, colours in measured if contrast(colours) < LEAST_CONTRAST
        ]
        assert not faults + list(check_width_on_a_phone(tab)) + seen.complaints


def test_the_places_whose_contrast_is_measured_exist(readable: list[Page]):
    missing = [place for place in PLACES if not any(page.soup.select_one(place) for page in readable)]
    assert not missing


def test_the_search_finds_the_lesson(chromium: Browser, web: str):
    with opened(chromium, web, "light") as (tab, seen):
        tab.goto(f"{web}/search.html?q=softmax")
        # The results come in one by one, and this is not the first.
        tab.wait_for_selector('#search-results li a[href*="notebooks/fusion/weighted_sum"]')
        assert not seen.complaints


def test_the_landing_page_leads_on(chromium: Browser, address: str):
    with opened(chromium, address, "light") as (tab, seen):
        tab.goto(f"{address}/index.html")
        tab.wait_for_url("**/book/index.html")
        tab.get_by_role("link", name="Start reading").click()
        tab.wait_for_url("**/concepts/why.html")
        assert not seen.complaints


def test_dark_mode_can_be_chosen_and_stays(chromium: Browser, web: str):
    with opened(chromium, web, "light") as (tab, _):
        tab.goto(f"{web}/book/credits.html")
        for _ in range(3):  # automatic, light, dark
            if tab.evaluate("document.documentElement.dataset.mode") == "dark":
                break
            tab.locator(".theme-switch-button").first.click()
        tab.reload()
        assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
