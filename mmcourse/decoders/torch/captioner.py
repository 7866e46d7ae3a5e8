"""From a picture to words: an encoder and a decoder, trained together."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmcourse import checks
from mmcourse.decoders.torch.recurrent import RecurrentDecoder
from mmcourse.decoders.torch.transformer import TransformerDecoder
from mmcourse.decoders.torch.visual_tokens import VisualTokenDecoder
from mmcourse.encoders.torch.image_base import ImageModule
from mmcourse.encoders.torch.positions import LearnedPositions
from mmcourse.errors import ShapeError

AnyDecoder = RecurrentDecoder | TransformerDecoder | VisualTokenDecoder


class FeatureMap(ImageModule):
    """A picture as a sequence: one vector for each place of a small convolutional network's last map.

    Each block is relu(batchnorm(h * K)) with kernels K of 3x3 and halves height and width, odd ones rounded up; each
    place then gets a learned position. With `flat` the vectors of all places stand side by side in one.
    widths: of the blocks, the last is `dim`, the width of a place's vector;  size: height and width of a picture
    channels: of the pictures;  places: how many there are, row by row
    check_values: see ImageModule.  Raises a ModalityError naming what does not fit.
    Source: places of a map as a memory for words: Xu et al. (2015).
    """

    where = "feature map"

    def __init__(
        self,
        widths: Sequence[int],
        *,
        size: int,
        channels: int = 1,
        flat: bool = False,
        check_values: bool = True,
    ) -> None:
        super().__init__(check_values=check_values)
        self.channels, self.flat = checks.check_size("channels", channels, self.where), flat
        if not len(widths):
            raise ShapeError("widths", got="none", wanted="at least one, that of the places", where=self.where)
        self.size = side = checks.check_size("size", size, self.where)
        blocks: list[nn.Module] = []
        for before, after in zip([self.channels, *widths], widths, strict=False):
            new = checks.check_size("widths", after, self.where)
            blocks += [nn.Conv2d(before, new, 3, 2, padding=1, bias=False), nn.BatchNorm2d(new), nn.ReLU()]
            side = -(-side // 2)
        self.blocks = nn.Sequential(*blocks)
        self.places, self.dim = side**2, widths[-1]
        self.positions = LearnedPositions(self.dim, length=self.places, check_values=False)

    def forward(self, images: Tensor) -> Tensor:
        """images: (batch, channels, size, size);  returns (batch, places, dim), or (batch, places dim) with flat"""
        self.check_images(images, self.channels)
        if images.shape[2:] != (self.size, self.size):  # other sizes may give as many places, elsewhere
            wanted = f"(batch, {self.channels}, {self.size}, {self.size})"
            raise ShapeError("image", got=f"shape {tuple(images.shape)}", wanted=wanted, where=self.where)
        places = self.positions(self.blocks(images).flatten(2).transpose(1, 2))
        return places.flatten(1) if self.flat else places


class Captioner(nn.Module):
    """p(words | picture):  decoder(words, encoder(picture)).

    encoder: from pictures to what the decoder takes: a vector, a memory, or patches;  decoder: any of this package
    """

    def __init__(self, encoder: nn.Module, decoder: AnyDecoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, images: Tensor, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """The logits after each word, (batch, time, count).  ids: (batch, time);  mask: (batch, time) bool"""
        return self.decoder(ids, self.encoder(images), mask=mask)

    def begin(self, images: Tensor) -> Any:
        """The decoder's state before any word, for these pictures."""
        return self.decoder.begin(self.encoder(images))
