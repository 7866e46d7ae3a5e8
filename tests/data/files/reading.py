"""What a reader returns, together with the words it says."""

import warnings

from mmcourse.errors import ConvertedFileWarning


def with_words(read, *arguments, **options):
    """(value, [text of each ConvertedFileWarning after the path])."""
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        value = read(*arguments, **options)
    assert all(note.category is ConvertedFileWarning for note in notes)
    return value, [str(note.message).split(": ", 3)[-1] for note in notes]
