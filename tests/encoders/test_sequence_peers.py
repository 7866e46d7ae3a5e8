"""The frameworks' own layers with the same weights compute the same, and so do models of Transformers."""

from typing import Any

import keras
import numpy as np
import pytest
import torch
import transformers

from mmcourse.encoders.torch import TransformerEncoder
from mmcourse.parity import relative_error, transfer
from tests.encoders.sequence_halves import HALVES, Arrays, Case, Numpy

TOLERANCE = 1e-12


def recurrent_case(concept: str, bidirectional: bool = False, masked: str = "right") -> Case:
    return Case(concept, {"bidirectional": True} if bidirectional else {}, masked)


def of_torch(case: Case) -> torch.nn.RNNBase:
    """torch.nn.LSTM and so on with the weights of a case."""
    sizes = case.sizes
    peer = {"recurrent": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[case.concept](
        sizes["dim"], sizes["hidden_size"], batch_first=True, bidirectional=sizes.get("bidirectional", False)
    ).double()
    p = case.parameters
    for prefix, suffix in (("", ""), ("reverse.", "_reverse"))[: 2 if sizes.get("bidirectional") else 1]:
        second = p.get(f"{prefix}recurrent_bias", np.zeros_like(p[f"{prefix}bias"]))
        weights = (p[f"{prefix}kernel"].T, p[f"{prefix}recurrent_kernel"].T, p[f"{prefix}bias"], second)
        for name, array in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), weights, strict=True):
            getattr(peer, f"{name}_l0{suffix}").data.copy_(torch.tensor(array.copy()))
    return peer


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both"])
@pytest.mark.parametrize("concept", ["recurrent", "lstm", "gru"])
def test_recurrent_encoders_are_pytorchs_over_packed_sequences(concept: str, bidirectional: bool) -> None:
    case = recurrent_case(concept, bidirectional)
    lengths = torch.tensor(case.mask.sum(axis=1))
    x = torch.tensor(np.nan_to_num(case.sequence))
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    outputs, states = of_torch(case)(packed)
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True, total_length=case.time)
    got, *last = Numpy.call(case, case.sequence, case.mask)
    assert relative_error(got, outputs.detach()) <= TOLERANCE
    for mine, theirs in zip(last, states if isinstance(states, tuple) else (states,), strict=True):
        assert relative_error(mine, theirs.transpose(0, 1).flatten(1).detach()) <= TOLERANCE


@pytest.mark.parametrize("masked", ["none", "left", "gaps"])
@pytest.mark.parametrize("concept", ["recurrent", "lstm", "gru"])
def test_recurrent_encoders_are_keras_with_a_mask(concept: str, masked: str) -> None:
    case = recurrent_case(concept, masked=masked)
    classes = {"recurrent": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
    peer = classes[concept](2, return_sequences=True, return_state=True, zero_output_for_mask=True, dtype="float64")
    peer.build((None, None, 3))
    p = dict(case.parameters)
    if concept == "gru":  # Keras orders update, reset, candidate, and keeps both biases in one array
        p = {name: np.concatenate([np.split(a, 3, axis=-1)[i] for i in (1, 0, 2)], axis=-1) for name, a in p.items()}
        p = {name: p[name] for name in ("kernel", "recurrent_kernel")} | {
            "bias": np.stack([p["bias"], p["recurrent_bias"]])
        }
    peer.set_weights([p["kernel"], p["recurrent_kernel"], p["bias"]])
    wanted = peer(np.nan_to_num(case.sequence), mask=case.mask)
    for mine, theirs in zip(Numpy.call(case, case.sequence, case.mask), wanted, strict=True):
        assert relative_error(mine, theirs) <= TOLERANCE


@pytest.mark.parametrize(
    "options",
    [
        {"norm_first": True, "activation": "relu"},
        {"norm_first": True, "activation": "gelu", "causal": True},
        {"norm_first": False, "activation": "relu", "epsilon": 1e-3},
        {"norm_first": False, "activation": "gelu"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_a_transformer_is_pytorchs(options: dict[str, Any]) -> None:
    case = Case("transformer_encoder", options | {"layers": 2, "final_norm": True}, "right")
    layer = torch.nn.TransformerEncoderLayer(
        4, 2, 3, dropout=0.0, batch_first=True, norm_first=options["norm_first"], activation=options["activation"],
        layer_norm_eps=options.get("epsilon", 1e-5),
    )  # fmt: skip
    norm = torch.nn.LayerNorm(4, eps=options.get("epsilon", 1e-5))
    peer = torch.nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False).double()
    peer.load_state_dict({name: torch.tensor(array) for name, array in as_pytorch_has_it(case.parameters).items()})
    x, hidden = torch.tensor(np.nan_to_num(case.sequence)), torch.tensor(~case.mask)
    causal = torch.ones(case.time, case.time, dtype=torch.bool).triu(1) if options.get("causal") else None
    wanted = peer(x, mask=causal, src_key_padding_mask=hidden).detach().numpy()
    for half in HALVES:
        got = half.call(half.build(case), case.sequence, case.mask)[0]
        assert relative_error(got[case.mask], wanted[case.mask]) <= TOLERANCE, half.name


def as_pytorch_has_it(p: Arrays) -> Arrays:
    """Our parameters under PyTorch's names: kernels turned, queries, keys and values in one."""
    renamed = {"final_norm.scale": "norm.weight", "final_norm.bias": "norm.bias"}
    found = {theirs: p[ours] for ours, theirs in renamed.items()}
    for index in range(2):
        layer, attention = f"layers.{index}", f"layers.{index}.attention"
        qkv = ("query", "key", "value")
        found[f"{layer}.self_attn.in_proj_weight"] = np.concatenate([p[f"{attention}.{n}.kernel"].T for n in qkv])
        found[f"{layer}.self_attn.in_proj_bias"] = np.concatenate([p[f"{attention}.{n}.bias"] for n in qkv])
        parts = {"attention.out": "self_attn.out_proj", "feed_forward.hidden": "linear1", "feed_forward.out": "linear2"}
        for ours, theirs in parts.items():
            found[f"{layer}.{theirs}.weight"] = p[f"{layer}.{ours}.kernel"].T.copy()
            found[f"{layer}.{theirs}.bias"] = p[f"{layer}.{ours}.bias"]
        for ours, theirs in (("attention_norm", "norm1"), ("feed_forward_norm", "norm2")):
            found[f"{layer}.{theirs}.weight"] = p[f"{layer}.{ours}.scale"]
            found[f"{layer}.{theirs}.bias"] = p[f"{layer}.{ours}.bias"]
    return found


def test_attention_is_kerass() -> None:
    """keras.layers.MultiHeadAttention, whose kernels stand apart for each head.

    Heads of width 4, whose root is exact: Keras rounds 1 / sqrt(d) to single precision even in double.
    """
    case = Case("self_attention", {"dim": 8}, "gaps")
    peer = keras.layers.MultiHeadAttention(2, 4, dtype="float64")
    x = np.nan_to_num(case.sequence)
    peer.build(x.shape, x.shape)
    p, apart = case.parameters, []
    for part in ("query", "key", "value"):
        apart += [p[f"{part}.kernel"].reshape(8, 2, 4), p[f"{part}.bias"].reshape(2, 4)]
    peer.set_weights([*apart, p["out.kernel"].reshape(2, 4, 8), p["out.bias"]])
    wanted = peer(x, x, attention_mask=case.mask[:, None, :]).numpy()
    for half in HALVES:
        got = half.call(half.build(case), case.sequence, case.mask)[0]
        assert relative_error(got[case.mask], wanted[case.mask]) <= TOLERANCE, half.name


def test_layers_of_a_vision_transformer_are_ours() -> None:
    config = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12, image_size=8, patch_size=4,
        num_channels=1,
    )  # fmt: skip
    torch.manual_seed(0)
    vit = transformers.ViTModel(config, add_pooling_layer=False).double().eval()
    for parameter in vit.parameters():
        torch.nn.init.normal_(parameter)
    encoder = TransformerEncoder(8, layers=2, heads=2, hidden_size=12, activation="gelu", epsilon=1e-12).double()
    transfer({ours: array for name, p in vit.state_dict().items() for ours, array in renamed(name, p.numpy())}, encoder)
    pictures = torch.randn(3, 1, 8, 8, dtype=torch.double)
    wanted = vit(pictures).last_hidden_state.detach()
    assert relative_error(encoder(vit.embeddings(pictures)).detach(), wanted) <= TOLERANCE


def renamed(name: str, array: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """A parameter of ViTModel as the encoder has it; those of its patches are none of the encoder's."""
    if name.startswith("embeddings"):
        return []
    words = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "o_proj": "out", "mlp": "feed_forward"}
    words |= {"fc1": "hidden", "fc2": "out", "layernorm_before": "attention_norm"}
    words |= {"layernorm_after": "feed_forward_norm", "layernorm": "final_norm"}
    *path, kind = (words.get(word, word) for word in name.split("."))
    if kind == "weight":
        kind, array = ("scale", array) if path[-1].endswith("norm") else ("kernel", array.T)
    return [(".".join([*path, kind]), array)]


def test_rotary_positions_are_roformers_and_llamas_after_a_reordering_of_columns() -> None:
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb
    from transformers.models.roformer.modeling_roformer import RoFormerSelfAttention

    from mmcourse.encoders.torch import rotary_positions

    torch.manual_seed(0)
    q, k = torch.randn(2, 1, 3, 5, 8, dtype=torch.double)
    angles = torch.arange(5)[:, None] * 10_000.0 ** (-torch.arange(0, 8, 2, dtype=torch.double) / 8)
    sinusoids = torch.cat([angles.sin(), angles.cos()], dim=-1)[None, None]
    for ours, theirs in zip(
        (q, k), RoFormerSelfAttention.apply_rotary_position_embeddings(sinusoids, q, k), strict=True
    ):
        assert relative_error(rotary_positions(ours), theirs) <= TOLERANCE

    halves = torch.tensor([0, 2, 4, 6, 1, 3, 5, 7])  # the first of each pair, then the second
    both = torch.cat([angles, angles], dim=-1)[None]
    for ours, theirs in zip(
        (q, k), apply_rotary_pos_emb(q[..., halves], k[..., halves], both.cos(), both.sin()), strict=True
    ):
        assert relative_error(rotary_positions(ours)[..., halves], theirs) <= TOLERANCE
