"""NVFP4: rounding as in ml_dtypes, worked examples, both layouts of files, sentences for broken ones, the packaged folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest

from tidepool_model.architecture.checkpoint_reader import CheckpointError, RawTensor, read_raw_tensors
from tidepool_model.architecture.reference_numpy import Reference
from tidepool_model.export.nvfp4 import (
    BLOCK,
    E2M1,
    PackedMatrix,
    decode_e2m1,
    decode_e4m3,
    encode_e2m1,
    encode_e4m3,
    pack_matrix,
)
from tidepool_model.export.nvfp4_files import Layout, load_packed, packed_fields, quantization_config, raw_float, write_safetensors
from tidepool_model.export.nvfp4_package import LOCATION, package_nvfp4
from tidepool_model.export.onnx_runner import OnnxRunner
from tidepool_model.export.packaged_weights import packaged_checkpoint

MICRO = Path(__file__).resolve().parents[3] / "public" / "models" / "micro"
# Largest value 6 * 448, so the tensor scale is 1; the second row's block then has the scale 1 and holds every tie.
WORKED = np.array(
    [[2688.0] + [448.0] * 15, [6, -4, 3, 2, 1.5, 1, 0.5, 0, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, -0.2]], np.float32
)
ROUNDED = [6, -4, 3, 2, 1.5, 1, 0.5, 0, 0, 1, 1, 2, 2, 4, 4, 0]


def random_matrix(rows: int = 12, size: int = 64, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = (rng.standard_normal((rows, size)) * np.exp(rng.standard_normal((rows, 1)))).astype(np.float32)
    matrix[1, :16] = 0
    return matrix


def test_rounding_is_ml_dtypes_own() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.uniform(-7, 7, 4000), np.repeat(E2M1, 2), [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, -2.5, -5]]).astype(np.float32)
    assert np.array_equal(decode_e2m1(encode_e2m1(values)), values.astype(ml_dtypes.float4_e2m1fn).astype(np.float32))
    scales = np.exp(rng.uniform(-8, 7, 4000)).astype(np.float32)
    held = np.clip(scales, 2**-9, 448)
    assert np.array_equal(decode_e4m3(encode_e4m3(scales)), held.astype(ml_dtypes.float8_e4m3fn).astype(np.float32))
    assert decode_e4m3(encode_e4m3(np.array([1e9, 1e-9], np.float32))).tolist() == [448, 2**-9]


def test_a_worked_example() -> None:
    packed = pack_matrix(WORKED)
    assert packed.tensor_scale == 1 and decode_e4m3(packed.scale_bits).tolist() == [[448], [1]]
    assert packed.dequantise()[1].tolist() == ROUNDED and packed.dequantise()[0].tolist() == [2688] + [448] * 15
    # 6 is code 7 and -4 is code 8 + 6; the even index is the low four bits.
    assert packed.packed[1, 0] == 7 | (14 << 4)
    assert packed.codes()[1, :2].tolist() == [7, 14]


def test_four_over_six_takes_the_scale_that_errs_less() -> None:
    # Values of 10, 20, 30 and 40: with the largest at 4 they are exact (1, 2, 3, 4), with it at 6 they are not (30 is 4.5).
    block = np.array([[40, 30, 20, 10] * 4, [6, 4, 3, 2] * 4], np.float32)
    plain, better = pack_matrix(block), pack_matrix(block, four_over_six=True)
    assert np.abs(plain.codes()[0] & 7).max() == 7 and np.abs(better.codes()[0] & 7).max() == 6
    assert np.abs(better.codes()[1] & 7).max() == 7  # 6, 4, 3, 2 are exact with the largest at 6
    sums = np.zeros(2)
    for seed in range(20):
        matrix = random_matrix(seed=seed)
        # Under one and the same tensor scale no block errs more than with its largest value at 6.
        chosen = pack_matrix(matrix, four_over_six=True)
        largest = np.abs(matrix.reshape(12, -1, BLOCK)).max(-1)
        bits = encode_e4m3(np.where(largest == 0, np.float32(1), largest / (np.float32(6) * chosen.tensor_scale)))
        scale = np.repeat(decode_e4m3(bits) * chosen.tensor_scale, BLOCK, axis=1)
        six = decode_e2m1(encode_e2m1(matrix / scale)) * scale

        def errors(values: np.ndarray, matrix: np.ndarray = matrix) -> np.ndarray:
            return ((values.astype(np.float64) - matrix) ** 2).reshape(12, -1, BLOCK).sum(-1)

        assert (errors(chosen.dequantise()) <= errors(six) * (1 + 1e-12)).all()
        sums += errors(chosen.dequantise()).sum(), errors(pack_matrix(matrix).dequantise()).sum()
    assert sums[0] < 0.95 * sums[1]


@pytest.mark.parametrize("four_over_six", [False, True])
def test_eight_bits_hold_the_same_numbers_bit_for_bit(four_over_six: bool) -> None:
    packed = pack_matrix(random_matrix(), four_over_six)
    assert np.array_equal(packed.eight_bits().dequantise(), packed.dequantise())
    codes = packed.eight_bits().codes
    assert codes.shape == (12, 4, BLOCK) and codes.min() >= 116 and codes.max() <= 140


def test_what_cannot_be_packed_is_said() -> None:
    with pytest.raises(ValueError, match="K = 24 is not a multiple of 16"):
        pack_matrix(np.zeros((2, 24), np.float32))
    with pytest.raises(ValueError, match="NaN or infinity"):
        pack_matrix(np.full((1, 16), np.nan, np.float32))
    assert not pack_matrix(np.zeros((2, 32), np.float32)).dequantise().any()


CONFIG = json.loads((MICRO / "config.json").read_text())


def write_folder(folder: Path, layout: Layout, **changed: RawTensor | None) -> dict[str, np.ndarray]:
    """A checkpoint of one packed matrix, one FP8 matrix, bfloat16 and float32; `changed` fields are replaced or left out."""
    matrix = random_matrix()
    fp8 = np.linspace(-448, 448, 32).astype(ml_dtypes.float8_e4m3fn)
    raw = packed_fields("backbone.layers.0.mixer.in_proj", pack_matrix(matrix), layout)
    raw["backbone.layers.1.mixer.up_proj.weight"] = RawTensor("F8_E4M3", (2, 16), fp8.tobytes())
    raw["backbone.layers.1.mixer.up_proj.weight_scale"] = raw_float(np.array([0.25]), "F32")
    raw["backbone.embeddings.weight"] = raw_float(np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4), "BF16")
    raw["backbone.norm_f.weight"] = raw_float(np.ones(4, np.float32), "F32")
    raw["backbone.layers.0.mixer.in_proj.input_scale"] = raw_float(np.array(0.5), "F32")
    for name, value in changed.items():
        key = f"backbone.layers.0.mixer.in_proj.{name}"
        if value is None:
            del raw[key]
        else:
            raw[key] = value
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | {"quantization_config": quantization_config(layout, ["lm_head"])}))
    write_safetensors(folder / "model.safetensors", raw)
    return {"in_proj": matrix, "up_proj": fp8.astype(np.float32).reshape(2, 16) * np.float32(0.25)}


@pytest.mark.parametrize("layout", ["modelopt", "compressed-tensors"])
def test_both_layouts_are_read_as_they_were_written(tmp_path: Path, layout: Layout) -> None:
    wanted = write_folder(tmp_path, layout)
    found = load_packed(tmp_path)
    matrix = found.matrices["backbone.layers.0.mixer.in_proj"]
    exact = pack_matrix(wanted["in_proj"]).dequantise()
    # modelopt multiplies by the scale that was packed with; compressed-tensors divides by its inverse, rounded to float32.
    assert np.abs(matrix.dequantise() - exact).max() <= (0 if layout == "modelopt" else 2e-7 * np.abs(exact).max())
    tensors = found.checkpoint().tensors
    assert np.array_equal(tensors["model.layers.1.mixer.up_proj.weight"], wanted["up_proj"])
    assert tensors["model.embeddings.weight"].dtype == np.float32 and "model.norm_f.weight" in tensors
    assert tensors["model.layers.0.mixer.in_proj.weight"].shape == (12, 64)
    assert not any("scale" in name for name in tensors)


def test_the_inverse_scale_is_the_trap_that_it_is_said_to_be(tmp_path: Path) -> None:
    """The same bytes under the other layout's rule are another matrix: nothing but the config tells them apart."""
    write_folder(tmp_path, "modelopt")
    matrix = load_packed(tmp_path).matrices["backbone.layers.0.mixer.in_proj"]
    wrong = PackedMatrix(matrix.packed, matrix.scale_bits, matrix.tensor_scale, divides=True)
    assert np.abs(wrong.dequantise()).max() > 1e3 * np.abs(matrix.dequantise()).max()


BROKEN: list[tuple[Layout, dict[str, RawTensor | None], str]] = [
    ("modelopt", {"weight_scale": None}, r"model\.safetensors: 'backbone\.layers\.0\.mixer\.in_proj\.weight_scale' is missing"),
    ("modelopt", {"weight_scale_2": None}, r"in_proj\.weight_scale_2' is missing"),
    ("compressed-tensors", {"weight_global_scale": None}, r"in_proj\.weight_global_scale' is missing"),
    ("modelopt", {"weight_scale": RawTensor("F8_E4M3", (12, 2), bytes([56] * 24))}, r"weight_scale' has shape \[12, 2\], expected \[12, 4\]"),
    ("modelopt", {"weight_scale": RawTensor("F8_E4M3", (128, 4), bytes([56] * 512))}, r"shape \[128, 4\].*not swizzled"),
    ("modelopt", {"weight_scale": raw_float(np.ones((12, 4), np.float32), "F32")}, r"weight_scale' has dtype F32, expected F8_E4M3"),
    ("modelopt", {"weight_scale": RawTensor("F8_E4M3", (12, 4), bytes([0x7F] * 48))}, r"weight_scale' holds NaN or a negative scale"),
    ("modelopt", {"weight": RawTensor("U8", (12, 20), bytes(240))}, r"in_proj\.weight' has 20 bytes a row, so K = 40, which 16 does not divide"),
    ("modelopt", {"weight": RawTensor("U8", (384,), bytes(384))}, r"has shape \[384\], expected \(rows, K / 2\)"),
    ("modelopt", {"weight_scale_2": raw_float(np.array(0.0), "F32")}, r"weight_scale_2' is 0\.0, expected a finite number above 0"),
    ("modelopt", {"weight_scale_2": raw_float(np.ones(12), "F32")}, r"weight_scale_2' has 12 values, expected one a tensor"),
    ("compressed-tensors", {"weight_packed": None}, r"stands without 'backbone\.layers\.0\.mixer\.in_proj\.weight_packed'"),
]


@pytest.mark.parametrize(("layout", "changed", "said"), BROKEN)
def test_a_broken_file_is_named_with_its_field(tmp_path: Path, layout: Layout, changed: dict[str, RawTensor | None], said: str) -> None:
    write_folder(tmp_path, layout, **changed)
    with pytest.raises(CheckpointError, match=said):
        load_packed(tmp_path)


def test_another_packing_and_a_cut_file_are_named(tmp_path: Path) -> None:
    write_folder(tmp_path, "modelopt")
    config = tmp_path / "config.json"
    with pytest.raises(CheckpointError, match="no quantization_config"):
        config.write_text(json.dumps(CONFIG))
        load_packed(tmp_path)
    (tmp_path / "hf_quant_config.json").write_text(json.dumps({"quantization": {"quant_algo": "NVFP4"}}))
    assert load_packed(tmp_path).matrices
    config.write_text(json.dumps(CONFIG | {"quantization_config": {"quant_method": "gptq", "bits": 4}}))
    with pytest.raises(CheckpointError, match="quantization_config is gptq None; read are modelopt with NVFP4"):
        load_packed(tmp_path)
    config.write_text(json.dumps(CONFIG | {"quantization_config": quantization_config("modelopt", [])}))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match="truncated"):
        load_packed(tmp_path)
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors: not found"):
        load_packed(tmp_path)


def test_packaged_weights_are_the_shipped_ones(tmp_path: Path) -> None:
    """The model read back out of its int8 file computes what that file computes."""
    ids = [(37 * i + 11) % CONFIG["vocab_size"] for i in range(24)]
    shipped = OnnxRunner(MICRO / "onnx" / "model_quantized.onnx").feed(ids)
    assert np.abs(Reference(packaged_checkpoint(MICRO)).logits(np.array(ids)) - shipped).max() < 1e-3
    with pytest.raises(CheckpointError, match="package a model there first"):
        packaged_checkpoint(tmp_path)


@pytest.mark.parametrize("four_over_six", [False, True])
def test_the_packaged_folder_names_its_weights_once(tmp_path: Path, four_over_six: bool) -> None:
    out = tmp_path / "micro-nvfp4"
    manifest = package_nvfp4(MICRO, out, four_over_six)
    assert manifest["checks"]["parityMaxAbs"] < 1e-3 and set(manifest["variants"]) == {"q4", "quantized"}
    assert manifest["provenance"]["scaling"] == ("four over six" if four_over_six else "plain")
    for entry in manifest["files"]:
        assert (out / entry["path"]).stat().st_size == entry["bytes"]
    raw = read_raw_tensors(out / "model.safetensors")
    assert {t.dtype for t in raw.values()} == {"U8", "F8_E4M3", "F32", "BF16"}
    for path in manifest["variants"].values():
        graph = onnx.load(out / path, load_external_data=False).graph
        outside = [t for t in graph.initializer if t.external_data]
        assert {e.value for t in outside for e in t.external_data if e.key == "location"} == {LOCATION}
        ends = sorted((int(e["offset"]), int(e["length"])) for e in ({x.key: x.value for x in t.external_data} for t in outside))
        assert all(a + n <= b for (a, n), (b, _) in zip(ends, ends[1:], strict=False))
        assert (out / path).stat().st_size < 200_000
    # A second run leaves the same bytes, and a broken source leaves the folder as it was.
    before = {p: p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
    package_nvfp4(MICRO, out, four_over_six)
    assert before == {p: p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
    broken = tmp_path / "broken"
    shutil.copytree(MICRO, broken)
    (broken / "onnx" / "model_quantized.onnx").unlink()
    with pytest.raises(CheckpointError):
        package_nvfp4(broken, out, four_over_six)
    assert before == {p: p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
