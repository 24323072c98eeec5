"""Files with one word per line: CoNLL columns, CoNLL-U, Universal NER and WikiANN."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from absl import logging

from zsl_jax.data.text.checks import are_plain, checked_label, checked_word, is_invisible
from zsl_jax.data.text.column_layout import Layout, find_layout, is_document, sample_sentences
from zsl_jax.data.text.comment_lines import is_comment
from zsl_jax.data.text.conll2009 import conll2009_layout
from zsl_jax.data.text.files import look_ahead
from zsl_jax.data.text.label_column import Rows, label_column
from zsl_jax.data.text.misc_column import with_misc_labels
from zsl_jax.data.text.multiword_tokens import share_label
from zsl_jax.data.text.numbering import Numbering
from zsl_jax.data.text.quoting import Quoting, refuse_quoted_label
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.data.text.sentence_breaks import SentenceBreaks
from zsl_jax.data.text.wikiann import without_language
from zsl_jax.data.text.word_column import doubt_words
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

# Number of lines that determine the layout of a file.
SAMPLE_LINES = 1_200
# A sentence has fewer words than this.
SURELY_A_TEXT = 1_000


_Row = tuple[int, list[str]]  # the number of the line of a word, and its fields


def read_columns(
    lines: Iterable[str], options: ReadOptions, given: Layout | None = None
) -> Iterator[Sentence]:
    """Sentences of a file with one word per line; without a layout, its first lines decide."""
    first, coming = look_ahead(iter(lines), SAMPLE_LINES, _is_surely_a_word)
    if not any(line.strip(" \t") for line in first):
        return
    layout = find_layout(first, options, given or conll2009_layout(first, options))
    if options.with_labels:
        layout = with_misc_labels(layout, first, options)
    sample = _sample(first, layout, options)
    label_at = label_column(layout, sample, options) if options.with_labels else None
    last = {fields[-1 if label_at is None else label_at] for fields in sample}
    known: dict[str, str] = {}  # labels that were looked at
    quoting = Quoting([fields[layout.word_at] for fields in sample], options)
    for comments, rows in _blocks(coming, options, layout, label_at, last):
        words = _words(rows, layout, options.name)
        quoting.check(words, rows)
        labels = None
        if label_at is not None:
            for (number, fields), word in zip(rows, words, strict=True):
                if (label := fields[label_at]) not in known:
                    where = f"{options.name}, line {number}"
                    refuse_quoted_label(where, label)
                    known[label] = checked_label(where, label, word, options.allow_missing)
            labels = tuple([known[fields[label_at]] for _, fields in rows])
        yield Sentence(words, labels, comments)


def _sample(first: Sequence[str], layout: Layout, options: ReadOptions) -> Rows:
    """The fields of the first words, if they may be words."""
    sentences = sample_sentences(first, layout)
    sample = [fields for sentence in sentences for fields in sentence]
    doubt_words(layout, sample, options)
    if len(sentences) == 1 and len(sample) > SURELY_A_TEXT and layout.sentence_at is None:
        logging.warning("%s: no empty line ends a sentence of %d words", options.name, len(sample))
    return sample


def _words(rows: Sequence[_Row], layout: Layout, name: str) -> tuple[str, ...]:
    """The words of a sentence."""
    words = [fields[layout.word_at] for _, fields in rows]
    if are_plain(words) and not layout.prefixed:
        return tuple(words)
    places = [f"{name}, line {number}" for number, _ in rows]
    if layout.prefixed:
        words = list(map(without_language, places, words))
    return tuple(map(checked_word, places, words))


def _is_surely_a_word(line: str) -> bool:
    """Whether a line cannot be empty, a comment or a document's mark."""
    return bool(line.strip(" \t")) and not line.startswith(("#", "-DOCSTART-"))


def _blocks(
    lines: Iterable[str],
    options: ReadOptions,
    layout: Layout,
    label_at: int | None,
    labels: Collection[str],
) -> Iterator[tuple[tuple[str, ...], list[_Row]]]:
    """The comments and the lines of the words of each sentence."""
    comments: list[str] = []
    rows: list[_Row] = []
    token: list[str] | None = None  # one of several words, before the last of them
    breaks = SentenceBreaks(layout, options)
    split, width = layout.split, layout.num_columns
    for number, line in enumerate(lines, start=1):
        filled = not _is_empty(line, layout)
        document = filled and is_document(line) and layout.numbering is not Numbering.CONLLU
        if rows and (document or not filled):
            yield tuple(comments), rows
            comments, rows, token = [], [], None
        if document or (
            line[:1] == "#" and is_comment(number, line, layout, None if rows else labels, options)
        ):
            comments.append(line)
        elif filled and line != layout.header:
            fields = split(line)
            if len(fields) != width:
                raise InputError(_wrong_columns(options, number, len(fields), layout))
            if breaks.possible:
                if not breaks.is_word(number, fields):
                    token = fields if "-" in fields[0] else token
                    continue
                if breaks.begins_sentence(number, fields, bool(rows)):
                    yield tuple(comments), rows
                    comments, rows = [], []
            rows.append((number, fields))
            if token is not None and token[0].endswith(f"-{fields[0]}"):
                if label_at is not None:
                    share_label(token, rows, label_at)
                token = None
    if rows:
        yield tuple(comments), rows


def _is_empty(line: str, layout: Layout) -> bool:
    """Whether a line has nothing in it, or one invisible field where words have several."""
    if "!" <= line[:1] <= "~":  # most lines
        return False
    if not line.strip(" \t"):
        return True
    return is_invisible(line) and layout.num_columns > 1 and len(layout.split(line)) == 1


def _wrong_columns(options: ReadOptions, number: int, found: int, layout: Layout) -> str:
    cut = "tabs" if layout.tabs else "blanks"
    way_out = "an empty line between sentences, or name another `format`"
    if layout.numbering is Numbering.CONLLU and not layout.has_more:
        way_out = "use another extension or `format`=conll for plain columns"
    added = layout.misc_key is not None  # the column that `Layout.split` adds
    return (
        f"{options.name}, line {number}: {found - added} column(s) where "
        f"{layout.num_columns - added} are expected, cut at {cut}; write every word with the same "
        f"columns and {way_out}"
    )
