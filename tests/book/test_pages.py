"""The built book, page by page: what leads somewhere exists, what is fetched is local, what is shown can be read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from coursebook.boxes import BOXES
from coursebook.offline import PIECES

from authoring.book import ROOT
from authoring.lessons import exercises_names
from tests.book.site import Page, css_addresses, is_foreign, weight

LARGEST_IMAGE = 100_000  # bytes
# Bytes sent for a page with all that it loads, nothing cached; measured 290 kB without formulas, 540 kB with formulas
# and no picture.
HEAVIEST_PAGE = 400_000
HEAVIEST_FORMULA_PAGE = 1_200_000
# The font of the icons, which a stylesheet names.
ICONS = "_static/vendor/fontawesome/6.5.2/webfonts/fa-solid-900.woff2"
# Fonts that MathJax fetches for ordinary formulas.
FORMULA_FONTS = ("MathJax_Main-Regular", "MathJax_Math-Italic", "MathJax_Size2-Regular", "MathJax_AMS-Regular")
FETCH = re.compile(
    r"""(?:fetch|import|importScripts|\.open)\(\s*["'](?:GET["'],\s*["'])?https?://|\.src\s*=\s*["']https?://"""
)


def test_the_book_has_every_page_of_its_contents(html: Path):
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    for name in re.findall(r"(?:file|root): (\S+)", contents):
        assert (html / f"{name}.html").is_file(), name


def test_the_front_page_leads_on_with_and_without_a_redirect(html: Path):
    front = Page(html, "index.html")
    assert front.soup.select_one('meta[http-equiv="refresh"]')["content"] == "0; url=book/index.html"
    assert front.soup.select_one("a[href]")["href"] == "book/index.html"
    assert front.soup.select_one("html[lang]")
    # Without an icon of its own a browser asks the host for one; a picture would be given up half-way.
    assert front.soup.select_one("link[rel=icon]")["href"] == "data:,"


def test_internal_links_lead_to_pages_and_anchors_that_exist(html: Path, pages: list[Page]):
    by_path = {page.path.resolve(): page for page in pages}
    broken = []
    for page in pages:
        for link in page.soup.select("a[href]"):
            if urlsplit(link["href"]).scheme or link["href"] in ("#", ""):
                continue
            file, anchor = page.target(link["href"])
            if not file.is_file() or not file.is_relative_to(html.resolve()):
                broken.append(f"{page.name}: no file for {link['href']}")
            elif anchor and file in by_path and anchor not in by_path[file].ids:
                broken.append(f"{page.name}: no anchor for {link['href']}")
    assert not broken, "\n".join(broken)


def test_outward_links_are_safe(pages: list[Page]):
    for page in pages:
        for link in page.soup.select("a[href]"):
            assert urlsplit(link["href"]).scheme in ("", "https", "mailto"), f"{page.name}: {link['href']}"


def test_an_id_stands_once_on_a_page(pages: list[Page]):
    for page in pages:
        found = [tag["id"] for tag in page.article.select("[id]")]
        assert len(found) == len(set(found)), (
            f"{page.name}: {sorted({name for name in found if found.count(name) > 1})}"
        )


def test_every_image_says_in_words_what_it_shows(pages: list[Page]):
    for page in pages:
        for image in page.soup.select("img"):
            alt = image.get("alt", "").strip()
            # The marks of Colab and Binder stand beside the name in letters: reading both aloud would say it twice.
            decoration = "_static/images/logo_" in image["src"]
            assert alt or decoration, f"{page.name}: {image['src']} has no alternative text"
            assert alt not in (image["src"], Path(image["src"]).name), f"{page.name}: {alt} is a file name"


def test_no_page_fetches_anything_from_another_host(html: Path, pages: list[Page]):
    foreign = [f"{page.name}: {address}" for page in pages for address in page.loaded() if is_foreign(address)]
    for style in html.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        foreign += [f"{style.name}: {address[:80]}" for address in css_addresses(text) if is_foreign(address)]
    for page in pages:
        for script in page.soup.select("script"):
            source = script.get("src")
            if source and is_foreign(source):
                continue  # listed already
            text = page.target(source)[0].read_text(encoding="utf-8") if source else script.string or ""
            foreign += [f"{page.name}: {found[0]}" for found in FETCH.finditer(text)]
    assert not foreign, "\n".join(foreign)


def test_what_a_page_loads_is_there(pages: list[Page]):
    for page in pages:
        for address in page.loaded():
            if not address.startswith("data:"):
                assert page.target(address)[0].is_file(), f"{page.name}: {address}"


def weight_of(page: Page) -> int:
    files = {page.target(address)[0] for address in page.loaded() if not address.startswith("data:")}
    files.add(page.html / ICONS)
    if page.has_formula:
        mathjax = page.html / "_static" / "mathjax"
        files |= {mathjax / piece for piece in PIECES if (mathjax / piece).is_file()}
        files |= {mathjax / f"output/chtml/fonts/woff-v2/{font}.woff" for font in FORMULA_FONTS}
    return weight(page.path) + sum(weight(file) for file in files)


def test_no_page_is_heavy(pages: list[Page]):
    heavy = []
    for page in pages:
        limit = HEAVIEST_FORMULA_PAGE if page.has_formula else HEAVIEST_PAGE
        if weight_of(page) > limit:
            heavy.append(f"{page.name}: {weight_of(page) / 1000:.0f} kB, wanted at most {limit // 1000}")
    assert not heavy, "\n".join(heavy)


def test_no_image_is_heavy(html: Path):
    for image in (html / "_images").iterdir():
        assert image.stat().st_size <= LARGEST_IMAGE, f"{image.name}: {image.stat().st_size / 1000:.0f} kB"


def test_figures_are_numbered_and_have_captions(readable: list[Page]):
    numbers: list[str] = []
    for page in readable:
        for image in page.article.select("img"):
            assert image.find_parent("figure"), f"{page.name}: {image['src']} stands outside a figure"
        for figure in page.article.select("figure"):
            number = figure.select_one("figcaption .caption-number")
            assert number, f"{page.name}: a figure without number"
            assert re.fullmatch(r"Figure \d+(\.\d+)?", number.text.strip()), number.text
            caption = figure.select_one("figcaption .caption-text")
            assert caption is not None, f"{page.name}: {number.text} has no caption"
            assert caption.text.strip(), f"{page.name}: the caption of {number.text} is empty"
            numbers.append(number.text.strip())
    assert numbers, "the book shows no figure"
    assert len(numbers) == len(set(numbers)), "two figures have one number"


def test_a_lesson_shows_all_its_figures_and_numbers_once(lessons: list[Page]):
    for page in lessons:
        notebook = json.loads((ROOT / page.name).with_suffix(".ipynb").read_text(encoding="utf-8"))
        outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
        figures = [output for output in outputs if "figure" in output.get("metadata", {}).get("mmcourse", {})]
        kinds = [kind for output in outputs for kind in output.get("data", {})]
        assert len(page.article.select("figure.lesson-figure")) == len(figures), page.name
        for kind in ("claim", "exact"):
            stored = sum(f"mmcourse.{kind}" in each for each in kinds)
            assert len(page.article.select(f"p.lesson-{kind}")) == stored, f"{page.name}: {kind}"
        shown = [image["alt"] for image in page.article.select("img")]
        assert shown == [output["metadata"]["mmcourse"]["alt"] for output in figures], page.name


def test_a_lesson_says_what_it_costs(lessons: list[Page]):
    for page in lessons:
        cost = next((text for text in page.article.select("p") if text.text.startswith("Cost.")), None)
        assert cost, f"{page.name}: no line of cost"
        assert re.search(r"\d+ s of processor time and \d+\.\d GB of memory", cost.text), cost.text


def test_boxes_are_boxes(readable: list[Page]):
    for page in readable:
        for quote in page.article.select(
            "blockquote > div > p:first-child > strong:first-child, blockquote > p > strong"
        ):
            assert quote.text.rstrip(".") not in BOXES, f"{page.name}: {quote.text} stayed a quote"
        for box in page.article.select("div.admonition"):
            assert box.select_one("p.admonition-title"), page.name


def test_formulas_are_drawn_by_local_mathjax_and_only_where_there_are_any(readable: list[Page]):
    with_formula = [page for page in readable if page.has_formula]
    assert with_formula, "the book holds no formula"
    for page in readable:
        scripts = [script["src"].split("?")[0] for script in page.soup.select("script[src]")]
        loads = any(script.endswith("_static/mathjax/startup.js") for script in scripts)
        assert loads == page.has_formula, page.name
    mathjax = with_formula[0].html / "_static" / "mathjax"
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    for piece in settings["mathjax3_config"]["loader"]["load"]:
        assert (mathjax / f"{piece}.js").is_file(), piece


def test_the_search_index_finds_a_word_of_the_lesson(html: Path):
    text = (html / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").rstrip(")"))
    places = index["terms"]["softmax"]
    names = {index["docnames"][place] for place in (places if isinstance(places, list) else [places])}
    assert "notebooks/fusion/weighted_sum" in names


def test_lessons_and_only_lessons_can_be_launched_and_downloaded(pages: list[Page]):
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    owner_and_name = settings["repository"]["url"].removeprefix("https://github.com/")
    branch = settings["repository"]["branch"]
    for page in pages:
        notebook = page.name.replace(".html", ".ipynb")
        header = page.soup.select_one(".header-article__inner") or page.soup
        links = [link["href"] for link in header.select("a[href]")]
        colab = f"https://colab.research.google.com/github/{owner_and_name}/blob/{branch}/{notebook}"
        binder = f"https://mybinder.org/v2/gh/{owner_and_name}/{branch}?urlpath=lab/tree/{notebook}"
        assert (colab in links) == page.is_lesson, page.name
        assert (binder in links) == page.is_lesson, page.name
        downloads = [page.target(link)[0] for link in links if "_sources/" in link]
        assert bool(downloads) == page.is_lesson, page.name
        for file in downloads:
            assert file.read_bytes() == (ROOT / notebook).read_bytes(), f"{page.name}: the download is another file"


def test_prose_pages_are_plain_pages_and_no_notebooks():
    for page in (ROOT / "book").rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        head = text.split("\n---", 1)[0] if text.startswith("---") else ""
        assert not re.search(r"^(kernelspec|jupytext):", head, re.M), f"{page.name}: its Colab link would be broken"


def test_exercises_show_a_stub_and_a_solution_for_each_check(html: Path):
    pages = [Page(html, f"notebooks/{name}.html") for name in exercises_names(ROOT)]
    assert pages
    for page in pages:
        shown = [block.text for block in page.article.select("div.cell:not(.tag_hide-cell) div.cell_input pre")]
        checks = [text for text in shown if text.startswith("check(")]
        assert len([text for text in shown if "YOUR CODE HERE" in text]) == len(checks) > 0
        folded = [block.text for block in page.article.select("div.tag_hide-cell details:not([open]) pre")]
        assert len(folded) == 2 * len(checks), "an answer and what its check said"
        assert not any("SOLUTION" in text or "YOUR CODE" in text for text in folded)
        assert all("✓" in text for text in folded[1::2])
        assert "exercises solved" not in page.article.text


@pytest.mark.parametrize("leftover", ["thebe", "require.min.js", "fontawesome/6.5.2/js", "unpkg", "jsdelivr", "cdnjs"])
def test_what_was_dropped_stays_dropped(pages: list[Page], leftover: str):
    for page in pages:
        for tag in page.soup.select("script, link"):
            assert leftover not in str(tag), f"{page.name}: {tag}"


def test_records_have_an_entry_for_each_row(html: Path):
    def entries(name: str) -> int:
        return len(yaml.safe_load((ROOT / "book" / name).read_text(encoding="utf-8")))

    corrections = Page(html, "book/corrections.html")
    assert len(corrections.article.select("dl.corrections > dt")) == entries("corrections.yml")
    for row in yaml.safe_load((ROOT / "book" / "corrections.yml").read_text(encoding="utf-8")):
        assert row["id"].lower() in corrections.ids, row["id"]
    coverage = Page(html, "book/coverage.html")
    ids = " ".join(cell.text for cell in coverage.article.select("td:last-child"))
    assert len(re.findall(r"S\d-\d+", ids)) == entries("coverage.yml")
    bibliography = Page(html, "book/bibliography.html")
    works = re.findall(r"^@\w+\{\s*([^,\s]+)", (ROOT / "book" / "references.bib").read_text(encoding="utf-8"), re.M)
    for key in works:
        assert key in bibliography.ids, key
    assert len(bibliography.article.select(".work-checked")) == len(works)
