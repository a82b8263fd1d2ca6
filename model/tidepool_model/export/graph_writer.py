"""Owns what every kind of layer is written with: constants, linear layers, the two number types, squared ReLU."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from ..architecture.checkpoint_reader import Checkpoint
from .onnx_graph import Graph, WeightFormat


class GraphWriter:
    """A checkpoint, the weight format it is written in, and the graph so far."""

    def __init__(self, checkpoint: Checkpoint, weights: WeightFormat) -> None:
        self.checkpoint = checkpoint
        self.shape = checkpoint.shape
        self.weights = weights
        self.half = weights.elem_type == TensorProto.FLOAT16
        self.g = Graph()

    def constant(self, name: str, array: np.ndarray) -> str:
        """An initializer in the activation type."""
        return self.g.constant(name, array.astype(self.weights.numpy_type))

    def ints(self, name: str, *values: int) -> str:
        """A 1-D int64 initializer."""
        return self.g.constant(name, np.array(values, np.int64))

    def linear(self, x: str, name: str, key: str) -> str:
        """A linear layer by its state-dict name, with its bias where it has one."""
        bias = self.checkpoint.optional(key + ".bias")
        out = name if bias is None else name + "_nobias"
        y = self.weights.linear(self.g, x, out, self.checkpoint.tensor(key + ".weight"))
        return y if bias is None else self.g.node("Add", [y, self.constant(name + ".bias", bias)], name)

    def to_float(self, x: str) -> str:
        """x as float32: the recurrence and its inputs are never half."""
        return self.g.node("Cast", [x], x + "_f32", to=TensorProto.FLOAT) if self.half else x

    def from_float(self, x: str) -> str:
        """x in the activation type."""
        return self.g.node("Cast", [x], x + "_f16", to=TensorProto.FLOAT16) if self.half else x

    def relu2(self, x: str) -> str:
        """max(x, 0) squared."""
        positive = self.g.node("Relu", [x], x + "_relu")
        return self.g.node("Mul", [positive, positive], x + "_relu2")

    def mlp(self, x: str, name: str, key: str) -> str:
        """Squared-ReLU MLP: x (batch, seq, hidden) to (batch, seq, hidden)."""
        return self.linear(self.relu2(self.linear(x, f"{name}.up_proj", f"{key}.up_proj")), f"{name}.down_proj", f"{key}.down_proj")
