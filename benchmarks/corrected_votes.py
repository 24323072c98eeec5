"""The label model of the sources' votes alone, with and without corrected words of a text."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zsl_jax.labels import LabelSet
from zsl_jax.types import Sentence, SourceVotes


class CorrectedVotes:
    """The texts and sources of a finished launch.transfer whose sources are files.

    Args:
      settings: The flags in its run.json.
    """

    def __init__(self, settings: dict[str, Any]):
        from zsl_jax.data.text.readers import read_sentences

        self._folder = tempfile.TemporaryDirectory()  # removed with this object
        self.text = read_sentences(settings["text"])
        self.test = read_sentences(settings["test"])
        self._sources = self._predictions(settings["source"], self.text)
        self._test_sources = self._predictions(settings["test_source"], self.test)

    def scores(self, export: Path | None, without: set[str]) -> tuple[float, float]:
        """F1 (or accuracy) on the test, and on the sentences of the text except some.

        Args:
          export: Corrected sentences that the label model learns from; None for none.
          without: Sentences that are not scored, as words with blanks between them.
        """
        from zsl_jax.training.config import ChainConfig
        from zsl_jax.workflows.chain_model import (
            ChainModel,
            aggregate_with_text,
            fit_chain_model,
            text_words,
        )

        votes, test_votes, label_set = self._votes(export)
        words = text_words([self.text], label_set)
        fit = fit_chain_model(votes, words, label_set, ChainConfig(), "soft")
        model = ChainModel(ChainConfig(), fit.fitted, words.types.names)
        test = aggregate_with_text(test_votes, self.test, label_set, "chain", model, "argmax")
        return (
            self._score(self.test, test.labels, label_set, set()),
            self._score(self.text, fit.result.posterior.argmax(axis=1), label_set, without),
        )

    def _predictions(self, given: Sequence[str], sentences: Sequence[Sentence]) -> dict[str, Any]:
        from launch.source_flags import parse_sources
        from zsl_jax.data.text_shard import TextShard
        from zsl_jax.workflows.source_annotation import source_predictions

        shard = TextShard([sentence._replace(labels=None) for sentence in sentences])
        return {
            source.name: source_predictions(source, [shard], Path(self._folder.name), 128)[0]
            for source in parse_sources(given)
        }

    def _votes(self, export: Path | None) -> tuple[SourceVotes, SourceVotes, LabelSet]:
        from zsl_jax.data.predictions.votes import source_votes
        from zsl_jax.data.text_shard import TextShard
        from zsl_jax.labels import common_source_labels
        from zsl_jax.workflows.gold_words import NAME, read_gold_words

        names = list(self._sources)
        shard = TextShard(self.text)
        known = read_gold_words(str(export), [shard], [self._sources]) if export else []
        label_names = [made.label_names for made in (*self._sources.values(), *known)]
        labels = common_source_labels(label_names, {})
        votes = source_votes(list(self._sources.values()), labels, names)
        if known:
            votes = votes._replace(gold=source_votes(known, labels, [NAME]).labels[:, 0])
        test = source_votes([self._test_sources[name] for name in names], labels, names)
        return votes, test, labels.label_set

    def _score(
        self, sentences: Sequence[Sentence], ids: np.ndarray, label_set: LabelSet, without: set[str]
    ) -> float:
        from zsl_jax.evaluation import metrics
        from zsl_jax.workflows.labelled_text import labels_by_sentence

        predicted = labels_by_sentence(label_set.names, [s.words for s in sentences], ids)
        pairs = [
            (sentence.labels or (), own)
            for sentence, own in zip(sentences, predicted, strict=True)
            if " ".join(sentence.words) not in without
        ]
        gold, found = zip(*pairs, strict=True)
        return float(metrics.score(gold, found)["score"])
