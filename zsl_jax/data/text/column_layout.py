"""The columns of a file with one word per line, as far as its first lines show."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from zsl_jax.data.text.numbering import Numbering, numbering_of
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError

_BLANKS = re.compile(r"[ \t]+")
_DOCUMENT = re.compile(r"-DOCSTART-(?:[ \t]|$)")
_GLOBAL_COLUMNS = re.compile(r"#[ ]?global\.columns[ ]*=(.+)")
_NOT_SURE = ("#", "-DOCSTART-")

# Names in header lines, in lower case.
WORD_NAMES = frozenset("word words token tokens form text wordform".split())
GOLD_NAMES = frozenset(["gold"])
PREDICTED_NAMES = frozenset("pred predicted prediction".split())
LABEL_NAMES = (
    GOLD_NAMES
    | PREDICTED_NAMES
    | frozenset(
        "label labels tag tags ner ner_tag ner_tags ne iob bio pos pos_tag pos_tags upos xpos "
        "entity entities named_entity netag ne_tag iob_tag bio_tag".split()
    )
)
SENTENCE_NAMES = frozenset(
    "sentence sentence# sentence_# sentence_id sentence_idx sentence_number sent_id sent".split()
)
_OTHER_NAMES = frozenset("id index lemma lemmas chunk doc_id document misc score".split())


class Layout(NamedTuple):
    """The columns of a line.

    Attributes:
      tabs: Whether lines are cut at tabs, else at blanks.
      num_columns: The columns that every line of a word has.
      word_at: The column of the words, from 0.
      label_at: The column of the labels unless the user names another; None if it is not clear.
      names: The names of the columns, where the format or a header line has some.
      numbering: Whether column 0 numbers the words; all lines with "#" in front of a sentence are
        comments then.
      prefixed: Whether a language and a colon stand before each word.
      header: The line with the names of the columns.
      sentence_at: The column that names the sentence, where no empty lines end sentences.
      has_more: Whether lines may have further columns, which are not read.
      misc_key: A key in the last column of lines, `Key=value|...`, whose value is one more column.
    """

    tabs: bool
    num_columns: int
    word_at: int = 0
    label_at: int | None = -1
    names: tuple[str, ...] = ()
    numbering: Numbering = Numbering.NONE
    prefixed: bool = False
    header: str | None = None
    sentence_at: int | None = None
    has_more: bool = False
    misc_key: str | None = None

    def split(self, line: str) -> list[str]:
        """The fields of a line."""
        fields = line.split("\t") if self.tabs else cut_at_blanks(line)
        if self.misc_key is not None:
            fields.append(misc_values(fields[-1]).get(self.misc_key, "_"))
        return fields[: self.num_columns] if self.has_more else fields

    def place(self, column: int | str, name: str) -> int:
        """The number, from 0, of a column that is named by number or name.

        Raises:
          InputError: There is no such column in the file `name`.
        """
        if isinstance(column, str) and re.fullmatch(r"-?\d{1,9}", column):
            column = int(column)
        if isinstance(column, str):
            if column_name(column) in self.names:
                return self.names.index(column_name(column))
            known = f"one of {', '.join(self.names)}" if self.names else "a number such as 1 or -1"
            raise InputError(f"{name}: there is no column '{column}'; it has to be {known}")
        if not -self.num_columns <= column < self.num_columns:
            last = self.num_columns - 1
            raise InputError(f"{name}: there is no column {column}; its columns are 0 to {last}")
        return column % self.num_columns


CONLLU_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
CONLLU = Layout(True, 10, 1, 3, CONLLU_COLUMNS, Numbering.CONLLU)
UNER = Layout(True, 5, 1, 2, numbering=Numbering.CONLLU)
WIKIANN = Layout(True, 2, prefixed=True)


def cut_at_blanks(line: str) -> list[str]:
    """The fields of a line between blanks and tabs; no other white space separates."""
    return _BLANKS.split(line.strip(" \t"))


def misc_values(field: str) -> dict[str, str]:
    """The values by key of `Key=value|Key=value`, as in the last column of CoNLL-U.

    >>> misc_values("SpaceAfter=No|NER=B-PER"), misc_values("_")
    ({'SpaceAfter': 'No', 'NER': 'B-PER'}, {})
    """
    pairs = (part.partition("=") for part in field.split("|"))
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def column_name(field: str) -> str:
    """A name in a header line as it is compared."""
    return field.strip().lower().replace(" ", "_")


def is_document(line: str) -> bool:
    """Whether a line marks the start of a document."""
    return _DOCUMENT.match(line) is not None


def find_layout(lines: Sequence[str], options: ReadOptions, given: Layout | None) -> Layout:
    """The layout of a column file.

    Args:
      lines: The first lines of the file, one of them with something in it.
      options: How the file is to be read; the column of the words may be named.
      given: The layout of the format; None for columns of any kind.

    Raises:
      InputError: It is not clear which column holds the words, or the one named is not there.
    """
    layout = _global_columns(lines, options) or given or _cut(lines, options)
    if given is None:
        sample = sample_sentences(lines, layout)
        layout = _by_sentence_numbers(_numbered(layout, sample, options), sample)
    if options.word_column is not None:
        place = layout.place(options.word_column, options.name)
        own = layout.numbering if place else Numbering.NONE
        layout = layout._replace(word_at=place, numbering=own)
    return layout


def sample_sentences(lines: Sequence[str], layout: Layout) -> list[list[list[str]]]:
    """The fields of the lines that are surely words', sentence by sentence."""
    sentences: list[list[list[str]]] = [[]]
    for line in lines:
        if not line.strip(" \t") or is_document(line):
            sentences.append([])
        elif not line.startswith(_NOT_SURE) and line != layout.header:
            fields = layout.split(line)
            if len(fields) == layout.num_columns:
                sentences[-1].append(fields)
    return [sentence for sentence in sentences if sentence]


def _global_columns(lines: Sequence[str], options: ReadOptions) -> Layout | None:
    """The layout of CoNLL-U Plus, whose first line names the columns."""
    match = next((match for line in lines[:9] if (match := _GLOBAL_COLUMNS.match(line))), None)
    names = tuple(match.group(1).lower().split()) if match else ()
    if "form" not in names or names == CONLLU_COLUMNS:
        return CONLLU if names == CONLLU_COLUMNS else None
    numbering = Numbering.CONLLU if names[0] == "id" else Numbering.NONE
    layout = Layout(True, len(names), names.index("form"), names=names, numbering=numbering)
    return layout._replace(label_at=_named_label(names, options))


def _cut(lines: Sequence[str], options: ReadOptions) -> Layout:
    """How the lines are cut, and the columns that a header line names."""
    filled = [line for line in lines if line.strip(" \t")]
    sure = (line for line in filled if not line.startswith(_NOT_SURE))
    first = next(sure, next((line for line in filled if "\t" in line), filled[0]))
    tabs = "\t" in first
    fields = Layout(tabs, 0).split(first)
    layout = Layout(tabs, len(fields))
    names = tuple(map(column_name, fields))
    if not _is_header(names, options):
        return layout
    word_at = next((place for place, name in enumerate(names) if name in WORD_NAMES), 0)
    separated = any(not line.strip(" \t") for line in lines[lines.index(first) + 2 :][:-1])
    by_name = (place for place, name in enumerate(names) if name in SENTENCE_NAMES)
    return layout._replace(
        names=names,
        header=first,
        word_at=word_at,
        label_at=_named_label(names, options),
        sentence_at=None if separated else next(by_name, None),
    )


def _is_header(names: Sequence[str], options: ReadOptions) -> bool:
    """Whether the first line names columns: those that the user names, or well-known ones."""
    wanted = [column_name(c) for c in (options.column, options.word_column) if isinstance(c, str)]
    if any(name in names and not re.fullmatch(r"-?\d+", name) for name in wanted):
        return True
    known = LABEL_NAMES | SENTENCE_NAMES | _OTHER_NAMES
    other = any(name in known or _names_labels(name) for name in names)
    return other and not WORD_NAMES.isdisjoint(names) and len(set(names)) == len(names)


def _names_labels(name: str) -> bool:
    """Whether a column is called as labels are, perhaps beside something else: "ner:type"."""
    return name in LABEL_NAMES or not {"ne", "ner"}.isdisjoint(re.split("[:-]", name))


def _named_label(names: Sequence[str], options: ReadOptions) -> int | None:
    """The column of the labels among named ones; -1 for the last of several, None if unclear."""
    found = [place for place, name in enumerate(names) if _names_labels(name)]
    wanted = PREDICTED_NAMES if options.allow_missing else GOLD_NAMES
    for places in ([place for place in found if names[place] in wanted], found):
        if len(places) == 1:
            return places[0]
    return -1 if len(names) - 1 in found else None


def _numbered(layout: Layout, sample: list[list[list[str]]], options: ReadOptions) -> Layout:
    """The layout with the words behind their numbers, where column 0 numbers them."""
    if layout.header is not None or layout.numbering is not Numbering.NONE:
        return layout
    numbering = numbering_of([[fields[0] for fields in sentence] for sentence in sample])
    if numbering is Numbering.NONE or layout.num_columns < 2:
        return layout
    if layout.num_columns == 2 and options.word_column is None:
        if _are_labels([fields[1] for sentence in sample for fields in sentence]):
            return layout
        raise InputError(
            f"{options.name}: column 0 of two seems to number the words; {options.remedy}"
        )
    return layout._replace(word_at=1, numbering=numbering)


def _by_sentence_numbers(layout: Layout, sample: list[list[list[str]]]) -> Layout:
    """The layout with the last column as that of the sentences, if only it parts these."""
    if len(sample) != 1 or layout.num_columns < 3 or layout.sentence_at is not None:
        return layout
    fields = [row[-1].strip(" ") for row in sample[0]]
    if not all(re.fullmatch(r"[0-9]{1,9}(?:\.0)?", field) for field in fields):
        return layout
    numbers = list(map(float, fields))
    rising = numbers == sorted(numbers) and 1 < len(set(numbers)) < len(numbers)
    return layout._replace(sentence_at=layout.num_columns - 1) if rising else layout


def _are_labels(fields: Sequence[str]) -> bool:
    """Whether fields look like labels, or at least repeat each other as labels do."""
    return all(map(looks_like_label, fields)) or 2 * len(set(fields)) <= len(fields)


def looks_like_label(field: str) -> bool:
    """Whether a field has the form of a label: O, B-X, capitals, or none ("_").

    >>> [looks_like_label(field) for field in ("O", "B-per", "NOUN", "_", "domain=en", "Anna")]
    [True, True, True, True, False, False]
    """
    return re.fullmatch(r"_|[A-Z][A-Z0-9$]*|[BIESLUMW][-_]\S+|", field.strip(" ")) is not None
