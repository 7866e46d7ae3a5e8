"""Markdown that JupyterLab, Colab and the book show alike: what is let through and what is named."""

from __future__ import annotations

import pytest

from authoring.dialect import dialect_faults

PLAIN = r"""## A heading

Words, *emphasis*, a [link](../../book/bibliography.md#a2019 "1.5"), <https://example.org/2.5/x>, `a code span {x}`,
inline math $a_{1} = 0.5\,b$ and \$5, a version `3.11`, a level of `95%`, a range 1-2, the year 2019, 10,000 examples.

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
        ("> just a quotation", "block quote"),
        ("> **Hint.** x", "block quote"),
        ("> **Note** x", "block quote"),
        ("words\n\n> **Note.** x\n\n> more", "block quote"),
    ],
)
def test_what_is_not_shown_alike_is_named(text: str, named: str) -> None:
    faults = list(dialect_faults(text))
    assert faults
    assert all(named in fault for fault in faults)
