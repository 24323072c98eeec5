"""Finished outputs of `launch.reproduce`, used again: texts, votes and encoder states of a cell."""

import functools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.label_model_cells import Cell, cell_of
from zsl_jax.data.sampling import sample_sentences
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.experiments.corpora import TEST_SEED, read_part
from zsl_jax.experiments.plan import Corpora
from zsl_jax.io.json_file import read_json_object
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.config_choices import Dtype
from zsl_jax.types import Sentence
from zsl_jax.workflows.frozen_cache import precompute_frozen
from zsl_jax.workflows.loaded_tagger import encode_text, load_tagger
from zsl_jax.workflows.source_annotation import source_predictions
from zsl_jax.workflows.sources import Source

ROW = "chain_votes"
load_once = functools.lru_cache(maxsize=1)(load_tagger)


class Place(NamedTuple):
    """A target and seed of an experiment.

    Attributes:
      output: Of the experiment.
      setting: With the target.
      target: Language or genre.
      seed: Of sources and text.
    """

    output: Path
    setting: str
    target: str
    seed: str

    @property
    def record(self) -> Mapping[str, Any]:
        """What all cells of the experiment share."""
        return read_json_object(self.output / "experiment.json")

    @property
    def sources(self) -> dict[str, str]:
        """The model folders of the sources."""
        names = read_json_object(self.folder(ROW) / "run.json")["flags"]["sources"]
        return {name: str(self.output / "models" / name / self.seed) for name in names}

    def folder(self, row: str) -> Path:
        """Returns the run folder of a row, for this target and seed."""
        return self.output / self.setting / self.target / row / self.seed


def places(output: Path, seeds: Collection[str] | None = None) -> Iterator[Place]:
    """The targets and seeds of an output that have the row; None takes all seeds."""
    for result in sorted(output.glob(f"*/*/{ROW}/*/result.json"), key=lambda p: p.parent.name):
        setting, target, _, seed = result.parent.relative_to(output).parts
        if seeds is None or seed in seeds:
            yield Place(output, setting, target, seed)


def some_places(output: Path, seeds: Collection[str] | None) -> list[Place]:
    """As `places`, of which there must be some.

    Raises:
      InputError: There are none.
    """
    if found := [*places(output, seeds)]:
        return found
    raise InputError(
        f"--experiments: {output} has no finished row {ROW} with these seeds; run "
        f"launch.reproduce --output={output} --rows={ROW}"
    )


def read_cell(place: Place, data: Path) -> Cell:
    """Reads the texts, and finds the predictions of the sources in the experiment's cache."""
    record = place.record
    corpora, sizes = Corpora(**record["corpora"]), record["settings"][place.setting]
    part = "train" if corpora.text is None else "text"
    text = read_part(corpora, data, place.target, part)
    test = read_part(corpora, data, place.target, "test")
    texts = [
        sample_sentences(text, sizes["max_sentences"], int(place.seed)),
        sample_sentences(test, record["test"]["max_test_sentences"], TEST_SEED),
    ]
    shards = [TextShard([Sentence(sentence.words) for sentence in part]) for part in texts]
    cache, length = place.output / "cache", record["source"]["row_length"]
    found = [
        source_predictions(Source(name, folder), shards, cache, length)
        for name, folder in place.sources.items()
    ]
    return cell_of(texts, list(zip(*found, strict=True)), list(place.sources))


def states_of(place: Place, cell: Cell) -> list[np.ndarray]:
    """The state of each word's first subword below the layers in which the sources differ."""
    source, cache = place.record["source"], place.output / "cache"
    config = TrainConfig(
        trainable_layers=source["trainable_layers"],
        row_length=source["row_length"],
        dtype=Dtype.FLOAT32,
    )
    tagger = load_once(next(iter(place.sources.values())))
    states = []
    for part in (cell.text, cell.test):
        windows = encode_text(tagger, part, config.row_length)
        frozen = precompute_frozen(tagger, [windows], config, cache, "float32")
        assert frozen.states is not None
        words = np.empty((windows.num_words, frozen.states.shape[1]), np.float32)
        is_word = windows.word_ids >= 0
        words[windows.word_ids[is_word]] = frozen.states[is_word]
        states.append(words)
    return states
