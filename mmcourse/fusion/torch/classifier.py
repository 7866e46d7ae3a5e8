"""A task head on a fusion."""

from collections.abc import Mapping

from torch import Tensor, nn


class FusionClassifier(nn.Module):
    """logits = F H + b with F = fusion(features, mask): a linear head reads the fused vector.

    fusion: any module with the attribute out_dim that is called with features and mask;  classes: at least 2
    In Keras the same is one line of its functional API, so there is no twin. Raises ValueError for fewer classes.
    """

    def __init__(self, fusion: nn.Module, *, classes: int) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f"FusionClassifier: classes: got {classes}, wanted at least 2")
        self.fusion = fusion
        self.head = nn.Linear(fusion.out_dim, classes)  # type: ignore[arg-type]

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns logits (batch, classes)"""
        return self.head(self.fusion(features, mask))
