import numpy as np
import pytest

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.errors import InputError
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.devices import all_devices
from zsl_jax.workflows.corpus_batches import training_corpus


def test_a_text_without_words_is_refused_since_its_epochs_would_not_end():
    none = np.zeros(0, np.int32)
    empty = Windows(none, none, np.zeros(1, np.int64), num_words=0, num_sentences=0)
    with pytest.raises(InputError, match="the text to train on has no words; give"):
        training_corpus([empty], TrainConfig(), 16, all_devices())
