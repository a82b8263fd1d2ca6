"""Owns the one set of weight bytes that all graphs of a model read: tensors laid one after the other into parts.

A graph names each by part, offset and length (ONNX external data). transformers.js looks for part i of `model_q4.onnx` under
`model_q4.onnx_data`, `model_q4.onnx_data_1`, …: every graph names the parts by its own file, and the bytes are kept once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

PART_BYTES = 23_900_000  # hosts of static files refuse 25 MiB; a reader who takes M for a million is on the safe side too
ALIGNMENT = 64  # a cache line, so that views of any element type are aligned


def data_file(graph_file: str, part: int) -> str:
    """Name under which `graph_file` looks for a part."""
    return f"{graph_file}_data" + ("" if part == 0 else f"_{part}")


@dataclass(frozen=True)
class Stored:
    part: int
    offset: int
    length: int


@dataclass
class WeightParts:
    part_bytes: int = PART_BYTES
    parts: list[bytearray] = field(default_factory=lambda: [bytearray()])
    stored: dict[str, Stored] = field(default_factory=dict)

    def add(self, name: str, array: np.ndarray) -> Stored:
        """Puts a tensor's bytes behind the others, once for each name; ValueError when no part can hold it."""
        if name in self.stored:
            return self.stored[name]
        data = np.ascontiguousarray(array).tobytes()
        if len(data) > self.part_bytes:
            raise ValueError(f"{name} has {len(data)} bytes and a part {self.part_bytes}: a tensor can't lie in two files")
        if len(self.parts[-1]) + ALIGNMENT + len(data) > self.part_bytes:
            self.parts.append(bytearray())
        part = self.parts[-1]
        part.extend(bytes(-len(part) % ALIGNMENT))
        self.stored[name] = Stored(len(self.parts) - 1, len(part), len(data))
        part.extend(data)
        return self.stored[name]

    def tensor(self, name: str, array: np.ndarray, graph_file: str) -> TensorProto:
        """An initializer of the graph `graph_file` whose values lie in the parts."""
        place = self.add(name, array)
        tensor = TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))
        tensor.data_location = TensorProto.EXTERNAL
        entries = {"location": data_file(graph_file, place.part), "offset": place.offset, "length": place.length}
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))
        return tensor

    def write(self, folder: Path, graph_file: str) -> list[Path]:
        """Writes the parts under the names that `graph_file` knows them by."""
        paths = [folder / data_file(graph_file, i) for i in range(len(self.parts))]
        for path, part in zip(paths, self.parts, strict=True):
            path.write_bytes(part)
        return paths
