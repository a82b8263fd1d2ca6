"""The model as a judge of two replies: votes in both orders, ties, the words' log-probabilities, a journal, a knockout."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from tidepool_model.architecture.model import HybridLM, save_pretrained
from tidepool_model.posttraining import judging
from tidepool_model.posttraining.choosing import Reply
from tidepool_model.posttraining.environments import RIGHT, WRONG
from tidepool_model.posttraining.judging import WORDINGS, Judgement, JudgeError, ModelJudge, judged_pairs, knockout, question_of, summary
from tidepool_model.posttraining.preferences import Preference, read_preferences
from tidepool_model.posttraining.reward import Head

FIXTURE = Path(__file__).with_name("fixtures") / "helpsteer3-preference.jsonl"
N = len(WORDINGS)


class Ruled(ModelJudge):
    """Prefers the longer reply, or whatever stands first, by `first` nats."""

    first = 0.0

    def log_odds(self, asked: Sequence[tuple[int, str, str, str]]) -> list[float]:
        self.tokens += len(asked)
        return [self.first + (len(a) > len(b)) - (len(a) < len(b)) for _, _, a, b in asked]


def pair(first: str, second: str, preference: int, domain: str = "x") -> Preference:
    return Preference(({"role": "user", "content": "Why?"},), (first, second), preference, domain)


def test_wordings_vote_where_both_orders_agree_and_the_sum_always_decides() -> None:
    assert Judgement((1, 2, 0.5), (1, 3, -0.1)).votes == (2, 0) and Judgement((1, 2, 0.5), (1, 3, -0.1)).is_first
    assert Judgement((1, -1, 1), (1, -1, -1)).is_first is None  # one vote each, one wording changes its mind
    moved = Judgement((5, 5, 5), (-4, -5.5, -6))  # the first place, in either order
    assert moved.votes == (0, 0) and moved.is_first is None and moved.odds == pytest.approx(-0.5 / 6)
    assert Judgement((-1, -1, -1), (-1, 1, -1)).is_first is False


def test_log_odds_are_of_the_words_where_the_answer_begins_whatever_stands_beside(model: HybridLM, tokenizer: Tokenizer) -> None:
    judge = ModelJudge(model, tokenizer)
    asked = [(w, "What is 2 + 3?", a, b) for w in range(N) for a, b in (("A thought.\n</think>\n5", "It is six, and six it stays."), ("4", "5"))]
    together = judge.log_odds(asked)
    assert judge.tokens == sum(len(judge.prompt(*one)) for one in asked)
    for one, odds in zip(asked, together, strict=True):
        prompt = judge.prompt(*one)
        with torch.no_grad():
            said = model(torch.tensor([prompt]))[0][0, -1]
        yes, no = (tokenizer.token_to_id(word) for word in WORDINGS[one[0]][1])
        assert odds == pytest.approx(float(said[yes] - said[no]), abs=1e-4)
    text = tokenizer.decode(judge.prompt(*asked[0]), skip_special_tokens=False)
    assert "Step 1: A thought.\nAnswer: 5" in text and text.endswith("<think></think>") and text.count("</think>") == 1
    (both,) = judge.judge([("q", "a", "b")])
    (turned,) = judge.judge([("q", "b", "a")])
    assert both.forward == pytest.approx([-odds for odds in turned.backward], abs=1e-5) and both.odds == pytest.approx(-turned.odds, abs=1e-5)


def test_a_tokenizer_without_the_words_is_refused(model: HybridLM, monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer) -> None:
    monkeypatch.setattr(judging, "WORDINGS", (("{question}{first}{second}", ("First", "Second")),))
    with pytest.raises(JudgeError, match="no single token for First or Second"):
        ModelJudge(model, tokenizer)


def test_accuracy_says_what_was_decided_and_how_often_the_first_is_named(model: HybridLM, tokenizer: Tokenizer) -> None:
    pairs = [pair("long reply", "short", -2), pair("s", "long", -1, "y"), pair("s", "long", 3), pair("same", "size", 1)]
    judge = Ruled(model, tokenizer)
    found = summary(pairs, judge.judge([(question_of(p.context), *p.responses) for p in pairs]))
    whole = found["byDomain"]["all"]  # type: ignore[index]
    assert whole["decided"]["right"] == 3 and whole["decided"]["of"] == 4
    assert whole["rightOfDecided"]["right"] == 2 and whole["rightOfDecided"]["of"] == 3 and whole["tiesAsHalf"]["share"] == 0.625
    assert whole["alwaysTheFirst"]["share"] == 0.5 and found["byDomain"]["y"]["rightOfDecided"]["share"] == 0  # type: ignore[index]
    judge.first = 9  # it names the first place, whatever stands there
    found = summary(pairs, judge.judge([(question_of(p.context), *p.responses) for p in pairs]))
    whole = found["byDomain"]["all"]  # type: ignore[index]
    assert whole["decided"]["share"] == 0 and whole["rightOfDecided"] == {"right": 0, "of": 0} and whole["tiesAsHalf"]["share"] == 0.5
    assert found["saysTheFirst"]["share"] == 1 and whole["byLogOdds"]["share"] == 0.75  # type: ignore[index]
    assert all(wording["sameInBothOrders"]["share"] == 0 for wording in found["wordings"])  # type: ignore[index, attr-defined]


def test_judged_pairs_are_kept_and_another_command_is_refused(model: HybridLM, tokenizer: Tokenizer, tmp_path: Path) -> None:
    pairs, journal = [pair("a" * n, "bb", -1) for n in range(1, 41)], tmp_path / "x.judged.jsonl"
    first = judged_pairs(Ruled(model, tokenizer), pairs, "key", journal, 0)
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(lines[:21]) + "\n[[0.1, 0.")  # cut short while it was written
    judge = Ruled(model, tokenizer)
    assert judged_pairs(judge, pairs, "key", journal, 0) == first and judge.tokens >= 20 * N * 2
    assert len(journal.read_text().splitlines()) == 41
    with pytest.raises(JudgeError, match="begun with other pairs"):
        judged_pairs(Ruled(model, tokenizer), pairs, "another key", journal, 0)


def test_a_knockout_finds_the_best_and_counts_what_it_reads(model: HybridLM, tokenizer: Tokenizer) -> None:
    pool = [Reply("x" * n, RIGHT if n == 9 else WRONG, 3) for n in (3, 1, 2, 4, 5, 9, 7, 7)]
    judge = Ruled(model, tokenizer)
    found = knockout(judge, ["q", "q"], [pool, pool[::-1]])
    assert found["bestOf8"]["right"] == 2 and found["bestOf4"]["right"] == 1  # type: ignore[index]
    assert found["bestOf8"]["matches"] == 6 + 4 + 2  # type: ignore[index]  # two of eight are one reply
    assert judge.tokens == found["bestOf8"]["matches"] * 2 * N  # type: ignore[index]  # those of the best of 4 are among them
    assert found["bestOf8"]["tokensReadEach"] > 2 * found["bestOf4"]["tokensReadEach"] > 0  # type: ignore[index]
    judge.first = 9
    assert knockout(judge, ["q"], [pool])["bestOf8"]["ties"] == 6  # type: ignore[index]


def test_the_command_writes_a_file_and_goes_on(model: HybridLM, tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    save_pretrained(model, tmp_path / "micro", {"eos_token_id": 1, "pad_token_id": 1, "bos_token_id": 1}, {})
    hidden = model.config.hidden_size
    Head(torch.zeros(hidden), torch.ones(hidden), torch.ones(1, hidden), torch.zeros(1)).save(tmp_path / "reward.safetensors", "micro")
    out = tmp_path / "judged.json"
    command = ["judging", "--checkpoint", str(tmp_path / "micro"), "--pairs", str(FIXTURE), "--reward", str(tmp_path / "reward.safetensors"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    assert judging.main() == 0
    found = json.loads(out.read_text())
    assert found["pairs"] == found["ofPairs"] == 11 and found["votes"] == N and found["tokensRead"] > 11 * N * 2 * 20
    assert set(found["byDomain"]) == {"all", "general", "code", "stem", "multilingual"} == set(found["byRewardHead"])
    assert found["byDomain"]["all"]["alwaysTheFirst"]["right"] == sum(row.preference < 0 for row in read_preferences(FIXTURE)[0])
    monkeypatch.setattr(ModelJudge, "log_odds", lambda *_: pytest.fail("judged again"))
    assert judging.main() == 0 and json.loads(out.read_text())["byDomain"] == found["byDomain"]
    monkeypatch.setattr(sys, "argv", [*command[:3], "--pairs", str(tmp_path / "none.jsonl"), "--out", str(out)])
    assert judging.main() == 1 and "none.jsonl" in capsys.readouterr().err
