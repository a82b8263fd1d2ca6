"""Experts in the graph: a lone token computes its own only, the page can see and change the choice, rounding is what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from tidepool_model.architecture.checkpoint_reader import Checkpoint, CheckpointError, load_checkpoint
from tidepool_model.architecture.config import ConfigError, ModelConfig, preset
from tidepool_model.architecture.model import HybridLM, load_pretrained, save_pretrained
from tidepool_model.architecture.reference_numpy import Reference
from tidepool_model.export.calibration import Tokens, calibrated_codes
from tidepool_model.export.export_onnx import export_model
from tidepool_model.export.onnx_graph import FloatFormat, FoldedFormat, NBitsFormat, WeightFormat
from tidepool_model.export.onnx_runner import OnnxRunner
from tidepool_model.export.package import folded_format
from tidepool_model.export.quantise import quantise_blocks, quantise_rows

SPECIAL = {"eos_token_id": 3, "pad_token_id": 1, "bos_token_id": 0}
PLAIN = replace(
    preset("micro"), vocab_size=160, pattern="ME*E", n_routed_experts=8, num_experts_per_tok=2, moe_intermediate_size=32,
    moe_shared_expert_intermediate_size=64, routed_scaling_factor=2.5,
)  # fmt: skip
LATENT = replace(PLAIN, n_routed_experts=16, num_experts_per_tok=4, moe_latent_size=32)
BIAS = "layers.1.gate.e_score_correction_bias"
IDS = np.random.default_rng(3).integers(0, 160, 40)


def random_checkpoint(config: ModelConfig, folder: Path) -> Checkpoint:
    torch.manual_seed(6)
    model = HybridLM(config)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if tensor.dim() >= 2:
                tensor.copy_(torch.randn_like(tensor) * tensor.shape[-1] ** -0.5)
            elif name.endswith("e_score_correction_bias"):
                tensor.normal_(std=0.2)
    save_pretrained(model, folder, SPECIAL)
    return load_checkpoint(folder)


@pytest.fixture(params=[PLAIN, LATENT], ids=["plain", "latent"], scope="module")
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return random_checkpoint(request.param, tmp_path_factory.mktemp("experts"))


def runner_of(checkpoint: Checkpoint, weights: WeightFormat | None = None) -> OnnxRunner:
    return OnnxRunner(export_model(checkpoint, weights).SerializeToString())


def test_the_graph_is_the_reference_whole_and_token_by_token(checkpoint: Checkpoint) -> None:
    runner = runner_of(checkpoint)
    expected = Reference(checkpoint).logits(IDS)
    assert expected.std() > 0.5
    assert np.abs(runner.feed(IDS) - expected).max() < 1e-4
    runner.reset()
    assert np.abs(np.concatenate([runner.feed([i]) for i in IDS]) - expected).max() < 1e-4


@pytest.mark.parametrize("weights", [FloatFormat(), NBitsFormat(), FoldedFormat()], ids=["float", "q4", "quantized"])
def test_a_lone_token_computes_its_own_experts_only(checkpoint: Checkpoint, weights: WeightFormat) -> None:
    model = export_model(checkpoint, weights)
    names = ["layers.1.experts_up.selected", "layers.1.experts_down.selected"]
    for name in names:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    runner = OnnxRunner(model.SerializeToString())
    s = checkpoint.shape
    for ids, count in ((IDS[:1], s.num_experts_per_tok), (IDS, s.n_routed_experts)):
        runner.reset()
        up, down = runner.observe(ids, names).values()
        assert up.shape == (count, s.expert_width, s.moe_intermediate_size) and down.shape == up.transpose(0, 2, 1).shape


def test_the_choice_is_given_out_as_the_router_makes_it(checkpoint: Checkpoint) -> None:
    model = load_pretrained(checkpoint.path).eval()
    seen: list[torch.Tensor] = []
    model.model.layers[1].mixer.gate.register_forward_hook(lambda _, __, weights: seen.append(weights[0]))
    with torch.no_grad():
        model(torch.from_numpy(IDS)[None])
    found = runner_of(checkpoint).observe(IDS, ["router.1.experts", "router.1.weights"])
    experts, weights = found["router.1.experts"][0], found["router.1.weights"][0]
    assert experts.dtype == np.int64 and experts.shape == weights.shape == (40, checkpoint.shape.num_experts_per_tok)
    dense = np.zeros((40, checkpoint.shape.n_routed_experts), np.float32)
    np.put_along_axis(dense, experts, weights, -1)
    assert np.abs(dense - seen[0].numpy()).max() < 1e-5
    assert weights.sum(-1) == pytest.approx(2.5)


@pytest.mark.parametrize("weights", [NBitsFormat(accuracy_level=0), FoldedFormat()], ids=["q4", "quantized"])
def test_an_expert_can_be_switched_off_in_the_file(checkpoint: Checkpoint, weights: WeightFormat) -> None:
    model = export_model(checkpoint, weights)
    names = ["router.1.experts"]
    before = OnnxRunner(model.SerializeToString()).observe(IDS, names)["router.1.experts"]
    busiest = int(np.bincount(before.ravel()).argmax())
    bias = next(i for i in model.graph.initializer if i.name == BIAS)
    assert bias.data_type == onnx.TensorProto.FLOAT and len(bias.raw_data) == 4 * checkpoint.shape.n_routed_experts
    raw = bytearray(bias.raw_data)
    raw[4 * busiest : 4 * busiest + 4] = np.float32(-1e4).tobytes()
    bias.raw_data = bytes(raw)
    after = OnnxRunner(model.SerializeToString()).observe(IDS, names)["router.1.experts"]
    assert busiest in before and busiest not in after


def test_quantised_graphs_compute_with_exactly_the_rounded_experts(checkpoint: Checkpoint) -> None:
    for four_bits, weights in ((True, NBitsFormat(accuracy_level=0)), (False, folded_format(checkpoint.shape, None))):
        changed = dict(checkpoint.tensors)
        for name, tensor in checkpoint.tensors.items():
            if ".experts." in name or (".shared_experts." in name and not four_bits):
                q = quantise_blocks(tensor.reshape(-1, tensor.shape[-1]), 4, 32)
                scales = q.scales if four_bits else q.scales.astype(np.float16).astype(np.float32)
                changed[name] = replace(q, scales=scales).dequantise().reshape(tensor.shape)
            elif name in ("model.embeddings.weight", "lm_head.weight") and four_bits:
                changed[name] = quantise_blocks(tensor, 8, 32).dequantise()
            elif ".mixer." in name and tensor.ndim == 2 and ".gate." not in name and four_bits:
                changed[name] = quantise_blocks(tensor, 4, 32).dequantise()
            elif tensor.ndim == 2 and ".gate." not in name:
                codes, scales = quantise_rows(tensor)
                changed[name] = codes * scales
        expected = runner_of(replace(checkpoint, tensors=changed)).feed(IDS)
        assert np.abs(runner_of(checkpoint, weights).feed(IDS) - expected).max() < 1e-3


def test_experts_are_fitted_to_the_tokens_that_choose_them(checkpoint: Checkpoint) -> None:
    rng = np.random.default_rng(9)
    windows = [Tokens(rng.integers(0, 40, 256), np.ones(256, bool)) for _ in range(6)]
    codes = calibrated_codes(checkpoint, windows)
    ids = rng.integers(0, 40, 100)
    exact = runner_of(checkpoint).feed(ids)
    only_experts = {name: code for name, code in codes.items() if ".experts_" in name}
    assert len(only_experts) == 4
    rms = [float(((runner_of(checkpoint, FoldedFormat(codes_of=c)).feed(ids) - exact) ** 2).mean() ** 0.5) for c in (only_experts, {})]
    assert rms[0] < 0.95 * rms[1]


def test_numbers_that_the_weights_do_not_have_are_named(checkpoint: Checkpoint, tmp_path: Path) -> None:
    raw = json.loads((checkpoint.path / "config.json").read_text())
    (tmp_path / "model.safetensors").symlink_to(checkpoint.path / "model.safetensors")

    def written(**changes: object) -> Path:
        (tmp_path / "config.json").write_text(json.dumps({**raw, **changes}))
        return tmp_path

    with pytest.raises(CheckpointError, match=r"config\.json: n_routed_experts is 32, but model\.layers\.1\.mixer\.experts\.up_proj has"):
        load_checkpoint(written(n_routed_experts=32))
    with pytest.raises(RuntimeError, match=r"model\.safetensors: model\.layers\.1\.mixer\..* config\.json asks for"):
        load_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"config\.json: moe_latent_size is 0"):
        load_checkpoint(written(moe_latent_size=0))
    with pytest.raises(ConfigError, match=r"config\.json: moe_latent_size is 0"):
        load_pretrained(tmp_path)


def test_constants_of_the_bias_are_float32_in_every_format(checkpoint: Checkpoint) -> None:
    for weights in (NBitsFormat(half=True), NBitsFormat(), FoldedFormat()):
        bias = next(i for i in export_model(checkpoint, weights).graph.initializer if i.name == BIAS)
        assert np.array_equal(numpy_helper.to_array(bias), checkpoint.tensor("model.layers.1.mixer.gate.e_score_correction_bias"))
