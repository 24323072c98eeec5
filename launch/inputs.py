"""Reads the texts and sources that flags name."""

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from absl import logging

from launch.options import FLAGS, refuse_unread
from launch.terminal import say
from zsl_jax.atomic_file import is_standard_output
from zsl_jax.data.shards import Shard, shard_files
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

if TYPE_CHECKING:  # these import pyarrow, which --help need not wait for
    from zsl_jax.data.text_shard import TextShard

KINDS = {"Q": "Q (tagger and sources)", "P": "P (the tagger alone)"}  # of labels
_labels_read: dict[str, dict[str, Any]] = {}


def stream_unlabelled(flag: str, max_sentences: int | None) -> Iterator[Sentence]:
    """Streams the sentences of the files that a flag names, without their labels.

    The first sentence is read at once, so that an unusable text is refused before anything else is
    done. A sample is drawn in memory from all sentences.
    """
    files = files_of(flag)
    if max_sentences:
        return iter(read_text(flag, max_sentences).sentences)
    sentences = _stream(files)
    return itertools.chain(list(itertools.islice(sentences, 1)), sentences)


def label_text(
    sources: Mapping[str, Any], decoding: str, output_format: str | None
) -> tuple[int, str]:
    """Labels --text with --model, writes --output; returns the number of words and the decoding."""
    from zsl_jax.runtime.progress import word_progress
    from zsl_jax.workflows.labelled_text import write_labelled
    from zsl_jax.workflows.source_streams import can_stream
    from zsl_jax.workflows.tagger import Tagger

    refuse_unread_words("text")
    in_order = len(files_of("text")) == 1 and not FLAGS.max_sentences
    streams = not sources or (in_order and can_stream(sources))
    read = stream_unlabelled if streams else read_text
    text = read("text", FLAGS.max_sentences)
    tagger = Tagger.from_pretrained(FLAGS.model, FLAGS.row_length)
    decoding = tagger.decoding(decoding, bool(sources))
    about = {"labels_from": "Q" if sources else "P", "decode": decoding}
    with word_progress(None, "labelling") as advance:
        blocks = tagger.label(text, sources or None, decoding, advance)
        names = tagger.label_names
        return write_labelled(FLAGS.output, names, blocks, output_format, about), decoding


def read_labelled(flag: str, max_sentences: int | None = None) -> "TextShard":
    """Reads the labelled sentences of the files that a flag names; entity labels become BIO.

    Sentences that a format leaves without labels stand in `by_file` only.
    """
    from zsl_jax.data.predictions.to_bio import bio_sentences, reading_line
    from zsl_jax.data.text_shard import shard_of_text
    from zsl_jax.labels import OUTSIDE, doubtful_reading

    text, where = read_text(flag, with_labels=True), f"--{flag}={FLAGS[flag].value}"
    sentences, about = bio_sentences(text.sentences, where)
    names = sorted({label for sentence in sentences for label in sentence.labels or ()})
    if not {*names} - {OUTSIDE}:
        raise InputError(
            f"{where}: every word is labelled O, as where entities are not annotated; give "
            "labelled text, or the --column of the labels"
        )
    logging.info("--%s: %s", flag, reading_line(about))
    doubt = doubtful_reading(names)
    if doubt:
        logging.warning("--%s: %s are read as %s", flag, ", ".join(names[:5]), doubt)
    _labels_read[flag] = about
    flat = iter(sentences)
    by_file = [list(itertools.islice(flat, len(file))) for file in text.by_file or ()]
    places = [place for place, sentence in enumerate(sentences) if sentence.labels is not None]
    candidates = places if len(places) < len(sentences) else None
    how = (max_sentences, _seed(), candidates)
    return shard_of_text(by_file, text.shard, text.num_files, *how)


def labelled_pairs(flag: str, max_sentences: int | None):
    """Words and labels of the sentences that `read_labelled` reads."""
    labelled = read_labelled(flag, max_sentences).sentences
    return [(sentence.words, sentence.labels) for sentence in labelled]


def labels_read() -> dict[str, Any]:
    """Returns how labels were read, by flag: scheme and repairs, for the run's record."""
    return dict(_labels_read)


def read_text(
    flag: str, max_sentences: int | None = None, with_labels: bool = False
) -> "TextShard":
    """Reads the sentences of the files that a flag names, grouped by file."""
    from zsl_jax.data.text_shard import shard_of_text

    files = files_of(flag)
    whole = Shard(tuple(range(len(files))), 0, 1)
    by_file = [_read(file, with_labels) for file in files]
    return shard_of_text(by_file, whole, len(files), max_sentences, _seed())


def read_shards(
    flag: str, max_sentences: int | None, num_shards: int, numbers: Sequence[int]
) -> list["TextShard"]:
    """Reads some shards of the text that a flag names, without labels.

    Args:
      flag: Name of the flag; its value is a path as `find_files` reads it.
      max_sentences: Number of random sentences of the whole text to use; None uses all.
      num_shards: Number of shards of the text.
      numbers: Numbers of the shards to read; files of other shards are not opened.
    """
    from zsl_jax.data.text.compact_text import CompactText
    from zsl_jax.data.text_shard import shard_of_text

    files = files_of(flag)
    # A sample is drawn from all files, and its sentences are assigned to shards in turn.
    shards = shard_files(0 if max_sentences else len(files), num_shards)
    texts = []
    for shard in (shards[number] for number in numbers):
        if max_sentences:
            shard = shard._replace(files=tuple(range(len(files))))
        by_file = [CompactText.of(_stream([file])) for file in shard.of_files(files)]
        text = shard_of_text(by_file, shard, len(files), max_sentences, _seed())
        if not text.sentences:
            raise _empty_shard(flag, num_shards)
        texts.append(text)
    return texts


def check_shards(flag: str, text: "TextShard", num_shards: int) -> None:
    """Raises the error of `read_shards` if a text has too few sentences for its shards."""
    by_file = text.by_file if text.by_file and not FLAGS.max_sentences else [text.sentences]
    for shard in shard_files(len(by_file), num_shards):
        if sum(map(len, shard.of_files(by_file))) <= shard.first:
            raise _empty_shard(flag, num_shards)


def _empty_shard(flag: str, num_shards: int) -> InputError:
    return InputError(
        f"--{flag}: a shard of --shards={num_shards} would have no sentence; give fewer shards"
    )


def sample_of(text: "TextShard", count: int | None) -> "TextShard":
    """Random sentences of a text that is one shard; the whole text if it does not have more."""
    from zsl_jax.data.text_shard import shard_of_text

    if count is None or len(text.sentences) <= count:
        return text
    return shard_of_text(text.by_file or [], text.shard, text.num_files, count, _seed())


def files_of(flag: str, value: str | None = None) -> list[str]:
    """Returns the files that a flag names, as `find_files` reads its value (or one of them)."""
    from zsl_jax.data.text.files import find_files

    path = str(FLAGS[flag].value) if value is None else value
    try:
        return find_files(path)
    except InputError as error:
        raise InputError(f"--{flag}={path}: {error}") from error


def _read(file: str, with_labels: bool) -> list[Sentence]:
    from zsl_jax.data.text.readers import read_sentences

    return read_sentences(file, **_read_options(with_labels))


def _stream(files: Sequence[str]) -> Iterator[Sentence]:
    from zsl_jax.data.text.readers import stream_sentences

    options = _read_options(with_labels=False)
    return (s for file in files for s in stream_sentences(file, **options))


def _read_options(with_labels: bool) -> dict[str, Any]:
    """The arguments of the readers that the flags determine."""
    names = ("format", "encoding", "words", "word_column")
    given = {name: FLAGS[name].value for name in names if name in FLAGS}
    column = FLAGS.column if "column" in FLAGS and with_labels else None
    return {"column": column, "with_labels": with_labels, **given}


def refuse_unread_words(*texts: str) -> None:
    """Refuses --words if no text that the flags `texts` name can be raw: others have words."""
    from zsl_jax.data.text.formats import format_of

    if FLAGS.words is None:
        return
    files = [file for flag in texts if FLAGS[flag].value for file in files_of(flag)]
    if not {FLAGS.format or format_of(file) for file in files} & {"txt", "plain", "semeval"}:
        refuse_unread(("words",), "without raw text (.txt or .xml, or --format=plain or semeval)")


def _seed() -> int:
    return FLAGS.seed if "seed" in FLAGS else 0


def matching_files(flag: str) -> list[str]:
    """Returns the files that a repeated flag names, each value as `find_files` reads it.

    Raises:
      InputError: A pattern does not match any file, or a file is named twice.
    """
    paths: list[str] = []
    for value in FLAGS[flag].value or []:
        paths += files_of(flag, value)
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice:
        raise InputError(f"--{flag} names {twice} twice; give each seed's file once")
    return paths


def named_sources(flag: str):
    """Returns the sources that a flag names; --task selects what a spaCy pipeline predicts."""
    from launch.source_flags import parse_sources

    values = FLAGS[flag].value if flag in FLAGS else None
    return parse_sources(values or (), f"--{flag}", FLAGS.task if "task" in FLAGS else None)


def report(line: str) -> None:
    """Prints the outcome; to the standard error if the result goes to the standard output."""
    say(line, sys.stderr if is_standard_output(FLAGS.output) else sys.stdout)


def sources():
    """Returns the sources that --source names, with the settings that other flags give them."""
    from launch.source_flags import with_label_maps, with_offsets, with_sparse
    from zsl_jax.workflows.source_settings import prediction_files, refuse_unread_offsets

    if not FLAGS.source:
        refuse_unread(("label_map", "offsets", "sparse"), "without --source")
    found = with_label_maps(named_sources("source"), FLAGS.label_map)
    found = with_offsets(found, FLAGS.offsets)
    if FLAGS.offsets:
        groups = (found, named_sources("test_source"))
        given = [{source.name: source for source in group} for group in groups]
        refuse_unread_offsets(FLAGS.offsets, prediction_files(*given))
    return with_sparse(found, FLAGS.sparse) if "sparse" in FLAGS else found


def test_sources(sources):
    """Returns the sources that --test_source names, read like the sources of the same name."""
    by_name = {source.name: source for source in sources}
    return [
        by_name[source.name]._replace(path=source.path, given=source.given)
        if source.name in by_name
        else source
        for source in named_sources("test_source")
    ]


def watch_compilations() -> None:
    """Starts counting XLA's compilations."""
    from zsl_jax.runtime import compilation

    compilation.watch_compilations()


def compiled() -> dict[str, float]:
    """Returns how often and how long XLA compiled in this process."""
    from zsl_jax.runtime import compilation

    return compilation.compiled()
