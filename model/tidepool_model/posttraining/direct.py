"""Direct preference optimisation on pairs: DPO (arXiv 2305.18290), or RPO's backward KL, which fits a reward gap (arXiv 2406.11704, 3.3.2).

    python -m tidepool_model.posttraining.direct --init CHECKPOINT --pairs pairs.jsonl --out DIR [--form rpo]

b = σ(β·Δ), Δ = log π/π_ref of the chosen reply less that of the rejected one. DPO: -log b. RPO: KL(a || b) with a = σ(η·gap), the gap being
the pair's preference (1 to 3). Both add the loss of the chosen reply, small. The reference's log-probabilities are read once.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from ..architecture.model import HybridLM, load_pretrained, save_pretrained
from ..data import chat_format
from ..data.tokenizer import DEFAULT_DIR
from ..training.train import commit_hash
from .preferences import Preference, read_preferences

FORMS = ("dpo", "rpo")
IGNORED = -100


def encoded(tokenizer: Tokenizer, pair: Preference, reply: str) -> tuple[list[int], int]:
    """Token ids of the chat with that reply and its end mark, and where the reply begins."""
    prompt = tokenizer.encode(chat_format.render(list(pair.context), [], add_generation_prompt=True, enable_thinking=True), add_special_tokens=False).ids
    return [*prompt, *tokenizer.encode(reply + chat_format.IM_END, add_special_tokens=False).ids], len(prompt)


def log_probs(model: HybridLM, rows: Sequence[tuple[list[int], int]]) -> tuple[Tensor, Tensor]:
    """Sums of the replies' log-probabilities (rows,) in nats, and how many tokens each has (rows,)."""
    longest = max(len(ids) for ids, _ in rows)
    tokens = torch.zeros(len(rows), longest, dtype=torch.long)
    targets = torch.full((len(rows), longest - 1), IGNORED)
    for row, (ids, begin) in enumerate(rows):
        tokens[row, : len(ids)] = torch.tensor(ids)
        targets[row, begin - 1 : len(ids) - 1] = torch.tensor(ids[begin:])
    hidden, _ = model.model(tokens[:, :-1])
    chosen = targets != IGNORED
    said = torch.zeros(targets.shape).masked_scatter(chosen, -F.cross_entropy(model.logits(hidden[chosen]).float(), targets[chosen], reduction="none"))
    return said.sum(1), chosen.sum(1)


def direct_loss(form: str, difference: Tensor, gap: Tensor, beta: float, eta: float) -> Tensor:
    """Mean loss of pairs; difference Δ (pairs,) and gap of rewards (pairs,)."""
    if form == "dpo":
        return -F.logsigmoid(beta * difference).mean()
    log_b, log_not_b = F.logsigmoid(beta * difference), F.logsigmoid(-beta * difference)
    log_a, log_not_a = F.logsigmoid(eta * gap), F.logsigmoid(-eta * gap)
    return (log_a.exp() * (log_a - log_b) + log_not_a.exp() * (log_not_a - log_not_b)).mean()


def optimise(model: HybridLM, tokenizer: Tokenizer, pairs: Sequence[Preference], args: argparse.Namespace) -> list[dict[str, float]]:
    """Passes over the pairs; the curve."""
    rng = random.Random(args.seed)
    rows = [(encoded(tokenizer, pair, pair.chosen), encoded(tokenizer, pair, pair.rejected)) for pair in pairs]
    order = sorted(range(len(rows)), key=lambda i: max(len(rows[i][0][0]), len(rows[i][1][0])))
    batches = [order[at : at + args.batch] for at in range(0, len(order), args.batch)]
    reference: dict[int, float] = {}
    with torch.no_grad():
        for batch in batches:
            said, _ = log_probs(model, [rows[i][which] for which in (0, 1) for i in batch])
            for place, i in enumerate(batch):
                reference[i] = float(said[place] - said[len(batch) + place])
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.95), weight_decay=0.0)
    steps, step, curve = args.passes * len(batches), 0, []
    for _ in range(args.passes):
        rng.shuffle(batches)
        for batch in batches:
            said, sizes = log_probs(model, [rows[i][which] for which in (0, 1) for i in batch])
            chosen, rejected = said[: len(batch)], said[len(batch) :]
            difference = chosen - rejected - torch.tensor([reference[i] for i in batch])
            gap = torch.tensor([float(abs(pairs[i].preference)) for i in batch])
            loss = direct_loss(args.form, difference, gap, args.beta, args.eta) + args.sft * -(chosen / sizes[: len(batch)]).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for group in optimiser.param_groups:
                group["lr"] = args.rate * min(1.0, (step + 1) / 5) * (1 - 0.9 * step / steps)
            optimiser.step()
            step += 1
            curve.append({"step": step, "loss": round(float(loss.detach()), 4), "margin": round(float(difference.mean().detach()), 3), "agreed": round(float((difference > 0).float().mean()), 3)})
    return curve


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--form", choices=FORMS, default="dpo")
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--eta", type=float, default=1.0)
    parser.add_argument("--sft", type=float, default=0.1, help="weight of the chosen reply's own loss")
    parser.add_argument("--rate", type=float, default=3e-5)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    try:
        pairs, problems = read_preferences(args.pairs)
    except FileNotFoundError:
        print(f"direct: there is no {args.pairs}; posttraining/pipeline.py writes one", file=sys.stderr)
        return 1
    for problem in problems:
        print(problem, file=sys.stderr)
    pairs = [pair for pair in pairs if pair.preference]
    if not pairs:
        print(f"direct: {args.pairs} has no pair with a preference", file=sys.stderr)
        return 1
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    model, began = load_pretrained(args.init), time.process_time()
    curve = optimise(model, tokenizer, pairs, args)
    special = {"eos_token_id": tokenizer.token_to_id(chat_format.IM_END), "pad_token_id": tokenizer.token_to_id(chat_format.PAD), "bos_token_id": tokenizer.token_to_id(chat_format.END_OF_TEXT)}
    save_pretrained(model, args.out, special, {"command": f"python -m tidepool_model.posttraining.direct --form {args.form}", "commit": commit_hash(), "pairs": len(pairs), "steps": len(curve), "seed": args.seed})
    (args.out / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in curve))
    print(json.dumps({"pairs": len(pairs), "coreSeconds": round(time.process_time() - began), "first": curve[0], "last": curve[-1]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
