"""The module of multi-token prediction: trained as it drafts, exported as PyTorch computes it, useless without its parent."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from tidepool_model.architecture.config import ConfigError, ModelConfig, preset
from tidepool_model.architecture.model import CheckpointError as ModuleError
from tidepool_model.architecture.model import HybridLM, document_mask
from tidepool_model.architecture.multi_token import MultiTokenModule, depths, load_module, module_config, save_module
from tidepool_model.data.packing import IGNORED, Batch
from tidepool_model.export.package import PackageError, replace_folder
from tidepool_model.export.package_multi_token import ModuleRunner, parent_hidden, torch_logits, write_folder
from tidepool_model.export.packaged_weights import packaged_checkpoint
from tidepool_model.training.multi_token import counted

MICRO = Path(__file__).resolve().parents[3] / "public" / "models" / "micro"


def random_module(config: ModelConfig) -> MultiTokenModule:
    torch.manual_seed(3)
    module = MultiTokenModule(config)
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.copy_(torch.randn_like(tensor) * tensor.shape[-1] ** -0.5 if tensor.dim() == 2 else tensor + 0.3 * torch.randn_like(tensor))
    return module


@pytest.fixture(scope="module")
def micro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module of random weights for the packaged `micro`, as training writes one."""
    shape = packaged_checkpoint(MICRO).shape
    folder = tmp_path_factory.mktemp("module")
    save_module(random_module(module_config(shape, "*-")), folder, HybridLM(shape), {"steps": 0})
    return folder


@pytest.fixture(scope="module")
def packaged(micro: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "micro-mtp"
    replace_folder(out, lambda new: write_folder(micro, MICRO, new, "micro-mtp", agreement=0.0))  # random weights round badly
    return out


def test_a_row_is_computed_as_drafting_computes_it() -> None:
    config = module_config(replace(preset("micro"), vocab_size=64), "*-*")
    module, model = random_module(config), HybridLM(config)
    tokens = torch.randint(0, 64, (1, 12))
    starts = torch.zeros(1, 12, dtype=torch.bool)
    starts[0, 0] = True
    with torch.no_grad():
        hidden, _ = model.model(tokens)
        embed = model.model.embeddings
        rows = list(depths(module, embed, hidden, tokens, document_mask(starts), 3))
        at = 6  # drafting begins when token 7 is known
        first, caches = module(hidden[:, : at + 1], embed(tokens[:, 1 : at + 2]))
        assert torch.allclose(first[:, -1], rows[0][:, at], atol=1e-5)
        drafted = first[:, -1:]
        for depth in (2, 3):
            drafted, caches = module(drafted, embed(tokens[:, at + depth : at + depth + 1]), caches)
            assert torch.allclose(drafted[:, 0], rows[depth - 1][:, at], atol=1e-5), depth


def test_only_tokens_that_count_in_the_same_document_are_learnt_from() -> None:
    targets = torch.tensor([[5, 6, IGNORED, 8, 9, 10]])
    starts = torch.tensor([[True, False, False, False, True, False]])
    batch = Batch(targets.clone(), targets, starts)
    # targets[i + 1] counts, and no document begins on the way there.
    assert counted(batch, 1).tolist() == [[True, False, True, False, True, False]]
    assert counted(batch, 2).tolist() == [[False, True, False, False, False, False]]


def test_the_graph_is_pytorchs_module_and_its_parent_is_unchanged(micro: Path, packaged: Path) -> None:
    parent = packaged_checkpoint(packaged)
    module = load_module(micro, parent.shape)
    ids = np.random.default_rng(5).integers(0, parent.shape.vocab_size, 40)
    hidden = parent_hidden((packaged / "onnx/model_quantized.onnx").read_bytes(), ids)[:-1]
    expected = torch_logits(module, parent.tensor("model.embeddings.weight"), hidden, ids[1:])
    # Of int8, with tables that are the parent's own bytes: in pieces, with its cache.
    runner = ModuleRunner(str(packaged / "onnx/mtp_quantized.onnx"))
    pieces = np.concatenate([runner.feed(hidden[a:b], ids[1:][a:b])[0] for a, b in ((0, 7), (7, 8), (8, 39))])
    spread = expected.max() - expected.min()
    assert np.abs(pieces - expected).max() < 0.05 * spread
    for name in ("mtp_quantized", "mtp_q4"):
        model = onnx.load(packaged / f"onnx/{name}.onnx", load_external_data=False)
        shared = [i.name for i in model.graph.initializer if i.data_location == onnx.TensorProto.EXTERNAL]
        assert "embeddings.codes" in shared, name
    manifest = json.loads((packaged / "manifest.json").read_text())
    assert manifest["drafts"] == {"q4": "onnx/mtp_q4.onnx", "quantized": "onnx/mtp_quantized.onnx"}
    assert manifest["golden"] == json.loads((MICRO / "manifest.json").read_text())["golden"]
    assert json.loads((packaged / "config.json").read_text())["mtp_hybrid_override_pattern"] == "*-"


def test_a_module_without_its_parent_is_no_model(packaged: Path, tmp_path: Path) -> None:
    shutil.copyfile(packaged / "onnx/mtp_quantized.onnx", tmp_path / "mtp_quantized.onnx")
    with pytest.raises(Exception, match="model_quantized.onnx"):
        ModuleRunner(str(tmp_path / "mtp_quantized.onnx"))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("hidden_size", 96, "hidden_size is 96, but the parent's is 64"),
        ("vocab_size", 512, "vocab_size is 512, but the parent's is 4096"),
        ("mtp_hybrid_override_pattern", "*--", "mtp_config.json is another module's"),
        ("mtp_hybrid_override_pattern", "M-", "mtp_hybrid_override_pattern is 'M-'"),
        ("mtp_hybrid_override_pattern", "", "mtp_hybrid_override_pattern is ''"),
    ],
)
def test_a_module_of_another_parent_is_refused_by_file_and_field(
    micro: Path, tmp_path: Path, field: str, value: object, words: str
) -> None:
    shutil.copytree(micro, tmp_path / "module")
    path = tmp_path / "module" / "mtp_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    out = tmp_path / "out"
    with pytest.raises(ModuleError, match="mtp_config.json|mtp.safetensors") as found:
        replace_folder(out, lambda new: write_folder(tmp_path / "module", MICRO, new, "out"))
    assert words in str(found.value)
    assert not out.exists()


def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    wide = replace(packaged_checkpoint(MICRO).shape, hidden_size=128)
    save_module(random_module(module_config(wide, "*-")), tmp_path, HybridLM(wide), {})
    path = tmp_path / "mtp_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "hidden_size": 64}))
    with pytest.raises(ModuleError, match=r"mtp.safetensors: mtp.layers.0.eh_proj.weight is \(128, 256\)"):
        load_module(tmp_path, packaged_checkpoint(MICRO).shape)


def test_a_parent_whose_logits_would_change_is_not_shipped(micro: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tidepool_model.export import package_multi_token as packaging

    def other(model: onnx.ModelProto) -> onnx.ModelProto:
        changed = packaging.onnx.load_from_string(model.SerializeToString())
        scale = next(i for i in changed.graph.initializer if i.name == "norm_f.weight")
        values = onnx.numpy_helper.to_array(scale).copy()
        scale.raw_data = (values * 2).tobytes()
        return changed

    monkeypatch.setattr(packaging, "with_hidden_states", other)
    with pytest.raises(PackageError, match="its logits changed"):
        replace_folder(tmp_path / "out", lambda new: write_folder(micro, MICRO, new, "out"))


def test_a_config_says_both_keys_or_none() -> None:
    with pytest.raises(ConfigError, match="num_nextn_predict_layers is 2"):
        replace(preset("micro"), num_nextn_predict_layers=2, mtp_hybrid_override_pattern="*-")
    with pytest.raises(ConfigError, match="none without the other"):
        replace(preset("micro"), num_nextn_predict_layers=1)
    written = preset("micro").to_hf(0, 0, 0)
    assert "num_nextn_predict_layers" not in written
    assert module_config(preset("micro"), "*-").to_hf(0, 0, 0)["mtp_hybrid_override_pattern"] == "*-"
