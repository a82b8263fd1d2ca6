"""A reward head beside a packaged model: the same numbers, bound to its parent, and refused where it does not belong."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save_file
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


def test_what_does_not_fit_is_refused(head: Path, tmp_path: Path) -> None:
    with pytest.raises(RewardError, match="no output hidden_states"):
        add_reward(head, folder_of(tmp_path / "plain", "logits"))
    assert not (tmp_path / "plain" / PATH).exists()
    with pytest.raises(RewardError, match=r"\(1, 8\)"):
        read_head(head, 8)
