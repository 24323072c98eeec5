import json

import numpy as np
import pytest

from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.writers import write_conll
from zsl_jax.errors import InputError
from zsl_jax.evaluation import metrics
from zsl_jax.evaluation.bootstrap import Resampling
from zsl_jax.evaluation.score_lines import format_evaluation
from zsl_jax.types import Sentence
from zsl_jax.workflows.evaluate import evaluate, read_to_score
from zsl_jax.workflows.labelled_text import labels_by_sentence

FAST = Resampling(num_resamples=200)
NAMES = ("B-PER", "I-PER", "O", "B-LOC", "O", "I-LOC")
GOLD = [Sentence((f"w{n}", "x", "y"), (NAMES[n % 6], NAMES[(n + 1) % 6], "O")) for n in range(30)]


def predictions(folder, name, wrong_every):
    """A prediction file in which every so many words has no label."""
    words = iter(range(1000))
    labels = [
        ["_" if next(words) % wrong_every == 0 else label for label in sentence.labels]
        for sentence in GOLD
    ]
    path = str(folder / f"{name}.conll")
    write_conll(path, zip(GOLD, labels, strict=True))
    return path, labels


@pytest.fixture
def files(tmp_path):
    return [predictions(tmp_path, f"p{every}", every)[0] for every in (20, 15, 3, 2)]


@pytest.mark.parametrize("task", ["ner", "plain"])
def test_one_file_has_scores_confusions_and_an_interval(tmp_path, task):
    path, labels = predictions(tmp_path, "p", 7)
    found = evaluate(GOLD, [path], [], task, FAST)
    gold = [sentence.labels for sentence in GOLD]
    assert found["predicted"]["files"] == [{"file": path, **metrics.score(gold, labels, task)}]
    score = metrics.score(gold, labels, task)
    assert found["score"] == ("f1_strict" if task == "ner" else "accuracy")
    interval = found["predicted"]["interval"]
    assert interval["value"] == score["score"] == score[found["score"]]
    assert interval["low"] < interval["value"] < interval["high"]
    assert "significance" not in found
    assert json.loads(json.dumps(found)) == found and format_evaluation(found)


def test_two_sides_of_one_file_are_tested_by_pairs(files):
    found = evaluate(GOLD, files[:1], files[3:], None, FAST)
    test = found["significance"]
    means = [found[flag]["interval"]["value"] for flag in ("predicted", "significance")]
    assert test["difference"]["value"] == means[0] - means[1] > 0
    assert test["p_value"] < 0.05 and test["difference"]["low"] > 0
    assert test["dominance"] is None
    swapped = evaluate(GOLD, files[3:], files[:1], None, FAST)["significance"]
    assert swapped["p_value"] == test["p_value"]
    assert swapped["difference"]["value"] == -test["difference"]["value"]


def test_seeds_are_averaged_and_tested_for_dominance(files):
    found = evaluate(GOLD, files[:2], files[2:], "ner", FAST)
    assert [scores["file"] for scores in found["significance"]["files"]] == files[2:]
    assert found["predicted"]["averages"]["f1_strict"]["sd"] > 0
    assert found["significance"]["dominance"] == {"violation_ratio": 0.0, "epsilon_min": 0.0}
    back = evaluate(GOLD, files[2:], files[:2], "ner", FAST)["significance"]["dominance"]
    assert back == {"violation_ratio": 1.0, "epsilon_min": 1.0}
    text = format_evaluation(found)
    assert "counts over all 2 files" in text and "epsilon_min 0.000" in text
    total = sum(
        map(sum, (row.values() for row in found["predicted"]["confusion"]["found"].values()))
    )
    total += sum(found["predicted"]["confusion"]["missed"].values())
    assert total == 2 * found["predicted"]["files"][0]["strict"]["overall"]["support"]


def test_a_side_against_itself_is_no_different(files):
    test = evaluate(GOLD, files[:3], [files[2], files[0], files[1]], None, FAST)["significance"]
    assert test["p_value"] == 1.0
    assert test["difference"] == pytest.approx({"value": 0, "low": 0, "high": 0}, abs=1e-12)
    assert test["dominance"]["violation_ratio"] == 0.5


def test_files_of_another_text_are_refused_by_name(files, tmp_path):
    other = [GOLD[0]._replace(words=("w0", "other", "y")), *GOLD[1:]]
    path = str(tmp_path / "other.conll")
    write_conll(path, [(sentence, sentence.labels) for sentence in other])
    with pytest.raises(InputError, match=r"other\.conll, sentence 1, word 2: 'other'"):
        evaluate(GOLD, files[:1], [path], None, FAST)


def test_labels_of_another_kind_than_the_gold_labels_are_warned_of(tmp_path, caplog):
    gold = [Sentence(("Anna", "sings"), ("B-PER", "O"))]
    bare = [Sentence(("Anna", "sings"), ("PER", "O"))]
    for name, text, other in (("bare", gold, bare), ("bio", bare, gold)):
        path = str(tmp_path / f"{name}.conll")
        write_conll(path, [(other[0], other[0].labels)])
        caplog.clear()
        with caplog.at_level("WARNING", "absl"):
            evaluate(text, [path], [], None, FAST)
        assert f"{name}.conll has the labels" in caplog.text and "cannot be right" in caplog.text
    given = [Sentence(("Anna", "Bo", "sings"), ("B-PER", "B-PER", "O"))]
    mixed = str(tmp_path / "mixed.conll")
    write_conll(mixed, [(given[0], ("B-PER", "PER", "O"))])
    with caplog.at_level("WARNING", "absl"):  # B-PER is right
        evaluate(given, [mixed], [], None, FAST)
    assert "mixed.conll has the labels PER, which are not of the kind" in caplog.text
    caplog.clear()
    with caplog.at_level("WARNING", "absl"):
        evaluate(gold, [path], [], None, FAST)
    assert not caplog.text


@pytest.mark.parametrize(
    ("gold", "given", "message"),
    [
        (("NOUN", "VERB"), ("noun", "VERB"), "noun differs from NOUN by case alone; they count as"),
        (("NOUN", "VERB"), ("NNP", "VBZ"), "none of NNP, VBZ is among NOUN, VERB; they count as"),
        (("B-PER", "O"), ("B-person", "O"), "none of person is among PER; they count as different"),
        (("B-PER", "O"), ("I-PER", "O"), "the labels fit IO, but are read as BIO"),
        (("B-PER", "B-LOC"), ("B-PER", "B-MISC"), ""),
    ],
)
def test_labels_that_no_gold_label_is_are_warned_of(tmp_path, caplog, gold, given, message):
    text, path = [Sentence(("Anna", "sings"), gold)], str(tmp_path / "p.conll")
    write_conll(path, [(text[0], given)])
    with caplog.at_level("WARNING", "absl"):
        evaluate(text, [path], [], None, FAST)
    assert message in caplog.text and bool(caplog.text) == bool(message)


def test_sentences_without_labels_are_read_but_not_scored(tmp_path):
    path, labels = predictions(tmp_path, "p", 7)
    text = [GOLD[0]._replace(labels=None), *GOLD[1:]]
    gold = [sentence.labels for sentence in GOLD[1:]]
    scores = evaluate(text, [path], [], "ner", FAST)["predicted"]["files"]
    assert scores == [{"file": path, **metrics.score(gold, labels[1:], "ner")}]
    with pytest.raises(InputError, match="`gold`: no sentence has labels"):
        evaluate([s._replace(labels=None) for s in GOLD], [path], [], "ner", FAST)


def test_predictions_are_scored_in_bio_but_with_their_faults(tmp_path, caplog):
    gold = [Sentence(("a", "b", "c", "d"), ("B-X", "I-X", "O", "B-X"))]

    def scores(labels, gold_scheme="bio"):
        path = tmp_path / "p.conll"
        pairs = zip(gold[0].words, labels.split(), strict=True)
        path.write_text("".join(f"{word}\t{label}\n" for word, label in pairs))
        made = read_to_score(str(path), gold, gold_scheme=gold_scheme)
        given = labels_by_sentence(made.label_names, made.words, made.labels)
        return metrics.score([gold[0].labels], given)

    assert scores("B-X E-X O S-X")["f1_strict"] == 1
    assert scores("B_X I_X O B_X")["f1_strict"] == 1
    assert "the labels fit" not in caplog.text
    assert scores("I-X I-X O I-X")["f1_strict"] == 0  # not IO: gold is BIO
    assert "p.conll: the labels fit IO, but are read as BIO" in caplog.text
    scores("I-X B-X O I-X")
    assert "p.conll: the labels fit IOB1, but are read as BIO" in caplog.text
    assert scores("I-X I-X O I-X", "io")["f1_strict"] == 1
    assert scores("I-X I-X O I-X", "iob1")["f1_strict"] == 1
    assert scores("I-X B-X O B-X")["f1_strict"] == pytest.approx(0.5)  # not IOB1
    stray = scores("B-X O O I-X")  # BIO: the stray label is not an entity in the strict reading
    assert stray["strict"]["overall"]["support"] == 2
    assert stray["f1_strict"] == 0 and stray["f1_conlleval"] == pytest.approx(0.5)
    for labels, strict in (
        ("I-X E-X O S-X", 2 / 3),
        ("B-X I-X O S-X", 2 / 3),
        ("I-X E-X O B-X", 0),
    ):
        faulty = scores(labels)
        assert faulty["f1_strict"] == pytest.approx(strict), labels
        assert faulty["f1_conlleval"] == 1 and faulty["accuracy"] < 1
    path, names = tmp_path / "p.parquet", ("O", "B-X", "I-X")
    for ids, strict in (([2, 2, 0, 2], 0), ([2, 2, 0, 1], 2 / 3), ([2, 1, 0, 2], 0)):
        labels = np.array(ids, np.int32)
        write_predictions(path, SourcePredictions(names, labels, None, (gold[0].words,)))
        made = read_to_score(str(path), gold)
        given = labels_by_sentence(made.label_names, made.words, made.labels)
        assert metrics.score([gold[0].labels], given)["f1_strict"] == pytest.approx(strict), ids
