"""A judge that reads two replies in both orders; its word counts where it is the same in both (Nemotron-4 340B, arXiv 2406.11704, 3.2.3).

    python -m tidepool_model.posttraining.judging --checkpoint DIR --pairs held.jsonl --out judged.json [--reward reward.safetensors]

The generative form of a reward model: a language model is asked which of two replies is better, thinking off, and the log-probabilities
of the two words that it may say are compared where its answer begins. Each wording of the question is a vote, if it names the same reply
in both orders; the reply with more votes wins, else it is a tie. Beside the votes stands the sum of the log-odds over both orders and all
wordings, which always decides, and in which a liking for the first place cancels out. Each pair is written down as it is judged, so
that the same command goes on. Not here: the rubric judge of the app (docs/judge.md).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tasks.interval import wilson
from tokenizers import Tokenizer
from tqdm import tqdm

from ..architecture.config import ConfigError
from ..architecture.model import CheckpointError, HybridLM, load_pretrained
from ..data import chat_format
from ..data.tokenizer import DEFAULT_DIR
from .choosing import SIZES, Reply
from .environments import RIGHT
from .preferences import Preference
from .reward import Head, RewardError, pair_states, read_pairs
from .roles import draft_of

Judge = Callable[[Sequence[tuple[str, str, str]]], list[bool]]
"""From (question, first reply, second reply) to whether the first is the better one."""

# Each a vote: the question, and the two words that answer it.
WORDINGS = (
    ("Question: {question}\n\nReply A:\n{first}\n\nReply B:\n{second}\n\nWhich reply is better? Say A or B.", ("A", "B")),
    ("Here are two replies to a question.\n\nThe question: {question}\n\n1.\n{first}\n\n2.\n{second}\n\nWhich one is right, 1 or 2?", ("1", "2")),
    ("{question}\n\nAda says:\n{first}\n\nBen says:\n{second}\n\nIs Ada's reply better than Ben's? Say Yes or No.", ("Yes", "No")),
)
BATCH = 32
LONGEST = 2048  # tokens of a prompt; a pair with a longer one is left out


class JudgeError(ValueError):
    """Words that a tokenizer cuts, or a journal of another command."""


def consistent(judge: Judge, pairs: Sequence[tuple[str, str, str]]) -> list[bool | None]:
    """Whether the first reply is better; None where the judge changes its mind with the order."""
    forward = judge(pairs)
    backward = judge([(question, second, first) for question, first, second in pairs])
    return [first if first != second else None for first, second in zip(forward, backward, strict=True)]


@dataclass(frozen=True)
class Judgement:
    """Log-odds that the first reply is better, by wording: as they stand, and with the two the other way round."""

    forward: tuple[float, ...]
    backward: tuple[float, ...]

    @property
    def votes(self) -> tuple[int, int]:
        """Wordings that name the first, and the second, in both orders."""
        both = list(zip(self.forward, self.backward, strict=True))
        return sum(a > 0 and b > 0 for a, b in both), sum(a < 0 and b < 0 for a, b in both)

    @property
    def is_first(self) -> bool | None:
        """By votes; None is a tie."""
        first, second = self.votes
        return None if first == second else first > second

    @property
    def odds(self) -> float:
        return (sum(self.forward) + sum(self.backward)) / (2 * len(self.forward))


def question_of(context: Sequence[dict[str, str]]) -> str:
    """What was asked: the one message, or the chat so far."""
    said = [message for message in context if message["role"] != "system"]
    return said[0]["content"] if len(said) == 1 else "\n".join(f"{message['role'].capitalize()}: {message['content']}" for message in said)


class ModelJudge:
    """A language model as the judge; `tokens` counts what it has read."""

    def __init__(self, model: HybridLM, tokenizer: Tokenizer) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.tokens = 0
        self.words = []
        for _, words in WORDINGS:
            ids = [tokenizer.encode(word, add_special_tokens=False).ids for word in words]
            if any(len(one) != 1 for one in ids):
                raise JudgeError(f"this tokenizer has no single token for {' or '.join(words)}; such a judge can't be asked by log-probability")
            self.words.append((ids[0][0], ids[1][0]))

    def prompt(self, wording: int, question: str, first: str, second: str) -> list[int]:
        """Up to where the word stands that is asked for, thinking off. Thoughts are shown as steps."""
        text = WORDINGS[wording][0].format(question=question, first=draft_of(first).shown, second=draft_of(second).shown)
        asked = chat_format.render([{"role": "user", "content": text}], add_generation_prompt=True, enable_thinking=False)
        return self.tokenizer.encode(asked, add_special_tokens=False).ids

    @torch.no_grad()
    def log_odds(self, asked: Sequence[tuple[int, str, str, str]]) -> list[float]:
        """Of (wording, question, first, second): log-probability of the word for the first less that of the word for the second."""
        prompts = [self.prompt(*one) for one in asked]
        found = [0.0] * len(prompts)
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        for at in range(0, len(order), BATCH):
            rows = order[at : at + BATCH]
            longest = len(prompts[rows[-1]])
            hidden, _ = self.model.model(torch.tensor([prompts[i] + [0] * (longest - len(prompts[i])) for i in rows]))
            last = hidden[torch.arange(len(rows)), torch.tensor([len(prompts[i]) - 1 for i in rows])]  # (rows, hidden)
            said = self.model.logits(last).float().log_softmax(-1)  # (rows, vocab)
            for row, i in enumerate(rows):
                yes, no = self.words[asked[i][0]]
                found[i] = float(said[row, yes] - said[row, no])
                self.tokens += len(prompts[i])
        return found

    def judge(self, pairs: Sequence[tuple[str, str, str]]) -> list[Judgement]:
        """Both orders in every wording, all in batches."""
        asked = [(w, q, *replies) for q, a, b in pairs for w in range(len(WORDINGS)) for replies in ((a, b), (b, a))]
        odds = iter(self.log_odds(asked))
        found = []
        for _ in pairs:
            both = [(next(odds), -next(odds)) for _ in WORDINGS]
            found.append(Judgement(tuple(a for a, _ in both), tuple(b for _, b in both)))
        return found

    def prefers(self, pairs: Sequence[tuple[str, str, str]]) -> list[bool]:
        """A Judge: whether most wordings name the first reply, in this order alone (consistent() asks both)."""
        odds = iter(self.log_odds([(w, *pair) for pair in pairs for w in range(len(WORDINGS))]))
        return [2 * sum(next(odds) > 0 for _ in WORDINGS) > len(WORDINGS) for _ in pairs]

    def verdicts(self, pairs: Sequence[tuple[str, str, str]]) -> list[bool | None]:
        """Whether the first reply is better, by votes in both orders; None is a tie."""
        return [one.is_first for one in self.judge(pairs)]

    def cost(self, pair: tuple[str, str, str]) -> int:
        """Tokens that judging a pair has to read: every wording in both orders, which are about as long."""
        return 2 * sum(len(self.prompt(w, *pair)) for w in range(len(WORDINGS)))

    def length(self, pair: Preference) -> int:
        """Tokens of the pair's longest prompt."""
        return max(len(self.prompt(w, question_of(pair.context), *pair.responses)) for w in range(len(WORDINGS)))


def judged_pairs(judge: ModelJudge, pairs: Sequence[Preference], key: str, journal: Path, minutes: float) -> list[Judgement]:
    """Judgements of the pairs, each batch written down as it ends. JudgeError where another command began the journal."""
    found: list[Judgement] = []
    if journal.exists():
        text = journal.read_text(encoding="utf-8")
        head, *lines = text[: text.rfind("\n") + 1].splitlines() or [""]
        if head != key:
            raise JudgeError(f"{journal} was begun with other pairs, wordings or weights; take another --out, or remove it")
        journal.write_text("".join(f"{line}\n" for line in (head, *lines)), encoding="utf-8")
        for line in lines:
            *odds, tokens = json.loads(line)
            found.append(Judgement(*map(tuple, odds)))
            judge.tokens += tokens
    else:
        journal.write_text(f"{key}\n", encoding="utf-8")
    began = time.monotonic()
    with journal.open("a", encoding="utf-8") as out, tqdm(total=len(pairs), initial=len(found), disable=None) as bar:
        while len(found) < len(pairs) and not (minutes and time.monotonic() - began > minutes * 60):
            part = pairs[len(found) : len(found) + BATCH]
            before = judge.tokens
            judgements = judge.judge([(question_of(pair.context), *pair.responses) for pair in part])
            for place, one in enumerate(judgements):
                out.write(json.dumps([one.forward, one.backward, judge.tokens - before if place == 0 else 0]) + "\n")
            out.flush()
            found += judgements
            bar.update(len(part))
    return found


def share(right: float, of: int) -> dict[str, object]:
    return {"right": right, "of": of} | ({"share": round(right / of, 4), "interval": wilson(right / of, of)} if of else {})


def summary(pairs: Sequence[Preference], judgements: Sequence[Judgement]) -> dict[str, object]:
    """By domain and in all: what the votes decide and how often rightly, the same by log-odds, and always the first."""
    groups: dict[str, list[tuple[bool, Judgement]]] = defaultdict(list)
    for pair, judgement in zip(pairs, judgements, strict=True):
        for name in ("all", pair.domain):
            groups[name].append((pair.preference < 0, judgement))
    found = {}
    for name, rows in sorted(groups.items()):
        decided = [first == judgement.is_first for first, judgement in rows if judgement.is_first is not None]
        found[name] = {
            "decided": share(len(decided), len(rows)),  # `right` is how many were decided
            "rightOfDecided": share(sum(decided), len(decided)),
            "tiesAsHalf": share(sum(decided) + (len(rows) - len(decided)) / 2, len(rows)),
            "byLogOdds": share(sum((judgement.odds > 0) == first for first, judgement in rows), len(rows)),
            "alwaysTheFirst": share(sum(first for first, _ in rows), len(rows)),
        }
    # The first place's share of all answers, in whichever order: half of them for a judge that looks at the replies alone.
    answers = [a > 0 for judgement in judgements for a in (*judgement.forward, *(-b for b in judgement.backward))]
    wordings = []
    for at, (text, words) in enumerate(WORDINGS):
        both = [(judgement.forward[at] > 0) == (judgement.backward[at] > 0) for judgement in judgements]
        rights = [(judgement.forward[at] > 0) == (pair.preference < 0) for pair, judgement, same in zip(pairs, judgements, both, strict=True) if same]
        wordings.append({"asks": text.rpartition("\n")[2], "words": words, "sameInBothOrders": share(sum(both), len(both)), "rightOfThese": share(sum(rights), len(rights))})
    return {"byDomain": found, "saysTheFirst": share(sum(answers), len(answers)), "wordings": wordings}


def knockout(judge: ModelJudge, questions: Sequence[str], pools: Sequence[Sequence[Reply]]) -> dict[str, object]:
    """Best of 4, 8 … by the judge, two by two until one is left; a tie keeps the earlier reply. With the tokens that each has to read.

    The first matches of a larger one are those of a smaller one, so that each is judged once.
    """
    pool = min(map(len, pools))
    found: dict[str, object] = {}
    said: dict[tuple[str, str, str], bool | None] = {}
    for size in (size for size in SIZES if size <= pool):
        left = [list(replies[:size]) for replies in pools]
        ties = matches = tokens = 0
        while len(left[0]) > 1:
            asked = [(question, replies[k].text, replies[k + 1].text) for question, replies in zip(questions, left, strict=True) for k in range(0, len(replies), 2)]
            different = list(dict.fromkeys(one for one in asked if one[1] != one[2]))
            new = [one for one in different if one not in said]
            said.update(zip(new, judge.verdicts(new), strict=True))
            matches += len(different)
            ties += sum(said[one] is None for one in different)
            tokens += sum(map(judge.cost, different))
            verdicts = iter(said.get(one) for one in asked)
            left = [[replies[k + 1] if next(verdicts) is False else replies[k] for k in range(0, len(replies), 2)] for replies in left]
        right = sum(replies[0].reward == RIGHT for replies in left)
        found[f"bestOf{size}"] = share(right, len(left)) | {"matches": matches, "ties": ties, "tokensReadEach": round(tokens / len(left), 1)}
    return found


def key_of(checkpoint: Path, pairs: Sequence[Preference]) -> str:
    """A line that is another one for other weights, pairs or wordings."""
    mark = hashlib.sha256((checkpoint / "model.safetensors").read_bytes())
    mark.update(repr((WORDINGS, [(pair.context, pair.responses) for pair in pairs])).encode())
    return json.dumps({"judge": checkpoint.resolve().name, "sha256": mark.hexdigest()})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="the model that judges")
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--pairs", type=Path, required=True, help="pairs in HelpSteer3's schema; ties are left out")
    parser.add_argument("--reward", type=Path, help="a head that posttraining/reward.py fitted on this model's states, to stand beside")
    parser.add_argument("--minutes", type=float, default=0, help="no further pair after so long; 0: all of them")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    began = time.process_time()
    try:
        pairs = read_pairs(args.pairs)
        model, tokenizer = load_pretrained(args.checkpoint).eval(), Tokenizer.from_file(str(args.tokenizer))
        judge = ModelJudge(model, tokenizer)
        short = [pair for pair in pairs if judge.length(pair) <= LONGEST]
        if not short:
            raise JudgeError(f"{args.pairs}: every pair is longer than {LONGEST} tokens")
        head = Head.load(args.reward, model.config.hidden_size) if args.reward else None
        args.out.parent.mkdir(parents=True, exist_ok=True)
        judgements = judged_pairs(judge, short, key_of(args.checkpoint, short), args.out.with_suffix(".judged.jsonl"), args.minutes)
    except (JudgeError, RewardError, CheckpointError, ConfigError, FileNotFoundError) as error:
        print(f"judging: {error}", file=sys.stderr)
        return 1
    asked = short[: len(judgements)]
    found: dict[str, object] = {"judge": args.checkpoint.resolve().name, "pairs": len(asked), "ofPairs": len(pairs), "tooLong": len(pairs) - len(short)}
    found |= {"votes": len(WORDINGS), "orders": 2, "tokensRead": judge.tokens, "tokensReadEach": round(judge.tokens / len(asked), 1)}
    found |= summary(asked, judgements)
    if head is not None:
        chosen, rejected, _ = pair_states(model, tokenizer, asked)
        is_right = (head.reward(chosen) > head.reward(rejected)).tolist()
        groups = {name: [right for right, pair in zip(is_right, asked, strict=True) if name in ("all", pair.domain)] for name in ("all", *sorted({p.domain for p in asked}))}
        found["byRewardHead"] = {name: share(sum(rights), len(rights)) for name, rights in groups.items()}
    found["coreSeconds"] = round(time.process_time() - began)
    args.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({name: found[name] for name in ("pairs", "tokensRead", "coreSeconds")} | {"all": found["byDomain"]["all"]}))  # type: ignore[index]
    return 0


if __name__ == "__main__":
    sys.exit(main())
