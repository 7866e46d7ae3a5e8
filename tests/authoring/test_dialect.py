"""Markdown that JupyterLab, Colab and the book show alike: what is let through and what is named."""

from __future__ import annotations

import pytest

from authoring.dialect import dialect_faults, number_faults

PLAIN = r"""## A heading

Words, *emphasis*, a [link](../../book/bibliography.md#a2019 "1.5"), <https://example.org/2.5/x>, `a code span {x}`,
inline math $a_{1} = 0.5\,b$ and \$5, a version `3.11`, a level of `95%`, a range 1-2, the year 2019, 10,000 examples,
Python 3.11, 3.12 or 3.13, release 0.9.6, [CC BY 4.0](https://example.org/4.0), three times, the two points of a line,
12 heads, 4 bits, chapter 3, 1 May 2024, 16 x 16 pixels, $3$ times, `10` seconds.

$$
\begin{aligned} a &= 0.25 \\[2pt] b &= \left[ 1 \right] \end{aligned}
$$

> **Correction.** A box with $x$ in it.
> And a second line.

```python
x = {"a": 0.93}  # (label)=
```

1. one
2. two <a id="place"></a>

| a | b |
|---|---|
| 1 | 2 |
"""


def test_commonmark_with_math_passes() -> None:
    assert list(dialect_faults(PLAIN)) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("```{note}\nx\n```", "directive: {note}"),
        ("~~~{figure} x.png\n~~~", "directive"),
        (":::{tip}\nx\n:::", "MyST fence"),
        ("see {ref}`label`", "MyST role"),
        ("it is {value}`fusion/gates:gain|.2f`", "MyST role"),
        ("(label)=\n## Heading", "MyST target"),
        ("% a comment", "MyST comment"),
        ("the {{version}}", "substitution"),
        ("a note[^1]", "footnote"),
        (r"\[ x^2 \]", r"math between \[ \]"),
        (r"\( x^2 \)", r"math between \[ \]"),
        ("\\begin{align}\nx\n\\end{align}", "bare LaTeX"),
        ("<div>x</div>", "HTML"),
        ('<img src="x.png">', "HTML"),
        ("a<br/>b", "HTML"),
        ("<!-- x -->", "HTML"),
        ("it reaches 0.93", "from claim or exact"),
        ("3.5 times faster", "typed by hand"),
        ("93 % right", "typed by hand"),
        ("93% right", "typed by hand"),
        ("12 percent of them", "typed by hand"),
        ("two per cent of them", "typed by hand"),
        ("Three percentage points above", "typed by hand"),
        ("better by 3 points", "typed by hand"),
        ("10 times as long", "typed by hand"),
        ("it takes 40 seconds", "typed by hand"),
        ("it takes 40 s", "typed by hand"),
        ("a 5-minute run", "typed by hand"),
        ("it needs 2 GB", "typed by hand"),
        ("version 3.11 reaches 0.93", "by hand; measured numbers come from claim or exact, a number that defines"),
        ("> just a quotation", "block quote"),
        ("> **Hint.** x", "block quote"),
        ("> **Note** x", "block quote"),
        ("words\n\n> **Note.** x\n\n> more", "block quote"),
    ],
)
def test_what_is_not_shown_alike_is_named(text: str, named: str) -> None:
    faults = list(dialect_faults(text))
    assert faults
    assert all(named in fault for _, fault in faults)


def test_a_fault_tells_its_line_and_shows_spans_as_spans() -> None:
    text = "# A heading\n\n$$\na\n$$\n\nsee {ref}`a b` or $x$.5\n\n```\n1.5\n```\n\n> `x` says $y$\n"
    lines, faults = zip(*dialect_faults(text), strict=True)
    assert lines == (7, 13)
    assert faults[0] == "a MyST role: '{ref}`…`'"
    assert faults[1].endswith(": `…` says $…$")
    [(_, number)] = dialect_faults("it is `x`=0.5$y$ here")
    assert number.endswith(": '`…`=0.5$…$'")


# ------------------------------------------------------------------------------------------------ pages of the book

PAGE = """---
level: 0.5
---
# A page

In [one run](https://example.org/0.5) it gains {value}`fusion/sum:gain|.2f`, see `0.5` and $0.5$.

```{figure} x.png
:width: 0.5
It was 0.5.
```

:::{note}
:name: a-0.5
{words}
:::

[its address]: https://example.org/0.5
"""


def test_numbers_of_a_page_come_from_runs() -> None:
    assert list(number_faults(PAGE.replace("{words}", "No number."))) == []
    [(line, fault)] = number_faults(PAGE.replace("{words}", "It takes 0.5 of it."))
    assert PAGE.splitlines()[line - 1] == "{words}"
    assert fault.startswith("a number typed by hand")
    assert fault.endswith("'0.5'")


def test_a_page_of_other_people_s_numbers_says_so_and_why() -> None:
    page = PAGE.replace("{words}", "It takes 0.5 of it.")
    assert list(number_faults(f"{page}\n% numbers: each as its source says\n")) == []
    assert list(number_faults(f"{page}\n% numbers: allowed\n")), "no reason"
