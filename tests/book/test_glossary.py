"""The glossary: its page, and the links that the first mention of a term becomes; on small projects and on the book."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml
from coursebook import glossary
from docutils import nodes

from authoring.book import ROOT
from tests.book.project import Build, Built, write_notebook
from tests.book.site import Page

TERMS = """
- {term: attention, zh: 注意力, says: A weighted mean.}
- {term: attention head, zh: 注意力头, says: One of several.}
- {term: cross-attention, zh: 交叉注意力, says: Attention between two sequences.}
- {term: modality, zh: 模态, says: A kind of signal., also: [kind of signal]}
- {term: language model, zh: 语言模型, says: It gives probabilities to texts.}
- {term: large language model, zh: 大语言模型, says: "A language model, and a large one.", also: [LLM]}
- {term: CNN, zh: 卷积网络, says: A network of convolutions.}
- {term: batch, zh: 批次, says: Examples of one step., link: false}
- {term: gate, zh: 门, says: A weight., also: [gated]}
"""
ENTRY = "---\norphan: true\n---\n# Words\n\n```{glossary-list}\n```\n"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "glossary.yml").write_text(TERMS, encoding="utf-8")
    (tmp_path / "book" / "glossary.md").write_text(ENTRY, encoding="utf-8")
    return tmp_path


def linked(built: Built, page: str = "index") -> list[tuple[str, str]]:
    """(words, anchor) of every link to the glossary on a page."""
    found = [node for node in built.page(page).findall(nodes.reference) if "glossary-term" in node["classes"]]
    return [(node.astext(), node["refuri"].rpartition("#")[2]) for node in found]


def names(built: Built) -> list[str]:
    return [name for name, _ in linked(built)]


# -------------------------------------------------------------------------------------------------- what is linked


def test_the_first_mention_of_a_term_leads_to_its_entry(words: Path, build: Build):
    built = build("Attention first. Then attention again, and *a modality*.\n\nAttention once more.")
    assert linked(built) == [("Attention", "term-attention"), ("modality", "term-modality")]
    link = next(node for node in built.page().findall(nodes.reference) if node.astext() == "Attention")
    assert link["refuri"] == "book/glossary#term-attention"
    assert link["reftitle"] == "注意力. A weighted mean."
    assert (
        built.page().astext()
        == "Page\n\nAttention first. Then attention again, and a modality.\n\nAttention once more."
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Cross-attention is attention.", ["Cross-attention", "attention"]),
        ("Only cross-attention, cross-attention.", ["cross-attention"]),
        ("A large language model is a language model.", ["large language model", "language model"]),
        ("An LLM, a large language model.", ["LLM"]),  # one entry, one link
        ("Two modalities, many CNNs, LLMs.", ["modalities", "CNNs", "LLMs"]),
        ("Kinds of signals are no plural of it, a kind of signal is one.", ["kind of signal"]),
        ("An attention head.", ["attention head"]),
        ("A large\nlanguage model.", ["large\nlanguage model"]),
        ("Gated, gates.", ["Gated"]),
        ("Inattention, attentional, self-attention, attention-free, attention_map.", []),
        ("cnn and Llm are other words; CNN is not.", ["CNN"]),
        ("A batch of batches.", []),
        ("(attention) “modality”, CNN's", ["attention", "modality", "CNN"]),
    ],
)
def test_whole_words_plurals_and_the_longest_term_first(words: Path, build: Build, text: str, found: list[str]):
    assert names(build(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "## Attention\n\ntext",
        "`attention`",
        "```\nattention\n```",
        "$attention$",
        "[attention](https://example.org)",
        "```{figure} dot.png\n:alt: attention\nattention\n```",
        "| attention |\n|---|\n| x |",
        "> **Note.** text",
        "```{admonition} attention\ntext\n```",
    ],
    ids=lambda text: text.splitlines()[0],
)
def test_nothing_is_linked_in_headings_code_formulas_links_and_captions(words: Path, build: Build, text: str):
    (words / "dot.png").write_bytes(b"")
    built = build(text + "\n\nThe modality.")
    assert names(built) == ["modality"]


def test_cells_of_tables_lists_and_boxes_are_read(words: Path, build: Build):
    assert names(build("- attention\n\n| a |\n|---|\n| modality |\n\n> **Note.** A CNN.")) == [
        "attention",
        "modality",
        "CNN",
    ]


def test_notebooks_are_linked_as_well_but_not_their_outputs(words: Path, build: Build):
    shown = [
        {"output_type": "stream", "name": "stdout", "text": "attention\n"},
        {"output_type": "display_data", "data": {"text/markdown": "A CNN."}, "metadata": {}},
    ]
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# The sum"},
        {
            "cell_type": "code",
            "id": "b",
            "execution_count": 1,
            "metadata": {},
            "source": "attention",
            "outputs": shown,
        },
        {"cell_type": "markdown", "id": "c", "metadata": {}, "source": "A modality, and attention."},
    ]
    write_notebook(words, "fusion/sum", cells)
    built = build("```{toctree}\nnotebooks/fusion/sum\n```")
    assert [name for name, _ in linked(built, "notebooks/fusion/sum")] == ["modality", "attention"]


def test_without_a_glossary_nothing_happens(tmp_path: Path, build: Build):
    assert names(build("Attention.")) == []
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "glossary.yml").write_text(TERMS, encoding="utf-8")  # but no page to lead to
    assert names(build("Attention.")) == []


# ------------------------------------------------------------------------------------------------- the page itself


def test_the_page_has_an_entry_for_each_term_and_links_them_among_each_other(words: Path, build: Build):
    built = build("See [](book/glossary.md#term-cnn).")
    assert "See CNN." in built.page().astext(), "a link without words takes the term's"
    page = built.page("book/glossary")
    items = list(page.findall(nodes.definition_list_item))
    assert [item[0].astext() for item in items][:2] == ["attention 注意力", "attention head 注意力头"]
    assert items[0][0]["ids"] == ["term-attention"]
    chinese = items[0][0].next_node(nodes.inline)
    assert "language-zh-hans" in chinese["classes"], "a screen reader must know that it is Chinese"
    within = {item["entry"]: [link.astext() for link in item.findall(nodes.reference)] for item in items}
    assert within["attention"] == [], "an entry does not lead to itself"
    assert within["cross-attention"] == ["Attention"]
    assert within["large language model"] == ["language model"], "its own longer name is not read as the shorter term"
    letters = [link.astext() for link in page.findall(nodes.reference) if "refid" in link]
    assert letters == ["A", "B", "C", "G", "L", "M"]
    assert "WARNING" not in built.warnings, built.warnings
    assert "glossary.yml" in built.dependencies("book/glossary")


@pytest.mark.parametrize(
    ("form", "many"),
    [("modality", "modalities"), ("batch", "batches"), ("loss", "losses"), ("array", "arrays"), ("CNN", "CNNs")],
)
def test_plurals(form: str, many: str):
    assert glossary.plural(form) == many


# ---------------------------------------------------------------------------------------------------- on the book


@pytest.fixture(scope="module")
def entries() -> tuple[glossary.Entry, ...]:
    found = glossary.read_glossary(ROOT)
    assert found is not None
    return found.entries


def test_every_entry_is_on_the_page_of_the_book(html: Path, entries: tuple[glossary.Entry, ...]):
    page = Page(html, "book/glossary.html")
    assert [term["id"] for term in page.article.select("dl.glossary-list > dt")] == [entry.anchor for entry in entries]
    for term in page.article.select("dl.glossary-list > dt"):
        assert term.select_one("[lang=zh-hans]"), term["id"]


def test_each_page_links_a_term_once_and_to_its_entry(readable: list[Page], entries: tuple[glossary.Entry, ...]):
    anchors = {entry.anchor: entry for entry in entries}
    for page in readable:
        if page.name == "book/glossary.html":
            continue
        links = page.article.select("a.glossary-term")
        times = Counter(link["href"].rpartition("#")[2] for link in links)
        assert set(times) <= {anchor for anchor, entry in anchors.items() if entry.linked}, page.name
        assert max(times.values(), default=1) == 1, f"{page.name}: {times.most_common(1)}"
        for link in links:
            assert link["title"].startswith(anchors[link["href"].rpartition("#")[2]].chinese)
            assert not link.find_parent(["h1", "h2", "h3", "h4", "figcaption", "code", "pre", "dt", "thead"]), page.name
            assert link.find_parent("a") is None


def test_prose_and_lessons_are_linked(readable: list[Page]):
    for name in (
        "book/concepts/architectures.html",
        "book/fusion/weighted_sum.html",
        "notebooks/fusion/contrastive.html",
    ):
        page = next(page for page in readable if page.name == name)
        assert len(page.article.select("a.glossary-term")) >= 10, name


def test_terms_that_nothing_mentions_are_few(readable: list[Page], entries: tuple[glossary.Entry, ...]):
    """The links of the glossary's own page count: a term may be there for the sake of another."""
    used = {link["href"].rpartition("#")[2] for page in readable for link in page.soup.select("a.glossary-term")}
    unused = [entry.term for entry in entries if entry.linked and entry.anchor not in used]
    assert len(unused) <= len(entries) // 2, unused


def test_linking_is_quick(readable: list[Page]):
    """The text of the whole book in a fraction of a second: processor time, generously bounded."""
    found = glossary.read_glossary(ROOT)
    text = "\n".join(page.article.get_text() for page in readable)
    start = time.process_time()
    times = sum(1 for _ in found.pattern.finditer(text))
    spent = time.process_time() - start
    assert times > 100
    assert spent < 3 * max(1.0, len(text) / 1_000_000), f"{spent:.1f} s for {len(text)} characters"


def test_the_file_can_be_read_without_this_extension():
    rows = yaml.safe_load((ROOT / "book" / "glossary.yml").read_text(encoding="utf-8"))
    assert all(re.search(r"\S", row["zh"]) for row in rows)
