"""Puts a reward head beside a packaged model, as a small graph on the model's last state that is bound to it by hash.

    python -m tidepool_model.export.package_reward reward.safetensors ../public/models/tidepool-mtp

The graph reads `hidden_states` (1, 1, hidden), what the model's graphs give at the end mark of a reply, and gives `reward` (1,).
Its metadata `parents` names the SHA-256 of each of the model's graphs; the app refuses it beside any other. A graph of the model
that has no output `hidden_states` gets it; its weights and logits stay as they are. Checked before anything is written: the graph is the head, to 1e-3.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open
from safetensors.numpy import load_file

from ..architecture.checkpoint_reader import CheckpointError
from .manifest import file_entries
from .multi_token import with_hidden_states

PATH = "onnx/reward.onnx"
PARITY_LIMIT = 1e-3


class RewardError(ValueError):
    """A head that doesn't fit the model, or a model that gives no states."""


@dataclass(frozen=True)
class RewardHead:
    """reward = (state - mean) / spread · weight + bias, as posttraining/reward.py fits it."""

    mean: np.ndarray  # (hidden,)
    spread: np.ndarray  # (hidden,)
    weight: np.ndarray  # (hidden,)
    bias: float

    def reward(self, state: np.ndarray) -> float:
        """state (hidden,)"""
        return float(((state - self.mean) / self.spread) @ self.weight + self.bias)


def read_head(path: Path, hidden: int) -> RewardHead:
    """RewardError where it is of another width, or has several outputs."""
    found = load_file(path)
    if found["weight"].shape != (1, hidden):
        raise RewardError(f"{path}: its weight is {found['weight'].shape}, a reward for this model is (1, {hidden}); fit it on this model")
    return RewardHead(found["mean"], found["spread"], found["weight"][0], float(found["bias"][0]))


def taught_on(path: Path) -> list[dict]:
    """Of which pairs the head was fitted: [{kind, pairs, rule}]; none in files that don't say it."""
    with safe_open(path, "numpy") as file:
        return json.loads((file.metadata() or {}).get("pairs", "[]"))


def reward_graph(head: RewardHead, parents: list[str]) -> onnx.ModelProto:
    """One product and one sum; `parents` are SHA-256 of the files that it may stand beside."""
    folded = (head.weight / head.spread).astype(np.float32)  # (hidden,)
    constants = {"weight": folded[:, None], "bias": np.array(head.bias - folded @ head.mean, np.float32), "one": np.array([1], np.int64)}
    nodes = [
        helper.make_node("MatMul", ["hidden_states", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Reshape", ["sum", "one"], ["reward"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tidepool-reward",
        [helper.make_tensor_value_info("hidden_states", TensorProto.FLOAT, [1, 1, len(folded)])],
        [helper.make_tensor_value_info("reward", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    entry = model.metadata_props.add()
    entry.key, entry.value = "parents", " ".join(parents)
    return model


def checked(model: onnx.ModelProto, head: RewardHead) -> float:
    """Largest difference between graph and head on drawn states. RewardError above the limit."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    states = np.random.default_rng(1).normal(size=(16, len(head.mean))).astype(np.float32) * head.spread + head.mean
    worst = max(abs(float(session.run(["reward"], {"hidden_states": state[None, None].astype(np.float32)})[0][0]) - head.reward(state)) for state in states)
    if not worst < PARITY_LIMIT:
        raise RewardError(f"the graph's rewards differ from the head's by {worst:.3g} (limit {PARITY_LIMIT}); nothing was written")
    return worst


def add_reward(head_path: Path, folder: Path) -> dict:
    """Writes the graph, the manifest and, where they lack the output, the model's graphs anew; returns the manifest. RewardError naming what does not fit."""
    manifest = json.loads((folder / "manifest.json").read_text())
    hidden = json.loads((folder / "config.json").read_text())["hidden_size"]
    head = read_head(head_path, hidden)
    paths = list(manifest["variants"].values())
    checked(reward_graph(head, []), head)
    graphs = {path: onnx.load(folder / path, load_external_data=False) for path in paths}
    lacking = {path: with_hidden_states(graph) for path, graph in graphs.items() if "hidden_states" not in {output.name for output in graph.graph.output}}
    for path, graph in lacking.items():
        (folder / path).write_bytes(graph.SerializeToString())
    hashes = {entry["path"]: entry["sha256"] for entry in file_entries(folder)}
    model = reward_graph(head, [hashes[path] for path in paths])
    worst = checked(model, head)
    (folder / PATH).write_bytes(model.SerializeToString())
    entries = [entry for entry in file_entries(folder) if entry["path"] not in ("manifest.json", "README.md")]  # the card is written after it
    manifest |= {"files": entries, "reward": PATH, "checks": {**manifest["checks"], "reward": {"parityMaxAbs": worst, "pairs": taught_on(head_path)}}}
    part = folder / "manifest.part"
    part.write_text(json.dumps(manifest, indent=1) + "\n")
    os.replace(part, folder / "manifest.json")
    return manifest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("head", type=Path, help="file that posttraining/reward.py wrote")
    parser.add_argument("model", type=Path, help="packaged folder of the model that the head was fitted on")
    args = parser.parse_args()
    try:
        manifest = add_reward(args.head, args.model)
    except (RewardError, CheckpointError, FileNotFoundError, KeyError) as error:
        print(f"package_reward: {error}", file=sys.stderr)
        return 1
    print(f"{args.model / PATH}: {(args.model / PATH).stat().st_size} bytes, {json.dumps(manifest['checks']['reward'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
