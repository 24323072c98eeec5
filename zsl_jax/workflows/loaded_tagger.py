"""A tagger loaded from a model folder, and its predictions for a text."""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from zsl_jax.data.batches import subwords
from zsl_jax.errors import InputError
from zsl_jax.io import model_folder
from zsl_jax.io.tokenizer import load_tokenizer
from zsl_jax.labels import LabelSet
from zsl_jax.models import huggingface
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.runtime.progress import Advance, word_progress
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.devices import all_devices
from zsl_jax.training.e_step import predict_log_prior
from zsl_jax.training.state import new_prediction_head
from zsl_jax.types import Sentence
from zsl_jax.workflows.corpus_batches import prediction_batches, with_hidden_states
from zsl_jax.workflows.unknown_words import UnknownWords

LogProbs = Callable[[Sequence[Sentence], Advance], Float[np.ndarray, "N K"]]

ROW_LENGTH = TrainConfig().row_length


class LoadedTagger(NamedTuple):
    """A Hugging Face folder in memory.

    Attributes:
      path: The folder.
      config: Its config.json.
      encoder: The same, as the encoder reads it.
      params: {"encoder": ...}, {"classifier": ...} if the folder has a head, and
        {"prediction_head": ...} if the family has a layer between the two.
      label_set: The head's labels; None without a head.
      tokenizer: The folder's fast tokenizer.
    """

    path: str
    config: dict[str, Any]
    encoder: EncoderConfig
    params: dict[str, Any]
    label_set: LabelSet | None
    tokenizer: Any


def load_tagger(path: str | os.PathLike[str]) -> LoadedTagger:
    """Reads a Hugging Face folder (or hub name), with its head if it has one.

    Raises:
      InputError: A file is missing, the architecture is not supported, or the weights do not fit.
    """
    folder = model_folder.read_model_folder(path)
    encoder = EncoderConfig.from_huggingface(folder.config, str(path))
    architectures = folder.config.get("architectures")
    named = architectures if isinstance(architectures, list) else []
    params = huggingface.params_from_tensors(
        folder.tensors, encoder, str(path), [name for name in named if isinstance(name, str)]
    )
    if encoder.prediction_head and "prediction_head" not in params:  # an encoder alone
        rng = np.random.default_rng(0)
        params["prediction_head"] = new_prediction_head(rng, encoder.hidden_size)
    label_set = None
    if "classifier" in params:
        label_set = model_folder.read_label_set(folder.config, f"{path}/config.json")
        if label_set.size != len(params["classifier"]["bias"]):
            raise InputError(
                f"{path}/config.json: id2label has {label_set.size} labels, the weights have "
                f"{len(params['classifier']['bias'])}; use both from the same model"
            )
    tokenizer = load_tokenizer(folder.path, encoder.vocab_size)
    return LoadedTagger(str(folder.path), folder.config, encoder, params, label_set, tokenizer)


def save_tagger(path: str | os.PathLike[str], tagger: LoadedTagger, dtype: str = "float32") -> None:
    """Writes a tagger as a Hugging Face folder, with its own config and tokenizer."""
    label_set = require_head(tagger)
    tensors = huggingface.tensors_from_params(tagger.params, tagger.encoder)
    model_folder.write_model_folder(
        path, tagger.config, tensors, tagger.path, label_set.names, dtype
    )


def require_head(tagger: LoadedTagger) -> LabelSet:
    """The labels of a tagger that must have a head."""
    if tagger.label_set is None:
        raise InputError(
            f"{tagger.path} is an encoder without a token-classification head; train one with "
            "launch.train or zsl_jax.train"
        )
    return tagger.label_set


def encode_text(
    tagger: LoadedTagger, sentences: Sequence[Sentence], row_length: int
) -> subwords.Windows:
    """The subwords of a text, in windows that fit a row."""
    length = min(row_length, tagger.encoder.max_positions)
    words = (sentence.words for sentence in sentences)
    windows = subwords.encode_words(words, tagger.tokenizer, length)
    UnknownWords(tagger.path, tagger.tokenizer).look_at(windows, sentences)
    return windows


def log_prob_function(tagger: LoadedTagger, row_length: int = ROW_LENGTH) -> LogProbs:
    """Makes a tagger ready for one text after another.

    Args:
      tagger: It must have a head.
      row_length: Subwords in a packed row.

    Returns:
      A function of sentences and of a callback for the number of words done: log P(y|x) of every
      word, [N, K] on the flat axis of words. The parameters lie on the devices once, and words are
      cut into subwords once.
    """
    require_head(tagger)
    length = min(row_length, tagger.encoder.max_positions)
    encoder = subwords.SubwordEncoder(tagger.tokenizer, length)
    unknown = UnknownWords(tagger.path, tagger.tokenizer)
    ready = tagger._replace(params=all_devices().local.replicate(tagger.params))

    def log_probs(sentences: Sequence[Sentence], advance: Advance) -> Float[np.ndarray, "N K"]:
        windows = encoder.encode([sentence.words for sentence in sentences])
        unknown.look_at(windows, sentences)
        return _log_probs_of_windows(ready, windows, length, None, advance)

    return log_probs


def _log_probs_of_windows(
    ready: LoadedTagger,
    windows: subwords.Windows,
    row_length: int,
    states: Float[np.ndarray, "T H"] | None,
    advance: Advance,
) -> Float[np.ndarray, "N K"]:
    """log P of a tagger whose parameters lie on the devices."""
    devices = all_devices().local
    about = (ready.encoder, require_head(ready).size, "float32")
    batches = with_hidden_states(prediction_batches([windows], row_length, devices), states)
    found = predict_log_prior(devices, about, ready.params, batches, windows.num_words, advance)
    if np.isnan(found).any():
        raise InputError(f"{ready.path} gives probabilities that are not numbers; train it again")
    return found


def predict_log_probs(
    tagger: LoadedTagger, sentences: Sequence[Sentence], row_length: int = ROW_LENGTH
) -> Float[np.ndarray, "N K"]:
    """log P(y|x) of every word of one text, [N, K], with progress in the log."""
    with word_progress(sum(len(s.words) for s in sentences), "labelling") as advance:
        return log_prob_function(tagger, row_length)(sentences, advance)


def predict_windows(
    tagger: LoadedTagger,
    windows: subwords.Windows,
    row_length: int,
    states: Float[np.ndarray, "T H"] | None = None,
) -> Float[np.ndarray, "N K"]:
    """log P(y|x) of every word of a text in subwords.

    Args:
      tagger: With a head; where there are `states`, its encoder is the layers above them.
      windows: The text; where there are `states`, the token ids number their rows.
      row_length: Subwords of a row.
      states: [T, H], what the layers below made of the subwords.
    """
    length = min(row_length, tagger.encoder.max_positions)
    ready = tagger._replace(params=all_devices().local.replicate(tagger.params))
    with word_progress(windows.num_words, "labelling") as advance:
        return _log_probs_of_windows(ready, windows, length, states, advance)


def gold_labels(sentences: Sequence[Sentence], where: str) -> list[tuple[str, ...]]:
    """The labels of each sentence of a labelled text.

    Raises:
      InputError: A sentence has none.
    """
    for number, sentence in enumerate(sentences, 1):
        if sentence.labels is None:
            raise InputError(f"{where}, sentence {number} has no labels; choose another `column`")
    return [sentence.labels or () for sentence in sentences]
