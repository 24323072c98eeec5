"""The label model without a tagger, `zsl_jax.aggregate`: sources in, one label per word out."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import logging

from zsl_jax.data.predictions.prediction_files import read_predictions, read_words
from zsl_jax.data.predictions.same_words import check_words
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.votes import NO_VOTES, source_votes
from zsl_jax.errors import InputError
from zsl_jax.evaluation.diagnosis import Diagnosis, Learned, diagnose
from zsl_jax.labels import SourceLabels, check_kinds, common_source_labels
from zsl_jax.types import Sentence
from zsl_jax.workflows.chain_model import aggregate_with_text
from zsl_jax.workflows.given_text import Text, plain_text
from zsl_jax.workflows.label_decoding import AUTO, VITERBI, decode, decoding_of
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.loaded_tagger import ROW_LENGTH
from zsl_jax.workflows.resolve_sources import Given, fetched_sources, resolve_sources
from zsl_jax.workflows.results import AggregateResult, ConfusionMatrices, confusion_matrices
from zsl_jax.workflows.run_hooks import tally_of
from zsl_jax.workflows.source_conversion import in_target_labels, label_sets
from zsl_jax.workflows.source_differences import compare_sources
from zsl_jax.workflows.source_settings import (
    LabelMaps,
    Offsets,
    check_offsets_are_read,
    checked_settings,
)
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.tagged_sentence import tagged_sentences
from zsl_jax.workflows.vote_aggregation import (
    AGGREGATIONS,
    TEXT_METHODS,
    TO_CONVERGENCE,
    DawidSkeneSettings,
    aggregate_votes,
    as_target_labels,
)


class Aggregation(NamedTuple):
    """A text with labels, and what was learned about the sources."""

    labelled: LabelledText
    report: Diagnosis
    confusion: ConfusionMatrices | None


def aggregate(
    text: Text,
    sources: Mapping[str, Given],
    method: str = "chain",
    label_names: Sequence[str] | None = (),
    sparse: Collection[str] | None = (),
    offsets: Offsets = None,
    decode: str = AUTO,
    label_map: LabelMaps | None = None,
) -> AggregateResult:
    """Combines the sources' predictions for a text, without a tagger.

    Args:
      text: Sentences as lists of words, or the path of a text.
      sources: The sources' predictions for it, by name: the path of a prediction file or model
        folder, `SourcePredictions`, an array, or a function of the sentences' words that returns
        labels, entities or probabilities (see `workflows.function_source`); or a
        `workflows.sources.Source`, which may have a label map. Paths, here and elsewhere, may be
        addresses such as gs://bucket/file.
      method: "majority", "mean", "dawid_skene", "bea", "weighted_mean" or "chain".
      label_names: Names of the K labels of arrays; not needed without arrays.
      sparse: Names of sources, such as rules and lists of names, whose O means that they know
        nothing.
      offsets: Unit of the offsets of character spans in prediction files: "characters", "utf16"
        units or "bytes", in all files or, as {name: unit}, in those of one source. By default
        characters; spans that fit another unit only are refused.
      decode: "argmax" takes each word's most probable label, "viterbi" the most probable sequence
        of each sentence; "auto" is "viterbi" for entities by the chain, and "argmax" otherwise.
      label_map: By source, the file of a label map, or the map: for each of the source's labels or
        entity types a name of the target's, a list of several that it may be, or None to abstain.

    Returns:
      Each sentence with a label and K probabilities for each word, and a report on each source.

    Raises:
      InputError: A source cannot be read, or has other words.

    >>> capital = lambda sentences: [["X" if w.istitle() else "O" for w in s] for s in sentences]
    >>> [made.labels for made in aggregate([["Ann", "sings"]], {"capital": capital}, "majority")]
    [('X', 'O')]
    """
    if method not in AGGREGATIONS:
        raise InputError(f"`method`={method} is not one of {', '.join(AGGREGATIONS)}; choose one")
    shard, sources = plain_text(text), fetched_sources(sources)
    settings = checked_settings(sources, label_names, sparse, offsets, label_map)
    check_offsets_are_read(offsets, sources)
    found = resolve_sources(sources, shard, ROW_LENGTH, settings)
    made = aggregate_predictions(found, shard.sentences, method, decoding=decode)
    labelled, report, confusion = made
    sentences = list(tagged_sentences(labelled))
    return AggregateResult(sentences, labelled.label_names, report, confusion)


def aggregate_files(
    sources: Sequence[Source],
    method: str,
    settings: DawidSkeneSettings = TO_CONVERGENCE,
    decoding: str = AUTO,
) -> LabelledText:
    """Aggregates prediction files of one text, which `read_words` takes from them.

    Signs of label switching and collapse are warned of.
    """
    if not sources:
        raise InputError("`source` is missing: name at least one, as `source`=NAME=FILE")
    for source in sources:
        if not source.is_file or len(source.files) > 1:
            raise InputError(
                f"`source`={source.name}={source.path} is not one file of predictions; "
                f"{_way_to_a_file(source)}"
            )
    text = read_words([source.path for source in sources])
    if not text:
        raise InputError(
            f"`source`={sources[0].name}={sources[0].path} holds no predictions; check that it is "
            "the file you meant"
        )
    found = []
    for source in sources:
        predictions = read_predictions(source.path, text, offsets=source.offsets)
        check_words(predictions, text, source.path)
        found.append(in_target_labels(source, predictions))
    by_name = dict(zip([source.name for source in sources], found, strict=True))
    return aggregate_predictions(by_name, text, method, settings, decoding).labelled


def _way_to_a_file(source: Source) -> str:
    """What to do about a source that is not one file of predictions."""
    if source.pipeline is not None:
        return (
            "write json.dumps(nlp(sentence).to_json()) for each sentence as a line of a .jsonl "
            "file, and name the file"
        )
    if source.is_file:
        return "aggregate the files one by one"
    return "let a model annotate the text with launch.annotate, and name the file"


def aggregate_predictions(
    predictions: Mapping[str, SourcePredictions],
    text: Sequence[Sentence],
    method: str,
    settings: DawidSkeneSettings = TO_CONVERGENCE,
    decoding: str = AUTO,
) -> Aggregation:
    """Aggregates the sources' predictions for a text, in the target's labels.

    Signs of label switching and collapse are warned of.
    """
    names, found = list(predictions), list(predictions.values())
    check_kinds({name: made.label_names for name, made in predictions.items()})
    compare_sources([predictions])
    source_labels = common_source_labels([made.label_names for made in found], label_sets(found))
    votes = source_votes(found, source_labels, names)
    if not (votes.labels >= 0).any():
        raise InputError(NO_VOTES)
    label_set = source_labels.label_set
    if method == "bea":  # it reads the labels as the target's, and its report is about these
        votes = as_target_labels(votes._replace(probs=None), label_set.size)
        source_labels = SourceLabels.of(label_set)
    if method in TEXT_METHODS:
        made = aggregate_with_text(votes, text, label_set, method, decoding=decoding)
    else:
        made = aggregate_votes(votes, label_set.size, method, settings=settings)
    if method != "chain" and decoding_of(decoding, label_set, by_chain=False) == VITERBI:
        ids = decode(made.probs, label_set, [sentence.words for sentence in text], VITERBI)
        made = made._replace(labels=np.where(made.labels < 0, -1, ids))
    learned = Learned(made.log_confusion, copies=made.copies)
    about = diagnose(names, source_labels, learned, tally_of(made.probs, votes))
    for warning in about.warnings:
        logging.warning("%s", warning)
    labelled = LabelledText(text, label_set.names, made.labels, made.probs)
    return Aggregation(
        labelled, about, confusion_matrices(names, source_labels, made.log_confusion)
    )
