"""Errors that name the modality, what came and what was wanted."""


class ModalityError(ValueError):
    """An input that does not fit; the message is always "where: image: got width 12, wanted 8".

    modality: its name, or several names joined by ", " when the fault is theirs together
    got, wanted: what came and what was wanted, in words
    where: the operation that refuses it
    A library that adds to the message of an exception makes it anew from a text alone: that text is then the message.
    """

    _keras_call_info_injected = True  # asks Keras not to do so where it would only list the arguments of a call

    def __init__(self, modality: str, *, got: object = None, wanted: object = None, where: str = "") -> None:
        self.modality, self.got, self.wanted, self.where = modality, got, wanted, where
        whole = f"{where}{': ' if where else ''}{modality}: got {got}, wanted {wanted}"
        super().__init__(modality if got is None and wanted is None else whole)


class UnknownModalityError(ModalityError):
    """A name that was not declared, or a declared name that did not come."""


class ShapeError(ModalityError):
    """A rank, width or batch size that does not fit."""


class DtypeError(ModalityError):
    """Not a floating dtype (an image that was not scaled), or not the module's."""


class NotFiniteError(ModalityError):
    """NaN or infinity in a row that is not masked."""


class MaskError(ModalityError):
    """A mask that is not boolean, does not fit, or hides everything in a row."""


class EmptyBatchError(ModalityError):
    """A batch without rows."""


class FileError(ModalityError):
    """A file that cannot be read as what it was to be; "read_audio: audio: a.wav: got a JPEG image, wanted …".

    path: the file, as it was given
    """

    def __init__(
        self, modality: str, *, path: object = None, got: object = None, wanted: object = None, where: str = ""
    ) -> None:
        super().__init__(modality, got=got, wanted=wanted, where=where)
        self.path = path
        if path is not None:  # as in ModalityError: made anew from a text alone, that text is the message
            self.args = (f"{where}: {modality}: {path}: got {got}, wanted {wanted}",)


class ConvertedFileWarning(UserWarning):
    """A file that was read, but with something lost or added on the way, or with something odd about it."""


class DownloadError(RuntimeError):
    """Files of a collection that cannot be had: no network, a server that refuses, a local copy that is not whole."""
