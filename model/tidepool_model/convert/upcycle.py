"""Makes a mixture of experts from a dense model: each MLP becomes an `E` layer with as many active parameters.

    python -m tidepool_model.convert.upcycle --from CHECKPOINT --tokens data/sft.tokens.bin --out FOLDER
    python -m tidepool_model.convert.upcycle --from CHECKPOINT --tokens data/sft.tokens.bin --latent 96 --out FOLDER

The units that matter most over the tokens become the shared expert. The rest is copied into groups of experts, each group the
whole rest in as many pieces as a token chooses: the experts of a group have one router row, so a token chooses a whole group
and the model computes what it did (He et al., arXiv 2410.07524, call this virtual groups; the rows are theirs to part). A
group's row points to one cluster of the layer's inputs, so that groups see different tokens from the first step.

LatentMoE (Nemotron 3 Super and Ultra): the same in a latent width l, with N·d/l experts of which K·d/l are chosen, so that
experts' bytes and active parameters stay; the two projections are paid for by the shared expert. The projections are the
directions in which the routed units' inputs and outputs vary most; what lies outside of them is lost at the start.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..architecture.config import ConfigError, ModelConfig
from ..architecture.feedforward import MixtureOfExperts, SquaredReluMlp
from ..architecture.model import Block, CheckpointError, HybridLM, load_pretrained, save_pretrained

WINDOW = 512


@dataclass(frozen=True)
class Mixture:
    """Sizes of the mixture before a latent width; with one, numbers of experts and choices grow by hidden / latent."""

    experts: int = 8
    chosen: int = 2
    inner: int = 128
    latent: int | None = None


def upcycled_config(dense: ModelConfig, mixture: Mixture) -> ModelConfig:
    """The config with `E` for every `-` at equal active parameters but for the router's. Raises ConfigError naming what does not fit."""
    if "-" not in dense.pattern:
        raise ConfigError(f"layer pattern {dense.pattern!r} has no MLP (-) to make experts of")
    if mixture.experts % mixture.chosen:
        raise ConfigError(f"experts {mixture.experts} can't stand in whole groups of {mixture.chosen} chosen ones; change one of the two")
    routed, times = mixture.chosen * mixture.inner, 1
    if mixture.latent is not None:
        if mixture.latent < 1 or dense.hidden_size % mixture.latent:
            raise ConfigError(f"latent width {mixture.latent} does not divide hidden_size {dense.hidden_size}; choose a whole part of it")
        times = dense.hidden_size // mixture.latent
    # Two projections hidden x latent cost what `latent` units of an MLP cost.
    shared = dense.intermediate_size - routed - (mixture.latent or 0)
    if shared < 1:
        raise ConfigError(f"{mixture.chosen} experts of {mixture.inner} units leave no shared expert of intermediate_size {dense.intermediate_size}")
    return replace(
        dense,
        pattern=dense.pattern.replace("-", "E"),
        n_routed_experts=mixture.experts * times,
        num_experts_per_tok=mixture.chosen * times,
        moe_intermediate_size=mixture.inner,
        moe_shared_expert_intermediate_size=shared,
        moe_latent_size=mixture.latent,
        routed_scaling_factor=float(mixture.chosen * times),  # the weights add up to 1; a group's pieces must add up to the whole
    )


@torch.no_grad()
def mlp_inputs(model: HybridLM, rows: Tensor) -> dict[int, Tensor]:
    """Inputs of each MLP (tokens, hidden) over rows (rows, length), by layer."""
    found: dict[int, list[Tensor]] = {index: [] for index, letter in enumerate(model.config.pattern) if letter == "-"}
    hooks = [
        model.model.layers[index].mixer.register_forward_pre_hook(lambda _, x, seen=seen: seen.append(x[0].flatten(0, 1)))
        for index, seen in found.items()
    ]
    for row in rows:
        model.model(row[None])
    for hook in hooks:
        hook.remove()
    return {index: torch.cat(seen) for index, seen in found.items()}


def unit_importance(mlp: SquaredReluMlp, x: Tensor) -> Tensor:
    """How much each unit writes: its mean activation over the tokens times the norm of its output column, (units,)."""
    return F.relu(mlp.up_proj(x)).square().mean(0) * mlp.down_proj.weight.norm(dim=0)


def clusters(x: Tensor, count: int, generator: torch.Generator, rounds: int = 20) -> Tensor:
    """Directions (count, hidden) of clusters of x around its mean, by k-means on a sphere; of unit length."""
    centred = F.normalize(x - x.mean(0), dim=-1)
    centres = centred[torch.randperm(len(x), generator=generator)[:count]]
    for _ in range(rounds):
        nearest = (centred @ centres.T).argmax(-1)
        for index in range(count):
            members = centred[nearest == index]
            if len(members):
                centres[index] = F.normalize(members.mean(0), dim=0)
    return centres


def router_rows(x: Tensor, directions: Tensor) -> Tensor:
    """Rows whose scores don't see the mean of x, scaled to a standard deviation of 1 over x."""
    mean = F.normalize(x.mean(0), dim=0)
    rows = directions - (directions @ mean)[:, None] * mean
    return rows / (x @ rows.T).std(0, keepdim=True).T.clamp(min=1e-6)


def principal(weight: Tensor, second_moment: Tensor, rank: int) -> Tensor:
    """Basis (hidden, rank), orthonormal, that keeps most of what weight (units, hidden) makes of inputs with this second moment."""
    values, vectors = torch.linalg.eigh(second_moment)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    kept = torch.linalg.svd(weight @ root, full_matrices=False).Vh[:rank]  # (rank, hidden)
    return torch.linalg.qr((kept @ root).T).Q


@torch.no_grad()
def fill(moe: MixtureOfExperts, mlp: SquaredReluMlp, x: Tensor, config: ModelConfig, generator: torch.Generator) -> None:
    """Gives a layer of experts the units of an MLP whose inputs were x (tokens, hidden)."""
    up, down = mlp.up_proj.weight, mlp.down_proj.weight  # (units, hidden), (hidden, units)
    shared, inner = config.moe_shared_expert_intermediate_size, config.moe_intermediate_size
    order = unit_importance(mlp, x).argsort(descending=True)
    first, rest = order[:shared], order[shared:]
    moe.shared_experts.up_proj.weight.copy_(up[first])
    moe.shared_experts.down_proj.weight.copy_(down[:, first])
    routed_up, routed_down = up[rest], down[:, rest]
    if config.moe_latent_size is not None:
        reads = principal(routed_up, x.T @ x / len(x), config.moe_latent_size)  # (hidden, latent)
        activation = F.relu(x @ routed_up.T).square()
        written = activation @ routed_down.T
        writes = torch.linalg.eigh(written.T @ written / len(x)).eigenvectors[:, -config.moe_latent_size :]
        # Best linear guess of the unread part from the read one, so that little is lost.
        z = x @ reads
        routed_up = torch.linalg.lstsq(z, x @ routed_up.T).solution.T  # (units, latent)
        routed_down = writes.T @ routed_down  # (latent, units)
        moe.fc1_latent_proj.weight.copy_(reads.T)
        moe.fc2_latent_proj.weight.copy_(writes)
    pieces, groups = config.num_experts_per_tok, config.n_routed_experts // config.num_experts_per_tok
    units = torch.zeros(pieces * inner, dtype=torch.long)
    dead = len(rest) < len(units)  # a latent width leaves fewer units than the shared expert was cut by
    units[: len(rest)] = torch.arange(len(rest))[: len(units)]
    ups, downs = routed_up[units].clone(), routed_down[:, units].clone()
    if dead:  # more units than there are: the rest starts silent, and reads by chance
        extra = len(units) - len(rest)
        ups[len(rest) :] = torch.randn(extra, ups.shape[1], generator=generator) * ups[: len(rest)].std()
        downs[:, len(rest) :] = 0
    ups = ups.unflatten(0, (inner, pieces)).transpose(0, 1)  # dealt out, so that each piece has strong and weak units
    downs = downs.unflatten(1, (inner, pieces)).permute(2, 0, 1)  # (pieces, width, inner)
    moe.experts.up_proj.copy_(ups.repeat(groups, 1, 1))
    moe.experts.down_proj.copy_(downs.repeat(groups, 1, 1))
    rows = router_rows(x, clusters(x, groups, generator))
    moe.gate.weight.copy_(rows.repeat_interleave(pieces, 0))
    moe.gate.e_score_correction_bias.zero_()


@torch.no_grad()
def upcycle(model: HybridLM, rows: Tensor, mixture: Mixture, seed: int = 1) -> HybridLM:
    """The mixture made of `model`, fitted on token rows (rows, length); computes the same but for a latent width."""
    config = upcycled_config(model.config, mixture)
    torch.manual_seed(seed)
    made = HybridLM(config)
    kept = {name: value for name, value in model.state_dict().items() if name in made.state_dict()}
    made.load_state_dict(kept, strict=False)
    generator = torch.Generator().manual_seed(seed)
    for index, x in mlp_inputs(model, rows).items():
        block: Block = made.model.layers[index]  # type: ignore[assignment]
        fill(block.mixer, model.model.layers[index].mixer, x, config, generator)
    return made


def read_rows(path: Path, count: int) -> Tensor:
    """`count` rows of WINDOW tokens, spread over a packed token file. Raises CheckpointError where it has too few."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; make it with python -m tidepool_model.data.build")
    tokens = np.fromfile(path, np.uint16).astype(np.int64)
    if len(tokens) < WINDOW:
        raise CheckpointError(f"{path}: {len(tokens)} tokens, at least {WINDOW} are needed")
    starts = np.linspace(0, len(tokens) - WINDOW, count).astype(int)
    return torch.from_numpy(np.stack([tokens[at : at + WINDOW] for at in starts]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, required=True, help="checkpoint folder of the dense model")
    parser.add_argument("--tokens", type=Path, required=True, help="packed tokens that units are ranked and inputs clustered on")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder to write")
    parser.add_argument("--experts", type=int, default=8)
    parser.add_argument("--chosen", type=int, default=2)
    parser.add_argument("--inner", type=int, default=128, help="units of an expert")
    parser.add_argument("--latent", type=int, help="width that the routed experts work in")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        model = load_pretrained(options.source)
        mixture = Mixture(options.experts, options.chosen, options.inner, options.latent)
        made = upcycle(model, read_rows(options.tokens, options.rows), mixture, options.seed)
    except (ConfigError, CheckpointError) as error:
        raise SystemExit(f"error: {error}") from error
    raw = json.loads((options.source / "config.json").read_text())
    special = {name: raw[name] for name in ("eos_token_id", "pad_token_id", "bos_token_id")}
    path = options.source / "provenance.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    active = made.config.active_parameters(made.parameter_count)
    save_pretrained(made, options.out, special, {**before, "upcycled_to": made.config.pattern, "parameters": made.parameter_count, "active_parameters": active})
    print(f"{model.parameter_count:,} -> {made.parameter_count:,} parameters, {active:,} active, in {options.out}")


if __name__ == "__main__":
    main()
