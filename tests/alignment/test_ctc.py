"""Laws of connectionist temporal classification, against all paths one by one, PyTorch's and TensorFlow's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import mmcourse.alignment.torch
from mmcourse import parity
from mmcourse.alignment.ctc_checks import minimum_frames
from mmcourse.alignment.numpy import ctc_gradient, ctc_loss, ctc_occupancy
from mmcourse.errors import DtypeError, EmptyBatchError, MaskError, ModalityError, NotFiniteError, ShapeError
from tests.alignment.brute import log_softmax, transcripts

CLASSES = 4
TARGETS = [[1, 1, 3], [2, 3], [], [2, 1, 2], [3, 3]]  # repeats, none, more and less room
FRAMES = [6, 4, 3, 3, 5]
BLANKS = [0, 2, 3]


def case(blank=0, dtype="float64", filler=-7):
    """Logits (5, 6, classes), and the rest of the arguments; frames and labels after a row's end are nonsense."""
    rng = np.random.default_rng([3, blank])
    logits = 2 * rng.normal(size=(5, 6, CLASSES)).astype(dtype)
    labels = np.array([k for k in range(CLASSES) if k != blank])
    targets = np.full((5, 3), filler)
    for row, target in enumerate(TARGETS):
        targets[row, : len(target)] = labels[np.array(target, dtype=int) - 1]
        logits[row, FRAMES[row] :] = np.nan
    lengths = {"input_lengths": np.array(FRAMES), "target_lengths": np.array([len(t) for t in TARGETS])}
    return logits, targets, {**lengths, "blank": blank}


def target_of(row, arguments):
    _, targets, options = arguments
    return targets[row, : options["target_lengths"][row]]


def in_torch(logits, targets, options, **more):
    tensors = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in {**options, **more}.items()}
    return mmcourse.alignment.torch.ctc_loss(logits, torch.tensor(targets), **tensors)


@pytest.mark.parametrize("blank", BLANKS)
def test_it_is_the_sum_over_all_paths_that_say_the_transcript(blank):
    arguments = case(blank)
    logits, targets, options = arguments
    loss, occupancy = ctc_loss(logits, targets, **options), ctc_occupancy(logits, targets, **options)
    for row, frames in enumerate(FRAMES):
        paths = transcripts(logits[row, :frames], blank)[tuple(target_of(row, arguments).tolist())]
        log_p = np.array([log_probability for _, log_probability in paths])
        assert parity.relative_error(loss[row], -np.log(np.exp(log_p).sum())) < 1e-12
        wanted = np.zeros((6, CLASSES))
        for (path, _), share in zip(paths, np.exp(log_p) / np.exp(log_p).sum(), strict=True):
            wanted[np.arange(frames), path] += share
        assert parity.relative_error(occupancy[row], wanted) < 1e-10


def test_all_transcripts_together_are_certain():
    logits = np.random.default_rng(0).normal(size=(1, 4, 3))
    every = [np.array([labels]) for labels in transcripts(logits[0], 0)]
    total = sum(np.exp(-ctc_loss(logits, labels.reshape(1, -1).astype(int))[0]) for labels in every)
    assert abs(total - 1) < 1e-12


@pytest.mark.parametrize("blank", BLANKS)
def test_the_gradient_is_that_of_central_differences_and_sums_to_zero_over_classes(blank):
    logits, targets, options = case(blank)
    gradient = ctc_gradient(logits, targets, **options)
    moving = {"x": np.nan_to_num(logits)}
    wanted = parity.central_differences(lambda p: float(ctc_loss(p["x"], targets, **options).sum()), moving)["x"]
    assert parity.relative_error(gradient, wanted) < 1e-6
    assert np.abs(gradient.sum(axis=2)).max() < 1e-12


def test_the_occupancy_is_a_distribution_over_classes_in_every_frame_and_nothing_after_the_end():
    logits, targets, options = case()
    occupancy = ctc_occupancy(logits, targets, **options)
    present = np.arange(6) < np.array(FRAMES)[:, None]
    assert np.abs(occupancy.sum(axis=2) - present).max() < 1e-12
    assert (occupancy >= 0).all()


@pytest.mark.parametrize("blank", BLANKS)
def test_it_is_pytorch_s_value_and_gradient(blank):
    logits, targets, options = case(blank)
    x = torch.tensor(np.nan_to_num(logits), requires_grad=True)
    labels = torch.tensor(np.maximum(targets, 0))
    lengths = [torch.tensor(options[name]) for name in ("input_lengths", "target_lengths")]
    theirs = torch.nn.functional.ctc_loss(
        x.log_softmax(2).transpose(0, 1), labels, *lengths, blank=blank, reduction="none"
    )
    (gradient,) = torch.autograd.grad(theirs.sum(), x)
    assert parity.relative_error(theirs.detach().numpy(), ctc_loss(logits, targets, **options)) < 1e-10
    assert parity.relative_error(gradient.numpy(), ctc_gradient(logits, targets, **options)) < 1e-10


def test_pytorch_s_mean_divides_by_the_length_of_the_target_first():
    logits, targets, options = case()
    lengths = options["target_lengths"]
    theirs = torch.nn.functional.ctc_loss(
        torch.tensor(np.nan_to_num(logits)).log_softmax(2).transpose(0, 1), torch.tensor(np.maximum(targets, 0)),
        torch.tensor(options["input_lengths"]), torch.tensor(lengths),
    )  # fmt: skip
    wanted = (ctc_loss(logits, targets, **options) / np.maximum(lengths, 1)).mean()
    assert parity.relative_error(float(theirs), wanted) < 1e-10


@pytest.mark.parametrize("theirs", ["tensorflow", "keras"])
@pytest.mark.parametrize("blank", BLANKS)
def test_it_is_tensorflow_s_and_keras_s_value_and_gradient(theirs, blank):
    """In single precision: TensorFlow 2.21 refuses double, with an error of its own."""
    logits, targets, options = case(blank, dtype="float32")
    x = tf.constant(np.nan_to_num(logits))
    frames, lengths = (tf.constant(options[name], tf.int32) for name in ("input_lengths", "target_lengths"))
    labels = tf.constant(np.maximum(targets, 0), tf.int32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        if theirs == "keras":
            loss = keras.ops.ctc_loss(labels, x, lengths, frames, mask_index=blank)
        else:
            loss = tf.nn.ctc_loss(labels, x, lengths, frames, logits_time_major=False, blank_index=blank)
        total = tf.reduce_sum(loss)
    assert parity.relative_error(loss.numpy(), ctc_loss(logits, targets, **options)) < 1e-5
    assert parity.relative_error(tape.gradient(total, x).numpy(), ctc_gradient(logits, targets, **options)) < 1e-5


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("blank", BLANKS)
def test_our_pytorch_half_is_the_formula_nonsense_after_the_end_and_all(blank, dtype):
    logits, targets, options = case(blank, dtype)
    x = torch.tensor(logits, requires_grad=True)
    loss = in_torch(x, targets, options)
    (gradient,) = torch.autograd.grad(loss.sum(), x)
    tolerance = 1e-10 if dtype == "float64" else 1e-5
    assert loss.dtype == x.dtype
    assert parity.relative_error(loss.detach().numpy(), ctc_loss(logits, targets, **options)) < tolerance
    assert parity.relative_error(gradient.numpy(), ctc_gradient(logits, targets, **options)) < tolerance


@pytest.mark.parametrize("half", ["numpy", "torch"])
def test_masks_and_lengths_say_the_same_and_padding_says_nothing(half):
    logits, targets, options = case()
    lengths = {name: options[name] for name in ("input_lengths", "target_lengths")}
    masks = {
        "mask": np.arange(6) < lengths["input_lengths"][:, None],
        "target_mask": np.arange(3) < lengths["target_lengths"][:, None],
    }
    call = {
        "numpy": lambda t, **o: ctc_loss(logits, t, **o),
        "torch": lambda t, **o: in_torch(torch.tensor(logits), t, o).numpy(),
    }[half]
    wanted = call(targets, **lengths)
    assert np.array_equal(call(targets, **masks), wanted)
    assert np.array_equal(call(targets, **masks, **lengths), wanted)
    assert np.array_equal(call(case(filler=99)[1], **lengths), wanted)
    wider = np.concatenate([targets, np.full((5, 2), -1)], axis=1)
    assert parity.relative_error(call(wider, **lengths), wanted) < 1e-12


def test_a_row_does_not_depend_on_its_neighbours():
    logits, targets, options = case()
    whole = ctc_loss(logits, targets, **options)
    for row in range(5):
        alone = {k: v[[row]] if isinstance(v, np.ndarray) else v for k, v in options.items()}
        assert parity.relative_error(ctc_loss(logits[[row]], targets[[row]], **alone)[0], whole[row]) < 1e-12


def test_it_does_not_know_a_constant_added_to_a_frame_and_stands_large_logits():
    logits, targets, options = case()
    moved = logits + np.random.default_rng(0).normal(size=(5, 6, 1))
    assert parity.relative_error(ctc_loss(moved, targets, **options), ctc_loss(logits, targets, **options)) < 1e-12
    assert np.isfinite(ctc_loss(logits * 1e4, targets, **options)).all()
    assert np.isfinite(ctc_gradient(logits * 1e4, targets, **options)).all()


def test_a_step_along_the_gradient_lowers_every_loss():
    logits, targets, options = case()
    after = logits - 0.1 * ctc_gradient(logits, targets, **options)
    assert (ctc_loss(after, targets, **options) < ctc_loss(logits, targets, **options)).all()


def test_an_empty_transcript_is_all_blank():
    logits, targets, options = case()
    wanted = -log_softmax(logits[2, :3])[:, 0].sum()
    assert parity.relative_error(ctc_loss(logits, targets, **options)[2], wanted) < 1e-12
    nothing = ctc_loss(logits[[2], :3], np.zeros((1, 0)))
    assert parity.relative_error(nothing[0], wanted) < 1e-12


@pytest.mark.parametrize(("target", "least"), [([], 0), ([1], 1), ([1, 2], 2), ([1, 1], 3), ([1, 1, 1, 2, 2], 8)])
def test_a_transcript_needs_a_frame_a_label_and_one_between_repeats(target, least):
    assert minimum_frames(np.array(target, dtype=int)) == least
    if least > 1:
        logits = np.random.default_rng(0).normal(size=(1, least, 3))
        assert np.isfinite(ctc_loss(logits, [target])[0])
        with pytest.raises(ShapeError, match=f"got {least - 1} frames in row 0, wanted at least {least}, for"):
            ctc_loss(logits[:, 1:], [target])


def test_where_we_refuse_pytorch_says_infinity_or_nothing_at_all():
    log_probs = torch.randn(2, 1, 3).log_softmax(2)
    lengths = torch.tensor([2]), torch.tensor([2])
    loss = torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1, 1]]), *lengths)
    assert torch.isinf(loss)
    quiet = torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1, 1]]), *lengths, zero_infinity=True)
    assert quiet == 0


def test_half_precision_is_computed_in_single():
    logits, targets, options = case()
    found = in_torch(torch.tensor(np.nan_to_num(logits)).half(), targets, options)
    assert found.dtype == torch.float32


GOOD = np.zeros((2, 5, 3))
LABELS = np.array([[1, 2], [1, 1]])
SPOILED = np.array([[[0.0]], [[np.inf]]])
FAULTS = {
    "rank": (GOOD[0], LABELS, {}, ShapeError, r"logits: got shape \(5, 3\), wanted \(batch, time, classes\)"),
    "whole numbers": (GOOD.astype(int), LABELS, {}, DtypeError, "logits: got dtype int64, wanted a floating one"),
    "no rows": (GOOD[:0], LABELS[:0], {}, EmptyBatchError, "logits: got batch size 0"),
    "no frames": (GOOD[:, :0], LABELS, {}, ShapeError, "logits: got 0 frames of 3 classes"),
    "a blank alone": (GOOD[..., :1], LABELS, {}, ShapeError, "logits: got 5 frames of 1 classes"),
    "unequal batch": (GOOD, LABELS[:1], {}, ShapeError, r"targets: got shape \(1, 2\), wanted \(2, labels\)"),
    "halves of labels": (GOOD, LABELS * 0.5, {}, DtypeError, "targets: got dtype float64, wanted whole numbers"),
    "an unknown label": (GOOD, [[1, 2], [1, 3]], {}, ModalityError, "targets: got label 3 in row 1, wanted 0 to 2"),
    "a label below zero": (GOOD, [[1, -1], [1, 2]], {}, ModalityError, "targets: got label -1 in row 0"),
    "the blank": (GOOD, [[1, 2], [1, 0]], {}, ModalityError, "targets: got the blank 0 in row 1, wanted labels"),
    "the other blank": (GOOD, LABELS, {"blank": 2}, ModalityError, "targets: got the blank 2 in row 0"),
    "no such blank": (GOOD, LABELS, {"blank": 3}, ModalityError, "blank: got 3, wanted a class, 0 to 2"),
    "no room": (
        GOOD,
        LABELS,
        {"input_lengths": np.array([2, 2])},
        ShapeError,
        "logits: got 2 frames in row 1, wanted at least 3, for 2 labels and 1 repeats",
    ),
    "no room for labels": (
        GOOD,
        LABELS,
        {"input_lengths": np.array([1, 5])},
        ShapeError,
        "logits: got 1 frames in row 0, wanted at least 2, for 2 labels",
    ),
    "longer than it is": (
        GOOD, LABELS, {"input_lengths": np.array([5, 6])}, ShapeError, "input_lengths: got 6 in row 1, wanted 1 to 5",
    ),
    "no frame in a row": (
        GOOD, LABELS, {"input_lengths": np.array([0, 5])}, ShapeError, "input_lengths: got 0 in row 0, wanted 1 to 5",
    ),
    "a row masked away": (
        GOOD, LABELS, {"mask": np.arange(5) < [[0], [5]]}, ShapeError, "mask: got 0 in row 0, wanted 1 to 5",
    ),
    "more labels than there are": (
        GOOD, LABELS, {"target_lengths": np.array([3, 2])}, ShapeError, "target_lengths: got 3 in row 0, wanted 0 to 2",
    ),
    "too few lengths": (GOOD, LABELS, {"input_lengths": np.array([5])}, ShapeError, "input_lengths: got shape"),
    "lengths in halves": (GOOD, LABELS, {"input_lengths": np.array([4.5, 5])}, ShapeError, "of float64, wanted"),
    "lengths against mask": (
        GOOD,
        LABELS,
        {"mask": np.arange(5) < [[5], [4]], "input_lengths": np.array([5, 5])},
        MaskError,
        "input_lengths: got 5 in row 1, wanted 4, as the mask has it",
    ),
    "target lengths against mask": (
        GOOD,
        LABELS,
        {"target_mask": np.ones((2, 2), bool), "target_lengths": np.array([1, 2])},
        MaskError,
        "target_lengths: got 1 in row 0, wanted 2, as the target_mask has it",
    ),
    "a hole": (
        GOOD, LABELS, {"mask": np.array([[1, 1, 0, 1, 1]] * 2) > 0}, MaskError, "mask: got False before True in rows",
    ),
    "a mask of numbers": (GOOD, LABELS, {"mask": np.ones((2, 5))}, MaskError, "mask: got shape .* of float64"),
    "a mask of another shape": (GOOD, LABELS, {"mask": np.ones((2, 4), bool)}, MaskError, r"wanted \(2, 5\) of bool"),
    "NaN": (GOOD + SPOILED, LABELS, {}, NotFiniteError, r"logits: got NaN or infinity in rows \[1\]"),
    "infinity": (GOOD + SPOILED[::-1], LABELS, {}, NotFiniteError, r"logits: got NaN or infinity in rows \[0\]"),
}  # fmt: skip


@pytest.mark.parametrize("half", ["numpy", "torch"])
@pytest.mark.parametrize(("logits", "targets", "options", "error", "message"), FAULTS.values(), ids=FAULTS)
def test_refuses(half, logits, targets, options, error, message):
    refused = {
        "numpy": lambda: ctc_loss(logits, targets, **options),
        "torch": lambda: in_torch(torch.tensor(logits), np.asarray(targets), options),
    }[half]
    with pytest.raises(error, match=f"ctc_loss: .*{message}"):
        refused()


def test_the_pytorch_half_wants_tensors_and_need_not_look_at_values():
    with pytest.raises(DtypeError, match=r"logits: got ndarray, wanted a torch\.Tensor"):
        in_torch(GOOD, LABELS, {})
    unseen = in_torch(torch.full((2, 5, 3), torch.nan), LABELS, {}, check_values=False)
    assert torch.isnan(unseen).all()
