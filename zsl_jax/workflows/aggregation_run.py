"""An aggregation without a tagger as a run: fitted to a text, scored on a test."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from zsl_jax.data.text_shard import TextShard
from zsl_jax.io.run_files import TEST
from zsl_jax.io.run_folder import create_run_folder
from zsl_jax.runtime import processes
from zsl_jax.training.config import TrainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.label_decoding import AUTO, decoding_of_method
from zsl_jax.workflows.labelled_text import LabelledText, write_labelled
from zsl_jax.workflows.loaded_tagger import load_tagger
from zsl_jax.workflows.python_run_spec import python_run_spec
from zsl_jax.workflows.resolve_sources import Given, resolve_sources
from zsl_jax.workflows.result_table import Row, aggregate_test, learned_from_text, score_ids
from zsl_jax.workflows.scoring import prepare_test
from zsl_jax.workflows.transfer_labels import label_files
from zsl_jax.workflows.transfer_task import prepare_transfer


def run_aggregation(
    text: Sequence[Sentence],
    sources: Mapping[str, Given],
    encoder: str,
    output: Path,
    method: str,
    *,
    test: Sequence[Sentence],
    task: str | None,
    cache: Path,
    config: TrainConfig,
) -> Row:
    """Aggregates the sources' predictions for a test, and writes its labels and scores.

    Args:
      text: To which the method is fitted.
      sources: As for `zsl_jax.aggregate`.
      encoder: Its tokenizer cuts the text.
      output: The run's folder.
      method: As for `zsl_jax.aggregate`.
      test: Labelled sentences.
      task: Which score counts.
      cache: Keeps what models predict.
      config: Its row length and seed are used.

    Returns:
      The scores.
    """
    plain = [Sentence(sentence.words) for sentence in test]
    texts = [TextShard(text), TextShard(plain)]
    found = [resolve_sources(sources, part, config.row_length, cache=cache) for part in texts]
    spec = python_run_spec(config, encoder, {"text": text}, found[0], method=method)
    run = create_run_folder(output, spec)
    with run.held():
        prepared = prepare_transfer(load_tagger(encoder), [text], found[:1], config.row_length)
        scored = prepare_test(prepared, test, found[1], task)
        label_set = prepared.label_set
        learned = learned_from_text(method, prepared.text, label_set)
        made = aggregate_test(method, learned, scored.votes, label_set, plain)
        row = Row(method, "votes", score_ids(made.labels, label_set, test, task))
        labelled = LabelledText(plain, label_set.names, made.labels, made.probs)
        for path, format in label_files(run.path, None, TEST).items():
            decoding = decoding_of_method(AUTO, label_set, method)
            about = {"labels_from": "votes", "method": method, "decode": decoding}
            write_labelled(path, label_set.names, [labelled], format, about)
        run.write_result({"rows": [row._asdict()], "devices": processes.devices()})
    return row
