import importlib.util
import re

import numpy as np
import pytest

from launch.source_flags import parse_sources
from tests import fake_spacy
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence
from zsl_jax.workflows import spacy_source
from zsl_jax.workflows.source_annotation import source_predictions

HAS_SPACY = importlib.util.find_spec("spacy") is not None
TEXT = [
    Sentence(("Anna", "visits", "Rome", ",", "Rome", "\u200b")),
    Sentence(("\u05e9\u05dc", "doesn't", "e\u0301", "\u00a0")),
]
KNOWN = {"Anna": "PER", "Rome": "LOC", "Oslo": "GPE"}
POS = {"visits": "VERB", "Rome": "PROPN", "doesn't": "AUX"}


def real(component, known):
    """A blank spaCy pipeline with a ruler."""
    import spacy

    nlp = spacy.blank("xx")
    if component == "entity_ruler":
        patterns = [{"label": label, "pattern": [{"ORTH": word}]} for word, label in known.items()]
        nlp.add_pipe(component).add_patterns(patterns)
    elif component:
        ruler = nlp.add_pipe(component)
        for word, label in known.items():
            ruler.add([[{"ORTH": word}]], {"POS": label})
    return nlp


@pytest.fixture(params=["fake", "spacy"])
def saved(request, tmp_path, monkeypatch):
    """Saves a pipeline, of spaCy or of the fake in its place, and gives its folder."""
    if request.param == "spacy" and not HAS_SPACY:
        pytest.skip("spaCy is not installed: pip install -e .[spacy]")
    if request.param == "fake":
        fake_spacy.install(monkeypatch)

    def save(component="entity_ruler", known=None):
        known = {"entity_ruler": KNOWN, "attribute_ruler": POS}.get(component, {})
        made = (fake_spacy.Language if request.param == "fake" else real)(component, known)
        made.to_disk(tmp_path / str(component))
        return str(tmp_path / str(component))

    return save


def labels_of(made):
    return [None if label < 0 else made.label_names[label] for label in made.labels]


def test_entities_are_bio_of_the_words_as_they_are(saved):
    made = spacy_source.annotate_by_spacy(saved(), TEXT)
    assert list(made.words) == [sentence.words for sentence in TEXT] and made.probs is None
    assert labels_of(made) == ["B-PER", "O", "B-LOC", "O", "B-LOC", "O", *"OOOO"]
    kinds = ("GPE", "LOC", "PER")  # those that do not occur here, too
    assert made.label_names == ("O", *(f"{letter}-{kind}" for kind in kinds for letter in "BI"))


def test_parts_of_speech_abstain_where_there_is_none(saved):
    made = spacy_source.annotate_by_spacy(saved("attribute_ruler"), TEXT, "pos")
    assert made.label_names == ("AUX", "PROPN", "VERB")
    assert labels_of(made)[:6] == [None, "VERB", "PROPN", None, "PROPN", None]
    assert labels_of(made)[7] == "AUX" and made.labels.dtype == np.int32


@pytest.mark.parametrize(
    ("component", "task", "expected"),
    [
        (
            "attribute_ruler",
            "ner",
            r"no component for entities .* but attribute_ruler; .*`task`=pos",
        ),
        (
            "entity_ruler",
            "pos",
            r"no component for parts of speech .* but entity_ruler; .*leave out",
        ),
        (None, "ner", "but none at all"),
    ],
)
def test_a_pipeline_without_the_component_is_refused(saved, component, task, expected):
    folder = saved(component)
    with pytest.raises(InputError, match=expected) as refused:
        spacy_source.annotate_by_spacy(folder, TEXT, task)
    assert folder in str(refused.value)


def test_pipelines_that_cannot_be_loaded(saved, tmp_path):
    for name in (str(tmp_path / "none"), "no_such_package", "a.b", "numpy", ""):
        with pytest.raises(InputError, match=f"spacy:{re.escape(name)} is neither"):
            spacy_source.annotate_by_spacy(name, TEXT)
    (tmp_path / "meta.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be loaded") as refused:
        spacy_source.annotate_by_spacy(str(tmp_path), TEXT)
    assert "\n" not in str(refused.value)


def test_without_spacy_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'zsl_jax\[spacy\]'"):
        spacy_source.spacy_fingerprint("en_core_web_sm", "ner")


def test_spaces_are_those_of_the_running_text():
    text = "Anna,\u00a0it  is"
    sentence = Sentence(("Anna", ",", "it", "is"), None, (), text, (0, 4, 6, 10))
    assert spacy_source._spaces(sentence) == [False, True, True, False]
    assert spacy_source._spaces(sentence._replace(text=None)) == [True, True, True, False]


def test_a_source_is_annotated_once_and_again_if_something_changes(saved, tmp_path, monkeypatch):
    folder, calls = saved(), []
    annotate = spacy_source.annotate_by_spacy
    monkeypatch.setattr(
        "zsl_jax.workflows.source_annotation.annotate_by_spacy",
        lambda *arguments: calls.append(arguments) or annotate(*arguments),
    )
    cache = tmp_path / "cache"

    def made(text=TEXT, task=None):
        (source,) = parse_sources([f"en=spacy:{folder}"], task=task)
        assert not source.is_file and not source.is_model and source.pipeline == folder
        return source_predictions(source, [TextShard(text)], cache, 32)[0]

    first, again = made(), made()
    assert len(calls) == 1 and labels_of(first) == labels_of(again)
    assert first.about["scheme"] == "bio"
    made(TEXT[:1])
    with pytest.raises(InputError, match="parts of speech"):
        made(task="pos")
    (tmp_path / "entity_ruler" / "other").write_text("x")
    made()
    assert [call[2] for call in calls] == ["ner", "ner", "pos", "ner"]
