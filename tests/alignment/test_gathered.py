"""Two processes with a part of the batch each against one process with the whole."""

from typing import Any

import pytest
import torch

from mmcourse.alignment.torch import InfoNCE, info_nce
from tests.alignment.parts import LOSSES, WORLD, in_one_process, whole_batch, work

TOLERANCE = 1e-12
over_losses = pytest.mark.parametrize("name", LOSSES)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of the processes found."""
    folder = tmp_path_factory.mktemp("processes")
    torch.multiprocessing.spawn(work, (str(folder),), nprocs=WORLD)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(WORLD)]


@over_losses
def test_every_process_has_the_loss_of_the_whole_batch(name: str, found: list[dict[str, Any]]) -> None:
    wanted = in_one_process(name)["value"]
    for process in found:
        torch.testing.assert_close(process[name]["value"], wanted, rtol=TOLERANCE, atol=0)


@over_losses
def test_gradients_of_parameters_are_those_of_one_process(name: str, found: list[dict[str, Any]]) -> None:
    """Under DistributedDataParallel, which takes the mean over processes; the scale and the bias among them."""
    wanted = in_one_process(name)["gradients"]
    assert "loss.log_scale" in wanted
    for process in found:
        assert process[name]["gradients"].keys() == wanted.keys()
        for parameter, gradient in wanted.items():
            torch.testing.assert_close(process[name]["gradients"][parameter], gradient, rtol=1e-10, atol=TOLERANCE)


@over_losses
def test_gradients_of_inputs_are_those_of_one_process_times_the_processes(
    name: str, found: list[dict[str, Any]]
) -> None:
    """So that their mean is right; what reaches a part from the others' rows is in them."""
    for index, wanted in enumerate(in_one_process(name)["inputs"]):
        parts = torch.cat([process[name]["inputs"][index] for process in found])
        torch.testing.assert_close(parts / WORLD, wanted, rtol=1e-10, atol=TOLERANCE)


def test_parts_alone_would_give_another_loss() -> None:
    """Fewer rows to be confused with: what forgetting `gathered` costs."""
    image, text, _ = whole_batch()
    parts = [info_nce(x, t, scale=5.0) for x, t in zip(image.chunk(WORLD), text.chunk(WORLD), strict=True)]
    assert sum(parts) / WORLD < info_nce(image, text, scale=5.0) - 0.1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("rows", ["ShapeError: image, text: got parts of 4, 3 rows, wanted the same in every process"] * 2),
        ("columns", ["ShapeError: image, text: got parts of 5, 4 columns, wanted the same in every process"] * 2),
        (
            "values",
            [
                "ModalityError: image, text: got a refusal by process 1, wanted parts that fit in all",
                "NotFiniteError: image: got NaN or infinity in rows [0], wanted finite numbers where present",
            ],
        ),
        (
            "groups",
            [
                "ModalityError: image, text: got a refusal by process 1, wanted parts that fit in all",
                "DtypeError: groups: got dtype float64, wanted whole numbers",
            ],
        ),
    ],
)
def test_every_process_refuses_and_none_waits(fault: str, said: list[str], found: list[dict[str, Any]]) -> None:
    for process, message in zip(found, said, strict=True):
        error, rest = message.split(": ", 1)
        assert process["refusals"][fault] == f"{error}: multi_positive_info_nce: {rest}"


def test_without_processes_gathered_says_what_to_do() -> None:
    image, text, _ = whole_batch()
    wanted = r"info_nce: gathered: got no process group, wanted torch\.distributed\.init_process_group first"
    with pytest.raises(RuntimeError, match=wanted):
        InfoNCE(gathered=True)(image, text)
