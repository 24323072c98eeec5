"""Labels for a text: P by the tagger, or Q by the tagger and its sources."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Float

from zsl_jax.data.predictions.source_predictions import SourcePredictions, with_silence
from zsl_jax.data.predictions.unspecified import without_unspecified
from zsl_jax.data.predictions.votes import source_votes
from zsl_jax.data.text.chunks import chunks_of_words
from zsl_jax.errors import InputError
from zsl_jax.io.label_model_file import LabelModel
from zsl_jax.labels import SILENT, LabelSet
from zsl_jax.runtime.lookahead import lookahead
from zsl_jax.runtime.progress import Advance
from zsl_jax.training.config import JointWeights
from zsl_jax.training.e_step import label_posterior
from zsl_jax.types import Sentence
from zsl_jax.workflows.chain_model import (
    chain_from_storage,
    evidence_of,
    labels_by_chain,
)
from zsl_jax.workflows.label_decoding import AUTO, decode, decoding_of
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.loaded_tagger import LogProbs
from zsl_jax.workflows.source_streams import SourceStream
from zsl_jax.workflows.unseen_labels import warn_of_unseen_labels, without_unseen_labels

# Words that are labelled at once, so that memory does not grow with the text. A power of two: the
# arrays that are compiled for have such sizes.
CHUNK_WORDS = 1 << 16


def label_by_tagger(
    log_probs: LogProbs,
    label_set: LabelSet,
    text: Iterable[Sentence],
    decoding: str,
    advance: Advance,
) -> Iterator[LabelledText]:
    """Labels by P, chunk by chunk, of a text of any length.

    Args:
      log_probs: From `loaded_tagger.log_prob_function`.
      label_set: The tagger's labels.
      text: Read as far as it is labelled.
      decoding: How labels follow from probabilities, see `label_decoding.decoding_of`.
      advance: Called with the number of words done.

    Yields:
      Sentences with labels and the probabilities of each word by itself: under "viterbi", a label
      need not be the most probable one of its word.
    """
    decoding = decoding_of(decoding, label_set, by_chain=False)
    for chunk, table in _with_log_probs(log_probs, text, advance):
        yield _labelled(chunk, label_set, np.exp(table), decoding)


def label_by_posterior(
    log_probs: LogProbs,
    model: LabelModel,
    text: Iterable[Sentence],
    sources: Mapping[str, SourceStream],
    decoding: str,
    advance: Advance,
) -> Iterator[LabelledText]:
    """Labels by Q, chunk by chunk, of a text of any length.

    Args:
      log_probs: From `loaded_tagger.log_prob_function`.
      model: The label model of the sources.
      text: Read as far as it is labelled.
      sources: Exactly the model's sources, by name, with their predictions for this text.
      decoding: As for `label_by_tagger`; "auto" is what the label model recorded.
      advance: Called with the number of words done.

    Yields:
      As `label_by_tagger`, with Q in the place of P.
    """
    label_set = model.source_labels.label_set
    decoding = decoding_by_posterior(decoding, model)
    weights = JointWeights(model.prior_weight, model.source_weight)
    stored = model.chain
    chain = None
    if stored is not None:
        chain = chain_from_storage(stored, model.log_confusion, model.predictions)
    lost: dict[str, Counter[str]] = {name: Counter() for name in model.source_names}
    for chunk, table in _with_log_probs(log_probs, text, advance):
        predictions = []
        for name in model.source_names:
            made = _as_in_training(sources[name].take(chunk), model, name)
            made, counts = without_unseen_labels(made, model.source_labels, name)
            lost[name] += counts
            predictions.append(made)
        votes = source_votes(predictions, model.source_labels, model.source_names)
        if chain is not None:
            labels, posterior = labels_by_chain(chain, votes, chunk, label_set, table, decoding)
            yield LabelledText(chunk, *without_unspecified(label_set.names, labels, posterior))
        else:
            evidence = evidence_of(votes, model.predictions)
            posterior = label_posterior(weights, table, evidence, model.log_confusion).posterior
            yield _labelled(chunk, label_set, posterior, decoding)
    for name in model.source_names:
        sources[name].finish()
        warn_of_unseen_labels(name, lost[name])


def decoding_by_posterior(setting: str, model: LabelModel) -> str:
    """The decoding that a setting stands for, of labels by Q."""
    return model.decoding if setting == AUTO else setting


def _as_in_training(
    predictions: SourcePredictions, model: LabelModel, name: str
) -> SourcePredictions:
    """A source's predictions, silent where it gives O if it was sparse in training."""
    silent = model.source_labels.silent
    if silent is None or SILENT in predictions.label_names:
        return predictions
    was_sparse = np.isfinite(model.log_confusion[model.source_names.index(name), silent]).any()
    return with_silence(predictions) if was_sparse else predictions


def _with_log_probs(
    log_probs: LogProbs, text: Iterable[Sentence], advance: Advance
) -> Iterator[tuple[list[Sentence], Float[np.ndarray, "N K"]]]:
    """Chunks with their log P; the next one is computed while the one before is written."""
    thread = ThreadPoolExecutor(1)
    try:
        chunks = chunks_of_words(text, CHUNK_WORDS)
        running = ((chunk, thread.submit(log_probs, chunk, advance)) for chunk in chunks)
        for chunk, found in lookahead(running):
            yield chunk, found.result()
    finally:  # an interruption does not wait for a chunk
        thread.shutdown(wait=False, cancel_futures=True)


def _labelled(
    chunk: Sequence[Sentence], label_set: LabelSet, probs: Float[np.ndarray, "N K"], decoding: str
) -> LabelledText:
    labels = decode(probs, label_set, [sentence.words for sentence in chunk], decoding)
    return LabelledText(chunk, *without_unspecified(label_set.names, labels, probs))


def check_fits(model: LabelModel, folder: str, names: Iterable[str], label_set: LabelSet) -> None:
    """Refuses sources that a label model was not trained with, and a tagger of other labels."""
    if set(names) != set(model.source_names):
        raise InputError(
            f"the sources given are {', '.join(names)}, but {folder} was trained with "
            f"{', '.join(model.source_names)}; give exactly these (a source may abstain)"
        )
    learned = model.source_labels.label_set.names
    if learned != label_set.names:
        raise InputError(
            f"{folder}: config.json has the labels {', '.join(label_set.names)}, but what was "
            f"learned about the sources has {', '.join(learned)}; put these back into id2label, "
            "or train again"
        )
