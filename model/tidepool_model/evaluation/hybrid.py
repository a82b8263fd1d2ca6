"""Measures a hybrid in PyTorch with the weights that ship, in batches: own problems by limit, outside sets, visitors, conversion.

    python -m tidepool_model.evaluation.hybrid CHECKPOINT --corpora DIR --gguf FILE --journal DIR [--parts own,chats,visitors,...]

A model of this size takes hours through the app's own loop on one WASM thread (`npm run eval` does that, any part of it);
batched, the same greedy replies take minutes. Each part's figures go to JOURNAL/PART.json and are not computed again, so
several processes can share the parts. `--write MODEL_FOLDER` joins them into its eval.json.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from tasks.interval import wilson
from tasks.problem import Problem
from tasks.registry import FAMILIES

from ..architecture.batch_decode import Limit, write_replies
from ..architecture.hybrid_checkpoint import load_base, read_hybrid, round_to_grid
from ..architecture.hybrid_llama import HybridLlama
from ..data import chat_format
from ..data.lagoon.vocabulary import many_names
from ..data.thought_boundary import boundary_tokens

LIMITS: tuple[int | None, ...] = (0, 16, 32, 64, 128, 256, None)
LONGEST = 420  # tokens of a reply; the longest right thought has some 300
ANSWER = 96
FIXTURES = Path(__file__).resolve().parents[3] / "tests/fixtures/eval"


@dataclass(frozen=True)
class Said:
    thought: str
    answer: str
    thought_tokens: int
    answer_tokens: int
    is_whole: bool  # ended by itself, with its thought closed


class Subject:
    """The model under measurement with its tokenizer and chat form."""

    def __init__(self, checkpoint: Path) -> None:
        model, scales = read_hybrid(checkpoint)
        self.model = round_to_grid(model, scales).to_fastest().eval()
        self.tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
        self.end = self.tokenizer.token_to_id(chat_format.IM_END)
        self.end_think = self.tokenizer.token_to_id(chat_format.END_THINK)
        self.newline = self.encode("\n")
        self.boundaries = boundary_tokens(self.tokenizer)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def prompt(self, messages: Sequence[dict[str, Any]], thinking: bool) -> list[int]:
        """Token ids of a chat up to where the reply begins; words of people are letters, never control tokens."""
        ids = self.encode(f"{chat_format.IM_START}system\n{chat_format.IM_END}\n")
        for message in messages:
            if message["role"] == "user":
                ids += self.encode(f"{chat_format.IM_START}user\n") + self.encode(message["content"]) + self.encode(f"{chat_format.IM_END}\n")
            else:
                ids += self.encode(chat_format.PROMPT_NO_THINKING) + self.encode(message["content"]) + self.encode(f"{chat_format.IM_END}\n")
        return ids + self.encode(chat_format.PROMPT_THINKING if thinking else chat_format.PROMPT_NO_THINKING)

    def ask(self, chats: Sequence[Sequence[dict[str, Any]]], tokens: int | None) -> list[Said]:
        """Greedy replies to chats under a limit of `tokens` on the thought (None: none, 0: thinking off)."""
        prompts = [self.prompt(chat, tokens != 0) for chat in chats]
        close = [*self.newline, self.end_think, *self.newline]
        limit = None if tokens == 0 else Limit(tokens, close, self.end_think, lambda t: t in self.boundaries)
        found: list[Said | None] = [None] * len(chats)
        longest = ANSWER if tokens == 0 else LONGEST if tokens is None else tokens + 16 + 3 + ANSWER
        for index, reply in write_replies(self.model, prompts, longest, {self.end, 0}, limit=limit):
            is_closed = tokens == 0 or self.end_think in reply
            cut = reply.index(self.end_think) if tokens != 0 and is_closed else 0 if tokens == 0 else len(reply)
            answer = reply[cut + 1 :] if tokens != 0 else reply
            is_whole = is_closed and bool(answer) and answer[-1] == self.end
            text = self.tokenizer.decode(answer).strip()
            found[index] = Said(self.tokenizer.decode(reply[:cut]), text, cut, len(answer), is_whole and text != "")
        return [said for said in found if said is not None]


def canonical_of(problem: dict[str, Any]) -> str:
    """As much of a problem's canonical form as its family's check looks at; the fixture keeps the kind of check instead."""
    kind, choices = problem["check"]["kind"], problem["check"].get("choices", [])
    return {"choice": f"cmp:of:{','.join(choices)}", "word-list": "sort:abc" if problem["family"] == "sorting" else "reverse-list", "letters": "spell"}.get(kind, "")


def is_right(problem: dict[str, Any], answer: str) -> bool:
    """The family's own check."""
    return FAMILIES[problem["family"]].check(Problem(problem["family"], canonical_of(problem), problem["question"], (), "", problem["gold"], problem["difficulty"]), answer)


def own_problems() -> list[dict[str, Any]]:
    """The held-out problems that need no tool; those with tools run through the app (`npm run eval --families tools`)."""
    return [p for p in json.loads((FIXTURES / "problems.json").read_text()) if p["family"] != "tools"]


def key_of(limit: int | None) -> str:
    return "unlimited" if limit is None else str(limit)


def own(subject: Subject, limit: int | None) -> dict[str, Any]:
    """One limit's verdicts, problem by problem."""
    problems = own_problems()
    replies = subject.ask([[{"role": "user", "content": p["question"]}] for p in problems], limit)
    return {
        "limit": key_of(limit),
        "rows": [
            [p["id"], p["family"], p["difficulty"], p["phrasing"], is_right(p, said.answer), said.is_whole, said.thought_tokens, said.answer_tokens]
            for p, said in zip(problems, replies, strict=True)
        ],
        "samples": [[p["question"], said.thought, said.answer, p["gold"]] for p, said in list(zip(problems, replies, strict=True))[::15]],
    }


def in_chat(subject: Subject) -> dict[str, Any]:
    """Ten problems a family alone, and after one and three others of the set with the model's own answers."""
    problems = own_problems()
    by_family: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for problem in problems:
        by_family[problem["family"]].append(problem)
    rng = random.Random(1)
    chosen = [p for family in by_family.values() for p in rng.sample(family, 10)]
    chats: list[list[dict[str, Any]]] = [[] for _ in chosen]
    shares: dict[str, Any] = {"problems": len(chosen)}
    verdicts: dict[str, list[bool]] = {}
    alone = subject.ask([[{"role": "user", "content": p["question"]}] for p in chosen], None)
    verdicts["alone"] = [is_right(p, said.answer) for p, said in zip(chosen, alone, strict=True)]
    for count in (1, 2, 3):
        others = [rng.choice([q for q in problems if q["family"] != p["family"]]) for p in chosen]
        said = subject.ask([[*chat, {"role": "user", "content": o["question"]}] for chat, o in zip(chats, others, strict=True)], 0)
        for chat, other, reply in zip(chats, others, said, strict=True):
            chat += [{"role": "user", "content": other["question"]}, {"role": "assistant", "content": reply.answer}]
        if count in (1, 3):
            name = "second" if count == 1 else "fourth"
            replies = subject.ask([[*chat, {"role": "user", "content": p["question"]}] for chat, p in zip(chats, chosen, strict=True)], None)
            verdicts[name] = [is_right(p, reply.answer) for p, reply in zip(chosen, replies, strict=True)]
    for name, found in verdicts.items():
        shares[name] = sum(found) / len(found)
    return shares | {"interval": {name: wilson(sum(v) / len(v), len(v)) for name, v in verdicts.items()}}


def visitors(subject: Subject) -> dict[str, Any]:
    """The sixty questions under no limit, by their fixed rules."""
    questions = json.loads((FIXTURES / "visitors.json").read_text())["questions"]
    replies = subject.ask([[{"role": "user", "content": q["question"]}] for q in questions], None)

    def accepted(rules: dict[str, Any], answer: str) -> bool:
        return all(re.search(rule, answer, re.I) for rule in rules["all"]) and not any(re.search(rule, answer, re.I) for rule in rules["none"])

    verdicts = [accepted(q, said.answer) for q, said in zip(questions, replies, strict=True)]
    return {"right": sum(verdicts), "of": len(questions), "replies": [[q["question"], ok, said.thought, said.answer] for q, ok, said in zip(questions, verdicts, replies, strict=True)]}


def outside(subject: Subject, corpora: Path, name: str) -> dict[str, Any]:
    """SVAMP, MultiArith or AddSub: the last number of the answer, no limit. The files are for evaluation only."""
    if name == "svamp":
        rows = [json.loads(line) for line in (corpora / "svamp_mawps/svamp_EVAL_ONLY.jsonl").read_text().splitlines()]
    else:
        lines = (corpora / "arc_openbookqa/multiarith_addsub_singleeq_EVAL_ONLY.jsonl").read_text().splitlines()
        rows = [row for line in lines if (row := json.loads(line))["set"].lower() == name]
    replies = subject.ask([[{"role": "user", "content": row["question"]}] for row in rows], None)

    def right(row: dict[str, Any], said: Said) -> bool:
        found = re.findall(r"-?\d+(?:\.\d+)?", said.answer.replace(",", ""))
        return bool(found) and abs(float(found[-1]) - float(row["answer"])) < 1e-6

    count = sum(right(row, said) for row, said in zip(rows, replies, strict=True))
    return {"share": count / len(rows), "n": len(rows), "interval": wilson(count / len(rows), len(rows)), "samples": [[r["question"], s.thought, s.answer, r["answer"]] for r, s in list(zip(rows, replies, strict=True))[:12]]}


@torch.no_grad()
def log_likelihood(model: HybridLlama, prompt: list[int], choice: list[int]) -> float:
    """Mean log-probability a token of `choice` after `prompt`."""
    hidden, _ = model.hidden(torch.tensor([prompt + choice[:-1]]))
    log = model.logits(hidden[0, len(prompt) - 1 :]).float().log_softmax(-1)
    return float(log.gather(1, torch.tensor(choice)[:, None]).mean())


def choices(model: HybridLlama, encode: Callable[[str], list[int]], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Multiple choice by log-probability a token, `Question: … Answer: …`."""
    right = 0
    for row in rows:
        prompt = encode(f"Question: {row['question']}\nAnswer:")
        scores = [log_likelihood(model, prompt, encode(f" {choice}")) for choice in row["choices"]]
        right += row["choices"][scores.index(max(scores))] == row["answer"]
    return {"share": right / len(rows), "n": len(rows), "interval": wilson(right / len(rows), len(rows))}


@torch.no_grad()
def conversion(subject: Subject, base: HybridLlama, held: dict[str, np.ndarray]) -> dict[str, Any]:
    """Perplexity of both on the same rows, KL(base || ours) and how often both say the same token."""
    found: dict[str, Any] = {"perplexity": {}, "kl": {}, "top1ByText": {}}
    agreed = positions = 0
    for name, rows in held.items():
        ours = theirs = kl = same = count = 0.0
        for row in torch.from_numpy(rows.astype(np.int64)):
            a = subject.model.logits(subject.model.hidden(row[None, :-1])[0])[0].float().log_softmax(-1)
            b = base.logits(base.hidden(row[None, :-1])[0])[0].float().log_softmax(-1)
            target = row[1:, None]
            ours -= float(a.gather(1, target).sum())
            theirs -= float(b.gather(1, target).sum())
            kl += float((b.exp() * (b - a)).sum())
            same += float((a.argmax(-1) == b.argmax(-1)).sum())
            count += len(target)
        found["perplexity"][name] = {"ours": math.exp(ours / count), "teacher": math.exp(theirs / count)}
        found["kl"][name], found["top1ByText"][name] = kl / count, same / count
        agreed, positions = agreed + same, positions + count
    return found | {"top1": agreed / positions, "mamba": subject.model.config.pattern.count("M"), "of": len(subject.model.config.pattern)}


@torch.no_grad()
def recall(models: dict[str, HybridLlama], encode: Callable[[str], list[int]], decode: Callable[[list[int]], str], filler: np.ndarray) -> dict[str, Any]:
    """Where an unseen name keeps a thing, after so many tokens of other text: the best next token against the place."""
    found: dict[str, Any] = {}
    for gap, count in ((64, 40), (256, 40), (1024, 24), (1800, 24)):
        rng = random.Random(gap)
        right = dict.fromkeys(models, 0)
        for _ in range(count):
            name, thing, place = rng.choice(many_names()), rng.choice(("kite", "drum", "violin", "ladder", "basket", "mirror")), rng.choice(("attic", "cellar", "barn", "kitchen", "garden", "shed"))
            between = np.concatenate([filler[rng.randrange(len(filler))] for _ in range(5)])[:gap].tolist()
            ids = encode(f"{name} keeps the {thing} in the {place}. ") + between + encode(f"\nQuestion: Where does {name} keep the {thing}?\nAnswer: {name} keeps the {thing} in the")
            for who, model in models.items():
                hidden, _ = model.hidden(torch.tensor([ids]))
                right[who] += decode([int(model.logits(hidden[:, -1]).argmax(-1))]).strip() == place
        found[str(gap)] = {who: right[who] / count for who in models} | {"n": count}
    return found


def joined(journal: Path, before: dict[str, Any]) -> dict[str, Any]:
    """What eval.json says of the parts that were measured; parts of `before`, measured on the same weights, stay."""
    read = lambda part: json.loads((journal / f"{part}.json").read_text())
    report = {field: dict(before.get(field, {})) for field in ("overall", "wellFormed", "tokens", "thoughtTokens", "interval")}
    for field in ("families", "byDifficulty", "byPhrasing"):
        report[field] = defaultdict(dict, {name: dict(limits) for name, limits in before.get(field, {}).items()})
    report |= {field: before[field] for field in ("n", "inChat", "visitors", "conversion") if field in before}
    for limit in LIMITS:
        key = key_of(limit)
        if not (journal / f"own-{key}.json").exists():
            continue
        rows = read(f"own-{key}")["rows"]
        mean = lambda picked: sum(picked) / len(picked)
        report["n"] = len(rows)
        report["overall"][key] = mean([r[4] for r in rows])
        report["interval"][key] = wilson(report["overall"][key], len(rows))
        report["wellFormed"][key] = mean([r[5] for r in rows])
        report["thoughtTokens"][key] = mean([r[6] for r in rows])
        report["tokens"][key] = mean([r[6] + r[7] for r in rows])
        for column, field in ((1, "families"), (2, "byDifficulty"), (3, "byPhrasing")):
            for value in sorted({r[column] for r in rows}):
                report[field][str(value)][key] = mean([r[4] for r in rows if r[column] == value])
    in_order = lambda by_limit: {key: by_limit[key] for key in map(key_of, LIMITS) if key in by_limit}
    for field in ("overall", "wellFormed", "tokens", "thoughtTokens", "interval"):
        report[field] = in_order(report[field])
    for field in ("families", "byDifficulty", "byPhrasing"):
        report[field] = {name: in_order(by_limit) for name, by_limit in report[field].items()}
    for part, field in (("chats", "inChat"), ("visitors", "visitors"), ("conversion", "conversion")):
        if (journal / f"{part}.json").exists():
            report[field] = {k: v for k, v in read(part).items() if k not in ("replies", "samples")}
    sets: dict[str, Any] = dict(before.get("outside", {})) | {name: read(name)["share"] for name in ("svamp", "multiarith", "addsub") if (journal / f"{name}.json").exists()}
    sets |= {name: {"ours": read(f"{name}-ours")["share"], "smollm2": read(f"{name}-smollm2")["share"]} for name in ("arcEasy",) if (journal / f"{name}-ours.json").exists() and (journal / f"{name}-smollm2.json").exists()}
    report["outside"] = sets
    if (journal / "recall.json").exists():
        found = read("recall")
        report.setdefault("conversion", {}).update({f"recall{gap}": {"ours": v["ours"], "teacher": v["smollm2"]} for gap, v in found.items() if gap.isdigit()})
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--base", type=Path, help="base.pt of training/lagoon_base.py")
    parser.add_argument("--held", type=Path, help="folder with plain_held.npy and chat_held.npy")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--parts", default="own-unlimited,visitors,own-0,multiarith,own-16,own-64,conversion,own-128,own-32,own-256,addsub,recall,chats,svamp")
    parser.add_argument("--write", type=Path, help="model folder whose eval.json the parts become")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.journal.mkdir(parents=True, exist_ok=True)
    subject = Subject(args.checkpoint)

    def arc_rows() -> list[dict[str, Any]]:
        """The first 500; of OpenBookQA the corpora hold the training file alone."""
        return [json.loads(line) for line in (args.corpora / "arc_openbookqa/arc_easy_test_EVAL_ONLY.jsonl").read_text().splitlines()][:500]

    for part in filter(None, args.parts.split(",")):
        path = args.journal / f"{part}.json"
        if path.exists():
            continue
        began = time.time()
        if part.startswith("own-"):
            found = own(subject, None if part == "own-unlimited" else int(part[4:]))
        elif part == "chats":
            found = in_chat(subject)
        elif part == "visitors":
            found = visitors(subject)
        elif part in ("svamp", "multiarith", "addsub"):
            found = outside(subject, args.corpora, part)
        elif part == "conversion":
            found = conversion(subject, load_base(args.base), {name: np.load(args.held / f"{name}_held.npy") for name in ("plain", "chat")})
        elif part == "recall":
            found = recall({"ours": subject.model, "smollm2": load_base(args.base)}, subject.encode, subject.tokenizer.decode, np.load(args.held / "plain_held.npy"))
        elif part in ("arcEasy-ours", "arcEasy-smollm2"):
            found = choices(subject.model if part.endswith("-ours") else load_base(args.base), subject.encode, arc_rows())
        else:
            raise SystemExit(f"--parts names {part!r}; there are own-LIMIT, chats, visitors, svamp, multiarith, addsub, conversion, recall, arcEasy-ours, arcEasy-smollm2")
        path.write_text(json.dumps(found | {"seconds": round(time.time() - began)}) + "\n")
        print(json.dumps({"part": part, "seconds": round(time.time() - began)} | {k: v for k, v in found.items() if k in ("share", "right", "of", "perplexity", "top1", "alone", "fourth")}), flush=True)
    if args.write:
        commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
        config = json.loads((args.write / "manifest.json").read_text())
        written = args.write / "eval.json"
        before = json.loads(written.read_text()) if written.exists() else {}
        # Parts that another run measured count on as long as the weights are the same.
        report = joined(args.journal, before if before.get("checkpointSha256") == config["checkpointSha256"] else {})
        report |= {"checkpointSha256": config["checkpointSha256"], "command": "python -m tidepool_model.evaluation.hybrid", "commit": commit, "contextTokens": LONGEST, "model": {"name": config.get("name", args.write.name)}}
        written.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
