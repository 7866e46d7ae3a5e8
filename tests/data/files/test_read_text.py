"""Laws of read_text: Unicode in composed form, or an error that says how to ask for it."""

import codecs

import pytest

from mmcourse.data.files import FileError, read_text
from tests.data.files.reading import with_words

CHINESE = "图像、文字和声音的意思相同。"


def read(tmp_path, content, **options):
    (tmp_path / "words.txt").write_bytes(content)
    return with_words(read_text, tmp_path / "words.txt", **options)


def refusal(tmp_path, content, **options):
    with pytest.raises(FileError) as caught:
        read(tmp_path, content, **options)
    return str(caught.value)


@pytest.mark.parametrize("text", ["one", CHINESE, "Naïve café\n", "emoji 🙂 and ﷽", "<p>markup</p>", "a\tb"])
def test_utf_8_comes_back(tmp_path, text):
    assert read(tmp_path, text.encode()) == (text, [])


def test_lines_end_in_one_way_and_the_utf_8_mark_is_taken_away(tmp_path):
    assert read(tmp_path, b"a\r\nb\rc\n") == ("a\nb\nc\n", [])
    assert read(tmp_path, codecs.BOM_UTF8 + b"one") == ("one", [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_that_marks_itself_is_decoded_with_a_word(tmp_path, encoding):
    text, words = read(tmp_path, CHINESE.encode(encoding))
    assert text == CHINESE
    assert words == [f"decoded from {encoding.upper()}, as the mark at its beginning says"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-16-le"),
        (CHINESE, "utf-16-be"),
        ("one two three", "utf-16-le"),
        (CHINESE, "gb18030"),
        ("圖像、文字和聲音的意思相同。", "big5"),
        ("Der Bär schläft schön.", "cp1252"),
    ],
)
def test_another_encoding_is_refused_with_the_way_to_ask_for_it(tmp_path, text, encoding):
    message = refusal(tmp_path, text.encode(encoding))
    assert f'read_text(path, encoding="{encoding}") would read "{text[:10]}' in message
    assert read(tmp_path, text.encode(encoding), encoding=encoding) == (text, [])


def test_bytes_that_are_no_text_are_refused_with_their_place(tmp_path):
    message = refusal(tmp_path, b"ab\xff\x00\x81")
    assert "got bytes that are no utf-8 (0xff at position 2), wanted utf-8" in message
    assert "bytes that are no utf-16" in refusal(tmp_path, codecs.BOM_UTF16_LE + b"a\0b")
    assert "a NUL character in line 2" in refusal(tmp_path, b"one\ntw\0o")


@pytest.mark.parametrize("content", [b" \n\t ", "\u3000\u00a0".encode(), codecs.BOM_UTF8])
def test_white_space_alone_is_refused(tmp_path, content):
    assert "got nothing but white space, wanted a text" in refusal(tmp_path, content)


def test_characters_are_composed_with_a_word(tmp_path):
    text, words = read(tmp_path, "e\u0301te\u0301".encode())
    assert text == "été"
    assert words == ["characters were composed (Unicode normal form C)"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a\nb\ufffdc\ufffd", "lost what stood there (2; the first, U+FFFD, in line 2)"),
        ("a\x01b\x85", "control characters (2; the first, U+0001, in line 1)"),
        ("a\n\nb\uffff\ue000", "code points that are no characters (2; the first, U+FFFF, in line 3)"),
    ],
)
def test_odd_characters_stay_with_a_word(tmp_path, text, word):
    found, words = read(tmp_path, text.encode())
    assert found == text
    assert len(words) == 1
    assert words[0].endswith(word)


def test_refuses_an_unknown_encoding(tmp_path):
    with pytest.raises(LookupError, match="unknown encoding: utf-9"):
        read_text(tmp_path / "any.txt", encoding="utf-9")
