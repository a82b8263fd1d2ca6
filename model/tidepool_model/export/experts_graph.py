"""Owns a mixture of experts in the graph: router, chosen experts, shared expert, the latent width's projections.

A lone token computes only its chosen experts: their matrices are gathered from the stack of all. More tokens at once choose
nearly all between them, so all are gathered, and the router's weights, zero where not chosen, do the rest. One set of nodes
serves both, since the list of experts to gather is a value of the graph: no branches, which would keep a GPU waiting.

Beside `logits` each layer N gives `router.N.experts` int64 (batch, seq, k), best first, and `router.N.weights` float32. The bias
that steers the choice is the float32 initializer `layers.N.gate.e_score_correction_bias`: with -1e4 written there an expert is
never chosen.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from .graph_writer import GraphWriter


class ExpertsWriter(GraphWriter):
    """Writes layers of experts."""

    def selection_bounds(self) -> tuple[str, str]:
        """Where the list of experts to compute begins and ends in [all experts, chosen ones]: behind all for a lone token."""
        g, experts, k = self.g, self.shape.n_routed_experts, self.shape.num_experts_per_tok
        if "experts.start" not in {output for node in g.nodes for output in node.output}:
            size = g.node("Size", ["input_ids"], "experts.tokens")
            alone = g.node("Equal", [size, self.ints("one", 1)], "experts.alone")  # (1,)
            flag = g.node("Cast", [alone], "experts.flag", to=TensorProto.INT64)
            all_experts = self.ints("experts.count", experts)
            g.node("Mul", [flag, all_experts], "experts.start")
            g.node("Add", [g.node("Mul", [flag, self.ints("experts_per_token", k)], "experts.some"), all_experts], "experts.end")
        return "experts.start", "experts.end"

    def moe(self, x: str, index: int) -> str:
        """Mixture of experts: x (batch, seq, hidden) to (batch, seq, hidden)."""
        g, at = self.g, f"layers.{index}"
        key = f"model.layers.{index}.mixer"
        gates, chosen = self.router(self.to_float(x), index)
        latent = x
        if self.checkpoint.optional(f"{key}.fc1_latent_proj.weight") is not None:
            latent = self.linear(x, f"{at}.fc1_latent_proj", f"{key}.fc1_latent_proj")

        start, end = self.selection_bounds()
        every = g.constant("experts.all", np.arange(self.shape.n_routed_experts, dtype=np.int64))
        listed = g.node("Reshape", [chosen, self.ints("minus_1", -1)], f"{at}.experts_chosen")
        listed = g.node("Concat", [every, listed], f"{at}.experts_listed", axis=0)
        selected = g.node("Slice", [listed, start, end], f"{at}.experts_selected")  # (selected,)
        weights = g.node("Gather", [gates, selected], f"{at}.gates_selected", axis=2)  # (batch, seq, selected)
        weights = g.node("Transpose", [self.from_float(weights)], f"{at}.gates_first", perm=[0, 2, 1])
        weights = g.node("Unsqueeze", [weights, self.ints("last_axis", -1)], f"{at}.gates_column")  # (batch, selected, seq, 1)

        tensor = self.checkpoint.tensor
        up = self.weights.stack(g, selected, f"{at}.experts_up", tensor(f"{key}.experts.up_proj"))  # (selected, width, inner)
        down = self.weights.stack(g, selected, f"{at}.experts_down", tensor(f"{key}.experts.down_proj"))  # (selected, inner, width)
        read = g.node("Unsqueeze", [latent, self.ints("axis_1", 1)], f"{at}.experts_read")  # (batch, 1, seq, width)
        hidden = self.relu2(g.node("MatMul", [read, up], f"{at}.experts_up"))  # (batch, selected, seq, inner)
        weighed = g.node("Mul", [hidden, weights], f"{at}.experts_weighed")
        written = g.node("MatMul", [weighed, down], f"{at}.experts_down")  # (batch, selected, seq, width)
        out = g.node("ReduceSum", [written, self.ints("axis_1", 1)], f"{at}.experts_sum", keepdims=0)
        if self.checkpoint.optional(f"{key}.fc2_latent_proj.weight") is not None:
            out = self.linear(out, f"{at}.fc2_latent_proj", f"{key}.fc2_latent_proj")
        shared = self.mlp(x, f"{at}.shared", f"{key}.shared_experts")
        return g.node("Add", [out, shared], f"{at}.moe")

    def router(self, x: str, index: int) -> tuple[str, str]:
        """Sigmoid router: float32 weights of all experts (batch, seq, experts), zero where not chosen, and the chosen (batch, seq, k)."""
        g, s, at = self.g, self.shape, f"layers.{index}"
        key = f"model.layers.{index}.mixer.gate"
        k = s.num_experts_per_tok
        experts = g.output(f"router.{index}.experts", TensorProto.INT64, ["batch_size", "sequence_length", k])
        weights = g.output(f"router.{index}.weights", TensorProto.FLOAT, ["batch_size", "sequence_length", k])
        weight = g.constant(f"{at}.gate.weight", self.checkpoint.tensor(f"{key}.weight").T.astype(np.float32))
        scores = g.node("Sigmoid", [g.node("MatMul", [x, weight], f"{at}.router")], f"{at}.router_scores")
        bias = self.checkpoint.optional(f"{key}.e_score_correction_bias")
        bias = np.zeros(s.n_routed_experts) if bias is None else bias
        bias_name = g.constant(f"{at}.gate.e_score_correction_bias", bias.astype(np.float32))
        choice = g.node("Add", [scores, bias_name], f"{at}.router_choice")
        g.node("TopK", [choice, self.ints("experts_per_token", k)], [f"{at}.top", experts], axis=-1)
        best = g.node("GatherElements", [scores, experts], f"{at}.router_best", axis=-1)  # (batch, seq, k)
        if self.checkpoint.norm_topk_prob:
            total = g.node("ReduceSum", [best, self.ints("last_axis", -1)], f"{at}.router_total", keepdims=1)
            best = g.node("Div", [best, total], f"{at}.router_normed")
        factor = g.constant("router.factor", np.array(s.routed_scaling_factor, np.float32))
        g.node("Mul", [best, factor], weights)
        nothing = g.node("Mul", [scores, g.constant("zero", np.zeros((), np.float32))], f"{at}.router_nothing")
        gates = g.node("ScatterElements", [nothing, experts, weights], f"{at}.gates", axis=-1)
        return gates, experts
