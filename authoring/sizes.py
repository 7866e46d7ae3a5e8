"""Draw the sizes of the models of book/concepts/models.yml over time: `python -m authoring.sizes`.

The picture carries a digest of what it was drawn from, so that a test can tell when it has to be drawn again.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from authoring.files import write_atomically
from mmcourse.lesson import COLOURS, STYLE

ROOT = Path(__file__).resolve().parents[1]
SOURCE, PICTURE = "book/concepts/models.yml", "book/concepts/sizes.png"
# What is named, and where beside the top of its line: side and height in points. The rest would not find room.
NAMED = {
    "CLIP": ("right", 4), "M6": ("right", 4), "CogView": ("right", 4),
    "Latent diffusion (Stable Diffusion v1)": ("left", 6),
    "Flamingo": ("right", 4), "Whisper": ("left", 4), "Chinese CLIP": ("right", 4), "LLaVA": ("left", 4),
    "Qwen-VL": ("right", -7), "CogVLM": ("right", 4), "Gemini 1.0": ("left", -8), "InternVL": ("left", -7),
    "Chameleon": ("left", 4), "Qwen2-VL": ("left", -4), "Llama 3.2 Vision": ("left", 5), "Janus": ("right", -10),
    "Qwen2.5-VL": ("right", 11), "InternVL3": ("right", -9), "SmolVLM": ("right", 4), "BAGEL": ("right", 4),
    "Qwen3-VL": ("left", 4),
}  # fmt: skip
APART = 0.07  # years between models of one month, so that their lines do not hide each other


def sized(root: Path) -> list[dict[str, Any]]:
    """The models whose sizes are known, with the fields that are drawn."""
    rows = yaml.safe_load((root / SOURCE).read_text(encoding="utf-8"))
    fields = ("name", "date", "country", "billions")
    return [{field: row[field] for field in fields} for row in rows if isinstance(row["billions"], list)]


def digest(root: Path) -> str:
    """One number for the data and this program."""
    return hashlib.sha256(json.dumps(sized(root)).encode() + Path(__file__).read_bytes()).hexdigest()


def when(date: str) -> float:
    year, month = map(int, date.split("-"))
    return year + (month - 0.5) / 12


def draw(root: Path) -> bytes:
    """The picture as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({**STYLE, "font.size": 11.0}):
        fig, axis = plt.subplots(figsize=(7.4, 5.2))
        shown, rows = set(), sized(root)
        for row in rows:
            there = row["country"] == "China"
            label = "from China" if there else "from elsewhere"
            colour, mark = (COLOURS[1], "s") if there else (COLOURS[0], "o")
            month = [other["name"] for other in rows if other["date"] == row["date"]]
            x = when(row["date"]) + APART * (month.index(row["name"]) - (len(month) - 1) / 2)
            axis.plot(
                [x] * len(row["billions"]), row["billions"], marker=mark, markersize=5.5, linewidth=1.2, color=colour,
                markerfacecolor=colour if there else "white", label=None if label in shown else label,
            )  # fmt: skip
            shown.add(label)
            if row["name"] in NAMED:
                side, height = NAMED[row["name"]]
                name = row["name"].replace("Latent diffusion (Stable Diffusion v1)", "Stable Diffusion")
                axis.annotate(
                    name, (x, max(row["billions"])), xytext=(5 if side == "right" else -5, height),
                    textcoords="offset points", ha="left" if side == "right" else "right", fontsize=8.5,
                    color="#333333",
                )  # fmt: skip
        axis.set_yscale("log")
        ticks = [0.1, 1, 10, 100]
        axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set(xlabel="first published", ylabel="parameters, in billions (log scale)", xlim=(2020.9, 2026.3))
        axis.grid(axis="y", color="#dddddd", linewidth=0.8)
        axis.legend(loc="lower right")
        fig.tight_layout()
        picture = io.BytesIO()
        fig.savefig(picture, format="png", dpi=100, metadata={"Software": None, "Source": digest(root)})
        plt.close(fig)
    return picture.getvalue()


def main() -> int:
    changed = write_atomically(ROOT / PICTURE, draw(ROOT))
    print(f"{PICTURE}{'' if changed else ' (nothing changed)'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
