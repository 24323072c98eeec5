"""Every program on tiny data."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from launch.run_spec import FREE_FLAGS
from tests.programs import program
from tests.tiny_world import LABELS, sentences, write_text
from zsl_jax.data.predictions.label_table import read_label_tables
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.data.text.writers import write_conll
from zsl_jax.io.weights import read_weights

FAST = ["--row_length=32", "--batch_words=64", "--learning_rate=0.01"]


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory):
    """Two source models, made by launch.train, and their predictions, by launch.annotate."""
    folder = tmp_path_factory.mktemp("trained")
    for seed, name in enumerate(("first", "second")):
        program(
            "train", f"--encoder={world.encoder}", f"--train={world.train}", f"--seed={seed}",
            f"--dev={world.test}", f"--output={folder / name}", "--epochs=4", *FAST,
        )  # fmt: skip
    program(
        "annotate", f"--model={folder / 'first'}", f"--text={world.text}",
        f"--output={folder / 'first.parquet'}", "--row_length=32",
    )  # fmt: skip
    return folder


def test_train_writes_a_model_folder_that_has_learned(world, trained):
    folder = trained / "first"
    config = json.loads((folder / "config.json").read_text())
    assert sorted(config["id2label"].values()) == sorted(LABELS)
    result = json.loads((folder / "result.json").read_text())
    assert max(scores["accuracy"] for scores in result["dev"]) > 0.9
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert {line["kind"] for line in lines} == {"step", "dev"}
    assert {line["run"] for line in lines} == {"training"}  # so that another start drops them all
    steps = [line for line in lines if line["kind"] == "step"]
    assert [line["step"] for line in steps] == list(range(1, len(steps) + 1))
    assert all(line["words_per_second"] > 0 for line in steps)
    about = json.loads((folder / "run.json").read_text())
    assert about["seed"] == 0 and "jax" in about["versions"]
    assert str(world.train) in about["data"]


def test_annotate_gives_every_word_a_distribution(world, trained):
    made = read_predictions(trained / "first.parquet")
    text = read_sentences(world.text)
    assert [tuple(words) for words in made.words] == [sentence.words for sentence in text]
    np.testing.assert_allclose(made.probs.astype(np.float64).sum(-1), 1.0, atol=2e-3)


@pytest.fixture(scope="module")
def transferred(world, trained, tmp_path_factory):
    """A target tagger from one prediction file and one model folder."""
    output = tmp_path_factory.mktemp("transfer") / "out"
    return output, transfer(world, trained, world.text, world.test, output).stdout


def transfer(world, trained, text, test, output):
    return program(
        "transfer", f"--encoder={world.encoder}", f"--text={text}", f"--test={test}",
        f"--source=file={trained / 'first.parquet'}", f"--source=model={trained / 'second'}",
        f"--output={output}", "--task=pos", "--rounds=2", *FAST,
    )  # fmt: skip


def test_check_reads_everything_and_writes_nothing(world, trained, tmp_path):
    given = (
        "transfer", "--check", f"--encoder={world.encoder}", f"--text={world.text}",
        f"--source=file={trained / 'first.parquet'}", f"--source=model={trained / 'second'}",
        f"--output={tmp_path / 'out'}", *FAST,
    )  # fmt: skip
    done = program(*given, f"--test={world.test}")
    lines = done.stdout.splitlines()
    num_text, num_test = (path.read_text().count("# sent_id") for path in (world.text, world.test))
    assert lines[0].startswith(f"text: {num_text} sentences")
    assert "labels: NAME, NOUN, VERB" in lines
    assert "source file: labels read as plain" in done.stdout
    assert re.search(r"^model +100.00 ", done.stdout, re.MULTILINE)
    assert f"would train lvm with the chain from {trained / 'second'}: 2 rounds" in done.stdout
    assert lines[-2].startswith(f"test: {num_test} sentences")
    assert "the source file has no predictions for --test" in done.stderr
    assert lines[-1] == "checked; nothing was trained or written"
    assert not list(tmp_path.iterdir())
    missing = program(*given, f"--test={tmp_path / 'none'}", status=2)
    assert f"--test={tmp_path / 'none'}: there is no file" in missing.stderr
    divided = program(*given, f"--shards={num_text + 1}", status=2)
    assert f"a shard of --shards={num_text + 1} would have no sentence" in divided.stderr


def test_frozen_layers_are_written_through_and_their_output_is_gone_at_the_end(
    world, trained, tmp_path
):
    model, target = tmp_path / "model", tmp_path / "target"
    program(
        "train", f"--encoder={world.encoder}", f"--train={world.train}", f"--dev={world.test}",
        "--trainable_layers=1", f"--output={model}", "--epochs=4", *FAST,
    )  # fmt: skip
    dev = json.loads((model / "result.json").read_text())["dev"]
    assert len(dev) == 4 and max(scores["accuracy"] for scores in dev) > 0.45  # 5 of 12 words
    done = program(
        "transfer", f"--encoder={world.encoder}", f"--text={world.text}", "--trainable_layers=0",
        f"--source=file={trained / 'first.parquet'}", f"--output={target}", "--rounds=1", *FAST,
    )  # fmt: skip
    assert f"{target}/cache/0-" in done.stderr
    kept, moved = (written_through(world.encoder, folder) for folder in (target, model))
    assert all(kept.values())
    assert not moved["encoder.layer.1.attention.self.query.weight"]
    assert all(same for name, same in moved.items() if not name.startswith("encoder.layer.1."))
    assert not (model / "cache").exists() and not (target / "cache").exists()
    about = json.loads((target / "run.json").read_text())
    assert about["flags"]["trainable_layers"] == 0 and "trainable_layers" not in FREE_FLAGS


def written_through(encoder, model) -> dict[str, bool]:
    """Which of an encoder's tensors a model has unchanged, to the last bit."""
    before, after = read_weights(encoder), read_weights(model)
    plain = {name.removeprefix("bert."): array for name, array in before.items()}
    return {name: np.array_equal(array, after[f"bert.{name}"]) for name, array in plain.items()}


def test_more_trainable_layers_than_there_are_is_one_sentence(world, tmp_path):
    done = program(
        "train", f"--encoder={world.encoder}", f"--train={world.train}", "--trainable_layers=3",
        f"--output={tmp_path / 'model'}", *FAST, status=2,
    )  # fmt: skip
    assert "--trainable_layers=3" in done.stderr and "has 2 layers" in done.stderr


def test_transfer_shows_every_baseline_and_the_tagger_with_p_and_q(world, transferred):
    output, printed = transferred
    rows = json.loads((output / "result.json").read_text())["rows"]
    names = [(row["name"], row["labels_from"]) for row in rows]
    assert names == [
        ("model", "source"), ("majority", "votes"), ("mean", "votes"), ("dawid_skene", "votes"),
        ("weighted_mean", "votes"), ("chain", "votes"), ("lvm", "P"), ("lvm", "Q"),
    ]  # fmt: skip
    assert "dawid_skene" in printed and str(output) in printed
    assert "lvm (Q, " in printed and "label of the majority on " in printed
    about = json.loads((output / "result.json").read_text())["sources"]
    assert [source["name"] for source in about["sources"]] == ["file", "model"]
    assert set(about["sources"][0]["diagonal"]) == set(LABELS)
    compared = ["majority", "mean", "dawid_skene", "source file", "tagger"]
    assert list(about["same_labels"]) == compared
    assert about["same_labels"]["source file"] == about["sources"][0]["agreement"]
    assert "label of Dawid–Skene on " in printed and "label of the source file on " in printed
    record = json.loads((output / "run.json").read_text())
    assert set(record["test_data"]) == {str(world.test)} and str(world.test) not in record["data"]
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    rounds = [line for line in lines if line["kind"] == "round"]
    assert [line["round"] for line in rounds] == [0, 1, 2]
    for key in ("objective", "bound", "entropy", "agreement", "confusion_diagonal"):
        assert all(key in line for line in rounds)
    assert set(rounds[-1]["confusion_moved"]) == {"file", "model"}


def test_a_transfer_compiles_few_programs(transferred):
    """A forward pass with all embeddings and one with the trained ones, the update; for the chain,
    the sums and estimates of reliability, counts of labels, evidence, posterior, sums over the
    text, transitions, and the sources' agreement with each other, and with the posterior in two
    steps; for the table, the vote and mean, the weighted mean, Dawid-Skene, and its posterior; for
    the report, the confusion matrices without evidence and the tagger's labels of the text."""
    output, _ = transferred
    assert json.loads((output / "result.json").read_text())["compilations"] <= 3 + 10 + 4 + 2


def test_the_text_and_the_test_lie_in_the_run_folder_with_their_labels(world, trained, transferred):
    output, printed = transferred
    assert f"labels of the text, by Q (tagger and sources): {output}/labels.parquet" in printed
    text, made = read_sentences(world.text), read_predictions(output / "labels.parquet")
    assert list(made.words) == [s.words for s in text] and made.about["labels_from"] == "Q"
    np.testing.assert_array_equal(made.labels, made.probs.argmax(axis=1))
    lines = read_sentences(output / "labels.conll")
    by_name = [made.label_names[label] for label in made.labels]
    assert [label for s in lines for label in s.labels] == by_name
    (votes,) = read_label_tables(output / "votes.parquet")
    first = read_predictions(trained / "first.parquet")
    given = [votes.label_names[label] for label in votes.column("source:file")]
    assert given == [first.label_names[label] for label in first.labels]
    gold, scored = read_sentences(world.test), read_sentences(output / "test.conll")
    assert [s.words for s in scored] == [s.words for s in gold]
    right = [y == z for s, t in zip(scored, gold, strict=True) for y, z in zip(s[1], t[1])]  # noqa: B905
    rows = json.loads((output / "result.json").read_text())["rows"]
    assert (rows[-1]["labels_from"], rows[-1]["scores"]["accuracy"]) == ("Q", np.mean(right))
    low, high = rows[-1]["scores"]["interval"]
    assert low <= np.mean(right) <= high
    about = json.loads((output / "result.json").read_text())
    assert set(about["test"]["calibration"]) == {"P", "Q"} and about["devices"]
    assert about["test"]["errors"]["wrong"] == len(right) - sum(right)
    page = output.parent / "report.html"
    done = program("report", f"--run={output}", f"--output={page}")
    assert done.stdout.startswith(f"report: {page} (0.") and "lvm" in page.read_text()


def test_an_approach_without_a_label_model_labels_its_text_by_the_tagger(world, trained, tmp_path):
    output = tmp_path / "kd"
    given = (
        "transfer", f"--encoder={world.encoder}", f"--text={world.text}", "--approach=kd",
        f"--source=file={trained / 'first.parquet'}", f"--output={output}", "--shards=2", *FAST,
    )  # fmt: skip
    refused = program(*given, "--output_format=spans", status=2)
    assert "--output_format=spans needs BIO labels; the target's are NAME, NOUN" in refused.stderr
    done = program(*given, "--output_format=jsonl")
    assert f"labels of the text, by P (the tagger alone): {output}/labels.parquet" in done.stdout
    assert (
        re.search(r"^file +100.00 ", done.stdout, re.MULTILINE) and "agrees with P" in done.stdout
    )
    assert {path.name for path in output.glob("labels.*")} == {"labels.parquet", "labels.jsonl"}
    program(
        "predict", f"--model={output}", f"--text={world.text}", "--row_length=32",
        f"--output={tmp_path / 'p.parquet'}",
    )  # fmt: skip
    made, again = (read_predictions(p) for p in (output / "labels.parquet", tmp_path / "p.parquet"))
    assert made.words == again.words and made.about["labels_from"] == "P"
    np.testing.assert_array_equal(made.labels, again.labels)
    np.testing.assert_allclose(made.probs, again.probs, atol=2e-3)


def test_predict_by_the_tagger_and_by_the_posterior(world, trained, transferred, tmp_path):
    output, _ = transferred
    common = (f"--model={output}", f"--text={world.text}", "--row_length=32")
    program("predict", *common, f"--output={tmp_path / 'p.conll'}")
    lines = (tmp_path / "p.conll").read_text().splitlines()
    text = read_sentences(world.text)
    assert lines[0] == text[0].comments[0]
    assert lines[1].split("\t")[0] == text[0].words[0] and lines[1].split("\t")[1] in LABELS
    sources = [
        f"--source=file={trained / 'first.parquet'}",
        f"--source=model={trained / 'second'}",
    ]
    program("predict", *common, *sources, f"--output={tmp_path / 'q.parquet'}")
    assert len(read_predictions(tmp_path / "q.parquet").labels) == sum(len(s.words) for s in text)
    refused = program("predict", *common, sources[0], f"--output={tmp_path / 'r.conll'}", status=2)
    assert "file, model" in refused.stderr and not (tmp_path / "r.conll").exists()


def test_predict_from_standard_input_to_standard_output(world, trained):
    text = "Kala tabu,\tgatala.\n\nMimo\n".encode("utf-16")
    arguments = [
        f"--model={trained / 'first'}", "--text=-", "--format=plain", "--encoding=utf-16",
        "--words=unicode", "--output=-", "--row_length=32",
    ]  # fmt: skip
    done = program("predict", *arguments, text=text)
    lines = done.stdout.split("\n")
    words = [line.split("\t")[0] for line in lines]
    assert words == ["Kala", "tabu", ",", "gatala", ".", "", "Mimo", "", ""]
    assert {line.split("\t")[1] for line in lines if line} <= set(LABELS)
    assert "6 words labelled" in done.stderr
    arguments += ["--output_format=spans"]
    refused = program("predict", *arguments, text=text, status=2)
    assert "spans need BIO labels" in refused.stderr


def test_aggregate_a_glob_to_spans(tmp_path):
    for name, label in (("a", "B-PER"), ("b", "I-PER")):
        (tmp_path / f"{name}.conll").write_text(f"Anna\t{label}\nsings\tO\n", encoding="utf-8")
    source = f"--source=first={tmp_path / 'a.conll'}"
    done = program("aggregate", source, "--method=majority", "--output=-", "--output_format=spans")
    span = {"start": 0, "end": 4, "label": "PER", "score": 1.0}
    assert json.loads(done.stdout) == {"text": "Anna sings", "spans": [span]}
    gold = f"--gold={tmp_path}/[ab].conll"
    refused = program("evaluate", gold, f"--predicted={tmp_path / 'a.conll'}", status=2)
    assert "1 sentences where the text has 2" in refused.stderr


def test_every_file_of_a_text_is_hashed(tmp_path):
    for name in ("a.txt", "b.txt", "saved/state.json", "saved/x.arrow", "models/config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    code = "from launch import options, run_spec; options.define('text', 'test', 'source'); "
    code += "options.run(lambda: print(*run_spec.data_files(['text', 'test', 'source'])))"
    arguments = [f"--text={tmp_path}/*.txt", f"--test={tmp_path}/saved"]
    arguments += [f"--source=m={tmp_path}/models", f"--source=a={tmp_path}/a.txt"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
    )
    found = [path.removeprefix(f"{tmp_path}/") for path in done.stdout.split()]
    assert sorted(found) == ["a.txt", "a.txt", "b.txt", "saved/x.arrow"], done.stderr


def test_aggregate_and_evaluate(world, trained, tmp_path):
    sources = [f"--source={name}={trained / 'first.parquet'}" for name in ("a", "b")]
    program("aggregate", *sources, "--method=majority", f"--output={tmp_path / 'votes.conll'}")
    done = program("evaluate", f"--gold={world.text}", f"--predicted={tmp_path / 'votes.conll'}")
    assert "accuracy" in done.stdout
    other = write_text(tmp_path / "other.conll", sentences(9, 40))
    refused = program(
        "evaluate", f"--gold={other}", f"--predicted={tmp_path / 'votes.conll'}", status=2
    )
    assert "sentence" in refused.stderr and "Traceback" not in refused.stderr


def test_evaluate_takes_seeds_and_tests_them_against_others(world, tmp_path):
    gold = read_sentences(world.text)
    for name, wrong in (("good-0", 20), ("good-1", 15), ("bad-0", 3), ("bad-1", 4)):
        words = iter(range(10_000))
        labels = [
            ["_" if next(words) % wrong == 0 else label for label in sentence.labels or ()]
            for sentence in gold
        ]
        write_conll(tmp_path / f"{name}.conll", zip(gold, labels, strict=True))
    good = f"--predicted={tmp_path}/good-?.conll"
    bad = [f"--significance={tmp_path}/bad-{seed}.conll" for seed in (1, 0)]
    common = (f"--gold={world.text}", "--task=pos", "--resamples=200", "--confidence=0.9")
    made = program("evaluate", *common, good, *bad, f"--output={tmp_path / 'made.json'}")
    assert "mean of 2 --predicted files" in made.stdout and "90 % interval" in made.stdout
    found = json.loads((tmp_path / "made.json").read_text())
    files = [Path(scores["file"]).name for scores in found["significance"]["files"]]
    assert files == ["bad-1.conll", "bad-0.conll"] and found["gold"] == str(world.text)
    assert found["significance"]["p_value"] < 0.05
    assert found["significance"]["dominance"]["epsilon_min"] == 0.0
    for flag, reason in (
        (f"--predicted={tmp_path}/none*", "fits no file"),
        (good, "twice"),
        (f"--output={tmp_path / 'none' / 'made.json'}", "create it"),
    ):
        refused = program("evaluate", *common, good, flag, status=2)
        last = refused.stderr.strip().splitlines()[-1]  # what was read is logged before
        assert last.startswith("error: " + flag.partition("=")[0]) and reason in last


def test_paths_that_lead_nowhere_name_their_flag_or_themselves_and_the_way_out(world, tmp_path):
    none = tmp_path / "none"
    text = f"--text={world.text}"
    cases = [
        (("transfer", text, f"--source=a={world.text}", f"--test_source=a={none}*"),
            f"--test_source=a={none}*: ", "pattern"),
        (("transfer", text, f"--encoder={world.encoder}", f"--source=a={world.text}",
            f"--test={none}"), f"--test={none}: ", "correct"),
        (("aggregate", f"--source=a={world.encoder}"), f"--source=a={world.encoder}", "annotate"),
        (("annotate", text, f"--model={world.encoder}"), f"--output={tmp_path / 'out'}", "parquet"),
        (("predict", text, f"--model={none}"), f"{none}", "give a Hugging Face model folder"),
        (("evaluate", f"--gold={world.text}", f"--predicted={none}"), f"{none}", "correct"),
    ]  # fmt: skip
    for (name, *arguments), where, way_out in cases:
        refused = program(name, *arguments, f"--output={tmp_path / 'out'}", status=2)
        last = refused.stderr.strip().splitlines()[-1]
        assert last.startswith("error: ") and where in last and re.search(way_out, last), last
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["annotate", "predict"])
def test_flags_of_the_training_are_unknown_to_programs_that_do_not_train(name):
    refused = program(name, "--model=x", "--text=x", "--output=x", "--dtype=bfloat16", status=1)
    assert "Unknown command line flag 'dtype'" in refused.stderr


def test_bad_flags_end_in_one_sentence(world, tmp_path):
    done = program(
        "transfer", f"--encoder={world.encoder}", f"--text={world.text}", "--source=nameless",
        f"--output={tmp_path / 'out'}", status=2,
    )  # fmt: skip
    assert done.stderr.strip().splitlines()[-1].startswith("error: --source=nameless")
    assert not (tmp_path / "out").exists()


def test_scrambled_gold_of_the_target_changes_nothing_but_the_scores(
    world, trained, transferred, tmp_path
):
    """The text's and the test's labels are shuffled; all that is trained stays bit for bit."""
    rng = np.random.default_rng(5)

    def scrambled(path, name):
        text = [
            s._replace(labels=tuple(rng.permutation(LABELS)[:1][0] for _ in s.words))
            for s in read_sentences(path)
        ]
        return write_text(tmp_path / name, text)

    text, test = scrambled(world.text, "text.conll"), scrambled(world.test, "test.conll")
    transfer(world, trained, text, test, tmp_path / "scrambled")
    runs = (transferred[0], tmp_path / "scrambled")
    for name in ("model.safetensors", "label_model.safetensors"):
        first, second = ((run / name).read_bytes() for run in runs)
        assert first == second
    results = [json.loads((run / "result.json").read_text()) for run in runs]
    assert results[0]["rows"] != results[1]["rows"]
    metrics = [(run / "metrics.jsonl").read_text().splitlines() for run in runs]
    timed = {"time", "seconds", "words_per_second"}
    for lines in zip(*metrics, strict=True):
        first, second = (
            {key: value for key, value in json.loads(line).items() if key not in timed}
            for line in lines
        )
        assert first == second
