import gzip

import pytest

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

TEXT = """#begin document (wb/a/00/a_0001); part 000
wb/a/00/a_0001   0   0      Mary   NNP  (TOP(S(NP*   -    -   -   Tom   (PERSON*   (ARG0*  (1
wb/a/00/a_0001   0   1     Smith   NNP           *)  -    -   -   Tom          *)       *)  1)
wb/a/00/a_0001   0   2      left   VBD         (VP* leave 01   1   Tom          *      (V*)  -
wb/a/00/a_0001   0   3     Spain   NNP      (NP*))  -    -   -   Tom      (GPE)     (ARG1*)  -

wb/a/00/a_0001   0   0   #   SYM   (TOP*)   -   -   -   Tom   *   -

#end document
#begin document (wb/a/00/a_0001); part 001
wb/a/00/a_0001   1   0   New   NNP   (TOP*   -   -   -   -   (GPE*   -
wb/a/00/a_0001   1   1   York   NNP   *)   -   -   -   -   *)   -

#end document
"""
FIRST = Sentence(
    ("Mary", "Smith", "left", "Spain"),
    ("B-PERSON", "I-PERSON", "O", "B-GPE"),
    ("#begin document (wb/a/00/a_0001); part 000", "# domain = wb"),
)


def write(path, text=TEXT):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_brackets_become_bio(tmp_path):
    found = read_sentences(write(tmp_path / "a.v4_gold_conll"))
    assert found == [
        FIRST,
        Sentence(("#",), ("O",), ("# domain = wb",)),
        Sentence(
            ("New", "York"),
            ("B-GPE", "I-GPE"),
            ("#begin document (wb/a/00/a_0001); part 001", "# domain = wb"),
        ),
    ]
    assert read_sentences(write(tmp_path / "b.conll"), format="ontonotes") == found
    assert read_sentences(tmp_path / "b.conll", "pos", format="ontonotes")[2].labels == (
        "NNP",
        "NNP",
    )


def test_a_folder_is_read_in_order_with_the_domains_of_its_paths(tmp_path):
    write(tmp_path / "annotations" / "nw" / "x" / "b.v4_gold_conll.gz")
    write(tmp_path / "annotations" / "bc" / "y" / "c.v4_gold_conll")
    write(tmp_path / "annotations" / "bc" / "y" / "c.v4_auto_conll")
    found = read_sentences(tmp_path)
    assert [sentence.comments[-1] for sentence in found] == ["# domain = bc"] * 3 + [
        "# domain = nw"
    ] * 3
    assert read_sentences(f"{tmp_path}/annotations/nw/**/*_gold_conll*") == found[3:]
    assert read_sentences(tmp_path, with_labels=False)[0].labels is None


def test_unknown_domains_are_left_out(tmp_path):
    path = write(tmp_path / "a_gold_conll", TEXT.replace("wb/a", "xx/a"))
    assert read_sentences(path)[1].comments == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("(GPE)", "(GPE*", r"line 5: the sentence ends inside the entity \(GPE\*"),
        ("*)       *)  1)", "*        *)  1)", r"line 5: the entity bracket '\(GPE\)' .*nested"),
        ("(GPE)", "*)", r"line 5: the entity bracket '\*\)'"),
        ("       *)  1)", "       *)  1) x", r"line 3: 14 column\(s\) where 13"),
        ("Tom          *      ", "Tom          X      ", "line 4: the entity bracket 'X'"),
        ("Tom          *)  ", "Tom          (X)  ", r"line 3: .*nested"),
        ("0   2      left", "0   1      left", "line 4: word number '1' where 2"),
        ("left", "[WORD]", "skeleton2conll"),
    ],
)
def test_damage_is_located(tmp_path, old, new, expected):
    assert old in TEXT
    path = write(tmp_path / "a_gold_conll", TEXT.replace(old, new, 1))
    with pytest.raises(InputError, match=expected):
        read_sentences(path)


def test_other_files_are_refused(tmp_path):
    path = write(tmp_path / "a_gold_conll", "Anna B-PER\n")
    with pytest.raises(InputError, match=r"line 1: 2 column\(s\) where at least 12"):
        read_sentences(path)
    with pytest.raises(InputError, match="no column '-1' of labels; it has to be ner or pos"):
        read_sentences(write(path), -1)


def unnamed(domain, words):
    lines = "".join(
        f"{domain}/a 0 {number} w NN * - - - - {'(GPE)' if words < 0 else '*'} -\n"
        for number in range(abs(words))
    )
    return f"#begin document ({domain}/a); part 000\n{lines}\n#end document\n"


@pytest.mark.parametrize(("domain", "words"), [("pt", 3), ("bn", 101)])
def test_a_file_whose_names_are_not_annotated_is_not_read_as_o(tmp_path, domain, words):
    path = write(tmp_path / "a.v4_gold_conll", unnamed(domain, words))
    with pytest.raises(
        InputError, match=rf"none of its {words} words is in an entity.*`column`=pos"
    ):
        read_sentences(path)
    assert set(read_sentences(path, "pos")[0].labels) == {"NN"}
    assert len(read_sentences(path, with_labels=False)[0].words) == words


@pytest.mark.parametrize(("domain", "words"), [("bn", 100), ("pt", -3)])
def test_a_short_file_without_names_and_one_with_names_are_read(tmp_path, domain, words):
    path = write(tmp_path / "a.v4_gold_conll", unnamed(domain, words))
    assert len(read_sentences(path)[0].labels) == abs(words)
