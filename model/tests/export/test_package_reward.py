"""A reward head beside a packaged model: the same numbers, bound to its parent, and refused where it does not belong."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file, save_file
from tidepool_model.architecture.checkpoint_reader import CheckpointError
from tidepool_model.export.manifest import file_entries
from tidepool_model.export.package_reward import PATH, RewardError, add_reward, read_head


def folder_of(path: Path, output: str) -> Path:
    (path / "onnx").mkdir(parents=True)
    value = helper.make_tensor_value_info
    graph = helper.make_graph([helper.make_node("Identity", ["x"], [output])], "parent", [value("x", TensorProto.FLOAT, [1])], [value(output, TensorProto.FLOAT, [1])])
    onnx.save(helper.make_model(graph), path / "onnx/model_quantized.onnx")
    (path / "config.json").write_text(json.dumps({"hidden_size": 6}))
    manifest = {"files": file_entries(path), "variants": {"quantized": "onnx/model_quantized.onnx"}, "checks": {}}
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


@pytest.fixture
def head(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    tensors = {"mean": rng.normal(size=6), "spread": rng.uniform(0.5, 2, 6), "weight": rng.normal(size=(1, 6)), "bias": np.array([0.5])}
    save_file({name: value.astype(np.float32) for name, value in tensors.items()}, tmp_path / "reward.safetensors")
    return tmp_path / "reward.safetensors"


def test_the_graph_names_its_parents_and_the_manifest_lists_it(head: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "model", "hidden_states")
    manifest = add_reward(head, folder)
    assert manifest == json.loads((folder / "manifest.json").read_text()) and manifest["reward"] == PATH
    hashes = {entry["path"]: entry["sha256"] for entry in file_entries(folder)}
    assert {entry["path"]: entry["sha256"] for entry in manifest["files"]} == {path: hash for path, hash in hashes.items() if path != "manifest.json"}
    metadata = {entry.key: entry.value for entry in onnx.load(folder / PATH).metadata_props}
    assert metadata["parents"].split() == [hashes["onnx/model_quantized.onnx"]]
    assert add_reward(head, folder)["files"] == manifest["files"]
    assert manifest["checks"]["reward"]["pairs"] == []  # a head of before says nothing of them
    kinds = [{"kind": "talk, breaks off", "pairs": 3, "rule": "cut"}]
    save_file(load_file(head), head, metadata={"pairs": json.dumps(kinds)})
    assert add_reward(head, folder)["checks"]["reward"]["pairs"] == kinds


def test_a_model_without_the_output_gets_it_and_says_the_same(head: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "plain", "logits")
    path = folder / "onnx/model_quantized.onnx"
    value = helper.make_tensor_value_info
    nodes = [helper.make_node("Mul", ["x", "norm_f.weight"], ["final_normed"]), helper.make_node("Identity", ["final_normed"], ["logits"])]
    weight = numpy_helper.from_array(np.arange(1, 7, dtype=np.float32), "norm_f.weight")
    shape = [1, 1, 6]
    graph = helper.make_graph(nodes, "plain", [value("x", TensorProto.FLOAT, shape)], [value("logits", TensorProto.FLOAT, shape)], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    manifest = add_reward(head, folder)
    session = ort.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    logits, hidden = session.run(["logits", "hidden_states"], {"x": np.ones(shape, np.float32)})
    assert logits.tolist() == hidden.tolist() == [[[1, 2, 3, 4, 5, 6]]]
    entry = next(entry for entry in manifest["files"] if entry["path"] == "onnx/model_quantized.onnx")
    assert entry["bytes"] == path.stat().st_size


def test_what_does_not_fit_is_refused(head: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no value final_normed"):
        add_reward(head, folder_of(tmp_path / "plain", "logits"))
    assert not (tmp_path / "plain" / PATH).exists()
    with pytest.raises(RewardError, match=r"\(1, 8\)"):
        read_head(head, 8)
