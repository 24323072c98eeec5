from zsl_jax.evaluation import score_lines
from zsl_jax.evaluation.averages import average_scores
from zsl_jax.evaluation.confusions import label_confusions, type_confusion
from zsl_jax.evaluation.metrics import score

GOLD = [["B-PER", "I-PER", "O"], ["B-LOC", "O"]]
PREDICTED = [["B-PER", "I-PER", "O"], ["B-PER", "B-LOC"]]


def cells(text):
    return [line.split() for line in text.splitlines()]


def side(*predictions, gold=GOLD):
    files = [{"file": f"{n}.conll", **score(gold, labels)} for n, labels in enumerate(predictions)]
    return {"files": files, "averages": average_scores(files)}


def test_the_table_shows_percentages():
    entities = score_lines.format_scores(score([["B-PER", "O"]], [["B-PER", "O"]]))
    lines = entities.splitlines()
    assert lines[:2] == ["2 words in 1 sentences", "accuracy 100.00"]
    assert lines[3].split() == ["entities,", "strict", "precision", "recall", "F1", "support"]
    assert lines[5].split() == ["PER", "100.00", "100.00", "100.00", "1"]
    assert len({len(line) for line in lines[3:6]}) == 1
    tags = score_lines.format_scores(score([["N", "V"]], [["N", "N"]]))
    assert tags.splitlines()[4].split() == ["N", "50.00", "100.00", "66.67", "1"]


def test_the_table_reports_repairs_by_label():
    clean = score_lines.format_scores(score(GOLD, PREDICTED))
    assert "repaired" not in clean and "read as O" not in clean
    text = score_lines.format_scores(score([["I-LOC", "O"]], [["I-PER", "_"]]))
    assert [line.partition(":")[2] for line in text.splitlines()[-3:]] == [
        " I-LOC 1", " I-PER 1", " _ 1",
    ]  # fmt: skip
    assert "repaired in gold" in text and "repaired in predicted" in text


def test_several_files_have_a_line_each_and_mean_and_deviation():
    text = cells(score_lines.format_files(side(GOLD, PREDICTED)))
    assert text[3] == ["0.conll", "100.00", "100.00", "100.00"]
    assert text[4] == ["1.conll", "60.00", "40.00", "40.00"]
    assert text[5] == ["mean", "80.00", "70.00", "70.00"]
    assert text[6] == ["sd", "28.28", "42.43", "42.43"]
    assert text[9:] == [["LOC", "50.00", "70.71"], ["PER", "83.33", "23.57"]]
    tags = cells(score_lines.format_files(side([["N"]], [["V"]], gold=[["N"]])))
    assert tags[2] == ["file", "accuracy"] and tags[5] == ["mean", "50.00"]
    assert tags[9:] == [["N", "50.00", "70.71"], ["V", "0.00", "0.00"]]


def test_confusions_of_types_are_a_matrix():
    lines = cells(score_lines.format_types(type_confusion(GOLD, PREDICTED)._asdict()))
    assert lines == [
        ["gold,", "predicted", "LOC", "PER", "missed"],
        ["LOC", "0", "1", "0"],
        ["PER", "0", "1", "0"],
        ["spurious", "1", "0"],
    ]


def test_the_most_frequent_confusions_of_labels_have_a_line_each():
    names = [f"T{number:02}" for number in range(12)]
    gold, predicted = [["N", "N", *names]], [["V", "V", *names[1:], names[0]]]
    found = [one._asdict() for one in label_confusions(gold, predicted)]
    lines = cells(score_lines.format_labels(found))
    assert lines[1] == ["N", "V", "2", "100.0"] and len(lines) == 1 + score_lines.SHOWN_CONFUSIONS
    assert len(cells(score_lines.format_labels([]))) == 1


def evaluation(**significance):
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    first = {**side(PREDICTED), "confusion": type_confusion(GOLD, PREDICTED)._asdict()}
    found = {"task": "ner", "score": "f1_strict", "confidence": 0.9, "resamples": 1000}
    found["predicted"] = {**first, "interval": interval}
    if significance:
        found["significance"] = {**found["predicted"], **significance}
    return found


def test_an_evaluation_ends_with_the_interval_of_the_score_that_counts():
    text = score_lines.format_evaluation(evaluation())
    assert cells(text)[-3:-1] == [
        ["strict", "F1", "value", "90", "%", "interval"],
        ["0.conll", "50.00", "40.00", "to", "60.00"],
    ]
    assert text.endswith("1,000 resamples of the sentences")


def test_tests_against_other_files():
    difference = {"value": 0.012, "low": -0.001, "high": 0.02}
    found = evaluation(difference=difference, p_value=0.0624, dominance=None)
    lines = score_lines.format_evaluation(found).splitlines()
    assert lines[-2].split() == ["difference", "+1.20", "-0.10", "to", "+2.00"]
    assert lines[-1].endswith("paired bootstrap: p = 0.0624")
    for bound, verdict in ((0.3, "are better"), (0.5, "are not shown better")):
        dominance = {"violation_ratio": 0.01, "epsilon_min": bound}
        found["significance"] |= {"dominance": dominance}
        found["significance"]["files"] = found["predicted"]["files"] * 3
        lines = score_lines.format_evaluation(found).splitlines()
        assert "mean of 3 `significance` files" in lines[-4]
        assert f"epsilon_min {bound:.3f}" in lines[-1] and lines[-1].endswith(verdict)
