"""Episodes of a group, sampled side by side from one prompt: turns, calls of tools, the limit on the thought.

All rows of a group have the same prompt and read one token a step together, so nothing is padded; rows that have ended are
taken out. After a call of a tool the rows that said the same go on together. What was forced or told carries no loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..architecture.attention import KeyValueCache
from ..architecture.batch_decode import Limit
from ..architecture.mamba2 import MambaState
from ..architecture.model import HybridLM, ModelState

NARROW_AT = 0.75  # share of rows still going at which those that have ended are taken out


@dataclass
class Rollout:
    """What follows a prompt, token by token."""

    tokens: list[int] = field(default_factory=list)
    sampled: list[bool] = field(default_factory=list)  # False: forced by the limit, or told by a tool
    log_probs: list[float] = field(default_factory=list)  # of sampled tokens when they were sampled, else 0
    turns: list[list[int]] = field(default_factory=list)  # the model's own turns
    ended: bool = False

    def add(self, token: int, log_prob: float | None) -> None:
        self.tokens.append(token)
        self.sampled.append(log_prob is not None)
        self.log_probs.append(log_prob or 0.0)


Continue = Callable[[list[int]], list[int] | None]
"""From a turn that has ended to the tokens that are told next; None where the episode is over."""


@torch.no_grad()
def sample_group(
    model: HybridLM, prompt: Sequence[int], count: int, most: int, end: int, limit: Limit | None, go_on: Continue, temperature: float, generator: torch.Generator
) -> list[Rollout]:
    """`count` episodes of at most `most` tokens each; one that reaches `most` is not `ended`."""
    rollouts = [Rollout() for _ in range(count)]
    waiting = [(list(range(count)), [])]  # rows that have said the same so far, and what was told to them since
    while waiting:
        rows, told = waiting.pop()
        for row in rows:
            for token in told:
                rollouts[row].add(token, None)
        rows = [row for row in rows if len(rollouts[row].tokens) < most]
        if not rows:
            continue
        context = [*prompt, *rollouts[rows[0]].tokens]
        _write_turn(model, context, {row: rollouts[row] for row in rows}, most, end, limit, temperature, generator)
        groups: dict[tuple[int, ...], list[int]] = {}
        for row in rows:
            if not rollouts[row].ended:
                continue
            further = go_on(rollouts[row].turns[-1]) if len(rollouts[row].turns) < 6 else None
            if further is not None:
                rollouts[row].ended = False
                groups.setdefault((*rollouts[row].tokens, -1, *further), []).append(row)
        for key, same in groups.items():
            waiting.append((same, list(key[key.index(-1) + 1 :])))
    return rollouts


def _write_turn(
    model: HybridLM, context: list[int], rows: dict[int, Rollout], most: int, end: int, limit: Limit | None, temperature: float, generator: torch.Generator
) -> None:
    """One turn of every row: `ended` where it came to its end mark."""
    device = next(model.parameters()).device
    logits, state = model(torch.tensor([context], device=device))  # the prompt is read once
    going = list(rows.values())
    state = _picked(state, torch.zeros(len(going), dtype=torch.long, device=device))
    said = logits[:, -1].expand(len(going), -1)
    turns: dict[int, list[int]] = {id(rollout): [] for rollout in going}
    forced: dict[int, list[int]] = {id(rollout): [] for rollout in going}
    thinking = {id(rollout): limit is not None for rollout in going}
    while True:
        log_probs = torch.log_softmax(said.float().cpu() / temperature, -1)  # (rows, vocab)
        drawn = torch.multinomial(log_probs.exp(), 1, generator=generator)[:, 0].tolist()
        for at, rollout in enumerate(going):
            key, token = id(rollout), drawn[at]
            if rollout.ended or len(rollout.tokens) >= most:
                continue
            if thinking[key] and limit is not None and not forced[key] and limit.cuts(turns[key]):
                forced[key] = list(limit.close)
            if forced[key]:
                token = drawn[at] = forced[key].pop(0)
                rollout.add(token, None)
            else:
                rollout.add(token, float(log_probs[at, token]))
            if limit is not None and token == limit.end_think:
                thinking[key] = False
            turns[key].append(token)
            rollout.ended = token == end
        live = [at for at, rollout in enumerate(going) if not rollout.ended and len(rollout.tokens) < most]
        if not live:
            break
        if len(live) <= NARROW_AT * len(going):
            picked = torch.tensor(live, device=device)
            state, going, drawn = _picked(state, picked), [going[at] for at in live], [drawn[at] for at in live]
        logits, state = model(torch.tensor(drawn, device=device)[:, None], state)
        said = logits[:, -1]
    for rollout in rows.values():
        rollout.turns.append(turns[id(rollout)])


def _picked(state: ModelState, rows: Tensor) -> ModelState:
    """The states of those rows, in that order."""
    layers: dict[int, MambaState | KeyValueCache] = {}
    for index, layer in state.layers.items():
        if isinstance(layer, MambaState):
            layers[index] = MambaState(layer.conv[rows], layer.ssm[rows])
        else:
            layers[index] = KeyValueCache(layer.key[rows], layer.value[rows])
    return ModelState(layers)
