"""Seeds repeat every stream; the device is the one that was asked for."""

import random

import numpy as np
import pytest
import torch

from mmcourse.training import pick_device, seed_everything


def draws():
    return random.random(), float(np.random.rand()), float(torch.rand(1))  # noqa: NPY002  the global stream is meant


def test_a_seed_repeats_every_stream():
    seed_everything(3)
    first = draws()
    assert all(a != b for a, b in zip(first, draws(), strict=True))
    seed_everything(3)
    assert draws() == first
    seed_everything(4)
    assert all(a != b for a, b in zip(first, draws(), strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_refuses_a_seed_that_numpy_cannot_take(seed):
    with pytest.raises(ValueError, match=f"seed: got {seed}, wanted 0 to 2\\*\\*32 - 1"):
        seed_everything(seed)


@pytest.mark.parametrize(("available", "expected"), [(True, "cuda"), (False, "cpu")])
def test_cuda_where_there_is_one_else_the_cpu(monkeypatch, available, expected):
    monkeypatch.delenv("MMCOURSE_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert pick_device() == torch.device(expected)


def test_the_variable_overrides(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("MMCOURSE_DEVICE", "cpu")
    assert pick_device() == torch.device("cpu")
    monkeypatch.setenv("MMCOURSE_DEVICE", "cuda:1")
    assert pick_device() == torch.device("cuda", 1)


def test_refuses_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("MMCOURSE_DEVICE", "cuda")
    with pytest.raises(ValueError, match="MMCOURSE_DEVICE: got 'cuda', wanted cpu: PyTorch sees no CUDA device"):
        pick_device()
    monkeypatch.setenv("MMCOURSE_DEVICE", "graphics card")
    with pytest.raises(ValueError, match="MMCOURSE_DEVICE: got 'graphics card', wanted cpu, cuda"):
        pick_device()
