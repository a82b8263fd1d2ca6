"""The one config of a model: Nemotron-H field names, three presets, reading and writing config.json. No tensors here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

LAYER_LETTERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}


class ConfigError(ValueError):
    """A config that names something this code does not have; the message says what and how to mend it."""


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of a Nemotron-H stack; the letter in brackets is the one of the Mamba-2 paper (arXiv 2405.21060)."""

    pattern: str  # one letter a layer: M Mamba-2, * attention, - MLP, E mixture of experts
    hidden_size: int  # D
    vocab_size: int = 4096
    mamba_num_heads: int = 6  # H
    mamba_head_dim: int = 64  # P
    ssm_state_size: int = 64  # N
    n_groups: int = 1  # G: heads of one group share B and C
    conv_kernel: int = 4
    chunk_size: int = 64  # Q
    num_attention_heads: int = 6
    num_key_value_heads: int = 2
    head_dim: int = 32
    intermediate_size: int = 576
    n_routed_experts: int = 4
    num_experts_per_tok: int = 2
    moe_intermediate_size: int = 192
    moe_shared_expert_intermediate_size: int = 192
    moe_latent_size: int | None = None  # l of LatentMoE: the routed experts' own width; None is hidden_size
    routed_scaling_factor: float = 1.0
    layer_norm_epsilon: float = 1e-5
    tie_word_embeddings: bool = True
    max_position_embeddings: int = 4096
    num_nextn_predict_layers: int = 0  # modules of multi-token prediction: none, or one that serves every depth
    mtp_hybrid_override_pattern: str = ""  # that module's layers

    def __post_init__(self) -> None:
        unknown = sorted(set(self.pattern) - set(LAYER_LETTERS))
        if unknown or not self.pattern:
            raise ConfigError(
                f"layer pattern {self.pattern!r} has unknown letter(s) {unknown}; "
                f"use only {' '.join(f'{k} ({v})' for k, v in LAYER_LETTERS.items())}"
            )
        for name, whole, part in (
            ("mamba_num_heads / n_groups", self.mamba_num_heads, self.n_groups),
            ("num_attention_heads / num_key_value_heads", self.num_attention_heads, self.num_key_value_heads),
        ):
            if whole % part:
                raise ConfigError(f"{name} must be whole, but is {whole} / {part}; change one of the two")
        if self.num_nextn_predict_layers not in (0, 1):
            raise ConfigError(f"num_nextn_predict_layers is {self.num_nextn_predict_layers}; one module serves every depth, so use 0 or 1")
        module = self.mtp_hybrid_override_pattern
        if bool(module) != bool(self.num_nextn_predict_layers) or not set(module) <= set("*-E"):
            raise ConfigError(
                f"mtp_hybrid_override_pattern is {module!r} with num_nextn_predict_layers {self.num_nextn_predict_layers}; "
                "a module has layers of * (attention), - (MLP) and E (experts), and there is none without the other"
            )
        for name in ("n_routed_experts", "num_experts_per_tok", "moe_intermediate_size", "moe_latent_size"):
            size = getattr(self, name)
            if size is not None and size < 1:
                raise ConfigError(f"{name} is {size}; it must be at least 1" + (", or null for none" if name == "moe_latent_size" else ""))
        if self.num_experts_per_tok > self.n_routed_experts:
            raise ConfigError(f"num_experts_per_tok is {self.num_experts_per_tok} of n_routed_experts {self.n_routed_experts}; choose at most all")

    @property
    def inner_size(self) -> int:
        """H·P, the width of x and z in a Mamba layer."""
        return self.mamba_num_heads * self.mamba_head_dim

    @property
    def expert_width(self) -> int:
        """Width that the routed experts read and write."""
        return self.moe_latent_size or self.hidden_size

    def active_parameters(self, total: int) -> int:
        """Parameters that one token meets, embedding and head among them, of a model with `total`."""
        idle = self.n_routed_experts - self.num_experts_per_tok
        return total - self.pattern.count("E") * idle * 2 * self.expert_width * self.moe_intermediate_size

    @property
    def conv_dim(self) -> int:
        """Channels of the causal convolution: x, B and C together."""
        return self.inner_size + 2 * self.n_groups * self.ssm_state_size

    @property
    def layer_types(self) -> list[str]:
        return [LAYER_LETTERS[letter] for letter in self.pattern]

    def to_hf(self, eos_token_id: int, pad_token_id: int, bos_token_id: int) -> dict:
        """config.json as transformers.js 4.3.1 reads it.

        `layers_block_type` keeps the names "mamba"/"attention": transformers.js compares exactly these
        (src/configs.js), and Hugging Face transformers maps them to its newer names by itself.
        `time_step_min` is the clamp of Δ in Hugging Face's code; 1e-9 switches it off, since softplus
        never gets there and the fused ONNX operator has no clamp.
        """
        fields = asdict(self)
        fields.pop("pattern")
        if not self.num_nextn_predict_layers:
            del fields["num_nextn_predict_layers"], fields["mtp_hybrid_override_pattern"]
        return {
            "architectures": ["NemotronHForCausalLM"],
            "model_type": "nemotron_h",
            "layers_block_type": self.layer_types,
            "num_hidden_layers": len(self.pattern),
            **fields,
            "expand": 2,
            "mamba_hidden_act": "silu",
            "mlp_hidden_act": "relu2",
            "use_conv_bias": True,
            "use_bias": False,
            "mlp_bias": False,
            "attention_bias": False,
            "mamba_proj_bias": False,
            "residual_in_fp32": False,
            "time_step_min": 1e-9,
            "time_step_max": 0.1,
            "time_step_floor": 1e-9,
            "mamba_ssm_cache_dtype": "float32",
            "n_shared_experts": 1,
            "n_group": 1,
            "topk_group": 1,
            "norm_topk_prob": True,
            "initializer_range": 0.02,
            "num_logits_to_keep": 1,
            "use_cache": True,
            "torch_dtype": "float32",
            "bos_token_id": bos_token_id,
            "eos_token_id": eos_token_id,
            "pad_token_id": pad_token_id,
        }

    @staticmethod
    def from_hf(path: Path) -> "ModelConfig":
        """Reads a config.json written by `to_hf`. Raises ConfigError naming the file and the field."""
        try:
            raw = json.loads(path.read_text())
        except FileNotFoundError:
            raise ConfigError(f"{path} is missing; a checkpoint folder holds config.json and model.safetensors") from None
        except json.JSONDecodeError as error:
            raise ConfigError(f"{path} is not JSON ({error}); write the checkpoint again") from error
        names = {name: letter for letter, name in LAYER_LETTERS.items()}
        try:
            pattern = "".join(names[name] for name in raw["layers_block_type"])
        except KeyError as error:
            raise ConfigError(f"{path}: layer type {error} in layers_block_type is not one of {sorted(names)}") from None
        known = {k: raw[k] for k in ModelConfig.__dataclass_fields__ if k in raw}
        try:
            return ModelConfig(pattern=pattern, **known)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None


PRESETS: dict[str, ModelConfig] = {
    # 0.48 M parameters: tests on any device, an emulated GPU included.
    "micro": ModelConfig(
        pattern="M-M*-",
        hidden_size=64,
        mamba_num_heads=2,
        ssm_state_size=32,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        intermediate_size=256,
    ),
    # 1.7 M parameters: what one CPU core trains in under two hours beside other work.
    "mini": ModelConfig(
        pattern="M-M*-M-M*-M-",
        hidden_size=128,
        mamba_num_heads=4,
        num_attention_heads=4,
        intermediate_size=384,
    ),
    # 3.3 M parameters: what two CPU cores train in under 2.5 h.
    "small": ModelConfig(pattern="M-M*-M-M*-M-", hidden_size=192),
    # 24 M parameters: what one H200 trains in under 25 minutes.
    "base": ModelConfig(
        pattern="M-M-M*-M-M-M*-M-M-M*-M-",
        hidden_size=384,
        mamba_num_heads=12,
        ssm_state_size=128,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=64,
        intermediate_size=1536,
    ),
}


def preset(name: str, vocab_size: int | None = None) -> ModelConfig:
    """The preset `name`; raises ConfigError with the names there are."""
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    config = PRESETS[name]
    return config if vocab_size is None else replace(config, vocab_size=vocab_size)
