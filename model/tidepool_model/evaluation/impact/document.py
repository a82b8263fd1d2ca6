"""Joins what was measured into impact.json, and writes docs/impact.md from it: no figure is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import bias, disparity, footprint, labour, privacy, values
from .figure import COMMAND
from .sets import licences

ORDER: Mapping[str, tuple[str, Sequence[str]]] = {
    "bias": (bias.TITLE, bias.NOTES),
    "values": (values.TITLE, values.NOTES),
    "disparity": (disparity.TITLE, disparity.NOTES),
    "privacy": (privacy.TITLE, privacy.NOTES),
    "cost": (footprint.COST_TITLE, ("Prices are assumptions that the table names; change them and run the command again.",)),
    "environment": (footprint.ENERGY_TITLE, ("No meter was read. Hours are measured, watts and grams are assumptions that the table names.", "The making of devices and servers, the network, and the training of SmolLM2 (2 trillion tokens by its makers' account, which Lagoon begins from) are left out; the last is far more than all else here.")),
    "labour": (labour.TITLE, labour.NOTES),
}
OF_A_MODEL = ("bias", "values", "disparity", "privacy")
LICENCES: Mapping[str, Sequence[str]] = {"bias": ("crows", "winogender")}
FRAMEWORK = {"name": "the seven categories of a base system's social impact", "source": "Solaiman et al., arXiv 2306.05949"}


def in_unit(figure: Mapping[str, Any], value: float | None) -> str:
    if value is None:
        return "not measured"
    unit = figure["unit"]
    return f"{value:g}" if unit in ("count", "AUC", "correlation") else f"{value:g} {unit}"


def sentence(figure: Mapping[str, Any]) -> str:
    """A figure in words, with its interval and whether it means anything."""
    said = f"{figure['name']}: {in_unit(figure, figure['value'])}"
    if figure["interval"]:
        said += f" ({figure['interval'][0]:g} to {figure['interval'][1]:g})"
    if (shut := figure.get("gate")) and not shut["passed"]:
        said += f", which means nothing: {shut['name']} only {shut['value']:g} % of the time, {shut['needed']} are needed"
    return said + "."


def summary(figures: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """The first figure of each model, or the first one."""
    if not figures:
        return "Not measured."
    models = list(dict.fromkeys(figure["model"] for figure in figures))
    return " ".join((f"{names.get(model, model)}: " if model else "") + sentence(next(f for f in figures if f["model"] == model)) for model in models)


def joined(journal: Path, models: Sequence[Mapping[str, Any]], date: str, commit: str) -> dict[str, Any]:
    """The report, from JOURNAL/CATEGORY-MODEL.json of each part that was measured."""
    names = {model["id"]: model["name"] for model in models}
    categories = []
    for category, (title, notes) in ORDER.items():
        parts = [json.loads(path.read_text()) for path in sorted(journal.glob(f"{category}-*.json"), key=lambda path: (path.stem != f"{category}-tidepool", path.stem))]
        figures = [figure for part in parts for figure in part["figures"]]
        found: dict[str, Any] = {"id": category, "title": title, "summary": summary(figures, names), "figures": figures}
        tables = [part["table"] for part in parts if part.get("table")]
        if category == "privacy" and figures:
            tables = [privacy.table()]  # of the app, whichever models were measured
        if tables:
            found["table"] = {"columns": tables[0]["columns"], "rows": [row for each in tables for row in each["rows"]]}
        if category in LICENCES:
            found["licences"] = licences(*LICENCES[category])
        about = {figure["model"] for figure in figures}
        missing = [name for id_, name in names.items() if category in OF_A_MODEL and id_ not in about]
        categories.append(found | {"notes": [*notes, *(f"{name}: not measured here yet." for name in missing)]})
    return {"version": 1, "date": date, "commit": commit, "command": COMMAND, "framework": FRAMEWORK, "models": list(models), "categories": categories}


def take_up(report: Mapping[str, Any], journal: Path, weights: Mapping[str, str]) -> list[str]:
    """Puts into the journal what a report has of models whose weights (id: digits) are still these; the parts, as CATEGORY-MODEL.

    What the journal has already stays. So a machine that never measured goes on from the report that ships."""
    taken = []
    models = {model["id"]: model for model in report["models"] if weights.get(model["id"]) == model["weights"]}
    for category in report["categories"]:
        for id_, about in models.items():
            path = journal / f"{category['id']}-{id_}.json"
            figures = [figure for figure in category["figures"] if figure["model"] == id_]
            if category["id"] not in OF_A_MODEL or not figures or path.exists():
                continue
            table = category.get("table") if category["id"] == "values" else None
            rows = [row for row in table["rows"] if row[0] == id_] if table else []
            path.write_text(json.dumps({"figures": figures, "table": table and {"columns": table["columns"], "rows": rows}}, ensure_ascii=False))
            (journal / f"model-{id_}.json").write_text(json.dumps(about))
            taken.append(path.stem)
    return taken


def markdown(report: Mapping[str, Any]) -> str:
    """docs/impact.md."""
    lines = [
        "# Report on impact", "",
        f"By `{report['command']}` in `model/` on {report['date']} (recipe {report['commit']}); {report['framework']['name']} ({report['framework']['source']}). "
        "The app's page “Report” shows the same file, `public/models/impact.json`. Brackets are 95 % intervals, or the range of what was assumed where that is said. "
        "A figure whose gate is shut means nothing and says so.", "",
        "Models: " + "; ".join(f"{m['name']} ({m['parameters'] / 1e6:.2f} M, weights {m['weights']})" for m in report["models"]) + ".", "",
    ]  # fmt: skip
    for category in report["categories"]:
        lines += [f"## {category['title']}", "", category["summary"]]
        if category["figures"]:
            lines += ["", "| model | figure | value | 95 % | n | gate | can't say |", "| --- | --- | ---: | ---: | ---: | --- | --- |"]
        for f in category["figures"]:
            interval = f"{f['interval'][0]:g} to {f['interval'][1]:g}" if f["interval"] else ""
            shut = f.get("gate")
            passed = f"{'open' if shut['passed'] else '**shut**'}: {shut['value']:g} % ({shut['interval'][0]:g} to {shut['interval'][1]:g}) of {shut['needed']} needed, {shut['name']}" if shut else ""
            lines.append(f"| {f['model'] or ''} | {f['name']} | {in_unit(f, f['value'])} | {interval} | {f['n'] if f['n'] is not None else ''} | {passed} | {f['cannotSay']} |")
        for f in category["figures"]:
            if f.get("groups"):
                shown = "; ".join(f"{g['name']} {g['value']:g}" + (f" ({g['interval'][0]:g} to {g['interval'][1]:g})" if g["interval"] else "") for g in f["groups"])
                lines += ["", f"{f['model'] or 'All'}, {f['id']}, in {f['unit']}: {shown}."]
        if table := category.get("table"):
            cell = lambda value: str(value).replace("|", "\\|").replace("\n", " ")
            lines += ["", f"| {' | '.join(table['columns'])} |", f"|{' --- |' * len(table['columns'])}", *(f"| {' | '.join(map(cell, row))} |" for row in table["rows"])]
        if category.get("licences"):
            lines += ["", "Sets: " + "; ".join(f"[{e['name']}]({e['url']}), {e['licence']}" for e in category["licences"]) + "; fetched by `python -m tidepool_model.evaluation.impact.sets`, not kept here."]
        lines += ["", *(f"- {note}" for note in category["notes"]), ""]
    return "\n".join(lines).rstrip() + "\n"
