"""The package behind the lessons of the course on multimodal large models.

Concepts first, frameworks inside: `mmcourse.fusion.numpy` is the formula, `mmcourse.fusion.torch` and
`mmcourse.fusion.keras` compute the same function. A submodule is imported when it is first used, so `import mmcourse`
loads neither a framework nor Matplotlib.
"""

from mmcourse.lazy import submodules

__version__ = "0.1.0"

__getattr__, __dir__ = submodules(__name__, __path__)
