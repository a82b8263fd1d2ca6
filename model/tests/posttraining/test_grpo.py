"""Reinforcement in many environments: rewards are the checks' own, log-probabilities the model's own, baselines leave one out."""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tasks.registry import FAMILIES
from tokenizers import Tokenizer

from tidepool_model.architecture.batch_decode import Limit
from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM, save_pretrained
from tidepool_model.data import tokenizer as tokenizers_
from tidepool_model.posttraining.environments import MALFORMED, RIGHT, WRONG, Task, environments
from tidepool_model.posttraining.grpo import Curriculum, Group, Reinforcer
from tidepool_model.posttraining.rollouts import Rollout, sample_group


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokenizers_.load(tokenizers_.DEFAULT_DIR)


def tiny(vocab: int) -> HybridLM:
    torch.manual_seed(0)
    return HybridLM(replace(preset("micro"), vocab_size=vocab)).eval()


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_rewards_follow_the_check_and_the_form(family: str, tokenizer: Tokenizer) -> None:
    environment = environments(tokenizer)[family]
    thinking = environment.draw(random.Random(3), 2, None)
    answer = thinking.problem.answer
    assert environment.reward(thinking, [f"A thought.\n</think>\n{answer}"]) == RIGHT
    assert environment.reward(thinking, ["A thought.\n</think>\nI do not know."]) == WRONG
    for malformed in (answer, f"x</think></think>{answer}", "x\n</think>\n", "x\n</think>\n<tool_call>\n"):
        assert environment.reward(thinking, [malformed]) == MALFORMED, malformed
    off = Task(thinking.problem, 0, thinking.prompt)
    assert environment.reward(off, [answer]) == RIGHT and environment.reward(off, [f"x\n</think>\n{answer}"]) == MALFORMED


def test_a_called_tool_answers_what_the_problem_says(tokenizer: Tokenizer) -> None:
    environment = environments(tokenizer)["tools"]
    rng = random.Random(5)
    seen = set()
    for _ in range(60):
        task = environment.draw(rng, rng.randint(1, 5), None)
        turns = list(task.problem.turns)
        for turn, told in zip(turns, turns[1:], strict=False):
            for call in turn.get("tool_calls", ()):
                arguments = "".join(f"<parameter={k}>\n{v}\n</parameter>\n" for k, v in call["arguments"].items())
                said = environment.reply_to_call(task, f"t\n</think>\n<tool_call>\n<function={call['name']}>\n{arguments}</function>\n</tool_call>\n")
                assert said is not None and f"<tool_response>\n{told['content']}\n</tool_response>" in said and said.endswith("<think>\n")
                seen.add(call["name"])
    assert seen == {"calculator", "clock"}
    call = "<tool_call>\n<function={}>\n<parameter=expression>\n{}\n</parameter>\n</function>\n</tool_call>"
    assert "error: this can't be read" in (environment.reply_to_call(task, call.format("calculator", "2 +")) or "")
    assert "no tool browser" in (environment.reply_to_call(task, call.format("browser", "1")) or "")
    assert environment.reply_to_call(task, "x\n</think>\nIt is 4.") is None


def test_log_probabilities_are_the_models_own_and_told_tokens_have_none() -> None:
    model = tiny(30)
    told: list[int] = [11, 12]
    limit = Limit(4, close=[1, 7, 1], end_think=7, grace=2)
    asked = []

    def go_on(turn: list[int]) -> list[int] | None:
        asked.append(turn)
        return told if len(asked) <= 3 else None

    found = sample_group(model, [1, 2, 3], 6, 30, 5, limit, go_on, 1.0, torch.Generator().manual_seed(2))
    assert asked and any(not all(rollout.sampled) for rollout in found)
    for rollout in found:
        with torch.no_grad():
            logits, _ = model(torch.tensor([[1, 2, 3, *rollout.tokens]]))
        expected = torch.log_softmax(logits[0, 2:-1].float(), -1)
        for at, (token, sampled, log_prob) in enumerate(zip(rollout.tokens, rollout.sampled, rollout.log_probs, strict=True)):
            assert log_prob == (pytest.approx(float(expected[at, token]), abs=1e-3) if sampled else 0.0)
        assert rollout.ended == (rollout.tokens[-1] == 5) or len(rollout.tokens) == 30
        for turn in rollout.turns:  # a thought of four and a grace of two at most, then newline and close
            assert 7 in turn[:8] or len(turn) < 8, turn


def test_the_baseline_leaves_one_out_and_cut_episodes_say_nothing(tokenizer: Tokenizer) -> None:
    task = environments(tokenizer)["addition"].draw(random.Random(1), 1, None)
    group = Group(task, [Rollout(ended=ended) for ended in (True, True, True, False)], [1.0, 0.0, -0.5, 1.0])
    assert group.advantages() == {0: 1.25, 1: -0.25, 2: -1.0}
    assert group.pass_rate == pytest.approx(1 / 3)
    assert Group(task, [Rollout(ended=True)] * 3, [1.0] * 3).advantages() == {}
    assert Group(task, [Rollout(), Rollout()], [0.0, 0.0]).pass_rate is None


def test_the_curriculum_goes_from_easy_to_hard_and_leaves_out_what_says_nothing() -> None:
    curriculum = Curriculum({("a", 1): 0.85, ("a", 3): 0.3, ("a", 5): 0.02, ("b", 1): 1.0, ("c", 2): 0.5})
    rng = random.Random(1)
    easy, hard = ([curriculum.draw(rng, progress) for _ in range(600)] for progress in (0.0, 1.0))
    assert {family for family, _ in easy} == {"a", "c"} and ("a", 5) not in easy + hard
    assert easy.count(("a", 1)) > 3 * easy.count(("a", 3)) and hard.count(("a", 3)) > 3 * hard.count(("a", 1))
    curriculum.learn(("a", 3), 0.0)
    assert curriculum.rates["a", 3] == pytest.approx(0.27)
    with pytest.raises(ValueError, match="too weak or too strong"):
        Curriculum({("a", 1): 1.0}).draw(rng, 0.5)


def options(folder: Path, **changed: object) -> argparse.Namespace:
    base = {"init": str(folder / "init"), "run": str(folder / "run"), "tokenizer": tokenizers_.DEFAULT_DIR / "tokenizer.json", "updates": 2, "minutes": 0, "groups": 2, "group": 3, "longest": 24, "temperature": 1.0, "rate": 1e-3, "rows": 4, "keep": 1, "seed": 1, "profile": 2}
    return argparse.Namespace(**(base | changed))


def test_a_pass_rate_is_first_measured_over_several_tasks(tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_pretrained(tiny(tokenizer.get_vocab_size()), tmp_path / "init", {"eos_token_id": 3, "pad_token_id": 1, "bos_token_id": 0})
    run = Reinforcer(options(tmp_path, profile=4))
    verdicts = iter([1.0, 0.0, 1.0, 1.0] * 16 * 5)
    tasks: list[tuple[str, int]] = []

    def group(family: str, difficulty: int, rng: random.Random, count: int, limit: int | None) -> Group:
        tasks.append((family, difficulty))
        assert limit is None
        ended = Rollout(ended=True)
        return Group(run.environments[family].draw(rng, difficulty, limit), [ended] * count, [next(verdicts)] * count)

    monkeypatch.setattr(run, "group", group)
    run.profile()
    assert len(tasks) == 16 * 5 * 4 and set(run.curriculum.rates.values()) == {0.75}  # one task of each would say 0 or 1


def test_an_update_makes_what_was_rewarded_likelier_and_a_run_goes_on(tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = tiny(tokenizer.get_vocab_size())
    save_pretrained(model, tmp_path / "init", {"eos_token_id": 3, "pad_token_id": 1, "bos_token_id": 0})
    run = Reinforcer(options(tmp_path))
    task = run.environments["addition"].draw(random.Random(1), 1, None)
    rollouts = sample_group(run.model, task.prompt, 4, 8, run.end, None, lambda turn: None, 1.0, torch.Generator().manual_seed(3))
    for rollout in rollouts:
        rollout.ended = True
    group = Group(task, rollouts, [1.0, 0.0, 0.0, 0.0])

    def likelihood() -> float:
        with torch.no_grad():
            logits = run.model(torch.tensor([task.prompt + rollouts[0].tokens]))[0]
        log_probs = torch.log_softmax(logits[0, len(task.prompt) - 1 : -1].float(), -1)
        return float(log_probs.gather(1, torch.tensor(rollouts[0].tokens)[:, None]).sum())

    before = likelihood()
    did = run.update([group])
    assert did["used"] == 4 and did["clipped"] == 0 and did["norm"] > 0  # the first ratio is one
    assert likelihood() > before
    run.curriculum.rates = {("addition", 1): 0.5}
    run.run()
    again = Reinforcer(options(tmp_path, updates=3))
    again.run()
    lines = [json.loads(line) for line in (tmp_path / "run/curve.jsonl").read_text().splitlines()]
    assert [line["update"] for line in lines] == [1, 2, 3] and again.curriculum.rates.keys() == {("addition", 1)}
    assert (tmp_path / "run/checkpoint/model.safetensors").exists()
    assert len(json.loads((tmp_path / "run/shown.jsonl").read_text().splitlines()[0])["replies"]) == 3
