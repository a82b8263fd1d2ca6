"""Owns NVFP4 checkpoints as files: modelopt's and compressed-tensors' layouts of safetensors, read and written.

|               | modelopt                           | compressed-tensors (nvfp4-pack-quantized)     |
| codes         | X.weight U8 (N, K/2)               | X.weight_packed U8 (N, K/2)                   |
| block scales  | X.weight_scale F8_E4M3 (N, K/16)   | X.weight_scale F8_E4M3 (N, K/16)              |
| tensor scale  | X.weight_scale_2 F32, multiplied   | X.weight_global_scale F32, divided by         |

Everything else is kept in an ordinary type; an X.weight of F8_E4M3 with one F32 X.weight_scale (FP8 a tensor, in mixed
checkpoints) is decoded too. Scales of activations (X.input_scale, X.input_global_scale) are passed over: weights alone
are packed here. Owns no numbers (nvfp4.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ..architecture.checkpoint_reader import (
    Checkpoint,
    CheckpointError,
    RawTensor,
    parse_shape,
    plain_tensor,
    read_raw_tensors,
)
from .nvfp4 import BLOCK, PackedMatrix, decode_e4m3

Layout = Literal["modelopt", "compressed-tensors"]
ALGORITHMS = ("NVFP4", "MIXED_PRECISION")  # of modelopt; mixed: some layers in FP8, their tensors say which
FORMAT = "nvfp4-pack-quantized"  # of compressed-tensors
WEIGHTS = "model.safetensors"
NAN_BITS = 0x7F  # of E4M3, whatever its sign
PASSED_OVER = (".input_scale", ".input_global_scale")


@dataclass(frozen=True)
class PackedCheckpoint:
    """What an NVFP4 checkpoint holds, by name in the state dict."""

    path: Path
    config: dict
    matrices: dict[str, PackedMatrix]
    tensors: dict[str, np.ndarray]  # what is not NVFP4

    def checkpoint(self) -> Checkpoint:
        """The same as an ordinary checkpoint of float32 tensors."""
        named = {**self.tensors, **{f"{name}.weight": matrix.dequantise() for name, matrix in self.matrices.items()}}
        renamed = {"model." + n.removeprefix("backbone.") if n.startswith("backbone.") else n: t for n, t in named.items()}
        return Checkpoint(self.path, self.config, parse_shape(self.config, str(self.path / "config.json")), renamed)


def layout_of(folder: Path, config: dict) -> Layout:
    """Which layout config.json, or modelopt's hf_quant_config.json, says; a sentence where it is neither."""
    told = config.get("quantization_config")
    beside = folder / "hf_quant_config.json"
    if told is None and beside.is_file():
        told = {"quant_method": "modelopt", **json.loads(beside.read_text()).get("quantization", {})}
    if not isinstance(told, dict):
        raise CheckpointError(f"{folder / 'config.json'}: no quantization_config, and no hf_quant_config.json; this is no NVFP4 checkpoint.")
    method, algorithm, form = told.get("quant_method"), told.get("quant_algo"), told.get("format")
    if method == "modelopt" and algorithm in ALGORITHMS:
        return "modelopt"
    if method == "compressed-tensors" and form == FORMAT:
        return "compressed-tensors"
    raise CheckpointError(
        f"{folder / 'config.json'}: quantization_config is {method} {algorithm or form}; read are modelopt with "
        f"{' or '.join(ALGORITHMS)}, and compressed-tensors with {FORMAT}."
    )


class _Reader:
    """Checks and takes the fields of packed matrices out of one file's tensors."""

    def __init__(self, path: Path, raw: Mapping[str, RawTensor], layout: Layout) -> None:
        self.path, self.raw = path, raw
        self.divides = layout == "compressed-tensors"
        self.codes = "weight_packed" if self.divides else "weight"
        self.tensor_scale = "weight_global_scale" if self.divides else "weight_scale_2"

    def field(self, name: str, dtype: str, why: str) -> RawTensor:
        if name not in self.raw:
            raise CheckpointError(f"{self.path}: '{name}' is missing, but {why}; the file was saved without it, pack the model anew.")
        found = self.raw[name]
        if found.dtype != dtype:
            raise CheckpointError(f"{self.path}: '{name}' has dtype {found.dtype}, expected {dtype}.")
        return found

    def number(self, name: str, why: str) -> np.float32:
        """A single float32 above 0."""
        field = self.field(name, "F32", why)
        values = np.frombuffer(field.data, "<f4")
        if len(values) != 1:
            raise CheckpointError(f"{self.path}: '{name}' has {len(values)} values, expected one a tensor.")
        if not (np.isfinite(values[0]) and values[0] > 0):
            raise CheckpointError(f"{self.path}: '{name}' is {values[0]}, expected a finite number above 0.")
        return np.float32(values[0])

    def matrix(self, name: str) -> PackedMatrix:
        codes = self.raw[f"{name}.{self.codes}"]
        if len(codes.shape) != 2:
            raise CheckpointError(f"{self.path}: '{name}.{self.codes}' has shape {list(codes.shape)}, expected (rows, K / 2).")
        rows, half = codes.shape
        if 2 * half % BLOCK:
            raise CheckpointError(
                f"{self.path}: '{name}.{self.codes}' has {half} bytes a row, so K = {2 * half}, which {BLOCK} does not divide; "
                f"NVFP4 has a scale for each {BLOCK} values."
            )
        why = f"'{name}.{self.codes}' is packed in 4 bits"
        scales = self.field(f"{name}.weight_scale", "F8_E4M3", why)
        wanted = (rows, 2 * half // BLOCK)
        if scales.shape != wanted:
            raise CheckpointError(
                f"{self.path}: '{name}.weight_scale' has shape {list(scales.shape)}, expected {list(wanted)}: one scale for each "
                f"{BLOCK} values, rows in order (not swizzled)."
            )
        bits = np.frombuffer(scales.data, np.uint8).reshape(wanted)
        if ((bits & NAN_BITS) == NAN_BITS).any() or (bits & 0x80).any():
            raise CheckpointError(f"{self.path}: '{name}.weight_scale' holds NaN or a negative scale; the file is damaged, copy it again.")
        number = self.number(f"{name}.{self.tensor_scale}", why)
        return PackedMatrix(np.frombuffer(codes.data, np.uint8).reshape(codes.shape), bits, number, self.divides)

    def read(self) -> tuple[dict[str, PackedMatrix], dict[str, np.ndarray]]:
        matrices: dict[str, PackedMatrix] = {}
        tensors: dict[str, np.ndarray] = {}
        used: set[str] = set()
        for name, tensor in self.raw.items():
            base, _, last = name.rpartition(".")
            if last == self.codes and tensor.dtype == "U8":
                matrices[base] = self.matrix(base)
                used |= {name, f"{base}.weight_scale", f"{base}.{self.tensor_scale}"}
            elif last == "weight" and tensor.dtype == "F8_E4M3":
                scale = self.number(f"{base}.weight_scale", f"'{name}' is FP8")
                tensors[name] = decode_e4m3(np.frombuffer(tensor.data, np.uint8)).reshape(tensor.shape) * scale
                used |= {name, f"{base}.weight_scale"}
        for name, tensor in self.raw.items():
            if name in used or name.endswith(PASSED_OVER):
                continue
            if ".weight_" in name:
                base = name[: name.rindex(".weight_")]
                raise CheckpointError(f"{self.path}: '{name}' stands without '{base}.{self.codes}' in 4 bits; the layouts are mixed up, or the file is cut.")
            tensors[name] = plain_tensor(self.path, name, tensor)
        return matrices, tensors


def load_packed(folder: Path) -> PackedCheckpoint:
    """Reads an NVFP4 checkpoint in either layout, of one file or of several with an index."""
    config_path = folder / "config.json"
    if not config_path.is_file():
        raise CheckpointError(f"{config_path}: not found. Pass the checkpoint folder that holds config.json.")
    config = json.loads(config_path.read_text())
    layout = layout_of(folder, config)
    index = folder / f"{WEIGHTS}.index.json"
    files = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.is_file() else [WEIGHTS]
    matrices: dict[str, PackedMatrix] = {}
    tensors: dict[str, np.ndarray] = {}
    for file in files:
        if not (folder / file).is_file():
            raise CheckpointError(f"{folder / file}: not found. The checkpoint is incomplete.")
        some_matrices, some_tensors = _Reader(folder / file, read_raw_tensors(folder / file), layout).read()
        matrices |= some_matrices
        tensors |= some_tensors
    if not matrices:
        raise CheckpointError(f"{folder}: config.json promises NVFP4 ({layout}), but no matrix is packed in 4 bits.")
    return PackedCheckpoint(folder, config, matrices, tensors)


def raw_float(values: np.ndarray, dtype: Literal["F32", "BF16"]) -> RawTensor:
    """A tensor of floats as bytes; bfloat16 is rounded to nearest, ties to even."""
    if dtype == "F32":
        return RawTensor("F32", values.shape, np.ascontiguousarray(values, "<f4").tobytes())
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return RawTensor("BF16", values.shape, rounded.astype("<u2").tobytes())


def packed_fields(name: str, matrix: PackedMatrix, layout: Layout) -> dict[str, RawTensor]:
    """The fields of one matrix (packed by nvfp4.pack_matrix) in a layout."""
    scales = RawTensor("F8_E4M3", matrix.scale_bits.shape, matrix.scale_bits.tobytes())
    codes = RawTensor("U8", matrix.packed.shape, matrix.packed.tobytes())
    if layout == "modelopt":
        return {f"{name}.weight": codes, f"{name}.weight_scale": scales, f"{name}.weight_scale_2": raw_float(np.array(matrix.tensor_scale), "F32")}
    inverse = np.array([np.float32(1) / matrix.tensor_scale], np.float32)
    return {f"{name}.weight_packed": codes, f"{name}.weight_scale": scales, f"{name}.weight_global_scale": raw_float(inverse, "F32")}


def write_safetensors(path: Path, tensors: Mapping[str, RawTensor]) -> None:
    """Writes one file, largest alignment first as the format's own library does, by rename."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    ordered = sorted(tensors.items(), key=lambda item: (item[1].dtype in ("U8", "F8_E4M3"), item[1].dtype == "BF16", item[0]))
    for name, tensor in ordered:
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [at, at + len(tensor.data)]}
        at += len(tensor.data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    part = path.with_suffix(".part")
    part.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(tensor.data for _, tensor in ordered))
    part.replace(path)


def quantization_config(layout: Layout, ignored: list[str]) -> dict:
    """What config.json says of the packing, in the words of the tool whose layout it is."""
    weights = {"num_bits": 4, "type": "float", "group_size": BLOCK, "dynamic": False}
    if layout == "modelopt":
        group = {"weights": weights, "targets": ["Linear"]}
        return {"quant_method": "modelopt", "quant_algo": "NVFP4", "config_groups": {"group_0": group}, "ignore": ignored}
    group = {"weights": {**weights, "strategy": "tensor_group", "symmetric": True}, "input_activations": None, "targets": ["Linear"]}
    return {"quant_method": "compressed-tensors", "format": FORMAT, "quantization_status": "compressed", "config_groups": {"group_0": group}, "ignore": ignored}
