"""Numbers of a table against numbers by hand, in every format."""

import csv
import io
from pathlib import Path

import pytest

from launch.experiment_file import read_experiment
from tests.experiments.tiny_experiment import YAML, write_experiment
from zsl_jax.experiments.comparison import compare
from zsl_jax.experiments.plan import Cell, Workplace
from zsl_jax.experiments.scores import CellResult
from zsl_jax.experiments.table import as_plain, make_table
from zsl_jax.experiments.table_formats import as_csv, as_latex, as_markdown, as_text
from zsl_jax.experiments.table_layout import Grid, Written, grids_of

# Accuracy by P and by Q of each cell; the first seed and the second.
SCORES = {
    ("single", "cc", "direct"): [(60.0, None), (62.0, None)],
    ("single", "cc", "kd"): [(64.0, None), (66.0, None)],
    ("single", "cc", "mine"): [(70.0, 50.0), (73.0, 52.0)],
    ("single", "bb", "direct"): [(50.0, None), (50.0, None)],
    ("single", "bb", "kd"): [(58.0, None), (54.0, None)],
    ("single", "bb", "mine"): [(57.0, 40.0), (54.0, 40.0)],
    ("multi", "cc", "kd"): [(81.0, None), (82.0, None)],
    ("multi", "cc", "mine"): [(60.0, 79.5), (60.0, 81.5)],
    ("multi", "cc", "supervised"): [(99.0, None), (99.0, None)],
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    text = YAML.replace("sources: [aa], targets: [cc]", "sources: [aa], targets: [cc, bb]")
    text = text.replace("kd: {cc: 80.0}", "kd: {cc: 80.0}\n  single:\n    kd: {bb: 60, cc: 65}")
    work = Workplace(read_experiment(str(write_experiment(folder, text))), folder, "", folder)
    results = {}
    for (setting, target, method), seeds in SCORES.items():
        for seed, (by_p, by_q) in enumerate(seeds):
            scores = {"P": {"accuracy": by_p}} | ({"Q": {"accuracy": by_q}} if by_q else {})
            counts = "Q" if setting == "multi" and by_q else "P"
            cell = Cell(setting, target, method, seed)
            results[cell] = CellResult(scores, counts, 10.0, "one device", {"jax": "1"})
    write_tests(folder)
    return make_table(work, results, "accuracy")


def write_tests(folder):
    """The bootstrap reads the gold labels; without predictions it gives nothing."""
    from tests.experiments.tiny_experiment import write_data

    write_data(folder)


def test_means_and_deviations_over_seeds(table):
    single, multi = table.blocks
    assert single.columns == ("cc", "bb", "Avg.") and multi.columns == ("cc",)
    mine = single.entries["mine"]
    assert (mine["cc"].mean, mine["bb"].mean) == (71.5, 55.5)
    assert mine["cc"].sd == pytest.approx(4.5**0.5)
    assert mine["Avg."].by_seed == {0: 63.5, 1: 63.5} and mine["Avg."].sd == 0
    assert multi.entries["mine"]["cc"].mean == 80.5  # by Q
    assert "Avg." not in multi.entries["mine"]


def test_the_best_is_bold_only_if_it_dominates_the_best_baseline(table):
    single, multi = table.blocks
    marks = {(c, name): own[c].mark for c in single.columns for name, own in single.entries.items()
             if c in own}  # fmt: skip
    assert marks["cc", "mine"] == "bold"  # 70, 73 against 64, 66
    assert marks["bb", "kd"] == "underlined" and marks["bb", "mine"] is None
    assert [mark for mark in marks.values() if mark] == ["bold", "underlined", "bold"]
    assert multi.entries["kd"]["cc"].mark == "underlined"  # the bound is above and has no mark
    assert multi.entries["supervised"]["cc"].mark is None


def test_both_tests_of_dominance_are_told_apart():
    methods = [method("ours", "proposed"), method("base", "baseline")]
    # The quantiles of "ours" are above in two of three places: ε = 1 / (4 + 4 + 1) = 1 / 9.
    scores = {"ours": {0: 4.0, 1: 5.0, 2: 1.0}, "base": {0: 2.0, 1: 3.0, 2: 2.0}}
    found = compare(scores, methods)
    assert found.difference == pytest.approx(1.0)
    assert found.epsilon_lax == pytest.approx(1 / 9, abs=0.02)
    assert found.epsilon_exact > 0.4  # three seeds are few
    assert found.is_significant


def method(name, role):
    from zsl_jax.experiments.plan import Kind, Method, Role

    return Method(name, name, "group", Role(role), Kind.TRANSFER, {})


def test_one_seed_has_no_test_of_dominance():
    methods = [method("ours", "proposed"), method("base", "baseline")]
    found = compare({"ours": {0: 4.0}, "base": {0: 2.0}}, methods)
    assert found.epsilon_lax is None and not found.is_significant
    assert compare({"ours": {0: 4.0}}, methods) is None


def test_rows_are_compared_on_the_seeds_that_they_have_whatever_a_bound_has():
    methods = [method(n, r) for n, r in (("a", "proposed"), ("b", "baseline"), ("c", "bound"))]
    scores = {"a": {0: 4.0}, "b": {0: 2.0}, "c": {0: 9.0, 1: 9.0}}
    assert compare(scores, methods).difference == 2.0
    uneven = {"b": {1: 9.0}, "a": {0: 4.0}, "d": {0: 1.0}}
    others = [*methods, method("d", "baseline")]
    for order in (uneven, dict(reversed(uneven.items()))):
        assert compare(order, others).baseline == "d"


def test_text(table):
    lines = as_text("T", grids_of(table), ["a note"]).splitlines()
    assert lines[0] == "T" and lines[-1] == "a note"
    first = lines[2:10]
    assert first[0] == "one source: accuracy"
    assert first[1].split() == ["cc", "bb", "Avg."]
    assert first[3].split() == [
        "DT",
        "61.00",
        "±",
        "1.41",
        "50.00",
        "±",
        "0.00",
        "55.50",
        "±",
        "0.71",
    ]
    row = next(line for line in lines if line.startswith("  mine"))
    assert row.split() == [
        "mine",
        "71.50",
        "±",
        "2.12*",
        "55.50",
        "±",
        "2.12",
        "63.50",
        "±",
        "0.00*",
    ]
    assert "_" in next(line for line in lines if line.startswith("  KD-re"))


def test_the_papers_values_have_a_table_with_the_difference(table):
    text = as_text("T", grids_of(table), [])
    part = text[text.index("one source: the paper's accuracy") :]
    row = next(line for line in part.splitlines() if line.startswith("  KD-re"))
    assert " ".join(row.split()) == "KD-re 65.00 (+0.00) 60.00 (-4.00) 62.50 (-2.00)"


def test_labels_that_do_not_count_have_a_table(table):
    grids = {grid.title: grid for grid in grids_of(table)}
    ((_, title, cells),) = grids["two sources: accuracy by the tagger alone (P)"].rows
    assert (title, [cell.text for cell in cells]) == ("mine", ["60.00"])
    ((_, title, cells),) = grids["one source: accuracy by tagger and sources (Q)"].rows
    assert (title, [cell.text for cell in cells]) == ("mine", ["51.00", "40.00"])


def test_markdown(table):
    text = as_markdown("T", grids_of(table), ["a note"])
    assert "| | cc | bb | Avg. |\n|---|---:|---:|---:|\n| *hard predictions* | | | |\n" in text
    assert "| mine | **71.50 ± 2.12** | 55.50 ± 2.12 | **63.50 ± 0.00** |" in text
    assert "| KD-re | 65.00 ± 1.41 | <u>56.00 ± 2.83</u> | 60.50 ± 0.71 |" in text
    assert text.endswith("* a note\n")


def test_latex(table):
    text = as_latex("T", grids_of(table), ["a note"])
    assert (
        r"mine & \textbf{71.50 $\pm$ 2.12} & 55.50 $\pm$ 2.12 & \textbf{63.50 $\pm$ 0.00} \\"
        in text
    )
    assert r"\begin{tabular}{lrrr}" in text and text.count(r"\begin{table}") == len(grids_of(table))
    assert text.count("{") == text.count("}")


def test_what_latex_would_read_as_commands_is_escaped():
    cell = Written(r"\a ~b^c &50%_#{$} –", None)
    text = as_latex("T", [Grid(r"x\y", ("n_1",), (("g", "r&d", (cell,)),))], [])
    escaped = r"\textbackslash{}a \textasciitilde{}b\textasciicircum{}c \&50\%\_\#\{\$\} --"
    assert escaped in text and r"x\textbackslash{}y" in text and r"n\_1" in text and r"r\&d" in text


def test_greek_letters_are_commands_in_latex():
    rows = [("σ and λ", "ς, ο, μ", [Written("1")])]
    text = as_latex("t", [Grid("α = ω", ("x",), rows)], [])
    assert r"$\alpha$ = $\omega$" in text and r"$\sigma$ and $\lambda$" in text
    assert r"$\varsigma$, $o$, $\mu$ & 1" in text


def test_latex_takes_brackets_and_stars_after_the_end_of_a_row_as_text():
    rows = [("[g]", "*r", ()), ("[g]", "a<b>|c", ())]
    text = as_latex("T", [Grid("x", (), rows)], [])
    assert "{{[}g]}" in text and "\n{*}r" in text and "a$<$b$>$$|$c" in text


def test_names_are_text_in_markdown():
    cell = Written("1.00", "bold")
    text = as_markdown("T_1", [Grid("a*b", ("n|m",), (("<i>", "r_1 & $x$", (cell,)),))], ["x|y_z"])
    assert text.splitlines() == [
        r"# T\_1", "", r"## a\*b", "", r"| | n\|m |", "|---|---:|", r"| *\<i\>* | |",
        r"| r\_1 \& \$x\$ | **1.00** |", "", r"* x\|y\_z",
    ]  # fmt: skip


def test_csv(table):
    rows = list(csv.DictReader(io.StringIO(as_csv(table))))
    (kd,) = [r for r in rows if (r["setting"], r["row"], r["target"]) == ("multi", "kd", "cc")]
    mine = [r for r in rows if (r["setting"], r["row"], r["target"]) == ("multi", "mine", "cc")]
    assert [(r["labels_from"], r["mean"], r["sd"], r["counts"]) for r in mine] == [
        ("Q", "80.5000", "1.4142", "1"),
        ("P", "60.0000", "0.0000", "0"),
    ]
    assert (kd["mean"], kd["sd"], kd["paper"], kd["difference"]) == (
        "81.5000",
        "0.7071",
        "80.0",
        "1.5000",
    )
    assert (kd["seeds"], kd["mark"]) == ("2", "underlined")
    counting = [row for row in rows if row["counts"] == "1"]
    counted = {row["row"]: row["labels_from"] for row in counting if row["setting"] == "multi"}
    assert counted == {"kd": "P", "mine": "Q", "supervised": "P"}  # kd has no Q


def test_a_single_seed_has_no_deviation(table):
    cell = Cell("multi", "cc", "kd", 0)
    alone = make_table(
        Workplace(table.experiment, Path(), "", Path()), {cell: table.results[cell]}, "accuracy"
    )
    assert alone.blocks[1].entries["kd"]["cc"].sd is None
    (row,) = csv.DictReader(io.StringIO(as_csv(alone)))
    assert (row["mean"], row["sd"], row["seeds"]) == ("81.0000", "", "1")


def test_csv_has_every_score(table):
    scores = {"accuracy": 90.0, "f1_strict": 40.0, "f1_conlleval": 50.0}
    cell = Cell("multi", "cc", "kd", 0)
    result = table.results[cell]._replace(scores={"P": scores})
    rows = csv.DictReader(io.StringIO(as_csv(table._replace(results={cell: result}))))
    found = [(r["score"], r["seeds"], r["counts"]) for r in rows if r["counts"] == "0"]
    assert found == [("f1_strict", "1", "0"), ("f1_conlleval", "1", "0")]


def test_an_incomplete_table_tells_what_is_missing(table):
    missing = as_plain(table)["missing"]
    assert "multi/cc/majority/0" in missing and "multi/cc/kd/0" not in missing
    supervised = {
        f"single/{target}/supervised/{seed}" for target in ("bb", "cc") for seed in (0, 1)
    }
    assert set(missing) == supervised | {"multi/cc/majority/0", "multi/cc/majority/1"}
