"""The report on impact: sets held to their checksums, figures with intervals and gates, and sources of what is reckoned."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tasks.registry import FAMILIES
from tidepool_model.evaluation.hybrid import is_right, own_problems
from tidepool_model.evaluation.impact import bias, document, footprint, labour, privacy, values
from tidepool_model.evaluation.impact.figure import Figure, gate, largest_gap, share
from tidepool_model.evaluation.impact.sets import FILES, SetError, fetch
from tidepool_model.evaluation.impact.wording import REGIONS, SPELLINGS, in_words, names_of, numbers_in_words, renamed, respelt


@pytest.fixture
def host() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A host that has what stands in the dictionary, by path."""
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", files
    server.shutdown()


def test_a_set_is_fetched_once_and_held_to_its_checksum(host: tuple[str, dict[str, bytes]], tmp_path: Path) -> None:
    address, files = host
    file = replace(FILES["crows"], sha256=hashlib.sha256(b"pairs").hexdigest())
    with pytest.raises(SetError, match="copy data/crows_pairs_anonymized.csv"):
        fetch(file, tmp_path, address)
    files[f"/{file.repository}/{file.commit}/{file.path}"] = b"pair"
    with pytest.raises(SetError, match="cut short"):
        fetch(file, tmp_path, address)
    assert not list(tmp_path.iterdir())
    files[f"/{file.repository}/{file.commit}/{file.path}"] = b"pairs"
    path = fetch(file, tmp_path, address)
    files.clear()
    assert fetch(file, tmp_path, address) == path and path.read_bytes() == b"pairs"
    path.write_bytes(b"other")
    with pytest.raises(SetError, match="remove it"):
        fetch(file, tmp_path, address)


class Reader:
    """Stands for a model: likes sentences with its word, and words in alphabetical order."""

    begin = [0]

    def __init__(self, liked: str) -> None:
        self.liked = liked

    def encode(self, text: str) -> list[str]:
        return text.split()

    def text_log_probs(self, texts: Sequence[str]) -> list[float]:
        return [sum(a <= b for a, b in zip(text.split(), text.split()[1:], strict=False)) + 100.0 * (self.liked in text.split()) for text in texts]

    def log_probs(self, rows: Sequence[tuple[list[str], list[str]]]) -> list[float]:
        return [float(self.liked in " ".join(rest)) for _, rest in rows]


def test_crows_pairs_are_counted_by_kind_beside_the_gate(tmp_path: Path) -> None:
    path = tmp_path / "crows.csv"
    path.write_text(",sent_more,sent_less,stereo_antistereo,bias_type\n" + "".join(f'{i},"a b men d{i}","a b women d{i}",stereo,gender\n' for i in range(40)) + '40,"a b old","a b young",antistereo,age\n')
    pairs = bias.read_pairs(path)
    figure = bias.crows(Reader("men"), pairs)[0]  # type: ignore[arg-type]
    assert figure.value == pytest.approx(100 * 40 / 41) and figure.neutral == 50
    assert {line["name"]: line["n"] for line in figure.groups} == {"(antistereotype)": 1, "(stereotype)": 40, "age": 1, "gender": 40}
    assert figure.gate is not None and figure.gate["n"] == 41
    blind = bias.crows(Reader("men"), [replace(pair, more="d c b a", less="d c b z") for pair in pairs])[0]  # type: ignore[arg-type]
    assert blind.gate is not None and not blind.gate["passed"]


def test_winogender_finds_a_model_that_follows_the_share_of_men() -> None:
    sentences = {(job, "someone", answer, gender): f"{job} {answer} {gender}" for job in ("smith", "nurse", "clerk") for answer in ("0", "1") for gender in ("male", "female", "neutral")}

    class Follows(Reader):
        def text_log_probs(self, texts: Sequence[str]) -> list[float]:
            odds = {"smith": 2.0, "nurse": -2.0, "clerk": 0.0}
            return [odds[text.split()[0]] * ("male" in text.split()) for text in texts]

    figures = {figure.id: figure for figure in bias.winogender(Follows("smith"), sentences, {"smith": 95, "nurse": 10, "clerk": 50}, 6)}  # type: ignore[arg-type]
    assert figures["winogender-men"].value == pytest.approx(1, abs=0.01)
    assert figures["winogender-changed"].value == 0  # this reader never looks at the pronoun
    assert figures["winogender-changed"].gate is not None and not figures["winogender-changed"].gate["passed"]


def test_a_gate_opens_by_the_lower_end_of_its_interval() -> None:
    assert not gate("reads", [True] * 10, 90)["passed"]  # ten of ten may be luck
    assert gate("reads", [True] * 400, 90)["passed"]
    assert share([True, False])[0] == 50


def test_a_gap_is_held_against_chance() -> None:
    rng = np.random.default_rng(1)
    same = {name: (rng.random(60) < 0.5).tolist() for name in "abcdefgh"}
    gap, interval, chance = largest_gap(same)
    assert interval[0] <= gap <= interval[1] + 1e-9 and 10 < chance < 30 and abs(gap - chance) < 20
    gap, _, chance = largest_gap({"a": [True] * 60, "b": [False] * 60})
    assert gap == 100 and chance < 20


def test_numbers_in_words() -> None:
    assert in_words(0) == "zero" and in_words(21) == "twenty-one" and in_words(700) == "seven hundred" and in_words(46311) == "forty-six thousand three hundred and eleven"
    assert numbers_in_words("What is 23+58?") == "What is twenty-three plus fifty-eight?"
    assert numbers_in_words("Take 9 - 4.") == "Take nine minus four."
    with pytest.raises(ValueError, match="below a million"):
        in_words(1_000_000)


def test_spellings_change_words_and_nothing_else() -> None:
    assert respelt("What are 3 of the 12?", SPELLINGS["Scots"]) == "Whit ar 3 o the 12?"
    assert respelt("The sum of a and b", SPELLINGS["a learner's English"]) == "sum of and b"
    assert respelt("What?", SPELLINGS["as written"]) == "What?"


def test_renamed_problems_are_still_checked() -> None:
    assert all(len(theirs) == 10 == len(set(theirs)) for theirs in REGIONS.values())
    named = [p for p in own_problems() if 1 <= len(names_of(p["question"])) <= 10 and p["family"] in ("lookup", "relations")]
    assert len(named) > 20
    for turn, problem in enumerate(named):
        other = renamed(problem, "West Africa", turn)
        assert not set(names_of(other["question"])) & set(names_of(problem["question"]))
        assert is_right(other, f"The answer is {other['gold']}.") == is_right(problem, f"The answer is {problem['gold']}.")
        if problem["gold"] != other["gold"]:
            assert not is_right(other, f"The answer is {problem['gold']}.")
    assert set(p["family"] for p in named) <= set(FAMILIES)


def test_refusals_are_known_by_their_words() -> None:
    assert values.declines("I can't help with that.") and values.declines("Sorry, I do not know.") and values.declines("I cannot say.")
    assert not values.declines("Cut it with a knife.") and not values.declines("You know that best.")
    prompts = values.load_prompts()
    assert len(prompts["harmful"]) == len(prompts["harmless"]) == 24 and all(len(pair) == 2 for pair in prompts["statements"])


def test_what_is_reckoned_stands_in_the_log() -> None:
    works = footprint.works(footprint.LOG.read_text(), json.loads((footprint.ROOT / "public/models/tidepool/manifest.json").read_text()))
    assert works[0].hours == pytest.approx((18437 + 3652) / 3600, rel=0.01)  # 307 minutes, the last run on two cores
    with pytest.raises(footprint.FootprintError, match="micro"):
        footprint.works("nothing", {})
    assert 5e6 < footprint.visit_bytes((footprint.ROOT / "docs/offline.md").read_text()) < 1e7
    energy = {figure.id: figure for figure in footprint.energy()}
    assert energy["token-energy"].value is not None and len(energy["token-energy"].groups) == 2
    assert energy["training-energy"].value == pytest.approx(sum(w.hours for w in works) * footprint.CORE.middle / 1000)


def test_the_tests_that_prove_the_apps_claims_are_there() -> None:
    for _, file, title in privacy.PROOFS:
        assert title in (footprint.ROOT / file).read_text(encoding="utf-8")


def test_exposure_is_the_rank_of_the_secret() -> None:
    found = privacy.canaries()
    names = [name for pairs in found.values() for name, _ in pairs]
    assert len(set(names)) == len(names) == privacy.EACH * len(privacy.TIMES)
    assert privacy.auc(np.array([2.0, 3.0]), np.array([1.0, 2.0])) == pytest.approx(0.875)


def test_the_document_says_a_shut_gate_and_has_every_figure(tmp_path: Path) -> None:
    figure = Figure("crows", "a share", 51.0, "%", [48, 54], 100, "much", gate={"name": "reads", "value": 60.0, "unit": "%", "interval": [50.0, 69.0], "n": 100, "needed": 90, "passed": False})
    (tmp_path / "bias-tidepool.json").write_text(json.dumps({"figures": [figure.record("tidepool", "bias")], "table": None}))
    (tmp_path / "labour-recipe.json").write_text(json.dumps({"figures": [f.record(None, "labour") for f in labour.figures()], "table": labour.table()}))
    report = document.joined(tmp_path, [{"id": "tidepool", "name": "Tidepool small", "parameters": 3340826, "weights": "abc"}], "2026-11-28", "abc1234")
    assert [category["id"] for category in report["categories"]] == list(document.ORDER) and len(report["categories"]) == 7
    text = document.markdown(report)
    assert "means nothing" in report["categories"][0]["summary"] and "**shut**" in text and "51 %" in text and "TinyStories" in text
    assert "Not measured." in text  # what the journal lacks is said


def test_a_fresh_journal_takes_up_what_the_report_has_of_the_same_weights(tmp_path: Path) -> None:
    shipped = json.loads((footprint.ROOT / "public/models/impact.json").read_text(encoding="utf-8"))
    weights = {model["id"]: model["weights"] for model in shipped["models"]}
    (tmp_path / "bias-tidepool.json").write_text('{"figures": [], "table": null}')  # measured already: it stays
    taken = document.take_up(shipped, tmp_path, weights | {"lagoon": "others"})
    assert taken == ["values-tidepool", "disparity-tidepool", "privacy-tidepool"] and not (tmp_path / "model-lagoon.json").exists()
    for path in tmp_path.glob("*.json"):
        path.unlink()
    document.take_up(shipped, tmp_path, weights)
    again = document.joined(tmp_path, shipped["models"], shipped["date"], shipped["commit"])
    of_models = lambda report: [(c["id"], c["summary"], c["figures"], c.get("table"), c["notes"]) for c in report["categories"] if c["id"] in document.OF_A_MODEL]
    assert of_models(again) == of_models(shipped)
