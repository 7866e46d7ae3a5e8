"""The same numbers in NumPy, PyTorch and Keras: parameters carried over by name, errors measured, gradients by hand.

A parameter's name is the same everywhere: "weights.image", "projections.image", "kernel". A part of a module that is a
module itself adds the name under which it is kept: "layers.0.attention.query.kernel". Frameworks are imported only by
the functions that need them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import keras
    import torch

Arrays = dict[str, NDArray[Any]]


def torch_to_numpy(module: torch.nn.Module) -> Arrays:
    """Return copies of a module's parameters and buffers as {name: array}."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in module.state_dict().items()}


def keras_to_numpy(layer: keras.Layer) -> Arrays:
    """Return copies of a layer's variables as {name: array}."""
    return {name: np.array(variable.numpy()) for name, variable in keras_variables(layer).items()}


def numpy_to_torch(arrays: Mapping[str, ArrayLike], module: torch.nn.Module) -> None:
    """Copy {name: array} into a module; its dtype stays. Raises ValueError if names or shapes differ."""
    import torch

    tensors = module.state_dict()
    _check(arrays, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.tensor(np.asarray(arrays[name])))


def numpy_to_keras(arrays: Mapping[str, ArrayLike], layer: keras.Layer) -> None:
    """Copy {name: array} into a built layer; its dtype stays. Raises ValueError if names or shapes differ."""
    variables = keras_variables(layer)
    _check(arrays, {name: tuple(variable.shape) for name, variable in variables.items()})
    for name, variable in variables.items():
        variable.assign(np.asarray(arrays[name]))


def torch_to_keras(module: torch.nn.Module, layer: keras.Layer) -> None:
    """Copy a module's parameters and buffers into a layer of the same names and shapes."""
    numpy_to_keras(torch_to_numpy(module), layer)


def keras_to_torch(layer: keras.Layer, module: torch.nn.Module) -> None:
    """Copy a layer's variables into a module of the same names and shapes."""
    numpy_to_torch(keras_to_numpy(layer), module)


def transfer(source: Any, target: Any) -> None:
    """Copy parameters by name; source: {name: array}, PyTorch module or Keras layer;  target: module or layer."""
    arrays = source if isinstance(source, Mapping) else parameters(source)
    if _is(target, "torch", "nn.Module"):
        numpy_to_torch(arrays, target)
    elif _is(target, "keras", "Layer"):
        numpy_to_keras(arrays, target)
    else:
        raise TypeError(f"target: got {type(target).__name__}, wanted a PyTorch module or a Keras layer")


def parameters(module: Any) -> Arrays:
    """Return copies of the parameters of a PyTorch module or a Keras layer as {name: array}."""
    if _is(module, "torch", "nn.Module"):
        return torch_to_numpy(module)
    if _is(module, "keras", "Layer"):
        return keras_to_numpy(module)
    raise TypeError(f"got {type(module).__name__}, wanted a PyTorch module or a Keras layer")


def numpy_arguments(source: Any) -> dict[str, Any]:
    """Return parameters as keyword arguments of the NumPy function.

    {"weights.image": a, "weights.text": b, "bias": c}  ->  {"weights": {"image": a, "text": b}, "bias": c}
    and so on for every dot:  {"layers.0.norm.bias": a}  ->  {"layers": {"0": {"norm": {"bias": a}}}}
    source: {name: array}, PyTorch module or Keras layer
    """
    arguments: dict[str, Any] = {}
    for name, array in (source if isinstance(source, Mapping) else parameters(source)).items():
        *groups, member = name.split(".")
        group = arguments
        for part in groups:
            group = group.setdefault(part, {})
        group[member] = array
    return arguments


def relative_error(got: ArrayLike, wanted: ArrayLike) -> float:
    """max |got - wanted| / max |wanted|; 0 where both are zero. Raises ValueError if shapes differ or are empty."""
    got, wanted = np.asarray(got, np.float64), np.asarray(wanted, np.float64)
    if got.shape != wanted.shape:
        raise ValueError(f"got shape {got.shape}, wanted {wanted.shape}")
    if wanted.size == 0:
        raise ValueError("nothing to compare")
    difference, size = np.max(np.abs(got - wanted)), np.max(np.abs(wanted))
    if size == 0:
        return 0.0 if difference == 0 else float("inf")
    return float(difference / size)


def central_differences(
    function: Callable[[dict[str, NDArray[np.float64]]], float], arrays: Mapping[str, ArrayLike], step: float = 1e-5
) -> dict[str, NDArray[np.float64]]:
    """Gradient of a scalar function of {name: array}:  (f(x + step) - f(x - step)) / (2 step), entry by entry."""
    point = {name: np.array(array, np.float64) for name, array in arrays.items()}
    gradients = {name: np.zeros_like(array) for name, array in point.items()}
    for name, array in point.items():
        for index in np.ndindex(array.shape):
            centre = array[index]
            array[index] = centre + step
            above = function(point)
            array[index] = centre - step
            below = function(point)
            array[index] = centre
            gradients[name][index] = (above - below) / (2 * step)
    return gradients


def keras_variables(layer: keras.Layer) -> dict[str, Any]:
    """Return a layer's variables as {name: variable}, those of the layers it is made of under their attributes' names.

    What is kept in `self.norm` is "norm.scale", in a list `self.layers` "layers.0.scale", as in PyTorch. Raises
    ValueError where two have one name.
    """
    inner = {
        f"{name}.{member}": variable
        for name, part in _parts(layer)
        for member, variable in keras_variables(part).items()
    }
    inside = {id(variable) for variable in inner.values()}
    own = [variable for variable in layer.variables if id(variable) not in inside]
    named = {variable.name: variable for variable in own} | inner
    if len(named) != len(own) + len(inner):
        raise ValueError(f"layer {layer.name}: got several variables of one name, wanted a name for each")
    return named


def _parts(layer: keras.Layer) -> Iterator[tuple[str, keras.Layer]]:
    """The layers that are public attributes of a layer, or stand in a list or dict that is one."""
    for name, attribute in vars(layer).items():
        members = {name: attribute}
        if isinstance(attribute, list | tuple | dict):
            pairs = attribute.items() if isinstance(attribute, dict) else enumerate(attribute)
            members = {f"{name}.{key}": member for key, member in pairs}
        yield from (pair for pair in members.items() if not name.startswith("_") and _is(pair[1], "keras", "Layer"))


def _check(arrays: Mapping[str, ArrayLike], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError unless names and shapes agree; nothing is copied then."""
    if extra := sorted(set(arrays) - set(shapes)):
        raise ValueError(f"{extra[0]}: the target has no such parameter; it has {', '.join(shapes) or 'none'}")
    if absent := sorted(set(shapes) - set(arrays)):
        raise ValueError(f"{absent[0]}: the source has no such parameter; it has {', '.join(arrays) or 'none'}")
    for name, shape in shapes.items():
        if np.shape(arrays[name]) != shape:
            raise ValueError(f"{name}: got shape {np.shape(arrays[name])}, wanted {shape}")


def _is(thing: object, framework: str, path: str) -> bool:
    """Is it an instance of the framework's class?  Without importing: what was never imported made no instance."""
    found: Any = sys.modules.get(framework)
    for part in path.split(".") if found else ():
        found = getattr(found, part)
    return found is not None and isinstance(thing, found)
