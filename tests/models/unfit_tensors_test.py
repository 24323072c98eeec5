"""Tests of zsl_jax.models.unfit_tensors, through the reading of whole checkpoints."""

import numpy as np
import pytest

from tests.models.reference_files import read_reference
from zsl_jax.errors import InputError
from zsl_jax.models.huggingface import params_from_tensors


def said(tensors, architectures=("BertForTokenClassification",), family="bert"):
    config = read_reference(family).config
    with pytest.raises(InputError) as error:
        params_from_tensors(tensors, config, "my/model", architectures)
    message = str(error.value)
    assert message.startswith("my/model: ") and "\n" not in message
    return message.removeprefix("my/model: ")


@pytest.fixture
def tensors():
    return dict(read_reference("bert").tensors)


def renamed(tensors, old, new):
    return {new + n.removeprefix(old) if n.startswith(old) else n: t for n, t in tensors.items()}


@pytest.mark.parametrize("name", ["crf.transitions", "transitions", "model.crf.start_transitions"])
def test_a_crf_layer_is_named(tensors, name):
    message = said(tensors | {name: np.zeros((5, 5), np.float32)}, ["BertCrfForNer"])
    assert message.startswith(
        f"the model has a CRF layer, which is not supported (unexpected {name}"
    )
    assert message.endswith("give those predictions as the source")


@pytest.mark.parametrize("name", ["token_classifier", "head", "hidden2tag", "qa_outputs"])
def test_a_head_of_another_name_is_named_and_may_be_renamed(tensors, name):
    other = renamed(tensors, "classifier", name)
    message = said(other)
    assert f"the head is called '{name}'" in message
    assert "rename its tensors to classifier.weight and classifier.bias" in message
    params = params_from_tensors(
        renamed(other, name, "classifier"), read_reference("bert").config, ""
    )
    np.testing.assert_array_equal(params["classifier"]["bias"], tensors["classifier.bias"])


@pytest.mark.parametrize("prefix", ["model.", "module.", "_orig_mod.", "a.b."])
def test_a_wrapper_around_part_of_the_model_is_named(tensors, prefix):
    tensors = {prefix + name: tensor for name, tensor in tensors.items()}
    message = said(tensors | {"loss.weight": np.zeros(5, np.float32)})
    assert message.startswith(f"the names of the encoder's tensors begin with '{prefix}'")


def test_an_encoder_under_another_name(tensors):
    message = said(renamed(tensors, "bert.", "backbone."))
    assert message.startswith("the names of the encoder's tensors begin with 'backbone.'")


def test_a_head_without_a_bias_is_refused_with_what_to_add(tensors):
    del tensors["classifier.bias"]
    assert "classifier.bias is missing; add a classifier.bias of 5 zeros" in said(tensors)
    tensors["classifier.bias"] = np.zeros(5, np.float32)
    params_from_tensors(tensors, read_reference("bert").config, "")


@pytest.mark.parametrize("task", ["SequenceClassification", "QuestionAnswering", "MultipleChoice"])
def test_models_of_other_tasks_are_named_by_their_class(tensors, task):
    message = said(tensors, [f"BertFor{task}"])
    assert message.startswith(f"this is a BertFor{task}, whose head does not label words; name a")
    assert said(renamed(tensors, "classifier", "qa_outputs"), [f"BertFor{task}"]) == message


def test_an_encoder_without_a_head_may_be_of_any_class(tensors):
    body = {name: tensor for name, tensor in tensors.items() if "classifier" not in name}
    params = params_from_tensors(body, read_reference("bert").config, "", ["BertForNextSentence"])
    assert set(params) == {"encoder"}


def test_further_layers_are_named(tensors):
    lstm = {f"lstm.weight_ih_l{n}": np.zeros((8, 16), np.float32) for n in range(9)}
    message = said(tensors | lstm)
    assert message.startswith("the model has layers that are not supported (unexpected lstm")
    assert "lstm.weight_ih_l5 and 3 more" in message


def test_other_sizes_are_a_matter_of_the_files(tensors):
    tensors["bert.embeddings.word_embeddings.weight"] = np.zeros((61, 16), np.float32)
    message = said(tensors)
    assert "has shape (61, 16), not (60, 16); use config.json and weights of the same" in message
