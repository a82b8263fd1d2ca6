"""Training learns, packs without loss, and goes on after a stop as if there had been none."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models

from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM, load_pretrained, save_pretrained
from tidepool_model.convert.twin import twin
from tidepool_model.data.packing import IGNORED, DataError, PackedStage
from tidepool_model.export import card, parts
from tidepool_model.training.optimiser import orthogonalise, schedule
from tidepool_model.training.train import Run, commit_hash, layerwise_loss, parse_stages

VOCAB = 64


@pytest.fixture()
def data(tmp_path: Path) -> Path:
    """Documents that count upwards from a random start: learnable in some steps. Every fifth token is masked."""
    folder = tmp_path / "data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for stage in ("pretrain", "sft", "held_out"):
        documents = [(rng.integers(0, VOCAB) + np.arange(rng.integers(5, 40))) % VOCAB for _ in range(300)]
        tokens = np.concatenate(documents).astype(np.uint16)
        tokens.tofile(folder / f"{stage}.tokens.bin")
        mask = np.ones(len(tokens), np.uint8)
        mask[::5] = 0
        mask.tofile(folder / f"{stage}.mask.bin")
        np.cumsum([0] + [len(d) for d in documents[:-1]]).astype(np.uint32).tofile(folder / f"{stage}.docs.bin")
    words = {f"w{i}": i for i in range(VOCAB - 3)} | {"<|im_end|>": VOCAB - 3, "<|pad|>": VOCAB - 2, "<|endoftext|>": VOCAB - 1}
    Tokenizer(models.WordLevel(words, "w0")).save(str(folder / "tokenizer.json"))
    return folder


def options(data: Path, run: Path, **changes: object) -> argparse.Namespace:
    values = dict(
        preset="micro", data=str(data), run=str(run), stages="pretrain:6,sft:6", init=None, rows=4, length=64, lr=1e-2,
        weight_decay=0.05, decay=0.4, seed=3, minutes=0, finish_minutes=0, save_minutes=60, report=4, evaluate=4, threads=1, processes=1, compile=False, bf16=False,
        precision="plain", teacher=None, layerwise=False,
    )  # fmt: skip
    return argparse.Namespace(**{**values, **changes})


def test_rows_hold_every_document_once_and_only_its_own_targets(data: Path) -> None:
    stage = PackedStage(data, "sft")
    rows = list(stage.rows(64, seed=1))
    assert sorted(d for row in rows for d in row) == list(range(300))
    filled = sum(int(stage.ends[d] - stage.starts[d]) for row in rows for d in row) / (64 * len(rows))
    assert filled > 0.93
    chains = list(stage.chains(64, seed=1))
    assert [[piece.document for piece in row] for chain in chains for row in chain] == rows
    batch = stage.batch([chain[0] for chain in chains[:5]], 64)
    assert batch.carries is None
    for r, row in enumerate(rows[:5]):
        at = 0
        for document in row:
            first, size = int(stage.starts[document]), int(stage.ends[document] - stage.starts[document])
            assert batch.tokens[r, at : at + size].tolist() == stage.tokens[first : first + size].tolist()
            assert bool(batch.starts[r, at]) and int(batch.starts[r, at : at + size].sum()) == 1
            expected = [
                int(stage.tokens[first + i + 1]) if i + 1 < size and stage.mask[first + i + 1] else IGNORED for i in range(size)
            ]
            assert batch.targets[r, at : at + size].tolist() == expected
            at += size


def test_documents_longer_than_a_row_run_through_the_same_row_of_the_next_batches(data: Path) -> None:
    stage = PackedStage(data, "sft")
    lengths = stage.ends - stage.starts
    assert stage.longest > 32
    seen: dict[int, list[int]] = {}
    for chain in stage.chains(16, seed=1):
        for row in chain:
            assert sum(piece.size for piece in row) <= 16 and all(piece.offset == 0 for piece in row[1:])
            for piece in row:
                assert piece.offset == sum(seen.get(piece.document, []))
                seen.setdefault(piece.document, []).append(piece.size)
    assert {document: sum(sizes) for document, sizes in seen.items()} == dict(enumerate(lengths.tolist()))
    # In the batches, what a carried row begins with follows what the same row of the batch before ended with.
    source, before, carried = stage.batches(4, 16, seed=1), None, 0
    for _ in range(60):
        batch = next(source)
        assert batch.carries is not None and torch.equal(batch.carries, ~batch.starts[:, 0])
        for row in batch.carries.nonzero().flatten().tolist():
            assert before is not None
            assert int(batch.tokens[row, 0]) == (int(before.tokens[row, -1]) + 1) % VOCAB  # documents count upwards
            assert int(before.targets[row, -1]) in (int(batch.tokens[row, 0]), IGNORED)
            carried += 1
        before = batch
    assert carried > 40


def test_training_learns_and_reports(data: Path, tmp_path: Path) -> None:
    run = Run(options(data, tmp_path / "run", stages="pretrain:20,sft:20"))
    run.train()
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert lines[0]["loss"] > 3.5
    assert lines[-1]["loss"] < lines[0]["loss"] - 0.8
    assert lines[-1]["held_out"] < lines[0]["held_out"]
    assert all(line["tokens_per_second"] > 0 and line["memory_mib"] > 0 for line in lines)
    provenance = json.loads((tmp_path / "run" / "checkpoint" / "provenance.json").read_text())
    assert provenance["steps"] == 40 and provenance["tokens"] == 40 * 4 * 64


@pytest.mark.parametrize("length", [64, 16])
@pytest.mark.parametrize("stop_after", [3, 8])
def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(data: Path, tmp_path: Path, stop_after: int, length: int) -> None:
    """At 16 tokens a row many documents are longer, so the states that are passed on must survive the stop too."""
    whole = Run(options(data, tmp_path / "whole", length=length))
    whole.train()

    stopped = Run(options(data, tmp_path / "stopped", length=length))
    step = stopped.train_step

    def step_then_stop(batch: object) -> torch.Tensor:
        stopped.asked_to_stop = stopped.step + 1 == stop_after
        return step(batch)

    stopped.train_step = step_then_stop  # type: ignore[method-assign]
    stopped.train()
    assert stopped.step == stop_after
    assert (stopped.state is not None and len(stopped.state.layers) > 0) == (length == 16)
    resumed = Run(options(data, tmp_path / "stopped", length=length))
    resumed.train()
    assert resumed.step == 12
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_a_run_with_a_time_limit_ends_decayed_and_keeps_its_stages(data: Path, tmp_path: Path) -> None:
    run = Run(options(data, tmp_path / "run", stages="pretrain:300,sft:100", finish_minutes=1, report=1))
    step, rates = run.train_step, []

    def slow_step(batch: object) -> torch.Tensor:
        loss = step(batch)
        rates.append(run.optimisers[0].param_groups[0]["lr"])
        run.seconds += 3  # as a step of a slow machine
        return loss

    run.train_step = slow_step  # type: ignore[method-assign]
    run.train()
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    stages = [line["stage"] for line in lines]
    assert 18 <= len(stages) <= 21 and 4 <= stages.count("sft") <= 6
    assert rates[0] < rates[2] == pytest.approx(1e-2) and rates[-1] < 2e-3
    provenance = json.loads((tmp_path / "run" / "checkpoint" / "provenance.json").read_text())
    assert provenance["steps"] == len(stages) and provenance["planned_steps"] == 400


def test_a_run_from_other_weights_says_what_they_went_through(data: Path, tmp_path: Path) -> None:
    Run(options(data, tmp_path / "first", stages="pretrain:3")).train()
    Run(options(data, tmp_path / "second", stages="sft:2", init=str(tmp_path / "first" / "checkpoint"))).train()
    third = Run(options(data, tmp_path / "third", stages="sft:1", init=str(tmp_path / "second" / "checkpoint")))
    third.train()
    provenance = json.loads((tmp_path / "third" / "checkpoint" / "provenance.json").read_text())
    assert (provenance["steps"], provenance["continues"]["steps"], provenance["continues"]["continues"]["steps"]) == (1, 2, 3)
    assert str(tmp_path) not in json.dumps(provenance)


def test_the_commit_comes_from_the_environment_where_there_is_no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert commit_hash() == "unknown"
    monkeypatch.setenv("TIDEPOOL_COMMIT", "abc1234")
    assert commit_hash() == "abc1234"


def test_broken_inputs_are_named(data: Path, tmp_path: Path) -> None:
    run = Run(options(data, tmp_path / "run", stages="pretrain:2"))
    run.train()
    state = tmp_path / "run" / "state.pt"
    state.write_bytes(state.read_bytes()[:5000])
    with pytest.raises(SystemExit, match=r"state\.pt can't be read \(5000 bytes"):
        Run(options(data, tmp_path / "run")).train()
    with pytest.raises(ValueError, match="name:steps"):
        parse_stages("pretrain")
    (data / "sft.mask.bin").write_bytes(b"\1\1")
    with pytest.raises(DataError, match="2 mask bytes"):
        PackedStage(data, "sft")
    (data / "sft.docs.bin").unlink()
    with pytest.raises(DataError, match=r"sft\.docs\.bin is missing"):
        PackedStage(data, "sft")


def test_orthogonalise_and_schedule() -> None:
    torch.manual_seed(0)
    for shape in ((32, 96), (96, 32)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)).float())
        assert values.min() > 0.5 and values.max() < 1.3  # Muon's coefficients aim at 1 ± 0.3
    assert schedule(0) < 0.01 and schedule(0.3) == 1 and schedule(0.99) < 0.1
    falling = [schedule(x / 100) for x in range(60, 101)]
    assert falling == sorted(falling, reverse=True)


def test_parts_give_the_file_back_or_name_the_fault(tmp_path: Path) -> None:
    file = tmp_path / "state.pt"
    content = np.random.default_rng(1).bytes(2500)
    file.write_bytes(content)
    folder = tmp_path / "parts"
    assert [p.stat().st_size for p in parts.split(file, folder, 1000)] == [1000, 1000, 500]
    assert parts.join(folder, tmp_path / "back").read_bytes() == content
    cut = folder / "state.pt.001"
    cut.write_bytes(content[1000:1990])
    with pytest.raises(parts.PartsError, match=r"state\.pt\.001: 990 bytes, 1000 bytes expected"):
        parts.join(folder, tmp_path / "again")
    cut.write_bytes(b"x" * 1000)
    with pytest.raises(parts.PartsError, match="SHA-256"):
        parts.join(folder, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_card_quotes_the_measured_figures() -> None:
    manifest = {
        "name": "toy", "parameters": 1_700_000, "pattern": "M-*", "files": [{"path": "onnx/model_quantized.onnx", "bytes": 2_000_000}],
        "provenance": {"steps": 10, "tokens": 5_000_000, "seconds": 600, "device": "cpu", "seed": 1, "commit": "abc"},
    }  # fmt: skip
    evaluation = {
        "overall": {"0": 0.25, "unlimited": 0.875}, "families": {"addition": {"0": 0.5, "unlimited": 1.0}},
        "perplexity": {"q4": 3.25}, "n": 40, "command": "npm run eval", "commit": "def",
    }  # fmt: skip
    text = card.card(manifest, evaluation)
    for expected in ("1.70 M parameters", "| all | 25 % | 88 % |", "| addition | 50 % | 100 % |", "q4 3.25", "2.0 MB"):
        assert expected in text
    assert "Measured" not in card.card(manifest, None) and "Reward head" not in text
    kinds = [{"kind": "talk, breaks off", "pairs": 80, "rule": "a reply before its beginning"}, {"kind": "sampled, wrong", "pairs": 40, "rule": "checked"}]
    rewarded = card.card(manifest | {"reward": "onnx/reward.onnx", "checks": {"reward": {"parityMaxAbs": 0, "pairs": kinds}}}, None)
    assert "fitted on 120 pairs" in rewarded and "| talk, breaks off | 80 | a reply before its beginning |" in rewarded
    assert "were not measured: ask a new question in a new chat" in text and "second question" not in text
    lost = {"problems": 160, "alone": 0.6875, "second": 0.0875, "fourth": 0.0437}
    lost["interval"] = {"alone": [0.612, 0.7542], "second": [0.0528, 0.1415], "fourth": [0.0214, 0.0875]}
    text = card.card(manifest, evaluation | {"inChat": lost})
    assert "Of 160 problems it solved 69 % when each was asked alone, 9 % when it was the second question of a chat and 4 %" in text
    assert "Ask a new question in a new chat. Don't" in text
    assert "| 69 % (61 to 75) | 9 % (5 to 14) | 4 % (2 to 9) |" in text
    kept = lost | {"second": 0.65, "fourth": 0.625, "interval": lost["interval"] | {"second": [0.57, 0.72], "fourth": [0.55, 0.70]}}
    text = card.card(manifest, evaluation | {"inChat": kept})
    assert "65 % when it was the second" in text and "in a new chat" not in text
    assert "10 steps, 5.0 M tokens, 10 minutes on cpu, seed 1" in text
    manifest["provenance"]["continues"] = {"steps": 4, "tokens": 2_000_000, "seconds": 60, "continues": {"steps": 1, "tokens": 0, "seconds": 0}}
    assert "15 steps, 7.0 M tokens, 11 minutes on cpu in 3 runs" in card.card(manifest, None)
    assert "widened" not in card.card(manifest, None)
    manifest["provenance"]["continues"]["grown_to"] = "small"
    assert "(widened to `small` on the way)" in card.card(manifest, None)


def test_two_processes_train_as_one(data: Path, tmp_path: Path) -> None:
    """The same rows in the same order, so the same losses and weights but for rounding; one of them writes."""
    one = Run(options(data, tmp_path / "one", stages="sft:8"))
    one.train()
    given = ["--preset", "micro", "--data", str(data), "--run", str(tmp_path / "two"), "--stages", "sft:8", "--rows", "4", "--length", "64"]
    given += ["--lr", "1e-2", "--seed", "3", "--report", "4", "--evaluate", "4", "--no-bf16"]

    def team(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tidepool_model.training.train", *arguments, "--processes", "2"]
        return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300, check=False)

    done = team(*given)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = ([json.loads(line) for line in (tmp_path / run / "log.jsonl").read_text().splitlines()] for run in ("one", "two"))
    assert [line["step"] for line in second] == [4, 8]
    assert [line["loss"] for line in second] == pytest.approx([line["loss"] for line in first], abs=2e-3)
    assert second[-1]["loss"] < second[0]["loss"]
    weights = torch.load(tmp_path / "two" / "state.pt", weights_only=True)["model"]
    for name, parameter in one.model.named_parameters():
        # In the mean: AdamW blows up rounding where a gradient is all but zero. A step moves a weight by up to 1e-2.
        assert (weights[name] - parameter).abs().mean() < 5e-4, name
    refused = team(*given, "--run", str(tmp_path / "three"), "--rows", "3")
    assert refused.returncode != 0 and "3 rows a step can't be shared by 2 processes" in refused.stderr


def test_each_mixer_learns_its_layer_of_the_teacher_by_itself(data: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    teacher = HybridLM(preset("micro", VOCAB)).eval()
    batch = next(PackedStage(data, "sft").batches(4, 64, seed=1))
    assert layerwise_loss(teacher, teacher, batch).item() < 1e-9
    save_pretrained(teacher, tmp_path / "teacher", {"eos_token_id": 1, "pad_token_id": 2, "bos_token_id": 3})
    fresh = twin(teacher, "attention")
    save_pretrained(fresh, tmp_path / "twin", {"eos_token_id": 1, "pad_token_id": 2, "bos_token_id": 3})
    before = layerwise_loss(fresh, teacher, batch).item()
    told = options(data, tmp_path / "run", preset=None, init=str(tmp_path / "twin"), teacher=str(tmp_path / "teacher"), layerwise=True, stages="sft:30")
    Run(told).train()
    taught = load_pretrained(tmp_path / "run/checkpoint")
    assert layerwise_loss(taught, teacher, batch).item() < 0.9 * before
    replaced = {i for i, letter in enumerate(teacher.config.pattern) if letter == "M"}
    for name, value in taught.state_dict().items():  # nothing but those layers is moved
        index = int(name.split(".")[2]) if name.startswith("model.layers.") else None
        if index not in replaced:
            assert torch.equal(value, fresh.state_dict()[name]), name
    with pytest.raises(ValueError, match="--layerwise needs a --teacher"):
        Run(options(data, tmp_path / "alone", layerwise=True))
