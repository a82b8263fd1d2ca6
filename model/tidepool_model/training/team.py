"""Data-parallel training on the cores of one machine: shared float32 masters, working copies in the fastest type, AdamW by halves.

Each process takes rows for itself until the first one has done its share of a step; then gradients are summed in shared
memory, and every process updates its part of the parameters. So a core that others use too slows nobody down: it just
contributes fewer rows. Not here: what is computed on a row (distil, teach).
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.multiprocessing as multiprocessing
from torch import Tensor, nn

from ..architecture.number_type import fastest_type

BETAS = (0.9, 0.98)
EPSILON = 1e-9
CLIP = 1.0


@dataclass
class SharedParameter:
    """One trained tensor: float32 master, its moments and one gradient a process, all in shared memory."""

    name: str
    master: Tensor
    working: Tensor
    first: Tensor
    second: Tensor
    gradients: list[Tensor]
    owner: int
    rate: float = 1.0  # multiplies the learning rate
    decay: float = 0.0  # decoupled weight decay
    to_working: Callable[[Tensor], Tensor] | None = None  # rounds the master for the forward pass


@dataclass
class Team:
    """What the processes of a run share."""

    size: int
    parameters: list[SharedParameter]
    barrier: object
    weights: Tensor  # (size,) summed loss weights of this step
    losses: Tensor  # (size, k) summed losses and other counts of this step
    squares: Tensor  # (size,) squared gradient norm by owner
    flag: Tensor  # (1,) the step whose share process 0 has done
    steps: Tensor = field(default_factory=lambda: torch.zeros(1, dtype=torch.long).share_memory_())  # updates done


def share(
    named: Sequence[tuple[str, nn.Parameter]],
    size: int,
    counts: int,
    rate: Callable[[str], float] = lambda name: 1.0,
    decay: Callable[[str], float] = lambda name: 0.0,
    rounding: Callable[[str, Tensor], Callable[[Tensor], Tensor] | None] = lambda name, tensor: None,
    matrix: Callable[[str, Tensor], bool] = lambda name, tensor: tensor.dim() == 2 and "conv" not in name,
) -> Team:
    """Moves the named parameters to shared memory; matrices get working copies in the fastest type of the processor. Call before the processes start."""
    loads = [0] * size
    parameters = []
    for name, parameter in sorted(named, key=lambda pair: -pair[1].numel()):
        owner = loads.index(min(loads))
        loads[owner] += parameter.numel()
        master = parameter.data.float().clone().share_memory_()
        rounds = rounding(name, master)
        if matrix(name, master):
            copy = master if rounds is None else rounds(master)
            parameter.data = copy.to(fastest_type(), copy=True).share_memory_()
        else:
            parameter.data = master
        zeros = lambda: torch.zeros_like(master).share_memory_()
        parameters.append(
            SharedParameter(name, master, parameter.data, zeros(), zeros(), [zeros() for _ in range(size)], owner, rate(name), decay(name), rounds)
        )
        parameter.requires_grad_(True)
    context = multiprocessing.get_context("spawn")
    return Team(
        size,
        parameters,
        context.Barrier(size),
        torch.zeros(size, dtype=torch.float64).share_memory_(),
        torch.zeros(size, counts, dtype=torch.float64).share_memory_(),
        torch.zeros(size, dtype=torch.float64).share_memory_(),
        torch.full((1,), -1, dtype=torch.long).share_memory_(),
    )


class Member:
    """One process of a team; `model`'s parameters must be those that `share` moved."""

    def __init__(self, team: Team, rank: int, named: Sequence[tuple[str, nn.Parameter]]) -> None:
        self.team, self.rank = team, rank
        self.index = 0
        by_name = {parameter.name: parameter for parameter in team.parameters}
        for name, parameter in named:
            shared = by_name[name]
            parameter.data = shared.working
            parameter.requires_grad_(True)
            target = shared.gradients[rank]

            def accumulate(parameter: Tensor, target: Tensor = target) -> None:
                target.add_(parameter.grad)
                parameter.grad = None

            parameter.register_post_accumulate_grad_hook(accumulate)

    def rows(self, share: int) -> range | object:
        """Yields until this step's share is done: process 0 counts `share` rows, the others go on until it has."""
        done = 0
        while True:
            if self.rank == 0:
                if done >= share:
                    self.team.flag[0] = self.index
                    return
            elif done > 0 and int(self.team.flag[0]) >= self.index:
                return
            yield done
            done += 1

    def add(self, weight: float, losses: Sequence[float]) -> None:
        self.team.weights[self.rank] += weight
        self.team.losses[self.rank] += torch.tensor(losses, dtype=torch.float64)

    @torch.no_grad()
    def step(self, rate: float) -> list[float]:
        """Sums gradients, updates this process' parameters, and returns the losses over the step's weight, then the norm."""
        team = self.team
        team.barrier.wait()
        weight = max(float(team.weights.sum()), 1e-9)
        mine = [p for p in team.parameters if p.owner == self.rank]
        square = 0.0
        for p in mine:
            total = p.gradients[0]
            for other in p.gradients[1:]:
                total.add_(other)
            total.div_(weight)
            square += float(total.square().sum())
        team.squares[self.rank] = square
        team.barrier.wait()
        norm = float(team.squares.sum()) ** 0.5
        if not math.isfinite(norm):  # every process sees the same sum, so all of them stop here
            raise FloatingPointError(
                f"the gradient of update {int(team.steps[0]) + 1} has a norm of {norm}; nothing was updated. Run without --compile to see whether compiled code is to blame"
            )
        scale = min(1.0, CLIP / (norm + 1e-9))
        count = int(team.steps[0]) + 1
        first_bias, second_bias = 1 - BETAS[0] ** count, 1 - BETAS[1] ** count
        for p in mine:
            gradient = p.gradients[0].mul_(scale)
            p.first.lerp_(gradient, 1 - BETAS[0])
            p.second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
            if p.decay:
                p.master.mul_(1 - rate * p.rate * p.decay)
            p.master.addcdiv_(p.first / first_bias, (p.second / second_bias).sqrt_().add_(EPSILON), value=-rate * p.rate)
            if p.working is not p.master:
                p.working.copy_(p.master if p.to_working is None else p.to_working(p.master))
            for buffer in p.gradients:
                buffer.zero_()
        losses = (team.losses.sum(0) / weight).tolist()
        team.barrier.wait()
        if self.rank == 0:
            team.steps[0] = count
            team.weights.zero_()
            team.losses.zero_()
        self.index += 1
        team.barrier.wait()
        return [*losses, norm, weight]


def pin(rank: int) -> None:
    """One thread on a core of its own."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    torch.set_num_threads(1)


def save(team: Team, path: Path, extra: dict) -> None:
    """Masters, moments and where the run stands, by rename."""
    part = path.with_suffix(".part")
    torch.save(
        {
            "parameters": {p.name: (p.master, p.first, p.second) for p in team.parameters},
            "steps": int(team.steps[0]),
            **extra,
        },
        part,
    )
    os.replace(part, path)


def restore(team: Team, path: Path) -> dict:
    """Reads what `save` wrote into the team; raises RuntimeError that names the file and the way out."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # torch names many: zip, pickle, key, end of file
        raise RuntimeError(f"{path} can't be read ({error}); it was cut short: delete it to begin the stage again") from error
    for p in team.parameters:
        master, first, second = saved["parameters"][p.name]
        p.master.copy_(master)
        p.first.copy_(first)
        p.second.copy_(second)
        if p.working is not p.master:
            p.working.copy_(p.master if p.to_working is None else p.to_working(p.master))
    team.steps[0] = saved["steps"]
    return saved
