"""The cells of a small table: each a run folder, done once, whatever happens to the others."""

import dataclasses
import json
import re

import numpy as np
import pytest

import zsl_jax
from launch.experiment_file import read_experiment, with_sizes
from tests.experiments.tiny_experiment import YAML, write_data, write_experiment
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.errors import InputError
from zsl_jax.experiments.cell_locks import claimed
from zsl_jax.experiments.corpora import (
    data_files,
    labelled_test,
    needed_texts,
    read_part,
    text_of,
)
from zsl_jax.experiments.outcome import what_is_missing, write_outcome
from zsl_jax.experiments.plan import Cell, Corpora, Kind, Workplace, cells_of, chosen_cells
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
    "{}": "left no run.json in its output",
    '{"rows": []}': "left no scores of a test",
    '{"rows": [{"scores": {"accuracy": 1}}]}': "left no scores of a test",
    '{"rows": [{"scores": {"words": 3}}]}': "left no scores of a test",
    '{"rows": [{"scores": null}]}': "left no scores of a test",
    '{"rows": [{"scores": {"words": 3, "accuracy": 1}}]}': r"scored 3 words of a test of \d+",
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


def with_function(work, output, function):
    """The workplace with another output, and a row that calls this function."""
    method = work.experiment.method("own")._replace(function=function)
    experiment = dataclasses.replace(work.experiment, methods=(method,))
    return work._replace(experiment=experiment, output=output)


def test_a_function_that_fails_after_its_run_is_tried_again(work, tmp_path):
    def function(text, sources, encoder, output, **rest):
        zsl_jax.transfer(text, {"aa": sources["aa"]}, encoder, output, **rest)
        if not fixed:
            raise RuntimeError("late")

    elsewhere, cell, fixed = (
        with_function(work, tmp_path, function),
        Cell("multi", "cc", "own", 0),
        [],
    )
    (failure,) = run_cells(elsewhere, [cell], lambda number, cell: None)
    assert failure.reason == "RuntimeError: late" and state_of(elsewhere, cell) == "failed"
    fixed.append(True)
    assert run_cells(elsewhere, [cell], lambda number, cell: None) == []
    assert state_of(elsewhere, cell) == "done"


def with_another_score(test, result):
    result["rows"][-1]["scores"]["accuracy"] = 1.5


def without_a_kind(test, result):
    del result["rows"][-1]["labels_from"]


def with_other_words(test, result):
    labelled = read_predictions(test)
    first, *others = labelled.words
    write_predictions(test, labelled._replace(words=[["other", *first[1:]], *others]))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_another_score, r"has an accuracy of 0\.\d+, but recorded 1\.5000; let it call"),
        (without_a_kind, r"left no scores of the labels \(Q\) in test\.parquet"),
        (with_other_words, "labelled other sentences than those of the test"),
    ],
)
def test_a_function_whose_labels_are_not_those_of_its_scores_fails(change, reason, work, tmp_path):
    def function(text, sources, encoder, output, **rest):
        zsl_jax.transfer(text, {"aa": sources["aa"]}, encoder, output, **rest)
        result = json.loads((output / "result.json").read_text())
        change(output / "test.parquet", result)
        (output / "result.json").write_text(json.dumps(result))

    elsewhere, cell = with_function(work, tmp_path, function), Cell("multi", "cc", "own", 0)
    for _ in range(2):
        (failure,) = run_cells(elsewhere, [cell], lambda number, cell: None)
        assert re.search(reason, failure.reason), failure.reason
    assert state_of(elsewhere, cell) == "failed" and not elsewhere.folder(cell).exists()


def test_other_settings_of_a_function_are_refused(work, done):
    cell = Cell("multi", "cc", "own", 0)
    method = work.experiment.method("own")
    config = dataclasses.replace(method.configs["multi"], batch_words=32)
    changed = dataclasses.replace(
        work.experiment, methods=(method._replace(configs={"multi": config}),)
    )
    elsewhere = work._replace(experiment=changed)
    with pytest.raises(InputError, match=r"own/0 was done with .*: batch_words was 64, now 32"):
        check_same(elsewhere, [cell])
    assert state_of(work, cell) == "done" and state_of(elsewhere, cell) == "refused"


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


def test_a_setting_of_which_nothing_was_run_is_not_a_list_of_missing_cells(work, done, tmp_path):
    single, multi = (
        [cell for cell in cells_of(work.experiment) if cell.setting == name]
        for name in ("single", "multi")
    )
    results = {cell: read_result(work, Cell("multi", "cc", "kd", 0)) for cell in multi[1:]}
    table = Table(work.experiment, "accuracy", [], results, [*single, multi[0]])
    titles = {setting.name: setting.title for setting in work.experiment.settings}
    lines = [f"Not run: {titles['single']}", f"Missing cells: {multi[0].name}"]
    assert list(what_is_missing(work._replace(output=tmp_path), table)) == lines
    (line,) = what_is_missing(work, table)  # where a cell of it failed, it was run
    assert line.startswith("Missing cells: single/cc/direct/0, single/cc/broken/0")


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
        lines, ("with training", "without training"), (4, 3), strict=True
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


@pytest.fixture
def fresh(work, tmp_path):
    """An output and data of its own; an aggregation of one source, and of two."""
    method = work.experiment.method("bea")
    configs = dict.fromkeys(("single", "multi"), method.configs["multi"])
    experiment = dataclasses.replace(work.experiment, methods=(method._replace(configs=configs),))
    data = write_data(tmp_path / "data")
    return work._replace(experiment=experiment, data=data, output=tmp_path / "out")


def test_what_no_cell_depends_on_may_be_corrected(fresh):
    cells = list(cells_of(fresh.experiment))[:2]
    assert [cell.setting for cell in cells] == ["single", "multi"]
    check_same(fresh, cells)
    assert run_cells(fresh, cells[:1], lambda number, cell: None) == []
    write = (fresh.data / "bb" / "train.conll").write_text  # a source of the second cell alone
    write("one\tNOUN\nmore\tVERB\n\n", encoding="utf-8")
    check_same(fresh, cells)
    settings = [s._replace(max_sentences=3) for s in fresh.experiment.settings]
    shorter = dataclasses.replace(
        fresh.experiment, settings=(fresh.experiment.settings[0], settings[1])
    )
    check_same(fresh._replace(experiment=shorter), cells)
    shorter = dataclasses.replace(fresh.experiment, settings=tuple(settings))
    with pytest.raises(InputError, match="settings single"):
        check_same(fresh._replace(experiment=shorter), cells[1:])


def test_cells_of_other_rows_and_seeds_are_compared_too(fresh):
    first, second = [c for c in cells_of(fresh.experiment) if c.setting == "single"][:2]
    assert (first.seed, second.seed) == (0, 1)
    check_same(fresh, [first])
    assert run_cells(fresh, [first], lambda number, cell: None) == []
    one_seed = dataclasses.replace(fresh.experiment, seeds=(1,), max_test_sentences=5)
    with pytest.raises(InputError, match=r"max_test_sentences \(was 15, now 5\)"):
        check_same(fresh._replace(experiment=one_seed), [second])
    other = fresh.experiment.methods[0]._replace(name="other")
    one_row = dataclasses.replace(fresh.experiment, methods=(other,))
    (fresh.data / "cc" / "test.conll").write_text("one\tNOUN\n\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"data cc/test.conll has other contents"):
        check_same(fresh._replace(experiment=one_row), [first._replace(method="other")])


def test_source_models_that_are_not_used_are_compared_too(fresh):
    single, multi = list(cells_of(fresh.experiment))[:2]
    check_same(fresh, [multi])
    text = (text_of(fresh, multi), labelled_test(fresh, "cc"))
    prepared_models(fresh, ["bb"], 0, text)
    source = dataclasses.replace(fresh.experiment.source_config, epochs=1)
    changed = dataclasses.replace(fresh.experiment, source_config=source)
    with pytest.raises(InputError, match=r"or source models of .*: source epochs \(was 2, now 1\)"):
        check_same(fresh._replace(experiment=changed), [single])


def test_a_part_of_the_data_suffices_for_a_part_of_the_cells(fresh):
    single, multi = list(cells_of(fresh.experiment))[:2]
    check_same(fresh, [single, multi])
    assert run_cells(fresh, [multi], lambda number, cell: None) == []
    (fresh.data / "bb" / "train.conll").unlink()
    check_same(fresh, [single])
    with pytest.raises(InputError, match=r"bb/train\.conll, the training text of bb"):
        check_same(fresh, [single, multi])


def test_a_folder_that_fits_a_pattern_is_no_text(fresh):
    corpora = fresh.experiment.corpora._replace(train="{language}/tr*")
    (fresh.data / "cc" / "trash").mkdir()
    work = fresh._replace(experiment=dataclasses.replace(fresh.experiment, corpora=corpora))
    assert list(data_files(work, {("cc", "train")})) == ["cc/train.conll"]


def test_data_of_a_cell_that_is_not_chosen_are_compared_too(fresh):
    cells = list(cells_of(fresh.experiment))[:2]
    check_same(fresh, cells)
    assert run_cells(fresh, cells[1:], lambda number, cell: None) == []
    (fresh.data / "bb" / "train.conll").write_text("one\tNOUN\n\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"data bb/train\.conll has other contents"):
        check_same(fresh, cells[:1])


def test_before_anything_is_done_everything_may_change(fresh):
    cells = list(cells_of(fresh.experiment))
    check_same(fresh, cells)
    source = dataclasses.replace(fresh.experiment.source_config, epochs=1)
    corpora = fresh.experiment.corpora._replace(column=1)
    changed = dataclasses.replace(fresh.experiment, source_config=source, corpora=corpora)
    (fresh.data / "aa" / "test.conll").write_text("one\tNOUN\n\n", encoding="utf-8")
    check_same(fresh._replace(experiment=changed), cells)


@pytest.mark.parametrize("content", ['{"data": 3}', '{"data": {'])
def test_a_damaged_record_is_named_with_the_way_out(content, fresh):
    fresh.output.mkdir()
    (fresh.output / "experiment.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"experiment\.json .* give another `output`"):
        check_same(fresh, list(cells_of(fresh.experiment)))


def test_only_the_texts_that_cells_use_are_needed(fresh, tmp_path):
    corpora = fresh.experiment.corpora._replace(text="{language}/text.conll")
    experiment = dataclasses.replace(fresh.experiment, corpora=corpora)
    single, multi = list(cells_of(experiment))[:2]
    assert needed_texts(experiment, [single]) == {("aa", "train"), ("cc", "test"), ("cc", "text")}
    assert needed_texts(experiment, [multi]) == needed_texts(experiment, [single]) | {
        ("bb", "train")
    }
    assert needed_texts(fresh.experiment, [single]) == {
        ("aa", "train"), ("cc", "test"), ("cc", "train")
    }  # fmt: skip
    with pytest.raises(
        InputError, match=r"text\.conll, the unlabelled text of cc; .* `data` names"
    ):
        check_same(fresh._replace(experiment=experiment), [single])


def test_a_text_of_all_languages_is_selected_from_too(tmp_path):
    lines = "# id = {0}\nof\tX\n{0}\tX\n\n"
    for name in ("train", "text"):
        text = "".join(lines.format(language) for language in ("aa", "bb"))
        (tmp_path / f"{name}.conll").write_text(text, encoding="utf-8")
    corpora = Corpora("train.conll", "train.conll", "text.conll", select="id = {language}")
    for part in ("train", "text"):
        (sentence,) = read_part(corpora, tmp_path, "bb", part)
        assert sentence.words == ("of", "bb")
    (tmp_path / "bb.conll").write_text("all\tX\n\nof\tX\nit\tX\n\n", encoding="utf-8")
    assert len(read_part(corpora._replace(text="{language}.conll"), tmp_path, "bb", "text")) == 2


def test_a_stray_label_is_named_with_its_file(tmp_path):
    (tmp_path / "aa.conll").write_text("Anna\tB-PER\nsings\tVERB\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"^{tmp_path}/aa\.conll, sentence 1, word 'sings': the"):
        read_part(Corpora(*["{language}.conll"] * 3), tmp_path, "aa", "train")


def test_a_text_that_is_too_short_for_its_size_is_refused_where_sizes_are_compared(work):
    settings = tuple(
        setting._replace(max_sentences=size)
        for setting, size in zip(work.experiment.settings, (31, 30), strict=True)
    )
    sized = work._replace(experiment=dataclasses.replace(work.experiment, settings=settings))
    assert len(text_of(sized, Cell("multi", "cc", "kd", 0))) == 30
    message = r"cc/train\.conll has 30 sentences, but setting single is for 31; leave"
    with pytest.raises(InputError, match=message):
        text_of(sized, Cell("single", "cc", "kd", 0))
    equal = tuple(setting._replace(max_sentences=31) for setting in settings)
    plain = work._replace(experiment=dataclasses.replace(work.experiment, settings=equal))
    assert len(text_of(plain, Cell("single", "cc", "kd", 0))) == 30
    with pytest.raises(InputError, match=r"--max_sentences is one number, .* \(31, 30\); omit it"):
        with_sizes(sized.experiment, 5, None)
    assert with_sizes(plain.experiment, 5, None).settings[0].max_sentences == 5


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
        InputError, match=r"aa/train.conll, the training text of aa; .* where to get it"
    ):
        check_same(elsewhere, [cell])
    assert not (tmp_path / "out").exists()
