"""Transfer named entities from three sources with different labels and formats.

python -m benchmarks.mixed_sources --encoder=DIR_OR_HUB --target=pt --languages=en,hr,da \
  --output=runs/mixed

Reads DATA/ner/LANGUAGE/{train,test}.conll (see benchmarks.pos_transfer), with PER, ORG and LOC, and
trains a tagger for each language. The first is used as a model folder. The second becomes a CoNLL
file in IOB1 with only PER and LOC. The third becomes a file of character spans that calls the types
HUMAN, COMPANY and PLACE and abstains on three sentences out of ten; a label map translates them.
Prints the table of all approaches and writes it to OUTPUT/result.json.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks import comparing, real_texts
from launch import options
from launch.config_flags import from_flags
from launch.options import FLAGS
from zsl_jax.training.config import TransferConfig

comparing.define_flags("pt", ["en", "hr", "da"])
OTHER_NAMES = {"PER": "HUMAN", "ORG": "COMPANY", "LOC": "PLACE"}
ABSTAINS = 0.3


def main() -> None:
    """Trains the taggers, writes the files of two of them, then trains by every approach."""
    from zsl_jax.workflows.compare import prepare

    started = comparing.start(real_texts.ner)
    texts = (started.text, started.gold)
    sources, test_sources = (
        as_given(started.sources, sentences, started.run.path / "given" / part)
        for sentences, part in zip(texts, ("text", "test"), strict=True)
    )
    config = from_flags(TransferConfig)
    transfer_task, test = prepare(
        started.encoder, sources, texts, started.run, config, "ner", test_sources
    )
    comparing.write_table(transfer_task, test, started)


def as_given(trained: Sequence, sentences: Sequence, folder: Path) -> list:
    """The three sources for a text: the first tagger, and files of the others in a folder."""
    import yaml

    from zsl_jax.data.text.writers import write_conll

    first, second, third = trained
    folder.mkdir(parents=True, exist_ok=True)
    columns, spans, names = folder / "iob1.conll", folder / "spans.jsonl", folder / "names.yaml"
    in_iob1 = [iob1(labels) for labels in labelled(second, sentences)]
    write_conll(columns, zip(sentences, in_iob1, strict=True))
    spans.write_text(span_lines(sentences, labelled(third, sentences)), encoding="utf-8")
    names.write_text(yaml.safe_dump({new: old for old, new in OTHER_NAMES.items()}))
    return [
        first,
        second._replace(path=str(columns), given=f"--source={second.name}={columns}"),
        third._replace(
            path=str(spans), label_map=str(names), given=f"--source={third.name}={spans}"
        ),
    ]


def labelled(source, sentences: Sequence) -> list[tuple[str, ...]]:
    """The labels that a tagger predicts for each sentence."""
    from zsl_jax.workflows.labelled_text import labels_by_sentence
    from zsl_jax.workflows.loaded_tagger import load_tagger
    from zsl_jax.workflows.source_annotation import annotate

    predicted = annotate(load_tagger(source.path), sentences, FLAGS.row_length)
    return labels_by_sentence(predicted.label_names, predicted.words, predicted.labels)


def iob1(labels: Sequence[str]) -> list[str]:
    """The people and places of a sentence in IOB1: B-X only right after another X."""
    from zsl_jax.labels import entity_spans

    converted = ["O"] * len(labels)
    for span in entity_spans(labels):
        if span.type in ("PER", "LOC"):
            before = converted[span.start - 1] if span.start else "O"
            converted[span.start : span.end] = [f"I-{span.type}"] * (span.end - span.start)
            if before[2:] == span.type:
                converted[span.start] = f"B-{span.type}"
    return converted


def span_lines(sentences: Sequence, labels: Sequence[Sequence[str]]) -> str:
    """JSON lines of character spans with other type names; null where the source abstains."""
    import numpy as np

    from zsl_jax.labels import entity_spans

    silent = np.random.default_rng(FLAGS.seed).random(len(sentences)) < ABSTAINS
    lines = []
    for sentence, names, abstains in zip(sentences, labels, silent, strict=True):
        ends = np.cumsum([len(word) + 1 for word in sentence.words]) - 1
        starts = ends - [len(word) for word in sentence.words]
        spans = [
            {
                "start": int(starts[span.start]),
                "end": int(ends[span.end - 1]),
                "label": OTHER_NAMES[span.type],
            }
            for span in entity_spans(names)
        ]
        line = {"text": " ".join(sentence.words), "spans": None if abstains else spans}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)


if __name__ == "__main__":
    options.require("encoder", "output")
    options.run(main)
