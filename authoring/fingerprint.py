"""The hash of what code means. Comments, blank lines and docstrings change no result, so they do not count.

The rule is by text, not by syntax tree: the hash is the same on every Python.
"""

from __future__ import annotations

import hashlib
import io
import re
import tokenize
from collections.abc import Iterable, Mapping
from pathlib import Path

LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def without_comments(code: str, *, docstrings: bool = True) -> str:
    """Python code without comments and blank lines; other text (a cell with a magic) as it is.

    docstrings=False also leaves out every string that is a statement of its own. Keep it for a notebook's cell, which
    shows such a string where it comes last.
    """
    lines = code.split("\n")
    kept: set[int] = set()
    statement: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            row, column = token.start
            if token.type == tokenize.COMMENT:
                lines[row - 1] = lines[row - 1][:column].rstrip()
            elif token.type == tokenize.NEWLINE:
                if docstrings or not all(map(is_plain_string, statement)):
                    kept.update(row for part in statement for row in range(part.start[0], part.end[0] + 1))
                statement = []
            elif token.type not in LAYOUT:
                statement.append(token)
    except (tokenize.TokenError, SyntaxError):
        return code
    return "\n".join(line for row, line in enumerate(lines, start=1) if row in kept)


def is_plain_string(token: tokenize.TokenInfo) -> bool:
    """Whether a token is a string that computes nothing. An f-string is one token on Python 3.11, several later."""
    return token.type == tokenize.STRING and not re.match(r"r?f", token.string, re.IGNORECASE)


def file_meaning(path: Path) -> bytes:
    """What of a file can change a result: Python without words for its readers, any other file to the byte."""
    if not path.is_file():
        return b"(missing)"
    if path.suffix == ".py":
        return without_comments(path.read_text(encoding="utf-8"), docstrings=False).encode()
    return path.read_bytes()


def combined(parts: Iterable[str]) -> str:
    """One hash over texts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"\0part\0" + part.encode())
    return digest.hexdigest()


def file_hashes(root: Path, files: Iterable[str]) -> dict[str, str]:
    """{file: hash of its meaning and of its name relative to `root`}"""
    return {
        file: hashlib.sha256(b"\0file\0" + file.encode() + b"\0" + file_meaning(root / file)).hexdigest()
        for file in sorted(files)
    }


def changed_files(root: Path, hashes: Mapping[str, str]) -> list[str]:
    """Files that mean something else now than when they were hashed."""
    return [file for file, now in file_hashes(root, hashes).items() if now != hashes[file]]
