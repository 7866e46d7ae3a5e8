"""One small network for each modality, the paths of late and hybrid fusion."""

from collections.abc import Mapping
from typing import Any

from keras import ops

from mmcourse import checks
from mmcourse.fusion.keras.base import Fusion


class PathFusion(Fusion):
    """z_m = tanh(x_m W_m + b_m) V_m with parameters "kernels.image", "biases.image", "heads.image", …

    W_m: (dim_m, hidden_size);  b_m: (hidden_size,);  V_m: (hidden_size, out_dim)
    """

    def __init__(self, dims: Mapping[str, int], *, hidden_size: int, out_dim: int, **layer: Any) -> None:
        super().__init__(dims, **layer)
        self.hidden_size = checks.check_size("hidden_size", hidden_size, self.where)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        self.kernels = self.add_weights("kernels", {m: (dim, hidden_size) for m, dim in self.dims.items()})
        self.biases = self.add_weights("biases", dict.fromkeys(self.dims, (hidden_size,)), "zeros")
        self.heads = self.add_weights("heads", dict.fromkeys(self.dims, (hidden_size, out_dim)))

    def add_weights(
        self, group: str, shapes: Mapping[str, tuple[int, ...]], initializer: Any = "glorot_uniform"
    ) -> dict[str, Any]:
        """Parameters "group.image" of the given shapes, one a modality."""
        return {
            m: self.add_weight(name=f"{group}.{m}", shape=shape, initializer=initializer) for m, shape in shapes.items()
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden_size": self.hidden_size, "out_dim": self.out_dim}

    def paths(self, inputs: list[Any]) -> Any:
        """Return z_m of all modalities: (batch, M, out_dim)."""
        logits = []
        for m, x in zip(self.dims, inputs, strict=True):
            hidden = ops.tanh(x @ self.value(self.kernels[m]) + self.value(self.biases[m]))
            logits.append(hidden @ self.value(self.heads[m]))
        return ops.stack(logits, axis=1)
