"""The hash of what code means. Comments and blank lines change no result, so they do not count.

The rule is by text, not by syntax tree: the hash is the same on every Python.
"""

from __future__ import annotations

import hashlib
import io
import tokenize
from collections.abc import Iterable
from pathlib import Path

SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip


def without_comments(code: str) -> str:
    """Python code without comments and blank lines; other text (a cell with a magic) as it is."""
    lines = code.split("\n")
    kept: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            row, column = token.start
            if token.type == tokenize.COMMENT:
                lines[row - 1] = lines[row - 1][:column].rstrip()
            elif token.type not in SILENT:
                kept.update(range(row, token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        return code
    return "\n".join(line for row, line in enumerate(lines, start=1) if row in kept)


def file_meaning(path: Path) -> bytes:
    """What of a file can change a result: code without comments, any other file to the byte; a missing one is None."""
    if not path.is_file():
        return b"(missing)"
    if path.suffix == ".py":
        return without_comments(path.read_text(encoding="utf-8")).encode()
    return path.read_bytes()


def combined(root: Path, parts: Iterable[str], files: Iterable[str]) -> str:
    """One hash over texts and over the meaning of files, each with its name relative to `root`."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"\0part\0" + part.encode())
    for file in files:
        digest.update(b"\0file\0" + file.encode() + b"\0" + file_meaning(root / file))
    return digest.hexdigest()
