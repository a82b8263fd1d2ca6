"""The exported graph is the published architecture, in every variant, and a failed export replaces nothing."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from safetensors.numpy import load_file, save_file
from transformers import NemotronHForCausalLM

from tidepool_model.architecture.checkpoint_reader import Checkpoint, CheckpointError, load_checkpoint
from tidepool_model.architecture.config import ModelConfig, preset
from tidepool_model.architecture.model import HybridLM, save_pretrained
from tidepool_model.export.calibration import Tokens, calibrated_codes, perplexity, read_conversations, read_windows, second_moments
from tidepool_model.export.export_onnx import export_model
from tidepool_model.export.onnx_graph import FloatFormat, FoldedFormat, NBitsFormat
from onnx_probe import probe_outputs, probe_suffix
from tidepool_model.architecture.reference_numpy import Reference
from tidepool_model.export.onnx_runner import OnnxRunner
from tidepool_model.export.package import Options, PackageError, package, variant_format
from tidepool_model.export.quantise import quantise_blocks, quantise_gptq, quantise_rows

SPECIAL = {"eos_token_id": 3, "pad_token_id": 1, "bos_token_id": 0}
TINY = replace(preset("micro"), vocab_size=320)
CONFIGS = {
    "micro": TINY,
    "two groups, untied": replace(TINY, pattern="M*M-", mamba_num_heads=4, n_groups=2, mamba_head_dim=32, tie_word_embeddings=False),
    "experts": replace(TINY, pattern="ME*E-", moe_intermediate_size=32, moe_shared_expert_intermediate_size=64),
    "one query head per KV head": replace(TINY, pattern="*-M", num_key_value_heads=4),
}


def random_checkpoint(config: ModelConfig, folder: Path, seed: int = 5) -> Checkpoint:
    """Weights of about the size of trained ones, every vector and bias away from its neutral start."""
    torch.manual_seed(seed)
    model = HybridLM(config)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if name.endswith("A_log"):
                tensor.uniform_(-1.0, 2.0)
            elif name.endswith("dt_bias"):
                tensor.uniform_(-4.0, 0.0)
            elif tensor.dim() == 1:
                tensor.add_(0.3 * torch.randn_like(tensor))
            elif tensor.dim() >= 2:
                tensor.copy_(torch.randn_like(tensor) * tensor.shape[-1] ** -0.5)
    save_pretrained(model, folder, SPECIAL)
    return load_checkpoint(folder)


def tokens(count: int, vocab_size: int = TINY.vocab_size) -> np.ndarray:
    return np.random.default_rng(3).integers(0, vocab_size, count)


def runner_of(checkpoint: Checkpoint, *args: FloatFormat | FoldedFormat | NBitsFormat) -> OnnxRunner:
    return OnnxRunner(export_model(checkpoint, *args).SerializeToString())


@pytest.fixture(params=CONFIGS, scope="module")
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return random_checkpoint(CONFIGS[request.param], tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def micro(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return random_checkpoint(TINY, tmp_path_factory.mktemp("micro"))


def test_float32_graph_equals_hugging_face_on_256_tokens(checkpoint: Checkpoint) -> None:
    hf = NemotronHForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32).eval()
    ids = tokens(256)
    with torch.no_grad():
        expected = hf(torch.from_numpy(ids)[None]).logits[0].numpy()
    got = runner_of(checkpoint).feed(ids)
    assert expected.std() > 0.3  # logits that are all near zero would agree with anything
    assert np.abs(got - expected).max() < 1e-3
    assert np.abs(Reference(checkpoint).logits(ids) - expected).max() < 1e-3


def test_pieces_with_carried_state_equal_the_whole(checkpoint: Checkpoint) -> None:
    runner = runner_of(checkpoint)
    ids = tokens(80)
    whole = runner.feed(ids)
    runner.reset()
    pieces = np.concatenate([runner.feed(ids[a:b]) for a, b in ((0, 1), (1, 3), (3, 50), (50, 80))])
    runner.reset()
    steps = np.concatenate([runner.feed([i]) for i in ids])
    assert np.abs(pieces - whole).max() < 1e-4
    assert np.abs(steps - whole).max() < 1e-4


def test_forgotten_state_would_show(micro: Checkpoint) -> None:
    runner = runner_of(micro)
    ids = tokens(40)
    whole = runner.feed(ids)
    for name in list(runner.states):
        runner.reset()
        runner.feed(ids[:30])
        runner.states[name] = np.zeros_like(runner.states[name])
        assert np.abs(runner.feed(ids[30:]) - whole[30:]).max() > 1e-3, name


def test_head_runs_on_the_last_tokens_only(micro: Checkpoint) -> None:
    runner = runner_of(micro)
    ids = tokens(12)
    whole = runner.feed(ids)
    for keep in (1, 5):
        runner.reset()
        last = runner.feed(ids, keep=keep)
        assert last.shape == (keep, TINY.vocab_size)
        assert np.abs(last - whole[-keep:]).max() < 1e-5


def test_two_sequences_in_a_batch_do_not_mix(micro: Checkpoint) -> None:
    runner = runner_of(micro)
    ids = np.stack([tokens(20), tokens(20)[::-1]])
    feeds = {"input_ids": ids, "attention_mask": np.ones((2, 20), np.int64), "num_logits_to_keep": np.array(0)}
    feeds |= {name: np.repeat(state, 2, axis=0) for name, state in runner.states.items()}
    both = runner.session.run(["logits"], feeds)[0]
    for row in (0, 1):
        runner.reset()
        assert np.abs(runner.feed(ids[row]) - both[row]).max() < 1e-4


def test_the_layout_is_the_one_transformers_js_expects(micro: Checkpoint) -> None:
    graph = export_model(micro).graph
    dims = {
        v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in [*graph.input, *graph.output]
    }
    conv, ssm = ["batch_size", 192, 3], ["batch_size", 2, 32, 64]
    expected = {
        "input_ids": ["batch_size", "sequence_length"],
        "attention_mask": ["batch_size", "total_sequence_length"],
        "num_logits_to_keep": [],
        "logits": ["batch_size", "logits_length", TINY.vocab_size],
    }
    for layer in (0, 2):
        expected |= {f"{when}_conv.{layer}": conv for when in ("past", "present")}
        expected |= {f"{when}_ssm.{layer}": ssm for when in ("past", "present")}
    for part in ("key", "value"):
        expected[f"past_key_values.3.{part}"] = ["batch_size", 2, "past_sequence_length", 16]
        expected[f"present.3.{part}"] = ["batch_size", 2, "total_sequence_length", 16]
    assert dims == expected


def test_written_out_attention_equals_the_fused_operator(checkpoint: Checkpoint) -> None:
    class Plain(FloatFormat):
        fused_attention = False

    ids = tokens(70)
    fused, plain = runner_of(checkpoint), runner_of(checkpoint, Plain())
    for start, stop in ((0, 40), (40, 41), (41, 70)):
        assert np.abs(fused.feed(ids[start:stop]) - plain.feed(ids[start:stop])).max() < 1e-4
    for name, state in fused.states.items():
        assert np.abs(plain.states[name] - state).max() < 1e-4, name


def test_quantised_graphs_compute_with_exactly_the_rounded_weights(micro: Checkpoint) -> None:
    """Rounding the checkpoint's own matrices and exporting float32 must give what the quantised graph gives."""
    ids = tokens(64)

    def rounded(four_bits: bool) -> Checkpoint:
        changed = dict(micro.tensors)
        for name, tensor in micro.tensors.items():
            table = name in ("model.embeddings.weight", "lm_head.weight")
            if not table and not (tensor.ndim == 2 and ".mixer." in name):
                continue
            if four_bits:
                changed[name] = quantise_blocks(tensor, 8 if table else 4, 32).dequantise()
            else:
                codes, scales = quantise_rows(tensor)
                changed[name] = codes * scales
        return Checkpoint(micro.path, micro.config, micro.shape, changed)

    for four_bits, weights in ((True, NBitsFormat(accuracy_level=0)), (False, FoldedFormat())):
        expected = runner_of(rounded(four_bits)).feed(ids)
        assert np.abs(runner_of(micro, weights).feed(ids) - expected).max() < 1e-3


@pytest.mark.parametrize(
    ("weights", "largest_rms"),  # share of the logits' standard deviation; random weights are the worst case
    [
        (FoldedFormat(), 0.05),
        (FoldedFormat(bits=4), 0.45),
        (NBitsFormat(), 0.45),
        (NBitsFormat(half=True), 0.45),
    ],
    ids=["quantized", "quantized 4 bits", "q4", "q4f16"],
)
def test_variants_run_and_stay_near_float32(micro: Checkpoint, weights: FoldedFormat | NBitsFormat, largest_rms: float) -> None:
    ids = tokens(128)
    exact = runner_of(micro).feed(ids)
    runner = runner_of(micro, weights)
    got = runner.feed(ids)
    assert np.sqrt(((got - exact) ** 2).mean()) < largest_rms * exact.std()
    runner.reset()
    pieces = np.concatenate([runner.feed(ids[:50]), runner.feed(ids[50:51]), runner.feed(ids[51:])])
    # float16 states and int8 activations round differently by piece; they must stay far below the weights' rounding.
    assert np.abs(pieces - got).max() < 0.05 * exact.std()


def test_float16_variant_keeps_the_recurrence_in_float32(micro: Checkpoint) -> None:
    graph = export_model(micro, NBitsFormat(half=True)).graph
    types = {v.name: v.type.tensor_type.elem_type for v in [*graph.input, *graph.output]}
    assert types["past_ssm.0"] == types["present_ssm.0"] == types["logits"] == onnx.TensorProto.FLOAT
    assert types["past_conv.0"] == types["past_key_values.3.key"] == onnx.TensorProto.FLOAT16


def test_scale_search_beats_plain_rounding() -> None:
    weight = np.random.default_rng(0).standard_normal((64, 128)).astype(np.float32)
    blocks = weight.reshape(64, 4, 32)
    scale = np.abs(blocks).max(-1, keepdims=True) / 7
    plain = (np.clip(np.rint(blocks / scale), -8, 7) * scale).reshape(64, 128)
    searched = quantise_blocks(weight, 4, 32).dequantise()
    assert ((searched - weight) ** 2).mean() < 0.85 * ((plain - weight) ** 2).mean()


def test_packing_round_trips_through_the_kernel_layout() -> None:
    q = quantise_blocks(np.random.default_rng(1).standard_normal((3, 64)).astype(np.float32), 4, 32)
    packed = q.packed()
    assert packed.shape == (3, 2, 16)
    assert np.array_equal(np.stack([packed & 15, packed >> 4], -1).reshape(3, 2, 32), q.codes)


def test_gptq_lowers_the_output_error_on_correlated_inputs() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((512, 16)) @ rng.standard_normal((16, 64)) + 0.1 * rng.standard_normal((512, 64))
    weight = rng.standard_normal((48, 64)).astype(np.float32)
    moment = x.T @ x / len(x)
    errors = [
        ((x @ (q.dequantise() - weight).T) ** 2).mean()
        for q in (quantise_blocks(weight, 4, 32), quantise_gptq(weight, moment, 4, 32))
    ]
    assert errors[1] < 0.6 * errors[0]


def test_second_moments_are_those_of_the_layer_inputs(micro: Checkpoint) -> None:
    ids = tokens(300)
    moments = second_moments(micro, [Tokens(ids[a : a + 100], np.ones(100, bool)) for a in (0, 100, 200)])
    assert set(moments) == {
        "logits", "layers.0.in_proj", "layers.0.out_proj", "layers.1.up_proj", "layers.1.down_proj", "layers.2.in_proj",
        "layers.2.out_proj", "layers.3.qkv_proj", "layers.3.o_proj", "layers.4.up_proj", "layers.4.down_proj",
    }  # fmt: skip
    x = micro.tensor("model.embeddings.weight")[ids].astype(np.float64)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * micro.tensor("model.layers.0.norm.weight")
    assert np.allclose(moments["layers.0.in_proj"], x.T @ x / len(ids), atol=1e-4)


def test_calibration_reads_packed_tokens_and_brings_q4_nearer(micro: Checkpoint, tmp_path: Path) -> None:
    packed = tmp_path / "sft.tokens.bin"
    np.random.default_rng(9).integers(0, TINY.vocab_size, 4096).astype(np.uint16).tofile(packed)
    ids = tokens(256)
    exact = runner_of(micro).feed(ids)
    codes = calibrated_codes(micro, read_windows(packed, None, 4096))
    errors = [
        ((runner_of(micro, NBitsFormat(accuracy_level=0, codes_of=c)).feed(ids) - exact) ** 2).mean() for c in ({}, codes)
    ]
    assert errors[1] < 0.9 * errors[0]


def test_perplexity_of_equal_logits_is_the_vocabulary(micro: Checkpoint) -> None:
    flat = dict(micro.tensors) | {"model.norm_f.weight": np.zeros(TINY.hidden_size, np.float32)}
    runner = runner_of(Checkpoint(micro.path, micro.config, micro.shape, flat))
    assert perplexity(runner, [Tokens(tokens(300), np.ones(300, bool))]) == pytest.approx(TINY.vocab_size, rel=1e-5)


def test_perplexity_counts_the_replies_of_conversations_only(micro: Checkpoint, tmp_path: Path) -> None:
    ids, mask = tokens(300), np.ones(300, np.uint8)
    mask[100:200] = 0
    mask[[100, 110, 177]] = 1  # a conversation's first token has nothing before it and can't count
    ids.astype(np.uint16).tofile(tmp_path / "held_out.tokens.bin")
    mask.tofile(tmp_path / "held_out.mask.bin")
    np.array([0, 100, 200], np.uint32).tofile(tmp_path / "held_out.docs.bin")  # text, conversation, text
    runner = runner_of(micro)
    logits = runner.feed(ids[100:200]).astype(np.float64)
    losses = [np.log(np.exp(logits[t - 1]).sum()) - logits[t - 1, ids[100 + t]] for t in (10, 77)]
    measured = perplexity(runner, read_conversations(tmp_path / "held_out.tokens.bin", None, 10_000))
    assert measured == pytest.approx(np.exp(np.mean(losses)), rel=1e-6)


def test_probe_bytes_open_inner_values_that_explain_the_output(checkpoint: Checkpoint) -> None:
    """The hidden attention made from the probed values, applied to x, is what the fused operator gives."""
    shape, ids = checkpoint.shape, tokens(40)
    layer = shape.layer_types.index("mamba")
    model = export_model(checkpoint)
    inner = {n: helper.make_tensor_value_info(f"layers.{layer}.{n}", onnx.TensorProto.FLOAT, None) for n in ("x", "scan")}
    suffix = probe_suffix([*probe_outputs(shape, half=False), *inner.values()])
    runner = OnnxRunner(model.SerializeToString() + suffix)
    plain = runner_of(checkpoint).feed(ids)
    assert np.array_equal(runner.feed(ids), plain)
    runner.reset()
    names = [v.name for v in [*probe_outputs(shape, half=False), *inner.values()]]
    got = {name: value[0].astype(np.float64) for name, value in runner.observe(ids, names).items()}
    at, heads, per_group = f"layers.{layer}.", shape.mamba_num_heads, shape.mamba_num_heads // shape.n_groups
    b, c = (np.repeat(got[at + n].reshape(40, shape.n_groups, -1), per_group, axis=1) for n in "BC")
    summed = got[at + "decay"].cumsum(0)  # (seq, heads)
    decay = np.tril(np.exp(np.minimum(summed.T[:, :, None] - summed.T[:, None, :], 0.0)))  # (heads, t, s)
    hidden = np.einsum("thn,shn->hts", c, b) * decay * got[at + "dt"].T[:, None, :]
    y = np.einsum("hts,shp->thp", hidden, got[at + "x"].reshape(40, heads, -1)).reshape(40, -1)
    assert np.abs(y - got[at + "scan"]).max() < 1e-4
    assert np.allclose(got[at + "decay"], -np.exp(checkpoint.tensor(f"model.{at}mixer.A_log")) * got[at + "dt"], atol=1e-5)
    if "attention" in shape.layer_types:
        layer = shape.layer_types.index("attention")
        runner.reset()
        key = runner.observe(ids, [f"present.{layer}.key"])[f"present.{layer}.key"][0]  # (kv_heads, seq, head_dim)
        queries = shape.num_attention_heads * shape.head_dim
        keys = got[f"layers.{layer}.qkv_proj"][:, queries : queries + shape.num_key_value_heads * shape.head_dim]
        assert np.allclose(keys.reshape(40, -1, shape.head_dim).transpose(1, 0, 2), key, atol=1e-5)


def test_package_writes_a_whole_model_and_its_manifest_tells_the_truth(micro: Checkpoint, tmp_path: Path) -> None:
    out = tmp_path / "micro"
    package(micro.path, out, Options(ship_fp32=True, agreement=0.0))
    manifest = json.loads((out / "manifest.json").read_text())
    assert {e["path"] for e in manifest["files"]} >= {"config.json", "generation_config.json", "onnx/model_q4.onnx"}
    for entry in manifest["files"]:
        assert (out / entry["path"]).stat().st_size == entry["bytes"]
    assert manifest["parameters"] == HybridLM(TINY).parameter_count
    assert manifest["pattern"] == "M-M*-"
    ids = manifest["golden"]["input_ids"]
    for variant, file in manifest["variants"].items():
        runner = OnnxRunner(out / file)
        golden = manifest["golden"][variant]
        logits = runner.feed(ids, keep=1)[0]
        assert np.abs(logits[golden["top_ids"]] - golden["top_logits"]).max() <= golden["tolerance"]
        fixed = sum(s.nbytes for n, s in runner.states.items() if not n.startswith("past_key"))
        kv = sum(s.nbytes for n, s in runner.states.items() if n.startswith("past_key")) / len(ids)
        assert fixed == manifest["states"]["fixedBytes"][variant]
        assert kv == manifest["states"]["kvBytesPerToken"][variant]
    assert [p.name for p in tmp_path.iterdir()] == ["micro"]


def test_four_bit_package_keeps_mamba_out_proj_at_eight(micro: Checkpoint) -> None:
    graph = export_model(micro, variant_format("q4", micro.shape, None)).graph
    bits = {n.output[0]: {a.name: a.i for a in n.attribute}["bits"] for n in graph.node if n.op_type == "MatMulNBits"}
    assert {n for n, b in bits.items() if b == 8} == {"logits", "layers.0.out_proj", "layers.2.out_proj"}
    with pytest.raises(PackageError, match="unknown variant 'q3'; known: fp32, q4, q4f16, quantized"):
        package(micro.path, micro.path / "out", Options(("q3",)))


def test_failed_parity_leaves_the_old_model_and_names_the_number(
    micro: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, quick = tmp_path / "micro", Options(("quantized",), agreement=0.0)
    package(micro.path, out, quick)
    (out / "README.md").write_text("card")
    before = (out / "manifest.json").read_bytes()
    right = Reference.logits
    monkeypatch.setattr(Reference, "logits", lambda self, ids: right(self, ids) + 0.01)
    with pytest.raises(PackageError, match=r"parity failed.*0\.01.*Nothing was replaced"):
        package(micro.path, out, quick)
    monkeypatch.undo()
    assert (out / "manifest.json").read_bytes() == before
    with pytest.raises(PackageError, match=r"q4: its best token agrees with float32 at .*101% needed"):
        package(micro.path, out, Options(("q4",), agreement=1.01))
    assert (out / "manifest.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["micro"]
    package(micro.path, out, quick)
    assert (out / "README.md").read_text() == "card"


def test_perplexity_gate_measures_every_variant_and_stops_a_bad_one(micro: Checkpoint, tmp_path: Path) -> None:
    held_out = tmp_path / "held_out.npy"
    np.save(held_out, tokens(512))
    out = tmp_path / "out" / "micro"
    manifest = package(micro.path, out, Options(("quantized",), agreement=0.0, held_out=held_out))
    measured = manifest["checks"]["perplexity"]
    assert measured["quantized"] == pytest.approx(measured["fp32"], rel=0.01)
    runner, greedy = runner_of(micro), [5]
    for _ in range(255):
        greedy.append(int(runner.feed(greedy[-1:]).argmax()))
    np.save(held_out, greedy)  # float32's own favourites: rounding must lose
    with pytest.raises(PackageError, match=r"q4: held-out perplexity .* above float32's .*limit 3%"):
        package(micro.path, out, Options(agreement=0.0, held_out=held_out, variants=("q4",)))


def test_bad_checkpoints_are_named(micro: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: not found"):
        load_checkpoint(tmp_path / "absent")

    broken = tmp_path / "broken"
    broken.mkdir()
    config = json.loads((micro.path / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"model\.safetensors: not found"):
        load_checkpoint(broken)

    whole = (micro.path / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(whole[:-1000])
    with pytest.raises(CheckpointError, match=rf"truncated, {len(whole) - 1000} bytes where its header promises {len(whole)}"):
        load_checkpoint(broken)

    tensors = load_file(micro.path / "model.safetensors")
    save_file({n: t for n, t in tensors.items() if n != "model.layers.0.mixer.A_log"}, broken / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"'model\.layers\.0\.mixer\.A_log' is missing"):
        export_model(load_checkpoint(broken))

    save_file(tensors | {"model.norm_f.weight": np.full(64, np.nan, np.float32)}, broken / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"'model\.norm_f\.weight' holds NaN"):
        load_checkpoint(broken)

    (broken / "config.json").write_text(json.dumps(config | {"layers_block_type": ["mamba", "X"]}))
    with pytest.raises(CheckpointError, match=r"layer 1 is 'X'\. Known layers: M \(mamba\)"):
        load_checkpoint(broken)
    with pytest.raises(CheckpointError, match=r"layer 1 is 'X'"):
        package(broken, tmp_path / "out", Options(("q4",)))
    assert not (tmp_path / "out").exists()
