import time

import pytest

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

TEXT = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Reviews>
 <Review rid="7"><sentences>
  <sentence id="7:0"><text>Loved the tuna tartare &amp; "bread".</text><Opinions>
   <Opinion target="tuna tartare" category="FOOD#QUALITY" polarity="positive" from="10" to="22"/>
   <Opinion target="tuna tartare" category="FOOD#PRICES" polarity="negative" from="10" to="22"/>
   <Opinion target="bread" category="FOOD#QUALITY" polarity="positive" from="26" to="31"/>
   <Opinion target="NULL" category="SERVICE#GENERAL" polarity="neutral" from="0" to="0"/>
  </Opinions></sentence>
  <sentence id="7:1" OutOfScope="TRUE"><text>Call me.</text></sentence>
  <sentence id="7:2"><text> </text></sentence>
 </sentences></Review>
</Reviews>
"""
WORDS = ("Loved", "the", "tuna", "tartare", "&", '"', "bread", '"', ".")


def write(tmp_path, text=TEXT, name="a.xml", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def opinion(text, *targets):
    marks = "".join(
        f'<Opinion target="{target}" from="{start}" to="{end}"/>' for target, start, end in targets
    )
    return f'<r><sentence id="s"><text>{text}</text><Opinions>{marks}</Opinions></sentence></r>'


def labels(tmp_path, text, *targets, **options):
    (sentence,) = read_sentences(write(tmp_path, opinion(text, *targets)), **options)
    assert sentence.labels is not None
    return " ".join(label[0] for label in sentence.labels)


def test_targets_become_bio_over_words(tmp_path):
    first, second = read_sentences(write(tmp_path))
    assert first.words == WORDS
    assert first.labels == (
        "O", "O", "B-ASPECT", "I-ASPECT", "O", "O", "B-ASPECT", "O", "O",
    )  # fmt: skip
    assert first.comments == ("# sent_id = 7:0",)
    assert first.text == 'Loved the tuna tartare & "bread".' and first.starts is not None
    assert first.text[first.starts[3] :].startswith("tartare")
    assert second.words == ("Call", "me", ".") and second.labels is None
    assert second.comments[1] == "# OutOfScope = TRUE"
    unlabelled = read_sentences(tmp_path / "a.xml", with_labels=False)
    assert [s.words for s in unlabelled] == [first.words, second.words]
    assert unlabelled[0].labels is None


def test_a_word_that_shares_a_character_belongs_to_the_target(tmp_path):
    target = ("soup", 4, 8)
    assert labels(tmp_path, "The soup, ok", target, words="whitespace") == "O B O"
    assert labels(tmp_path, "The soup, ok", target) == "O B O O"


def test_neighbouring_and_overlapping_targets(tmp_path):
    assert labels(tmp_path, "fish soup pie", ("fish", 0, 4), ("soup pie", 5, 13)) == "B B I"
    assert labels(tmp_path, "fish soup pie", ("soup", 5, 9), ("fish soup", 0, 9)) == "B I O"
    assert labels(tmp_path, "fish soup pie", ("soup pie", 5, 13), ("fish soup", 0, 9)) == "B I O"


def test_wrong_offsets_are_mended_only_where_there_is_one_place(tmp_path):
    assert labels(tmp_path, "the fish", ("fish", 3, 7)) == "O B"
    assert labels(tmp_path, "the  big fish", ("big fish", 5, 13)) == "O B I"
    with pytest.raises(InputError, match=r"a\.xml, sentence s: the target 'fish' is not at"):
        labels(tmp_path, "fish or fish", ("fish", 3, 7))
    with pytest.raises(InputError, match=r"the target 'meat'.*from='x' to='7'"):
        labels(tmp_path, "fish", ("meat", "x", 7))


def test_a_file_without_opinions_has_no_labels(tmp_path):
    path = write(tmp_path, '<r><sentence id="s"><text>a</text></sentence></r>')
    with pytest.raises(InputError, match="no Opinion elements"):
        read_sentences(path)
    assert read_sentences(path, with_labels=False)[0].words == ("a",)


def test_encodings(tmp_path):
    text = opinion("caf\u00e9", ("caf\u00e9", 0, 4))
    declared = '<?xml version="1.0" encoding="ISO-8859-1"?>' + text
    path = write(tmp_path, declared, encoding="iso-8859-1")
    assert read_sentences(path)[0].words == ("caf\u00e9",)
    path = write(tmp_path, text, encoding="iso-8859-1")
    with pytest.raises(InputError, match="cannot be read as XML"):
        read_sentences(path)
    assert read_sentences(path, encoding="iso-8859-1")[0].words == ("caf\u00e9",)
    assert read_sentences(
        write(tmp_path, declared.replace("ISO-8859-1", "utf-16"), encoding="utf-16")
    )


def bomb(reference):
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
    )
    return f"<!DOCTYPE r [{entities}]>{opinion(reference, ('NULL', 0, 0))}"


@pytest.mark.parametrize(
    "text",
    [
        bomb("&a11;"),
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + opinion("&x;"),
        '<!DOCTYPE r SYSTEM "http://localhost/x.dtd">' + opinion("a"),
        '<!DOCTYPE r [<!ENTITY % x SYSTEM "file:///etc/hostname">%x;]>' + opinion("a"),
    ],
)
def test_entities_are_refused_before_they_grow(tmp_path, text):
    path = write(tmp_path, text)
    start = time.process_time()
    for with_labels in (True, False):
        with pytest.raises(InputError, match="declares a document type"):
            read_sentences(path, None, with_labels)
    assert time.process_time() - start < 1


def test_other_xml(tmp_path):
    with pytest.raises(InputError, match="cannot be read as XML"):
        read_sentences(write(tmp_path, "<r>"))
    with pytest.raises(InputError, match="holds no words"):
        read_sentences(write(tmp_path, "<r/>"), with_labels=False)
    with pytest.raises(InputError, match="leave out `column`"):
        read_sentences(write(tmp_path), "x")


def test_targets_may_differ_from_the_text_in_case(tmp_path):
    assert labels(tmp_path, "Soep was heerlijk.", ("soep", 0, 4)) == "B O O O"
    assert labels(tmp_path, "De SOEP was heerlijk", ("soep", 0, 4)) == "O B O O"
    assert labels(tmp_path, "The Fish, not fish", ("fish", 9, 9)) == "O O O O B"  # the exact one
    with pytest.raises(InputError, match="the target 'fish' is not at"):
        labels(tmp_path, "Fish or FISH", ("fish", 9, 9))


def test_other_elements_and_attributes_are_not_passed_over(tmp_path):
    text = opinion("a soup", ("soup", 2, 6))
    for old, new, expected in [
        ("<Opinions>", '<aspectTerms><x term="a"/></aspectTerms><Opinions>', "'aspectTerms'"),
        ('from="2"', 'from="2" unit="utf16"', "'unit'"),
        ('id="s"', 'id="s" partial="yes"', "'partial'"),
        ('from="2"', 'from="2" implicit="true"', "'implicit'"),
        ('from="2"', 'from="2" at="2-6"', "'at'"),
    ]:
        path = write(tmp_path, text.replace(old, new, 1))
        with pytest.raises(InputError, match=rf"sentence s: .*{expected}"):
            read_sentences(path)
        assert read_sentences(path, with_labels=False)[0].words == ("a", "soup")


def test_annotation_that_is_left_out_is_not_o(tmp_path, caplog):
    text = opinion("a soup", ("soup", 2, 6))
    path = write(tmp_path, text.replace('target="soup" ', ""))
    with pytest.raises(InputError, match=r"sentence s: an opinion has no target, as in subtask 2"):
        read_sentences(path)
    of_reviews = "<r><sentence><text>a</text></sentence><Opinions><Opinion/></Opinions></r>"
    with pytest.raises(InputError, match="no Opinion elements in its sentences"):
        read_sentences(write(tmp_path, of_reviews))
    with caplog.at_level("WARNING", "absl"):
        read_sentences(write(tmp_path), with_labels=False)
        assert not caplog.text
        read_sentences(write(tmp_path))
    assert "1 sentences are out of scope" in caplog.text and "left out of training" in caplog.text
    assert set(read_sentences(tmp_path / "a.xml", allow_missing=True)[1].labels) == {"_"}


@pytest.mark.parametrize("opinions", ["", "<Opinions/>", "<Opinions></Opinions>"])
def test_a_sentence_without_opinions_names_no_target(tmp_path, opinions):
    text = opinion("a soup", ("soup", 2, 6)).removesuffix("</r>")
    text += f'<sentence id="t"><text>No soup</text>{opinions}</sentence></r>'
    found = read_sentences(write(tmp_path, text))
    assert [sentence.labels for sentence in found] == [("O", "B-ASPECT"), ("O", "O")]


def test_opinions_in_a_sentence_out_of_scope_do_not_count(tmp_path):
    text = opinion("a soup", ("soup", 2, 6))
    aside = text.replace('id="s"', 'id="t" OutOfScope="TRUE"').removeprefix("<r>")
    first, second = read_sentences(write(tmp_path, text.removesuffix("</r>") + aside))
    assert first.labels == ("O", "B-ASPECT") and second.labels is None
