"""Owns reading a checkpoint folder (config.json + safetensors) into numpy, with clear errors.

It does not need torch. Export, packaging and the numpy reference all start here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .config import LAYER_LETTERS, ConfigError, ModelConfig

_NEW_NAMES = {"linear_attention": "mamba", "full_attention": "attention"}

_SAFETENSORS_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4"}


class CheckpointError(ValueError):
    """A checkpoint that cannot be exported; the message names the file, the value and the fix."""


@dataclass
class Checkpoint:
    """One checkpoint: its raw config, its shape and its tensors as float32 numpy arrays."""

    path: Path
    config: dict
    shape: ModelConfig
    tensors: dict[str, np.ndarray] = field(repr=False)

    def tensor(self, name: str) -> np.ndarray:
        """Returns a tensor by its Hugging Face state-dict name, or says which one is missing."""
        if name not in self.tensors:
            raise CheckpointError(
                f"{self.path}: tensor '{name}' is missing ({len(self.tensors)} tensors present). "
                f"The checkpoint does not match its config.json; save both again from one model."
            )
        return self.tensors[name]

    def optional(self, name: str) -> np.ndarray | None:
        """Returns a tensor, or None where the checkpoint has none of that name."""
        return self.tensors.get(name)

    @property
    def time_step_min(self) -> float:
        """Lower clamp of dt; 0 where the config's is too small to be reached (below 1e-6)."""
        floor = float(self.config.get("time_step_min", 0.0))
        return floor if floor >= 1e-6 else 0.0

    @property
    def norm_topk_prob(self) -> bool:
        """Whether the chosen experts' weights are scaled to a sum of 1."""
        return bool(self.config.get("norm_topk_prob", True))

    @property
    def parameter_count(self) -> int:
        """Number of distinct trained values (a tied head counts once)."""
        skip = "lm_head.weight" if self.shape.tie_word_embeddings else ""
        return int(sum(t.size for n, t in self.tensors.items() if n != skip))


def parse_layer_types(config: dict, source: str) -> tuple[str, ...]:
    """Reads the layer list from layers_block_type, layer_types or hybrid_override_pattern, in old names."""
    listed = config.get("layers_block_type") or config.get("layer_types")
    if listed is None and "hybrid_override_pattern" in config:
        listed = list(config["hybrid_override_pattern"])
    if not listed:
        raise CheckpointError(f"{source}: no layers_block_type and no hybrid_override_pattern; cannot tell the layers.")
    names = []
    for index, entry in enumerate(listed):
        name = LAYER_LETTERS.get(entry, _NEW_NAMES.get(entry, entry))
        if name not in LAYER_LETTERS.values():
            raise CheckpointError(
                f"{source}: layer {index} is '{entry}'. Known layers: "
                + ", ".join(f"{letter} ({word})" for letter, word in LAYER_LETTERS.items())
                + "."
            )
        names.append(name)
    return tuple(names)


def parse_shape(config: dict, source: str) -> ModelConfig:
    """Reads a config dict with Hugging Face NemotronHConfig field names, whoever wrote it."""
    layer_types = parse_layer_types(config, source)
    if "mlp" in layer_types or "moe" in layer_types:
        act = config.get("mlp_hidden_act", "relu2")
        if act != "relu2":
            raise CheckpointError(f"{source}: mlp_hidden_act is '{act}', this export knows 'relu2' only.")
    if "moe" in layer_types and int(config.get("n_group", 1)) != 1:
        raise CheckpointError(f"{source}: n_group is {config['n_group']}, expert groups are not exported (use 1).")
    letters = {name: letter for letter, name in LAYER_LETTERS.items()}
    needed = ("vocab_size", "hidden_size", "mamba_num_heads", "mamba_head_dim", "ssm_state_size")
    missing = [key for key in needed if config.get(key) is None]
    if missing:
        raise CheckpointError(f"{source}: field '{missing[0]}' is missing.")
    fields = {key: config[key] for key in ModelConfig.__dataclass_fields__ if config.get(key) is not None}
    fields["pattern"] = "".join(letters[name] for name in layer_types)
    try:
        return ModelConfig(**fields)
    except ConfigError as error:
        raise CheckpointError(f"{source}: {error}") from error


@dataclass(frozen=True)
class RawTensor:
    """A tensor as a safetensors file holds it."""

    dtype: str  # F32, BF16, U8, F8_E4M3 …
    shape: tuple[int, ...]
    data: bytes = field(repr=False)


def read_raw_tensors(path: Path) -> dict[str, RawTensor]:
    """The tensors of one safetensors file as they are; detects truncation by size."""
    size = path.stat().st_size
    if size < 8:
        raise CheckpointError(f"{path}: {size} bytes, too short for a safetensors file; copy it again.")
    with path.open("rb") as file:
        header_length = int.from_bytes(file.read(8), "little")
        if header_length > size - 8:
            raise CheckpointError(f"{path}: header of {header_length} bytes in a file of {size}; truncated, copy it again.")
        header = json.loads(file.read(header_length))
        header.pop("__metadata__", None)
        promised = 8 + header_length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
        if size < promised:
            raise CheckpointError(
                f"{path}: truncated, {size} bytes where its header promises {promised}; "
                f"copy it again or go back to an earlier checkpoint."
            )
        data = file.read()
    return {
        name: RawTensor(entry["dtype"], tuple(entry["shape"]), data[slice(*entry["data_offsets"])])
        for name, entry in header.items()
    }


def plain_tensor(path: Path, name: str, tensor: RawTensor) -> np.ndarray:
    """A tensor of an ordinary number type: floats as float32, bfloat16 included, integers as they are."""
    if tensor.dtype not in _SAFETENSORS_DTYPES:
        raise CheckpointError(f"{path}: tensor '{name}' has dtype {tensor.dtype}, expected float32/16 or bfloat16.")
    raw = np.frombuffer(tensor.data, dtype=_SAFETENSORS_DTYPES[tensor.dtype])
    if tensor.dtype == "BF16":
        raw = (raw.astype(np.uint32) << 16).view(np.float32)
    elif tensor.dtype.startswith("F"):
        raw = raw.astype(np.float32)
    return raw.reshape(tensor.shape)


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Reads one safetensors file to float32 (integers stay)."""
    return {name: plain_tensor(path, name, tensor) for name, tensor in read_raw_tensors(path).items()}


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Loads ``config.json`` and ``model.safetensors`` (or its sharded index) from a checkpoint folder."""
    folder = Path(path)
    config_path = folder / "config.json"
    if not config_path.is_file():
        raise CheckpointError(f"{config_path}: not found. Pass the checkpoint folder that holds config.json.")
    config = json.loads(config_path.read_text())
    shape = parse_shape(config, str(config_path))

    index_path = folder / "model.safetensors.index.json"
    if index_path.is_file():
        names = sorted(set(json.loads(index_path.read_text())["weight_map"].values()))
        files = [folder / name for name in names]
    else:
        files = [folder / "model.safetensors"]
    tensors: dict[str, np.ndarray] = {}
    for file in files:
        if not file.is_file():
            raise CheckpointError(f"{file}: not found. The checkpoint is incomplete.")
        tensors.update(read_safetensors(file))
    tensors = {
        ("model." + name[len("backbone.") :] if name.startswith("backbone.") else name): value
        for name, value in tensors.items()
    }
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise CheckpointError(f"{folder}: tensor '{name}' holds NaN or infinity; the run diverged, use an earlier one.")
    _merge_experts(tensors, shape)
    _check_experts(tensors, shape, folder)
    return Checkpoint(folder, config, shape, tensors)


def _check_experts(tensors: dict[str, np.ndarray], shape: ModelConfig, folder: Path) -> None:
    """Raises CheckpointError where config.json names another number or width of experts than the weights have."""
    fields = ("n_routed_experts", "moe_intermediate_size", "moe_latent_size" if shape.moe_latent_size else "hidden_size")
    for index, layer in enumerate(shape.layer_types):
        name = f"model.layers.{index}.mixer.experts.up_proj"
        if layer != "moe" or name not in tensors:
            continue
        asked = (shape.n_routed_experts, shape.moe_intermediate_size, shape.expert_width)
        for field_, wanted, found in zip(fields, asked, tensors[name].shape, strict=True):
            if wanted != found:
                raise CheckpointError(
                    f"{folder / 'config.json'}: {field_} is {wanted}, but {name} has {found}; write the number that the weights have."
                )


def _merge_experts(tensors: dict[str, np.ndarray], shape: ModelConfig) -> None:
    """Stacks experts that were saved one by one (Hugging Face's hub form) into (experts, out, in) tensors."""
    for index, layer in enumerate(shape.layer_types):
        if layer != "moe":
            continue
        prefix = f"model.layers.{index}.mixer.experts."
        for part in ("up_proj", "down_proj"):
            if prefix + part in tensors:
                continue
            singles = [f"{prefix}{expert}.{part}.weight" for expert in range(shape.n_routed_experts)]
            if all(name in tensors for name in singles):
                tensors[prefix + part] = np.stack([tensors.pop(name) for name in singles])
