"""A trained tagger as plain Python uses it: sentences in, labels and probabilities out."""

import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from zsl_jax.data.predictions.unspecified import specified
from zsl_jax.data.text.checks import checked_word
from zsl_jax.data.text.word_rules import WORD_RULES, find_words
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.io.label_model_file import LabelModel, read_label_model
from zsl_jax.runtime.progress import Advance
from zsl_jax.training.config import TrainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.label_decoding import AUTO, check_decoding, decoding_of
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.loaded_tagger import (
    ROW_LENGTH,
    LoadedTagger,
    load_tagger,
    log_prob_function,
    require_head,
)
from zsl_jax.workflows.prediction import (
    check_fits,
    decoding_by_posterior,
    label_by_posterior,
    label_by_tagger,
)
from zsl_jax.workflows.resolve_sources import Given, fetched_sources, resolve_sources
from zsl_jax.workflows.source_settings import (
    LabelMaps,
    Offsets,
    check_offsets_are_read,
    checked_settings,
)
from zsl_jax.workflows.source_streams import HeldPredictions, streams_of
from zsl_jax.workflows.tagged_sentence import TaggedSentence, tagged_sentences


class Tagger:
    """A trained tagger.

    Its parameters are placed on the devices when it is created; its program is compiled at the
    first call. Pickles and copies of a tagger that `from_pretrained` has read hold the path of its
    folder, from which it is read again.
    """

    _in_folder = False  # whether its folder has the same parameters

    def __init__(self, loaded: LoadedTagger, row_length: int = ROW_LENGTH):
        """Makes a tagger in memory ready for use on the devices.

        Args:
          loaded: The tagger; it must have a head.
          row_length: Subwords in a packed row; longer sentences go through overlapping windows.

        Raises:
          InputError: It has no head, its tokenizer cannot be used, or `row_length` is not valid.
        """
        if not isinstance(loaded, LoadedTagger):
            raise InputError(f"{loaded!r:.80} is not a loaded tagger; use Tagger.from_pretrained")
        self._scheme = require_head(loaded)
        self._path = os.path.abspath(loaded.path)  # which is read later
        self._row_length = TrainConfig(row_length=row_length).row_length  # checked
        self._log_probs = log_prob_function(loaded, self._row_length)

    @classmethod
    def from_pretrained(
        cls, path_or_hub: str | os.PathLike[str], row_length: int = ROW_LENGTH
    ) -> "Tagger":
        """Reads a Hugging Face folder, or fetches it by its hub name.

        Args:
          path_or_hub: The folder, or the hub name.
          row_length: As for a tagger in memory.

        Raises:
          InputError: There is no such tagger, or it has no head.
        """
        tagger = cls(load_tagger(path_or_hub), row_length)
        tagger._in_folder = True
        return tagger

    def __repr__(self) -> str:
        return f"Tagger({self._path!r}, row_length={self._row_length})"

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._in_folder:
            raise InputError(
                "a tagger that was made in memory cannot be pickled or copied; write it with "
                "zsl_jax.workflows.loaded_tagger.save_tagger, and read the folder with "
                "Tagger.from_pretrained"
            )
        return type(self).from_pretrained, (self._path, self._row_length)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The K labels, in the order of the probabilities; "_" of a model is none of them."""
        return specified(self._scheme.names)

    @functools.cached_property
    def _label_model(self) -> LabelModel:
        """What is known of the tagger's sources."""
        return read_label_model(self._path)

    def decoding(self, decode: str, with_sources: bool) -> str:
        """The decoding that `decode` stands for, "argmax" or "viterbi", with sources or without."""
        check_decoding(decode)
        if with_sources:
            return decoding_by_posterior(decode, self._label_model)
        return decoding_of(decode, self._scheme, by_chain=False)

    def __call__(
        self, sentences: Iterable[str | Sequence[str]]
    ) -> tuple[tuple[str, ...], Float[np.ndarray, "N K"]]:
        """Label names and probabilities of all N words: a tagger is a source, as functions are."""
        empty = np.empty((0, len(self.label_names)), np.float32)
        blocks = self.label(as_sentences(sentences))
        return self.label_names, np.concatenate([empty, *(block.probs for block in blocks)])

    def predict(
        self,
        sentences: Iterable[str | Sequence[str]],
        sources: Mapping[str, Given] | None = None,
        decode: str = AUTO,
        words: str = "whitespace",
        offsets: Offsets = None,
        label_map: LabelMaps | None = None,
    ) -> list[TaggedSentence]:
        """Labels and probabilities: P of the tagger, or Q of tagger and sources.

        Args:
          sentences: Lists of words, or strings, which are cut into words; or sentences as results
            and readers have them, whose labels are not read.
          sources: The predictions for these words of the sources that the tagger was trained with,
            by name: paths of prediction files (or model folders), `SourcePredictions`, functions
            as for `zsl_jax.aggregate`, or arrays on the flat axis of all N words: [N] label ids
            with -1 for none, or [N, K] probabilities.
          decode: "argmax" takes each word's most probable label, "viterbi" the most probable
            sequence of each sentence; "auto" is "argmax" for P, and for Q what the tagger's label
            model recorded: by default, "viterbi" for entities and "argmax" for tags.
          words: How strings are cut: at "whitespace", or by "unicode" rules.
          offsets: Unit of the offsets of character spans in prediction files: "characters",
            "utf16" or "bytes", or one of them for each source, by name.
          label_map: By source, a label map or its file, as for `zsl_jax.aggregate`.

        Returns:
          One result per sentence, in order.

        Raises:
          InputError: A word is not valid, or the sources are not those of the tagger or have other
            words.
        """
        text = as_sentences(sentences, words)
        blocks = self.label(text, sources, decode, offsets=offsets, label_map=label_map)
        return [tagged for block in blocks for tagged in tagged_sentences(block)]

    def label(
        self,
        text: Iterable[Sentence] | TextShard,
        sources: Mapping[str, Given] | None = None,
        decode: str = AUTO,
        advance: Advance = lambda words: None,
        offsets: Offsets = None,
        label_map: LabelMaps | None = None,
    ) -> Iterator[LabelledText]:
        """Labels a text of any length, block by block; memory does not grow with it.

        The same holds with sources that are Parquet files; with others, the text and their
        predictions are in memory as a whole.

        Args:
          text: The sentences, read as far as they are labelled. As a `TextShard`, they come from
            files, for each of which every source may have a file.
          sources: As for `predict`.
          decode: As for `predict`.
          advance: Called with the number of words done.
          offsets: As for `predict`.
          label_map: As for `predict`.

        Yields:
          The sentences in order with labels and probabilities.

        Raises:
          InputError: As `predict`.
        """
        decode = self.decoding(decode, sources is not None)
        if sources is None:
            if offsets or label_map:
                name = "offsets" if offsets else "label_map"
                raise InputError(f"`{name}` is about `sources`; give these, too, or omit it")
            sentences = text.sentences if isinstance(text, TextShard) else text
            return label_by_tagger(self._log_probs, self._scheme, sentences, decode, advance)
        sources = fetched_sources(sources)
        check_fits(self._label_model, self._path, sources, self._scheme)
        in_order = not isinstance(text, TextShard) or (text.num_files == 1 and not text.sampled)
        streams = streams_of(sources) if in_order and not offsets and not label_map else None
        if streams is None:
            text = text if isinstance(text, TextShard) else TextShard(list(text))
            settings = checked_settings(sources, self.label_names, (), offsets, label_map)
            check_offsets_are_read(offsets, sources)
            settings = settings._replace(learned=True)
            found = resolve_sources(sources, text, self._row_length, settings)
            streams = {name: HeldPredictions(made) for name, made in found.items()}
        sentences = text.sentences if isinstance(text, TextShard) else text
        return label_by_posterior(
            self._log_probs, self._label_model, sentences, streams, decode, advance
        )


class WithTagger:
    """Base class of the results whose folder is that of a tagger.

    The folder becomes an absolute path, so that the tagger is found from any working directory.
    Pickles and copies leave out the tagger in memory, which is loaded again when it is asked for.
    """

    folder: Path
    row_length: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", self.folder.absolute())  # the results are frozen

    @functools.cached_property
    def tagger(self) -> Tagger:
        """The trained tagger, loaded from its folder when it is asked for."""
        return Tagger.from_pretrained(self.folder, self.row_length)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "tagger"}


def as_sentences(
    sentences: Iterable[str | Sequence[str]], words: str = "whitespace"
) -> list[Sentence]:
    """Sentences that the user gave as lists of words, strings or sentences, checked.

    Args:
      sentences: As for `Tagger.predict`.
      words: Likewise.

    Raises:
      InputError: A word is not valid.
    """
    if words not in WORD_RULES:
        raise InputError(f"`words`={words} is not one of {', '.join(WORD_RULES)}; choose one")
    if isinstance(sentences, str):
        raise InputError("sentences is a string; give a list of sentences, such as [text]")
    has_columns = hasattr(sentences, "columns") or hasattr(sentences, "column_names")
    if has_columns or isinstance(sentences, Mapping):
        raise InputError(
            f"{sentences!r:.80} is a table, not a text; give its column of sentences, as a list"
        )
    if not _is_ordered(sentences):
        raise InputError(f"{sentences!r:.80} is not a text; give a list of sentences")
    return [_sentence(number, given, words) for number, given in enumerate(sentences, start=1)]


def _is_ordered(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, Mapping | Set)


def _sentence(number: int, given: str | Sequence[str], rule: str) -> Sentence:
    """One sentence that the user gave, its words checked, without labels."""
    comments, text, starts = (), None, None
    if isinstance(given, Sentence | TaggedSentence):
        comments, text, starts = getattr(given, "comments", ()), given.text, given.starts
        given = given.words
    if not _is_ordered(given):
        raise InputError(f"sentence {number}: {given!r:.80} is not a list of words; give one")
    words = tuple(given)
    if isinstance(given, str):
        text = given
        words, starts = find_words(given, rule)
    for word in words:
        if not isinstance(word, str):
            raise InputError(
                f"sentence {number}: {word!r:.80} is not a word; give a list of strings"
            )
        checked_word(f"sentence {number}", word)
    return Sentence(words, None, comments, text, starts)
