"""Count the words on which transformers' own pipeline predicts the same label as we do.

python -m benchmarks.pipeline_agreement --model=DIR_OR_HUB --text=FILE [--output=FILE.json]

The folder is opened by `transformers.pipeline("token-classification",
aggregation_strategy="first")`, with PyTorch, which is fed in two ways:

words  the list of words with `is_split_into_words=True`: the subwords are ours. A different label
       is an error of one of the two programs, or a tie in float32.
text   the words separated by blanks, as running text.

The label of a word is that of the first group of subwords that begins with the word or overlaps it.
(The pipeline separates words at blanks or by "##": it may see several in one of ours, such as
"don ' t"; the first one contains our word's first subword.) Two settings make every word
comparable: `ignore_labels=[]`, since O would be omitted otherwise, and words are not merged to
entities, which would drop B- and I-. The pipeline's own choice of labels is not changed.

Omitted, and counted:
* sentences with more subwords than the model has positions (or the tokenizer's
  `model_max_length`): the pipeline truncates them, we read them in overlapping windows. All others
  fit into one window here;
* words for which the pipeline has no group, because the tokenizer returns no subword for them, such
  as a lone zero-width space (we use the unknown token).

In running text the subwords may differ if a tokenizer's rules look across blanks, and some
tokenizers (SentencePiece) put a lone "▁" before a symbol: it is our first subword, whereas its
position in the running text is the blank before the word. Needs the extra `torch`.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measuring import format_columns
from launch import inputs, options
from launch.options import FLAGS

options.define("model", "text", "format", "encoding", "words", "output", "max_sentences", "seed")


class Agreement(NamedTuple):
    """The number of words compared, and of equal labels.

    Attributes:
      fed: Input of the pipeline: "words" or "text".
      compared: Number of words that both label.
      equal: Number of words with the same label.
      unlabelled: Number of words that the pipeline does not label.
      examples: Some words with different labels: word, our label, the pipeline's label.
    """

    fed: str
    compared: int
    equal: int
    unlabelled: int
    examples: tuple[tuple[str, str, str | None], ...]


def main() -> None:
    """Prints a table, and some words on which the two differ."""
    from zsl_jax.io.json_file import write_json
    from zsl_jax.workflows.loaded_tagger import load_tagger

    text = inputs.stream_unlabelled("text", FLAGS.max_sentences)
    loaded = load_tagger(FLAGS.model)
    pipeline = open_pipeline(loaded.path)
    fitting, left_out = fitting_sentences([s.words for s in text], loaded, pipeline)
    results = [agreement(fitting, loaded, pipeline, fed) for fed in ("words", "text")]
    rows = [{**one._asdict(), "omitted (too long)": left_out} for one in results]
    print(format_columns([{k: v for k, v in row.items() if k != "examples"} for row in rows]))
    for one in results:
        for word, ours, theirs in one.examples:
            print(f"  {one.fed}: {word!r} is {ours} here and {theirs} there")
    if FLAGS.output:
        write_json(Path(FLAGS.output), {"model": FLAGS.model, "text": FLAGS.text, "rows": rows})


def open_pipeline(folder: str) -> Any:
    """Opens the pipeline, which returns one group of subwords per word, O included."""
    import transformers

    warnings.filterwarnings("ignore", "Tokenizer does not support real words")
    pipeline: Any = transformers.pipeline(
        "token-classification", folder, aggregation_strategy="first", ignore_labels=[], device="cpu"
    )
    pipeline.group_entities = lambda words: words  # words are not merged to entities
    return pipeline


def fitting_sentences(
    sentences: Sequence[Sequence[str]], loaded: Any, pipeline: Any
) -> tuple[list[Sequence[str]], int]:
    """The sentences that fit into one window of both, and the number of words in the others."""
    limit = min(loaded.encoder.max_positions, pipeline.tokenizer.model_max_length)
    fitting = []
    for words in sentences:
        lengths = [
            len(pipeline.tokenizer(list(words), is_split_into_words=True)["input_ids"]),
            len(pipeline.tokenizer(" ".join(words))["input_ids"]),
        ]
        if max(lengths) <= limit:
            fitting.append(words)
    return fitting, sum(map(len, sentences)) - sum(map(len, fitting))


def agreement(
    sentences: Sequence[Sequence[str]],
    loaded: Any,
    pipeline: Any,
    fed: str,
    most_examples: int = 10,
) -> Agreement:
    """Compares the labels of all words of sentences that fit into one window.

    Args:
      sentences: The words of each sentence.
      loaded: The tagger, from `load_tagger`.
      pipeline: The pipeline of the same folder, from `open_pipeline`.
      fed: Input of the pipeline: "words" or "text".
      most_examples: Number of differences to list.
    """
    from zsl_jax.workflows.tagger import Tagger

    ours = Tagger(loaded, row_length=loaded.encoder.max_positions).predict(sentences)
    triples = [
        triple
        for tagged in ours
        for triple in zip(
            tagged.words, tagged.labels, pipeline_labels(pipeline, tagged.words, fed), strict=True
        )
    ]
    compared = [triple for triple in triples if triple[2] is not None]
    different = [triple for triple in compared if triple[1] != triple[2]]
    equal, missing = len(compared) - len(different), len(triples) - len(compared)
    return Agreement(fed, len(compared), equal, missing, tuple(different[:most_examples]))


def pipeline_labels(pipeline: Any, words: Sequence[str], fed: str) -> list[str | None]:
    """The pipeline's label for each word of a sentence, or None."""
    if fed == "words":
        (groups,) = pipeline([list(words)], is_split_into_words=True, delimiter=" ")
    else:
        (groups,) = pipeline([" ".join(words)])
    labels: list[str | None] = []
    start = 0
    for word in words:
        end = start + len(word)
        of_word = (
            g for g in groups if g["start"] < end and (g["end"] > start or g["start"] == start)
        )
        labels.append(next((g["entity"] for g in of_word), None))
        start = end + 1
    return labels


if __name__ == "__main__":
    options.require("model", "text")
    options.run(main)
