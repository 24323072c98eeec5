"""On how many words transformers' own pipeline gives the label that we give, for a real model.

python -m benchmarks.pipeline_agreement --model=DIR_OR_HUB --text=FILE [--output=FILE.json]

The folder is opened by `transformers.pipeline("token-classification",
aggregation_strategy="first")`, with PyTorch, which is fed in two ways:

words  the list of words with `is_split_into_words=True`: the subwords are ours. A label that
       differs is a fault of one of the two programs, or a tie of float32.
text   the words with blanks between them, as running text.

The label of a word is that of the first group of subwords that begins with the word or reaches into
it. (The pipeline tells words by blanks or by "##": it may see several in one of ours, such as
"don ' t"; the first one has our word's first subword.) Two things are set so that every word can be
compared: `ignore_labels=[]`, since O is left out else, and words are not merged to entities, which
drops B- and I-. Nothing of the pipeline's own choice of labels is touched.

Left out, and counted:
* sentences with more subwords than the model has places for (or the tokenizer's
  `model_max_length`): the pipeline cuts them off, we read them in overlapping windows. All others
  are in one window here;
* words for which the pipeline has no group: the tokenizer makes no subword of them, such as a lone
  zero-width space (we read the unknown token there).

In running text the subwords may differ where a tokenizer's rules look across blanks, and some
tokenizers (SentencePiece) put a lone "▁" in front of a symbol: it is our first subword, while its
place in the running text is the blank before the word. Needs the extra `torch`.
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
    """How many words were compared, and how many labels are equal.

    Attributes:
      fed: What the pipeline was given: "words" or "text".
      compared: Words with a label by both.
      equal: Those with the same label.
      unlabelled: Words that the pipeline has no label for.
      examples: Some words with different labels: word, ours, the pipeline's.
    """

    fed: str
    compared: int
    equal: int
    unlabelled: int
    examples: tuple[tuple[str, str, str | None], ...]


def main() -> None:
    """Print a table, and some words on which the two differ."""
    from zsl_jax.io.json_file import write_json
    from zsl_jax.workflows.loaded_tagger import load_tagger

    text = inputs.stream_unlabelled("text", FLAGS.max_sentences)
    loaded = load_tagger(FLAGS.model)
    pipeline = open_pipeline(loaded.path)
    fitting, left_out = fitting_sentences([s.words for s in text], loaded, pipeline)
    found = [agreement(fitting, loaded, pipeline, fed) for fed in ("words", "text")]
    rows = [{**one._asdict(), "left out (too long)": left_out} for one in found]
    print(format_columns([{k: v for k, v in row.items() if k != "examples"} for row in rows]))
    for one in found:
        for word, ours, theirs in one.examples:
            print(f"  {one.fed}: {word!r} is {ours} here and {theirs} there")
    if FLAGS.output:
        write_json(Path(FLAGS.output), {"model": FLAGS.model, "text": FLAGS.text, "rows": rows})


def open_pipeline(folder: str) -> Any:
    """The pipeline, which gives one group of subwords a word, O included."""
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
    """The sentences that both read at once, and the number of words in the others."""
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
    """Compares the labels of all words of sentences that fit.

    Args:
      sentences: The words of each sentence.
      loaded: The tagger, as `load_tagger` gives it.
      pipeline: From `open_pipeline`, of the same folder.
      fed: "words" or "text".
      most_examples: Differences that are listed.
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
    """The pipeline's label of each word of a sentence; None where it has none."""
    if fed == "words":
        (groups,) = pipeline([list(words)], is_split_into_words=True, delimiter=" ")
    else:
        (groups,) = pipeline([" ".join(words)])
    labels: list[str | None] = []
    start = 0
    for word in words:
        end = start + len(word)
        own = (g for g in groups if g["start"] < end and (g["end"] > start or g["start"] == start))
        labels.append(next((g["entity"] for g in own), None))
        start = end + 1
    return labels


if __name__ == "__main__":
    options.require("model", "text")
    options.run(main)
