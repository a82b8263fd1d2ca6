"""The hybrid's graphs are the model with the weights that ship, and its folder is whole or not replaced."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.numpy import load_file, save_file

from tidepool_model.architecture.config import ConfigError
from tidepool_model.architecture.grid import on_grid
from tidepool_model.architecture.hybrid_checkpoint import load_hybrid, read_hybrid, write_hybrid
from tidepool_model.export import package_hybrid as packaging
from tidepool_model.export.hybrid_codes import quantise_hybrid, shipped_weights
from tidepool_model.export.onnx_runner import OnnxRunner
from tidepool_model.export.package import PackageError
from tidepool_model.export.package_hybrid import HybridOptions, TorchRunner, package_hybrid
from tidepool_model.export.random_hybrid import MICRO, PART_BYTES, write_random_checkpoint
from tidepool_model.export.unpack_hybrid import unpack
from tidepool_model.export.weight_parts import WeightParts, data_file

OPTIONS = HybridOptions(agreement=0.0, part_bytes=PART_BYTES)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hybrid") / "checkpoint"
    write_random_checkpoint(MICRO, folder)
    return folder


@pytest.fixture(scope="module")
def packaged(checkpoint: Path) -> Path:
    out = checkpoint.parent / "micro-hybrid"
    package_hybrid(checkpoint, out, OPTIONS)
    return out


def test_the_wasm_graph_is_pytorch_with_the_shipped_weights_in_any_pieces(checkpoint: Path, packaged: Path, tmp_path: Path) -> None:
    manifest = json.loads((packaged / "manifest.json").read_text())
    graph = manifest["variants"]["quantized"].removeprefix("onnx/")
    shutil.copyfile(packaged / "onnx" / graph, tmp_path / graph)
    for index, part in enumerate(manifest["parts"]):
        shutil.copyfile(packaged / part, tmp_path / data_file(graph, index))
    runner = OnnxRunner(tmp_path / graph)
    model = load_hybrid(checkpoint)
    reference = TorchRunner(MICRO, shipped_weights(model, quantise_hybrid(model)))
    ids = np.random.default_rng(6).integers(0, MICRO.vocab_size, 70)
    expected = reference.feed(ids)
    whole = runner.feed(ids)
    runner.reset()
    pieces = np.concatenate([runner.feed(ids[a:b]) for a, b in ((0, 1), (1, 30), (30, 31), (31, 70))])
    assert np.abs(whole - expected).max() < 1e-3
    assert np.abs(pieces - expected).max() < 1e-3


def test_the_folder_tells_the_truth_and_no_part_is_too_large(packaged: Path) -> None:
    manifest = json.loads((packaged / "manifest.json").read_text())
    assert len(manifest["parts"]) == 3
    for entry in manifest["files"]:
        assert (packaged / entry["path"]).stat().st_size == entry["bytes"]
    assert all((packaged / part).stat().st_size <= PART_BYTES for part in manifest["parts"])
    assert {path.name for path in (packaged / "onnx").iterdir()} == {
        "model_q4.onnx", "model_q4f16.onnx", "model_quantized.onnx", "model_q4.onnx_data", "model_q4.onnx_data_1", "model_q4.onnx_data_2",
    }  # fmt: skip
    config = json.loads((packaged / "config.json").read_text())
    assert config["layer_types"] == ["attention", "mamba", "attention", "mamba"] and config["num_hidden_layers"] == 4
    shapes = {
        i.name: [d.dim_value or d.dim_param for d in i.type.tensor_type.shape.dim]
        for i in onnx.load(packaged / "onnx/model_q4.onnx", load_external_data=False).graph.input
    }
    assert shapes["past_conv.1"] == ["batch_size", MICRO.conv_dim, 3]
    assert shapes["past_ssm.1"] == ["batch_size", 4, 16, 16]
    assert "base_model: HuggingFaceTB/SmolLM2-135M-Instruct" in (packaged / "README.md").read_text()
    assert "Apache License" in (packaged / "NOTICE").read_text()


def test_a_matrix_taught_on_the_grid_ships_exactly_as_it_was_taught(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path / "taught")
    tensors = load_file(checkpoint / "model.safetensors")
    name = "layers.1.mixer.in_proj"
    weight = tensors[f"{name}.weight"]
    scale = (weight.reshape(len(weight), -1, 32)[..., 0] / 3).astype(np.float16).astype(np.float32)  # of both signs, no best scale
    save_file({**tensors, f"{name}.weight_scale": scale}, tmp_path / "taught" / "model.safetensors")
    model = load_hybrid(tmp_path / "taught")
    matrices = quantise_hybrid(model)
    assert matrices.taught == 1
    expected = on_grid(torch.from_numpy(weight), torch.from_numpy(scale))
    assert torch.equal(shipped_weights(model, matrices)[f"{name}.weight"], expected)
    save_file({**tensors, f"{name}.weight_scale": scale * np.float32(1.0001)}, tmp_path / "taught" / "model.safetensors")
    with pytest.raises(ConfigError, match=f"{name}.weight_scale holds 0 or a number that float16 doesn't have"):
        quantise_hybrid(load_hybrid(tmp_path / "taught"))


def test_a_failed_check_leaves_the_old_folder_and_names_the_number(
    checkpoint: Path, packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "old"
    shutil.copytree(packaged, out)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    monkeypatch.setattr(packaging, "PARITY_LIMIT", 1e-9)
    with pytest.raises(PackageError, match=r"model_q4.onnx: logits for tokens read .* differ from PyTorch's by .* \(limit 1e-09\). Nothing was replaced"):
        package_hybrid(checkpoint, out, OPTIONS)
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_a_tokenizer_of_another_vocabulary_is_named(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path / "other")
    path = tmp_path / "other" / "tokenizer.json"
    path.unlink()
    with pytest.raises(PackageError, match="tokenizer.json is missing; copy it from the run"):
        package_hybrid(tmp_path / "other", tmp_path / "out", OPTIONS)
    tokenizer = json.loads((checkpoint / "tokenizer.json").read_text())
    for token in tokenizer["added_tokens"]:
        token["content"] = token["content"].replace("<think>", "<thought>")
    tokenizer["model"]["vocab"] = {("<thought>" if k == "<think>" else k): v for k, v in tokenizer["model"]["vocab"].items()}
    path.write_text(json.dumps(tokenizer))
    with pytest.raises(PackageError, match="<think> has id None, the chat form gives it 4"):
        package_hybrid(tmp_path / "other", tmp_path / "out", OPTIONS)


def test_a_tensor_lies_in_one_part_and_is_stored_once() -> None:
    parts = WeightParts(part_bytes=1000)
    places = [parts.add(name, np.zeros(size, np.uint8)) for name, size in (("a", 700), ("b", 300), ("c", 900), ("a", 700))]
    assert [p.part for p in places] == [0, 1, 2, 0] and places[0] == places[3]
    assert all(p.offset % 64 == 0 for p in places)
    with pytest.raises(ValueError, match="d has 1001 bytes and a part 1000"):
        parts.add("d", np.zeros(1001, np.uint8))


def test_what_ships_is_read_back_and_ships_the_same_again(checkpoint: Path, packaged: Path, tmp_path: Path) -> None:
    config, tensors, scales = unpack(packaged)
    assert config == MICRO
    shipped = shipped_weights(load_hybrid(checkpoint), quantise_hybrid(load_hybrid(checkpoint)))
    for name, value in shipped.items():
        assert torch.allclose(tensors[name], value, atol=1e-6), name
    write_hybrid(tmp_path / "again", config, tensors, scales, packaged / "tokenizer.json")
    read_hybrid(tmp_path / "again")  # whole, by its own check
    package_hybrid(tmp_path / "again", tmp_path / "out", OPTIONS)
    before, after = (json.loads((folder / "manifest.json").read_text()) for folder in (packaged, tmp_path / "out"))
    products = [name for name in unpack(tmp_path / "out")[2]]
    assert len(products) == after["taughtMatrices"] == len(scales)
    for name in products:
        assert torch.equal(unpack(tmp_path / "out")[1][name], tensors[name]), name
    assert before["parts"] == after["parts"]


def test_a_part_that_is_missing_or_short_is_named(packaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(packaged, folder)
    part = folder / "onnx/model_q4.onnx_data_1"
    part.write_bytes(part.read_bytes()[:-40])
    with pytest.raises(ConfigError, match=r"model_q4\.onnx_data_1 ends before .* copy it again"):
        unpack(folder)
    part.unlink()
    with pytest.raises(ConfigError, match=r"model_q4\.onnx_data_1 is missing"):
        unpack(folder)
    with pytest.raises(ConfigError, match=r"config\.json is no config"):
        unpack(tmp_path)
