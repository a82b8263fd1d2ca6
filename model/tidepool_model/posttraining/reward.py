"""Reward models on the model's own last state: one number by Bradley-Terry, or five attributes by regression.

    python -m tidepool_model.posttraining.reward --checkpoint DIR --preferences pairs.jsonl --held held.jsonl --out reward.safetensors

The model is frozen; its last hidden state at the end mark of a reply is read once for every reply, and a linear head is fitted
on that. Scaled Bradley-Terry: |preference| · -log σ(r_chosen - r_rejected) (HelpSteer2-Preference, arXiv 2410.01257; the scale
multiplies the loss, it is no margin). Attributes: mean squared error on 0 … 4, scalar reward by Nemotron-4's weights
(arXiv 2406.11704); fitted on the same pairs, with scores by rule, and written beside as NAME-attributes.safetensors.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tasks.interval import wilson
from tokenizers import Tokenizer
from torch import Tensor

from ..architecture.model import HybridLM, load_pretrained
from ..data import chat_format
from ..data.tokenizer import DEFAULT_DIR
from .pair_kinds import OTHERS, RULES
from .preferences import Preference, read_preferences
from .roles import role_pairs

ATTRIBUTES = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
ATTRIBUTE_WEIGHTS = (0.3, 0.74, 0.46, 0.47, -0.33)
STEPS, RATE, DECAY = 400, 0.05, 1e-3  # of the attributes: full-batch AdamW on cached states
PENALTY = 0.01  # of the Bradley-Terry head: of 0, 0.001, 0.01, 0.03, 0.1, 0.3, 1 the one with the lowest loss on held-out pairs
LONGEST = 1024


class RewardError(ValueError):
    """A head that doesn't fit the model, or a file of pairs without any."""


@dataclass
class Head:
    """reward = (state - mean) / spread · weight; `weight` (outputs, hidden): one output, or the five attributes."""

    mean: Tensor  # (hidden,)
    spread: Tensor  # (hidden,)
    weight: Tensor  # (outputs, hidden)
    bias: Tensor  # (outputs,)

    def outputs(self, states: Tensor) -> Tensor:
        """states (n, hidden) -> (n, outputs)."""
        return (states - self.mean) / self.spread @ self.weight.T + self.bias

    def reward(self, states: Tensor) -> Tensor:
        """states (n, hidden) -> (n,)."""
        outputs = self.outputs(states)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs @ torch.tensor(ATTRIBUTE_WEIGHTS)

    def save(self, path: Path, model: str, pairs: Sequence[Preference] = ()) -> None:
        """With what it was fitted on, by kind, which the packaged model's card says."""
        save_file({"mean": self.mean, "spread": self.spread, "weight": self.weight.contiguous(), "bias": self.bias}, path, metadata={"model": model, "pairs": json.dumps(kinds_of(pairs))})

    @staticmethod
    def load(path: Path, hidden: int) -> "Head":
        """RewardError where the head was fitted on a model of another width."""
        found = load_file(path)
        if set(found) != {"mean", "spread", "weight", "bias"} or found["weight"].shape[-1] != hidden:
            width = found["weight"].shape[-1] if "weight" in found else "no"
            raise RewardError(f"{path}: a head for states of {width} numbers, the model's have {hidden}; fit it on this model")
        return Head(**found)


def kinds_of(pairs: Sequence[Preference]) -> list[dict[str, object]]:
    """How many pairs of each kind, and how they were ranked."""
    counts = Counter(pair.domain for pair in pairs)
    return [{"kind": kind, "pairs": count, "rule": RULES.get(kind, OTHERS)} for kind, count in sorted(counts.items())]


@torch.no_grad()
def states_of(model: HybridLM, tokenizer: Tokenizer, replies: Sequence[tuple[Sequence[dict[str, str]], str]]) -> Tensor:
    """The last hidden state at the end mark of each reply (with its thought, as the chat form has it), (n, hidden) float32."""
    found = torch.empty(len(replies), model.config.hidden_size)
    tokens = []
    for context, reply in replies:
        opened = chat_format.PROMPT_THINKING if chat_format.END_THINK in reply else chat_format.PROMPT_NO_THINKING
        prompt = chat_format.render(list(context)) + opened
        tokens.append(tokenizer.encode(prompt + reply + chat_format.IM_END, add_special_tokens=False).ids[-LONGEST:])
    order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
    for at in range(0, len(order), 32):
        rows = order[at : at + 32]
        longest = max(len(tokens[i]) for i in rows)
        padded = torch.tensor([tokens[i] + [0] * (longest - len(tokens[i])) for i in rows])
        hidden, _ = model.model(padded)
        for row, i in enumerate(rows):
            found[i] = hidden[row, len(tokens[i]) - 1].float()
    return found


def _standard(states: Tensor) -> tuple[Tensor, Tensor]:
    return states.mean(0), states.std(0).clamp_min(1e-4)


def fit_bradley_terry(chosen: Tensor, rejected: Tensor, magnitudes: Tensor) -> Head:
    """chosen, rejected (n, hidden); magnitudes (n,) = |overall_preference|, a tie has none and teaches nothing.

    The penalty on the squared weights keeps rewards as small as held-out pairs bear out, so that their differences can be read as
    log-odds; without it a few thousand pairs are learnt by heart.
    """
    mean, spread = _standard(torch.cat([chosen, rejected]))
    weight = torch.zeros(1, chosen.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=200, line_search_fn="strong_wolfe")
    difference = (chosen - rejected) / spread

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = (magnitudes * -F.logsigmoid(difference @ weight[0])).sum() / magnitudes.sum() + PENALTY * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return Head(mean, spread, weight.detach(), torch.zeros(1))


def fit_attributes(states: Tensor, scores: Tensor, steps: int = STEPS) -> Head:
    """states (n, hidden), scores (n, 5) from 0 to 4."""
    mean, spread = _standard(states)
    weight = torch.zeros(scores.shape[1], states.shape[1], requires_grad=True)
    bias = scores.mean(0).clone().requires_grad_()
    optimiser = torch.optim.AdamW([weight, bias], lr=RATE, weight_decay=DECAY)
    inputs = (states - mean) / spread
    for _ in range(steps):
        loss = F.mse_loss(inputs @ weight.T + bias, scores)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return Head(mean, spread, weight.detach(), bias.detach())


def ruled_attributes(reply: str, is_chosen: bool, size: int) -> list[float]:
    """Five scores from 0 to 4 of a reply of a pair, by rules: nobody was asked.

    Correct is the chosen one. A rejected reply's coherence falls with the size of the preference. Complexity counts the thought's
    lines, verbosity the words, both on a scale that ends at 8 lines and 80 words.
    """
    thought = reply.rpartition(chat_format.END_THINK)[0]
    complexity, verbosity = min(4.0, thought.count("\n") / 2), min(4.0, len(reply.split()) / 20)
    correctness = 4.0 if is_chosen else 0.0
    coherence = 4.0 if is_chosen else 4.0 - size
    return [(correctness + coherence) / 2, correctness, coherence, complexity, verbosity]


def pair_attributes(pairs: Sequence[Preference]) -> Tensor:
    """Of the chosen replies, then of the rejected ones, (2n, 5)."""
    return torch.tensor(
        [ruled_attributes(pair.chosen, True, abs(pair.preference)) for pair in pairs] + [ruled_attributes(pair.rejected, False, abs(pair.preference)) for pair in pairs]
    )


def pair_states(model: HybridLM, tokenizer: Tokenizer, pairs: Sequence[Preference]) -> tuple[Tensor, Tensor, Tensor]:
    """States of the chosen and of the rejected replies, and the magnitudes; ties are left out by their magnitude of 0."""
    chosen = states_of(model, tokenizer, [(pair.context, pair.chosen) for pair in pairs])
    rejected = states_of(model, tokenizer, [(pair.context, pair.rejected) for pair in pairs])
    return chosen, rejected, torch.tensor([float(abs(pair.preference)) for pair in pairs])


def accuracy_by_domain(head: Head, chosen: Tensor, rejected: Tensor, pairs: Sequence[Preference]) -> dict[str, tuple[int, int]]:
    """Right and all, by domain and in all; ties are not asked."""
    right = head.reward(chosen) > head.reward(rejected)
    found: dict[str, list[bool]] = defaultdict(list)
    for pair, is_right in zip(pairs, right.tolist(), strict=True):
        if pair.preference:
            found[pair.domain].append(is_right)
            found["all"].append(is_right)
    return {domain: (sum(verdicts), len(verdicts)) for domain, verdicts in found.items()}


def read_pairs(path: Path) -> list[Preference]:
    """The pairs of a file that are no ties; says on stderr what it left out. RewardError where none is left."""
    pairs, problems = read_preferences(path)
    for problem in problems:
        print(problem, file=sys.stderr)
    pairs = [pair for pair in pairs if pair.preference]
    if not pairs:
        raise RewardError(f"{path} has no pair with a preference; write some in HelpSteer3's schema (posttraining/preferences.py)")
    return pairs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--preferences", type=Path, required=True)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--roles", action="store_true", help="for a model of three roles: each pair as two drafts, and as two edits of the rejected one")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    try:
        pairs, held = read_pairs(args.preferences), read_pairs(args.held)
    except (RewardError, FileNotFoundError) as error:
        print(f"reward: {error}", file=sys.stderr)
        return 1
    if args.roles:
        pairs, held = role_pairs(pairs), role_pairs(held)
    model, tokenizer = load_pretrained(args.checkpoint).eval(), Tokenizer.from_file(str(args.tokenizer))
    taught, asked = pair_states(model, tokenizer, pairs), pair_states(model, tokenizer, held)
    head = fit_bradley_terry(*taught)
    head.save(args.out, args.checkpoint.name, pairs)
    attributes = fit_attributes(torch.cat(taught[:2]), pair_attributes(pairs))
    attributes.save(args.out.with_name(f"{args.out.stem}-attributes{args.out.suffix}"), args.checkpoint.name, pairs)
    found: dict[str, object] = {"pairs": len(pairs)}
    for name, form in (("held", head), ("heldByAttributes", attributes)):
        counts = accuracy_by_domain(form, asked[0], asked[1], held)
        found[name] = {domain: {"right": right, "of": of, "interval": wilson(right / of, of)} for domain, (right, of) in sorted(counts.items())}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
