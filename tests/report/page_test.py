"""Tests of zsl_jax.report: what is on the page is what the run's folder holds, as text."""

import html
import itertools
import json
import re
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from benchmarks.synthetic_run import write_run
from tests.report import browser
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.errors import InputError
from zsl_jax.labels import SILENT
from zsl_jax.report import charts, page, write_report
from zsl_jax.report.labelled_words import LabelledWords
from zsl_jax.report.labels_section import labels_section
from zsl_jax.report.text_statistics import text_statistics

SECTIONS = ["summary", "sources", "learning", "labels", "doubtful", "test", "record"]
EVIL = "<script>document.title='taken'</script>"
LABELS = ("NOUN", "<b>V</b>", "$x_1$", "_X", "اسم")
SOURCES = (EVIL, "en & co", "_quiet", "constant\"'")
LONG = "a" * 10_000
WORDS = ("Anna", "viu", EVIL, "&amp;", "שלום", "مرحبا", "</script>", LONG, "`${1}`", "{{ 1 }}")


ROWS = [
    {
        "name": name,
        "labels_from": kind,
        "scores": {
            "score": score,
            "accuracy": score,
            "interval": [score - 0.0625, score + 0.03125],
        },
    }
    for name, kind, score in (
        (EVIL, "source", 0.71875),
        ("lvm", "P", 0.8125),
        ("lvm", "Q", 0.84375),
    )
]
BIN = {"low": 0.9, "high": 1.0, "num_words": 1234, "probability": 0.953125, "accuracy": 0.890625}
TEST = {
    "labels_from": "Q",
    "confusions": [{"gold": "<b>V</b>", "predicted": "NOUN", "num_words": 17, "share": 0.28125}],
    "calibration": {"P": {"bins": [BIN], "error": 0.0625}, "Q": {"bins": [BIN], "error": 0.09375}},
    "errors": {
        "words": 2345,
        "wrong": 456,
        "no_source": {"count": 1, "examples": [
            {"sentence": 7, "before": [EVIL], "word": LONG, "after": ["x"], "gold": "NOUN",
             "predicted": "_x"}
        ]},
        "all_sources": {"count": 0, "examples": []},
    },
}  # fmt: skip


SAID = {"verdict": "lvm (Q, 84.38) beats <all>", "devices": "1 × <cpu>, 1 process"}
READ = {"source": {"en & co": {"lost_mentions": 3, "lost_examples": "line 4: '<i>Bo' (PER)"}}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run whose words, labels and sources are hostile, with its page."""
    rng = np.random.default_rng(1)
    sentences = [[WORDS[i] for i in rng.integers(0, 10, rng.integers(1, 12))] for _ in range(500)]
    folder = write_run(tmp_path_factory.mktemp("report") / "run", sentences, LABELS, SOURCES)
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(
        json.dumps({**result, "rows": ROWS, "test": TEST, "labels": READ, **SAID})
    )
    write_report(folder, folder / "report.html")
    return folder


@pytest.fixture(scope="module")
def text(run):
    return (run / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def result(run):
    return json.loads((run / "result.json").read_text())


def cells(text, key):
    """The numbers of one column of the table of sources."""
    return [float(n) for n in re.findall(rf'data-key="{key}">([+-]?[\d.]+)', text)]


@pytest.mark.parametrize("key", ["coverage", "agreement", "mean_diagonal", "moved"])
def test_the_numbers_of_the_sources_are_those_of_the_record(text, result, key):
    expected = [source[key] for source in result["sources"]["sources"]]
    assert cells(text, key) == pytest.approx([100 * value for value in expected], abs=0.005)


def test_confusions_warnings_and_changes_are_those_of_the_record(text, result):
    text = re.sub("</?bdi>", "", text)
    about = result["sources"]
    assert len(about["warnings"]) >= 1  # the constant source
    for warning in about["warnings"]:
        assert (
            str(html.escape(warning)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text
        )
    for source in about["sources"]:
        for found in source["confusions"]:
            given, true = html.escape(found["predicted"]), html.escape(found["inferred"])
            share = f"{100 * found['share']:.2f}"
            assert f"{given} for {true}: {found['num_words']:,} word" in text
            assert f"{share} % of {true}</h4>" in text
    names = ["the majority of the sources", "the mean of the sources", "Dawid–Skene"]
    names += [f"the source {html.escape(SOURCES[0]).replace('&#x27;', '&#39;')}", "the tagger"]
    differ = [
        f"from {name} on {100 * (1 - share):.2f} % of the words"
        for name, share in zip(names, about["same_labels"].values(), strict=True)
    ]
    assert f" differ {', '.join(differ[:-1])} and {differ[-1]}. " in " ".join(text.split())


def test_mentions_that_do_not_stand_in_the_text_are_told_with_examples(text):
    (line,) = re.findall(r"names 3 mentions that are not in the text.*", text)
    assert "such as <bdi>line 4: &#39;&lt;i&gt;Bo&#39; (PER)</bdi>" in line


def test_counts_and_doubt_are_those_of_the_labels(run, text):
    made = read_predictions(run / "labels.parquet")
    assert f"{len(made.labels):,} words in {len(made.words):,} sentences" in " ".join(text.split())
    counts = np.bincount(made.labels, minlength=5)
    table = text.partition('aria-label="Table of the labels"')[2].partition("</table>")[0]
    rows = re.findall(r'<th scope="row">([^<]*)</th><td[^>]*>([\d,]+)</td>', table)
    found = {html.unescape(name): int(count.replace(",", "")) for name, count in rows}
    assert {name: found[name] for name in LABELS} == dict(zip(LABELS, counts.tolist(), strict=True))
    doubt = 1 - made.probs.astype(np.float32).max(axis=1)
    ends = np.cumsum([0, *map(len, made.words)])
    sums = np.array([doubt[a:b].sum() for a, b in itertools.pairwise(ends)])
    shown = [int(n) - 1 for n in re.findall(r"Sentence (\d+) of the text", text)]
    assert shown == np.argsort(-sums, kind="stable")[:50].tolist()
    assert f"<b>{100 * doubt.sum() / len(doubt):.2f} %</b>" in text


def test_rounds_are_those_of_the_metrics(run, text):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        if line["kind"] == "round":
            values = [line["objective"], line["bound"], line["entropy"]]
            row = "".join(f"<td>{value:.4f}</td>" for value in values)
            row += "".join(f"<td>{100 * x:.2f}</td>" for x in line["agreement"].values())
            assert f'<th scope="row">{line["round"]}</th>{row}' in text


def test_the_test_is_that_of_the_record(text):
    text = re.sub("</?bdi>", "", text)
    assert "On the labelled test: lvm (Q, 84.38) beats &lt;all&gt;." in text
    assert "1 × &lt;cpu&gt;, 1 process</td>" in text
    assert "<b>84.38</b><span>accuracy of lvm (Q) on the labelled test, 95 % interval 78.12" in text
    for row in ROWS:
        name, (low, high) = html.escape(row["name"], quote=True), row["scores"]["interval"]
        cells = f'<td class="text">{row["labels_from"]}</td>'
        cells += f"<td>{100 * row['scores']['accuracy']:.2f}</td>"
        cells += f"<td>{100 * low:.2f} to {100 * high:.2f}</td>"
        assert f"{name.replace('&#x27;', '&#39;')}</th>{cells}" in text
    assert text.count('<tr class=best><th scope="row">lvm</th><td class="text">Q') == 1
    assert "error of P: 6.25 %" in text and "error of Q: 9.38 %" in text
    assert "<td>90–100</td><td>1,234</td><td>95.31</td><td>89.06</td>" in text
    confusion = '<th scope="row">&lt;b&gt;V&lt;/b&gt;</th><td class="text">NOUN</td>'
    assert f"{confusion}<td>17</td><td>28.12</td>" in text
    assert "Q is wrong on 456 of 2,345 words." in text
    assert (
        "No source makes this error: 1 word</h4>" in text and "(_x, gold NOUN; sentence 7)" in text
    )


def test_everything_hostile_is_text(text):
    assert EVIL not in text and "&lt;script&gt;document.title" in text
    assert text.count("<script") == 2 and text.count("</script>") == 2
    assert LONG not in text and "a… (10,000 characters)" in text
    assert "{{ 1 }}" in text  # a word, not a template


def test_the_page_needs_nothing_from_outside(text):
    without_names = re.sub(r'xmlns(:xlink)?="[^"]*"', "", text)
    assert "http" not in without_names.replace("http-equiv", "")
    assert re.findall(r'\b(?:src|href)="(?!#|data:)[^"]*"', without_names) == []


def test_a_run_without_a_label_model_is_compared_with_its_tagger(tmp_path):
    names = ("O", "B-PER", "I-PER"), ("en", "fr")
    write_run(tmp_path / "run", [["word"] * 20] * 40, *names, has_label_model=False)
    write_report(tmp_path / "run", tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    expected = [source["entity_agreement"] for source in result["sources"]["sources"]]
    assert cells(text, "entity_agreement") == pytest.approx([100 * x for x in expected], abs=0.005)
    assert "this approach has no label model, so there is no Q" in text
    assert "agrees with P" in text and "agrees with Q" not in text and "E step" not in text
    assert cells(text, "moved") == [] and "Confusion matrix of" not in text
    table = text.partition('aria-label="Table of the labels"')[2].partition("</thead>")[0]
    assert re.findall("<bdi>(.*?)</bdi>", table) == ["P", "majority", "en", "fr"]


def test_the_silence_of_a_sparse_source_is_not_drawn_as_an_entity():
    names = ("O", "B-LOC", "B-PER", "I-LOC", SILENT)
    ids = np.array([[0, 4], [1, 1], [2, 4], [2, 4], [3, 3]])
    block = LabelledWords(
        [tuple("abcde")], 0, ("Q", "source:list"), names, ids, np.eye(4)[ids[:, 0]]
    )
    section = labels_section(text_statistics([block], []))
    assert [row["name"] for row in section["rows"]] == ["B-LOC", "I-LOC", "B-PER", "O", SILENT]
    assert "B-PER" in section["svg"] and SILENT not in section["svg"]
    assert not any("No source gives O" in change for change in section["changes"])


def test_silence_among_plain_labels_is_neither_agreement_nor_difference():
    ids = np.array([[0, 2], [1, 1], [1, 0]])
    words, columns = [tuple("abc")], ("Q", "source:list")
    block = LabelledWords(words, 0, columns, ("O", "VERB", SILENT), ids, np.eye(2)[ids[:, 0]])
    assert text_statistics([block], []).agreement[0, 1] == pytest.approx(1 / 2)


def test_many_sources_and_labels_make_no_large_page(tmp_path):
    """What grows with the text is bounded: 50 sentences, of each a part."""
    names = [f"L{number:02d}" for number in range(60)], [f"s{number}" for number in range(16)]
    write_run(tmp_path / "run", [["word"] * 200] * 60, *names)
    assert write_report(tmp_path / "run", tmp_path / "a.html") < 2e6


@browser.needs_browser
def test_a_browser_shows_every_section_and_the_words_as_text(run, tmp_path):
    copy = tmp_path / "report.html"
    copy.write_bytes((run / "report.html").read_bytes())
    found = browser.dom(copy)
    assert [part for part in SECTIONS if f'<section id="{part}">' in found] == SECTIONS
    assert "<title>run: report of a transfer</title>" in found
    assert "50 of 50 sentences shown" in found
    colours = (
        Image.open(browser.screenshot(copy, tmp_path / "shot.png"))
        .convert("RGB")
        .getcolors(1 << 24)
    )
    assert colours is not None and len(colours) > 50
    assert max(count for count, _ in colours) < 0.97 * 1300 * 2400


PROBE = (Path(__file__).parent / "probe.js").read_text(encoding="utf-8")


@browser.needs_browser
def test_the_filter_the_keyboard_and_the_words_details_work(run, text, tmp_path):
    copy = tmp_path / "probe.html"
    copy.write_text(text.replace("</body>", f"<script>{PROBE}</script></body>"), encoding="utf-8")
    (found,) = re.findall(r'<pre id="probe">(.*?)</pre>', browser.dom(copy), re.DOTALL)
    report = json.loads(html.unescape(found))
    data = json.loads(re.findall(r'id="words">(.*?)</script>', text, re.DOTALL)[0])["sentences"]
    with_label = [n for n, s in enumerate(data) if any(w[0] == 4 or 4 in w[2] for w in s)]
    assert report["label"] == with_label and len(with_label) > 0
    both = [
        n for n, s in enumerate(data) if any(w[2][1] != w[0] and 4 in (w[0], w[2][1]) for w in s)
    ]
    assert report["both"] == both and len(both) < len(with_label)
    assert report["status"] == f"{len(both)} of 50 sentences shown" and report["all"] == 50
    assert report["shown"] and "%" in report["tip"] and EVIL in report["tip"]
    assert (report["home"], report["hidden"]) == ("0", True)
    length = len(data[0])
    assert report["next"] == ("1" if length > 1 else "0")


def test_numbers_in_heat_maps_have_the_contrast_of_wcag_aa():
    shades = matplotlib.colormaps[charts._SHADE]

    def luminance(colour):
        values = np.array(matplotlib.colors.to_rgb(colour))
        return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4) @ [
            0.2126,
            0.7152,
            0.0722,
        ]

    for value in np.linspace(0, 1, 201):
        letters = charts.letters_on(value)
        low, high = sorted([luminance(letters), luminance(shades(value))])
        assert (high + 0.05) / (low + 0.05) >= 4.5, value


CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


@browser.needs_browser
def test_all_text_has_the_contrast_of_wcag_aa(run, text, tmp_path):
    """4.5 to 1, or 3 to 1 for large letters, measured in the browser."""
    copy = tmp_path / "contrast.html"
    script = f"<script>{CONTRAST}</script></body>"
    copy.write_text(text.replace("</body>", script), encoding="utf-8")
    (found,) = re.findall(r'<pre id="contrast">(.*?)</pre>', browser.dom(copy), re.DOTALL)
    report = json.loads(html.unescape(found))
    assert report["count"] > 500 and report["found"] == []


def test_what_is_no_finished_transfer_is_refused(tmp_path, run, monkeypatch):
    with pytest.raises(
        InputError, match=rf"^{tmp_path}: there is no run\.json in it; name the `out"
    ):
        write_report(tmp_path, tmp_path / "a.html")
    with pytest.raises(InputError, match=r"there is no folder .*none for .*; create it first"):
        write_report(run, tmp_path / "none" / "a.html")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.setattr(page.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'zsl_jax\[report\]'"):
        write_report(run, tmp_path / "a.html")
    assert not list(tmp_path.iterdir())
