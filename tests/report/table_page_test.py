"""The page about a table: what it shows is in table.json, as text; figures are files, too."""

import html
import json
import re

import pytest
from PIL import Image

from tests.report import browser
from zsl_jax.report import write_table_page
from zsl_jax.report.table_figures import figures_of

EVIL = "<script>document.title='taken'</script>"


def row(name, group, means, **more):
    entries = {column: {"mean": mean, "sd": 0.5} for column, mean in means.items()}
    return {"name": name, "title": name, "group": group, "entries": entries, **more}


TABLE = {
    "experiment": "tiny",
    "title": f"A table {EVIL}",
    "score": "accuracy",
    "figure": None,
    "missing": ["multi/cc/kd/1"],
    "notes": ["a note & more"],
    "blocks": [
        {
            "setting": {"name": "multi", "title": "several"},
            "columns": ["bb", "cc", "Avg."],
            "rows": [
                row("kd", "soft", {"bb": 70.0, "cc": 80.0, "Avg.": 75.0}),
                row(EVIL, "soft", {"bb": 71.0}),
                row("empty", "soft", {}),
            ],
        }
    ],
    "grids": [
        {
            "title": "several: accuracy",
            "columns": ["bb", "cc", "Avg."],
            "rows": [
                {"group": "soft", "title": "KD", "cells": [
                    {"text": "70.00", "mark": None}, {"text": "80.00", "mark": "bold"},
                    {"text": "75.00", "mark": "underlined"}]},
                {"group": "other", "title": EVIL, "cells": [{"text": "71.00", "mark": None}] * 3},
            ],
        }
    ],
}  # fmt: skip


def test_a_figure_has_a_line_for_every_setting_and_says_what_its_bars_are():
    rows = [row(title, "soft", {"bb": mean}) for title, mean in (("1", 70.0), ("2", 71.0))]
    blocks = [
        {"setting": {"name": name, "title": name}, "columns": ["bb"], "rows": rows}
        for name in ("one", "two")
    ]
    figure = {"across": "rows", "x_label": "τ"}
    (drawn,) = figures_of({**TABLE, "figure": figure, "blocks": blocks}).values()
    (axes,) = drawn.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one, bb", "two, bb"]
    assert axes.get_ylabel() == "accuracy, % (± standard deviation over seeds)"
    for entry in (entry for one in rows for entry in one["entries"].values()):
        entry["sd"] = None
    (drawn,) = figures_of({**TABLE, "figure": figure, "blocks": blocks[:1]}).values()
    assert drawn.axes[0].get_ylabel() == "accuracy, %"
    assert [text.get_text() for text in drawn.axes[0].get_legend().get_texts()] == ["bb"]


@pytest.fixture
def page(tmp_path):
    (tmp_path / "table.json").write_text(json.dumps(TABLE), encoding="utf-8")
    write_table_page(tmp_path / "table.json", tmp_path)
    return tmp_path / "report.html"


def test_the_page_shows_tables_notes_and_what_is_missing(page):
    text = page.read_text(encoding="utf-8")
    assert EVIL not in text and html.escape(EVIL, quote=False).replace("'", "&#39;") in text
    assert "<strong>80.00</strong>" in text and "<u>75.00</u>" in text
    assert "1 cells are missing" not in text and "1 cell is missing" in text
    assert "<li>a note &amp; more</li>" in text
    assert len(re.findall(r'<th scope="rowgroup"', text)) == 2
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)


def test_figures_are_files_and_on_the_page(page):
    picture = Image.open(page.parent / "tiny-multi.png")
    assert picture.width > 600 and len(set(picture.convert("L").getdata())) > 20
    svg = (page.parent / "tiny-multi.svg").read_text(encoding="utf-8")
    assert "kd – soft" in svg and "empty – soft" not in svg
    assert "kd – soft" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("across", ["settings", "rows"])
def test_a_figure_has_lines_along_settings_or_rows(across, tmp_path):
    table = json.loads(json.dumps(TABLE))
    table["figure"] = {"across": across, "x_label": "sentences"}
    block = table["blocks"][0]
    block["rows"] = [row("1", "soft", {"bb": 70.0}), row("10", "soft", {"bb": 60.0})]
    other = json.loads(json.dumps(block))
    block["setting"]["name"], other["setting"]["name"] = "200", "500"
    table["blocks"] = [block, other] if across == "settings" else [block]
    for part in table["blocks"]:
        part["columns"] = ["bb"]
    (tmp_path / "table.json").write_text(json.dumps(table), encoding="utf-8")
    write_table_page(tmp_path / "table.json", tmp_path)
    svg = (tmp_path / "tiny.svg").read_text(encoding="utf-8")
    assert "sentences" in svg and ("1 – soft" in svg) == (across == "settings")


@browser.needs_browser
def test_a_browser_shows_the_page_without_an_error(page):
    shown = browser.dom(page)
    assert "several: accuracy" in shown and "<title>A table &lt;script&gt;" in shown
