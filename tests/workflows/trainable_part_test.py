import numpy as np

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.labels import LabelSet
from zsl_jax.training import loop, setup
from zsl_jax.training.config import OptimizerConfig, TransferConfig
from zsl_jax.training.config_choices import Approach
from zsl_jax.workflows import trainable_part
from zsl_jax.workflows.loaded_tagger import encode_text, load_tagger

CONFIG = TransferConfig(
    approach=Approach.KD, rounds=1, row_length=32, batch_words=64, dropout=0.0,
    optimizer=OptimizerConfig(learning_rate=0.01),
)  # fmt: skip


def train(start, windows, label_set):
    fit = trainable_part.set_up_training(start, label_set, [windows], CONFIG)
    target = np.eye(label_set.size, dtype=np.float32)[np.arange(windows.num_words) % label_set.size]
    state = loop.distil(fit.training, setup.ResumePoint(fit.state), target)
    return fit, trainable_part.assemble_tagger(start, fit, state.params, label_set)


def test_training_the_rows_that_occur_is_training_all_rows(world, monkeypatch):
    start = load_tagger(world.encoder)
    text = read_sentences(world.text, with_labels=False)[:12]
    windows, label_set = encode_text(start, text, 32), LabelSet(("A", "B"))
    monkeypatch.setattr(trainable_part, "ROWS_MULTIPLE", 1)
    fit, sliced = train(start, windows, label_set)
    everything = np.arange(start.encoder.vocab_size)
    assert len(fit.used_ids) < len(everything)
    monkeypatch.setattr(trainable_part, "_used_rows", lambda parts, vocabulary: everything)
    _, full = train(start, windows, label_set)
    unused = np.setdiff1d(everything, fit.used_ids)
    words = [tagger.params["encoder"]["embeddings"]["word"] for tagger in (start, sliced, full)]
    np.testing.assert_array_equal(words[0][unused], words[1][unused])
    np.testing.assert_array_equal(words[0][unused], words[2][unused])
    np.testing.assert_allclose(words[1], words[2], atol=1e-5)
    assert np.abs(words[1] - words[0]).max() > 1e-3


def windows_of(token_ids):
    """Only the subwords count here."""
    nothing = np.zeros(0, int)
    return Windows(np.array(token_ids, np.int32), nothing, nothing, 0, 0)


def test_used_rows_are_filled_up_to_a_round_number():
    rows = trainable_part._used_rows([windows_of([5, 2000]), windows_of([5])], 3000)
    assert len(rows) == trainable_part.ROWS_MULTIPLE
    assert {5, 2000} <= set(rows.tolist()) and (np.diff(rows) > 0).all()
    assert len(trainable_part._used_rows([windows_of([1])], 7)) == 7


def test_a_source_model_keeps_its_head_in_the_order_of_the_new_scheme(world):
    start = load_tagger(world.encoder)
    kernel = np.arange(32, dtype=np.float32).reshape(16, 2)
    head = {"kernel": kernel, "bias": np.array([1.0, 2.0], np.float32)}
    source = start._replace(
        label_set=LabelSet(("A", "B")), params={**start.params, "classifier": head}
    )
    turned = trainable_part.head_for(source, LabelSet(("B", "A")), seed=0)
    np.testing.assert_array_equal(turned["bias"], [2.0, 1.0])
    np.testing.assert_array_equal(turned["kernel"], kernel[:, ::-1])
    fresh = trainable_part.head_for(source, LabelSet(("A", "C")), seed=0)
    assert np.abs(fresh["kernel"]).max() < 0.2
