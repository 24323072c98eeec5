"""The cells of a small table: each a run folder, done once, whatever happens to the others."""

import dataclasses
import json
import re

import numpy as np
import pytest

from launch.experiment_file import read_experiment
from tests.experiments.tiny_experiment import YAML, write_data, write_experiment
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.errors import InputError
from zsl_jax.experiments.cell_locks import claimed
from zsl_jax.experiments.corpora import labelled_test
from zsl_jax.experiments.outcome import what_is_missing, write_outcome
from zsl_jax.experiments.plan import Cell, Kind, Workplace, cells_of, chosen_cells
from zsl_jax.experiments.run import run_cells
from zsl_jax.experiments.scores import predicted_labels, read_result, read_results
from zsl_jax.experiments.source_models import prepared_models
from zsl_jax.experiments.states import check_same, state_of
from zsl_jax.experiments.table import Table

ROWS = """rows:
  - direct
  - {name: kd, like: kd, sources: several}
  - {name: mine, sources: several, approach: lvm, label_model: paper, confusion_init: dawid_skene}
  - {name: own, sources: several, function: "own.py:own"}
  - {name: broken, function: "own.py:broken"}
  - bea
  - wu
  - {name: supervised, like: supervised, sources: several, flagfile: pos_multi}
"""
FUNCTIONS = """import zsl_jax

def own(text, sources, encoder, output, **rest):
    return zsl_jax.transfer(text, {"aa": sources["aa"]}, encoder, output, **rest)

def broken(text, sources, encoder, output, **rest):
    raise RuntimeError("no idea")
"""


ARGUMENTS = ["--rounds=1", "--trainable_layers=1"]


@pytest.fixture(scope="module")
def work(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "own.py").write_text(FUNCTIONS, encoding="utf-8")
    text = YAML[: YAML.index("rows:")] + ROWS + YAML[YAML.index("profiles:") :]
    experiment = read_experiment(str(write_experiment(folder, text)), arguments=ARGUMENTS)
    data = write_data(folder / "data")
    return Workplace(experiment, data, str(world.encoder), folder / "out")


@pytest.fixture(scope="module")
def done(work):
    """The cells of one seed, and those that failed."""
    cells = [cell for cell in cells_of(work.experiment) if cell.seed == 0]
    check_same(work, cells)
    begun = []
    failures = run_cells(work, cells, lambda number, cell: begun.append(cell))
    assert begun == cells
    return cells, failures


def test_a_failing_cell_is_reported_and_stops_no_other(work, done):
    cells, failures = done
    assert [f.cell.name for f in failures] == ["single/cc/broken/0", "multi/cc/broken/0"]
    assert len(cells) == 9
    assert {failure.reason for failure in failures} == {"RuntimeError: no idea"}
    trace = work.output / "multi/cc/broken/0.failed.txt"
    assert 'raise RuntimeError("no idea")' in trace.read_text(encoding="utf-8")
    states = {cell.name: state_of(work, cell) for cell in cells}
    assert states.pop("multi/cc/broken/0") == states.pop("single/cc/broken/0") == "failed"
    assert set(states.values()) == {"done"}
    assert state_of(work, Cell("multi", "cc", "kd", 1)) == "open"


def test_cells_are_run_folders_without_their_models(work, done):
    folder = work.output / "multi/cc/mine/0"
    names = {path.name for path in folder.iterdir() if not path.is_dir()}
    assert {"run.json", "result.json", "labels.parquet", "votes.parquet", "test.parquet"} <= names
    assert "model.safetensors" not in names and not (folder / "checkpoints").exists()
    config = json.loads((folder / "run.json").read_text())["flags"]["config"]
    assert config["label_model"]["confusion_init"] == "dawid_skene" and config["rounds"] == 1
    assert config["seed"] == 0


def test_a_source_is_trained_and_asked_once(work, done):
    models = sorted(
        str(p.relative_to(work.output / "models")) for p in work.output.glob("models/*/0")
    )
    assert models == ["aa/0", "bb/0", "cc/0"]  # cc for the upper bound
    asked = [path.name.split("-")[0] for path in work.cache.glob("*.parquet")]
    assert sorted(asked) == ["aa", "aa", "bb", "bb", "cc", "cc"]  # for the text and the test


def test_a_source_without_weights_is_named_with_the_way_out(work, done):
    weights = work.output / "models/aa/0/model.safetensors"
    weights.rename(weights.with_name("away"))
    try:
        with pytest.raises(
            InputError, match=r"aa/0 has lost its model.safetensors; delete the fol"
        ):
            prepared_models(work, ["aa"], 0, [])
    finally:
        weights.with_name("away").rename(weights)


def test_frozen_layers_run_once_per_text(work, done):
    """The text and the test as taggers see them, the text for training, and three for `wu`."""
    states = [np.load(path, mmap_mode="r") for path in work.cache.glob("*.npy")]
    assert sorted(table.dtype.name for table in states) == ["float16"] * 4 + ["float32"] * 2
    assert not list(work.output.glob("*/*/*/*/cache"))


def test_scores_are_those_of_the_predictions(work, done):
    cell = Cell("multi", "cc", "mine", 0)
    result = read_result(work, cell)
    assert result.counts_from == "Q" and set(result.scores) == {"P", "Q", "best_source"}
    gold = read_predictions(work.output / "multi/cc/supervised/0/test.parquet").words
    sentences = labelled_test(work, "cc")
    assert [s.words for s in sentences] == [tuple(words) for words in gold]
    for kind in ("P", "Q"):
        labels = predicted_labels(work, cell, kind)
        pairs = [
            (y, z)
            for s, own in zip(sentences, labels, strict=True)
            for y, z in zip(s.labels, own, strict=True)
        ]
        share = 100 * sum(y == z for y, z in pairs) / len(pairs)
        assert share == pytest.approx(result.scores[kind]["accuracy"])
    assert read_result(work, Cell("multi", "cc", "kd", 0)).counts_from == "P"
    assert read_result(work, Cell("multi", "cc", "bea", 0)).counts_from == "votes"


def test_the_direct_row_is_the_source_itself(work, done):
    direct = read_result(work, Cell("single", "cc", "direct", 0)).score("accuracy")
    rows = json.loads((work.output / "multi/cc/own/0/result.json").read_text())["rows"]
    assert rows[0]["name"] == "aa" and 100 * rows[0]["scores"]["score"] == pytest.approx(direct)


def test_a_function_has_the_arguments_of_transfer(work, done):
    rows = json.loads((work.output / "multi/cc/own/0/result.json").read_text())["rows"]
    assert [row["name"] for row in rows if row["labels_from"] == "source"] == ["aa"]


UNFIT = {
    "{}": "left no run.json in `output`",
    '{"rows": []}': "left no scores of a test",
    '{"rows": [{"scores": {"accuracy": 1}}]}': "left no scores of a test",
    '{"rows": [{"scores": {"words": 3}}]}': r"scored 3 words of a test of \d+",
}


@pytest.mark.parametrize("result", UNFIT)
def test_a_run_of_a_function_without_scores_of_the_test_is_a_failure(result, work, done):
    def function(text, sources, encoder, output, **rest):
        output.mkdir(parents=True)
        (output / "result.json").write_text(result)
        if result != "{}":
            (output / "run.json").write_text("{}")

    method = work.experiment.method("broken")._replace(function=function)
    elsewhere = work._replace(experiment=dataclasses.replace(work.experiment, methods=(method,)))
    cell = Cell("multi", "cc", "broken", 0)
    for _ in range(2):  # what it left does not count as done
        (failure,) = run_cells(elsewhere, [cell], lambda number, cell: None)
        assert re.match(f"the function of the row broken {UNFIT[result]}; let it", failure.reason)
    assert not work.folder(cell).exists()


def test_a_function_that_ends_the_program_fails_its_cell_alone(work, done):
    def function(*given, **rest):
        raise SystemExit("usage: tagger [-h]")

    method = work.experiment.method("broken")._replace(function=function)
    elsewhere = work._replace(experiment=dataclasses.replace(work.experiment, methods=(method,)))
    (failure,) = run_cells(elsewhere, [Cell("multi", "cc", "broken", 0)], lambda number, cell: None)
    assert "broken ends the program (SystemExit: usage: tagger [-h]); let" in failure.reason


def test_what_is_done_is_not_done_again(work, done):
    cells, _ = done
    begun = []
    run_cells(work, cells, lambda number, cell: begun.append(cell.method))
    assert begun == ["broken", "broken"]


def test_a_claimed_cell_is_left_to_its_process(work, done):
    cell = Cell("multi", "cc", "kd", 1)
    begun = []
    with claimed(work.folder(cell)) as ours:
        assert ours and state_of(work, cell) == "running"
        assert run_cells(work, [cell], lambda number, cell: begun.append(cell)) == []
    assert begun == [] and state_of(work, cell) == "open"


def test_a_setting_of_which_nothing_was_run_is_not_a_list_of_missing_cells(work, done):
    single, multi = (
        [cell for cell in cells_of(work.experiment) if cell.setting == name]
        for name in ("single", "multi")
    )
    results = {cell: read_result(work, Cell("multi", "cc", "kd", 0)) for cell in multi[1:]}
    table = Table(work.experiment, "accuracy", [], results, [*single, multi[0]])
    titles = {setting.name: setting.title for setting in work.experiment.settings}
    lines = [f"Not run: {titles['single']}", f"Missing cells: {multi[0].name}"]
    assert list(what_is_missing(table)) == lines


def test_the_table_of_what_is_there(work, done):
    text = write_outcome(work)
    assert "two sources: accuracy" in text and "Missing cells: " in text
    names = {path.name for path in work.output.glob("table.*")}
    assert names == {f"table.{extension}" for extension in ("txt", "md", "tex", "csv", "json")}
    table = json.loads((work.output / "table.json").read_text(encoding="utf-8"))
    (kd,) = [r for r in table["blocks"][1]["rows"] if r["name"] == "kd"]
    score = read_result(work, Cell("multi", "cc", "kd", 0)).score("accuracy")
    assert kd["entries"]["cc"]["mean"] == pytest.approx(score)
    assert kd["entries"]["cc"]["paper"] == 80.0
    assert "SHA-256 of the data: aa/train.conll " in text
    lines = [line for line in text.splitlines() if " cells with" in line]
    form = r"{} cells {}: \d+ seconds \(median; \d+ to \d+\) each, .* hours .* processor time, \d"
    for line, title, count in zip(
        lines, ("with training", "without training"), (5, 2), strict=True
    ):
        assert re.match(form.format(count, title), line)
    assert table["blocks"][1]["comparisons"]["cc"]["p_values"].keys() == {"accuracy"}


def test_cells_without_labels_of_the_test_are_named_where_p_values_lack(work, done):
    def compared():
        text = write_outcome(work)
        table = json.loads((work.output / "table.json").read_text(encoding="utf-8"))
        return text, table["blocks"][1]["comparisons"]["cc"]

    text, found = compared()
    assert "No bootstrap" not in text and found["p_values"]
    cell = Cell("multi", "cc", found["best"], 0)
    file = work.folder(cell) / "test.parquet"
    aside = file.rename(file.with_suffix(".aside"))
    try:
        text, found = compared()
    finally:
        aside.rename(file)
    assert found["p_values"] == {}
    assert f"No bootstrap with cells whose test.parquet is missing: {cell.name}; delete" in text


DAMAGED = {
    "run.json": "run.json is not readable as JSON .*; fetch it again, or delete .*kd/0, wh",
    "result.json": "result.json is not readable as JSON .*, or delete .*/kd/0, which does",
    "test.parquet": "test.parquet is not a readable Parquet file .*, or delete .*/kd/0, wh",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_cell_is_named_with_the_way_out(name, work, done):
    cell = Cell("multi", "cc", "kd", 0)
    file = work.folder(cell) / name
    content = file.read_bytes()
    file.write_bytes(content[:20])
    try:
        with pytest.raises(InputError, match=DAMAGED[name]):
            read_results(work, [cell])
            predicted_labels(work, cell, "P")
    finally:
        file.write_bytes(content)


def test_cells_of_other_settings_are_refused(work, done, tmp_path):
    cells, _ = done
    other = dataclasses.replace(work.experiment, max_test_sentences=5)
    with pytest.raises(
        InputError, match=r"test max_test_sentences \(was 15, now 5\); give another"
    ):
        check_same(work._replace(experiment=other), cells)
    settings = tuple(s._replace(max_sentences=3) for s in work.experiment.settings)
    with pytest.raises(InputError, match="settings single"):
        check_same(
            work._replace(experiment=dataclasses.replace(work.experiment, settings=settings)), cells
        )
    methods = tuple(
        m._replace(
            configs={k: dataclasses.replace(c, batch_words=32) for k, c in m.configs.items()}
        )
        for m in work.experiment.methods
    )
    changed = dataclasses.replace(work.experiment, methods=methods)
    with pytest.raises(
        InputError, match=r"kd/0 was done with other settings: batch_words was 64, now 32"
    ):
        check_same(work._replace(experiment=changed), chosen_cells(cells, ["multi/cc/kd"]))
    with pytest.raises(
        InputError, match="mine/0 was done with other settings"
    ):  # in the table, too
        others = tuple(m for m in methods if m.name == "mine")
        check_same(
            work._replace(experiment=dataclasses.replace(work.experiment, methods=others)), []
        )
    check_same(work, cells)  # and the first record has stayed


CHANGED = {
    "bea": ({"uses": "majority"}, "method was bea, now majority"),
    "wu": ({"uses": None}, r"sources was \['similarity'\], now \['aa', 'bb'\]"),
    "kd": ({"kind": Kind.AGGREGATION, "uses": "mean"}, "method was None, now mean"),
    "supervised": ({"kind": Kind.TRANSFER}, r"sources was \['cc'\], now \['aa', 'bb'\]"),
}


@pytest.mark.parametrize("row", CHANGED)
def test_cells_of_a_row_that_is_now_another_method_are_refused(row, work, done):
    change, message = CHANGED[row]
    methods = [m._replace(**change) if m.name == row else m for m in work.experiment.methods]
    changed = dataclasses.replace(work.experiment, methods=tuple(methods))
    with pytest.raises(InputError, match=f"{row}/0 was done with other settings: {message}; give"):
        check_same(work._replace(experiment=changed), chosen_cells(done[0], [f"multi/cc/{row}"]))


def test_an_output_that_cannot_be_written_is_one_sentence_with_the_way_out(work, tmp_path):
    (tmp_path / "file").write_text("")
    cell = Cell("multi", "cc", "kd", 0)
    for output in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(InputError, match=r"file(/out)? cannot be written \(.*\); .* `output`"):
            check_same(work._replace(output=output), [cell])


def test_an_encoder_that_is_missing_is_not_recorded(work, tmp_path):
    elsewhere = work._replace(output=tmp_path / "out", encoder=str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"none is not a folder; give a .* folder or a hub name"):
        check_same(elsewhere, [Cell("multi", "cc", "kd", 0)])
    assert not (tmp_path / "out").exists()


def test_missing_data_is_one_sentence_with_the_way_out(work, tmp_path):
    cell = Cell("multi", "cc", "kd", 0)
    elsewhere = work._replace(data=tmp_path, output=tmp_path / "out")
    with pytest.raises(
        InputError, match=r"aa/train.conll, the train text of aa; .* where to get it"
    ):
        check_same(elsewhere, [cell])
    assert not (tmp_path / "out").exists()
