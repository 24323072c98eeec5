"""Scores of finished transfers by the weight α of the tagger in Q, for `tagger_weights`."""

import dataclasses
from pathlib import Path

from benchmarks.label_model_cells import score_of_labels
from benchmarks.reproduced_cells import Place, read_cell
from zsl_jax.errors import InputError
from zsl_jax.io.label_model_file import read_label_model
from zsl_jax.training.config import ChainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.chain_model import chain_from_storage, labels_by_chain
from zsl_jax.workflows.loaded_tagger import load_tagger, log_prob_function

DEFAULT = f"{ChainConfig().tagger_weight:g}"
WEIGHTS = (0, 0.05, 0.1, 0.2, 0.3, 0.5, 1)
NAMES = [f"{weight:g}" for weight in WEIGHTS]


def scores_of(place: Place, row: str, data: Path) -> dict[str, float]:
    """The score of Q on the test by each α, in percent."""
    cell, task = read_cell(place, data), place.record["test"]["task"]
    folder = place.folder(row)
    model, tagger = read_label_model(folder), load_tagger(folder)
    if model.chain is None or model.source_labels.label_set != cell.label_set:
        raise InputError(f"{folder} is not a transfer by the default label model")
    chain = chain_from_storage(model.chain, model.log_confusion, model.predictions)
    words = [Sentence(sentence.words) for sentence in cell.test]
    log_probs = log_prob_function(tagger, place.record["source"]["row_length"])
    log_prior = log_probs(words, lambda *_: None)
    scores = {}
    for name, weight in zip(NAMES, WEIGHTS, strict=True):
        config = dataclasses.replace(chain.config, tagger_weight=weight)
        prior = log_prior if weight else None
        given = cell.votes[1], words, cell.label_set, prior, model.decoding
        ids, _ = labels_by_chain(chain._replace(config=config), *given)
        scores[name] = score_of_labels(cell, ids, task)
    return scores
