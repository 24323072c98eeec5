"""A last column that does not hold the labels."""

import re

import pytest

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

NESTED = "Anna\tB-PER\tO\nUlmer\tB-LOCderiv\t{}\n"


def write(tmp_path, content):
    path = tmp_path / "a.tsv"
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Anna\tB-PER\t0\nsings\tO\t0\nRome\tB-LOC\t1\n", "numbers such as 1, not labels"),
        ("Anna\tB-PER\t0.98\nsings\tO\t0.75\n", "numbers such as 0.75, not labels"),
        ("Anna\t0.0\nsings\t0.0\nRome\t1.0\n", "numbers such as 1.0, not labels"),
        ("Anna\tB-PER\t\nsings\tO\t\n", "column 2, the last, is empty in every line"),
        (NESTED.format("O"), r"column 2, .* not the only one .*\(column 1: LOCderiv, PER\)"),
        (NESTED.format("B-ORG"), r"column 2, .* not the only one .*\(column 1: LOCderiv, PER\)"),
        ("1\tAnna\tB-PER\t-\tme\n2\tsings\tO\t-\tme\n", r"holds 'me', .*in column 2: PER"),
        ("Anna PROPN B-PER _\nsings VERB O SpaceAfter=No\n", r"holds '_', .*in column 2: PER"),
        ("Anna B-PER B-NP\nsings O B-VP\n", r"not the only one .*\(column 1: PER\)"),
    ],
)
def test_what_cannot_be_the_labels_is_refused_until_a_column_is_named(tmp_path, content, expected):
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=rf"a\.tsv: .*{expected}.*`column`"):
        read_sentences(path)
    assert read_sentences(path, with_labels=False)[0].words[0] == "Anna"
    if "B-PER" in content:
        column = content.split().index("B-PER")
        assert read_sentences(path, column)[0].labels[0] == "B-PER"
    else:
        assert read_sentences(path, 1)[0].labels[0] == "0.0"


def test_chunks_and_parts_of_speech_are_no_second_layer(tmp_path):
    text = "Anna NNP B-NP B-PER\nsings VBZ B-VP O\n"
    assert read_sentences(write(tmp_path, text))[0].labels == ("B-PER", "O")
    text = "Anna Anna NE I-NC I-PER\nsingt singen VVFIN I-VC O\nin in APPR I-PC O\n"
    assert read_sentences(write(tmp_path, text))[0].labels == ("I-PER", "O", "O")
    text = "she PRP B-NP O\nsings VBZ B-VP O\n"
    assert read_sentences(write(tmp_path, text))[0].labels == ("O", "O")


def test_of_several_layers_of_predictions_the_last_is_taken_with_a_warning(tmp_path, caplog):
    with caplog.at_level("WARNING", "absl"):
        found = read_predictions(write(tmp_path, "Anna B-PER O\nUlm B-LOC B-ORG\n"))
    assert [found.label_names[label] for label in found.labels] == ["O", "B-ORG"]
    assert re.search(r"column 2, .*\(column 1: LOC, PER\); it is taken", caplog.text)


@pytest.mark.parametrize("columns", ["gold pred", "pred gold"])
def test_a_header_tells_gold_labels_and_predictions_apart(tmp_path, columns, caplog):
    labels = {"gold": ["B-PER", "O"], "pred": ["B-ORG", "B-LOC"]}
    rows = zip(["word", "Anna", "sings"], *([n, *labels[n]] for n in columns.split()), strict=True)
    path = write(tmp_path, "\n".join(map("\t".join, rows)) + "\n")
    assert list(read_sentences(path)[0].labels) == labels["gold"]
    found = read_predictions(path)
    assert [found.label_names[label] for label in found.labels] == labels["pred"]
    assert not caplog.records


def test_the_last_of_several_layers_with_names_is_doubted_like_one_without(tmp_path):
    rows = "Anna\tB-PER\tNOUN\nsings\tO\tVERB\n"
    for header in ("word\tner\tpos\n", ""):
        path = write(tmp_path, header + rows)
        with pytest.raises(InputError, match=r"holds '(pos|NOUN)', .*in column 1: PER; .*`column`"):
            read_sentences(path)
    assert read_sentences(write(tmp_path, "word\tner\tpos\n" + rows), "ner")[0].labels[0] == "B-PER"


def test_a_file_of_predictions_is_told_another_way_out(tmp_path):
    with pytest.raises(InputError, match="keep two columns"):
        read_predictions(write(tmp_path, "Anna\tB-PER\t0.98\nsings\tO\t0.75\n"))
