"""Scores of finished transfers by the weight α of the tagger in Q, for `tagger_weights`."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.reproduced_cells import Place, read_cell
from zsl_jax.errors import InputError
from zsl_jax.io.label_model_file import read_label_model
from zsl_jax.training.config import ChainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.chain_model import chain_from_storage, labels_by_chain
from zsl_jax.workflows.loaded_tagger import load_tagger, log_prob_function
from zsl_jax.workflows.result_table import score_ids

ROW, HINDSIGHT = "recommended", "best in hindsight"
DEFAULT = f"{ChainConfig().tagger_weight:g}"
WEIGHTS = (0, 0.05, 0.1, 0.2, 0.3, 0.5, 1)


def scores_of(place: Place, data: Path) -> dict[str, float]:
    """The score of Q on the test by each α, in percent."""
    cell, task = read_cell(place, data), place.record["test"]["task"]
    folder = place.folder(ROW)
    model, tagger = read_label_model(folder), load_tagger(folder)
    if model.chain is None or model.source_labels.label_set != cell.label_set:
        raise InputError(f"{folder} is not a transfer by the default label model")
    chain = chain_from_storage(model.chain, model.log_confusion, model.predictions)
    words = [Sentence(sentence.words) for sentence in cell.test]
    log_probs = log_prob_function(tagger, place.record["source"]["row_length"])
    log_prior = log_probs(words, lambda *_: None)
    scores = {}
    for weight in WEIGHTS:
        config = dataclasses.replace(chain.config, tagger_weight=weight)
        prior = log_prior if weight else None
        given = cell.votes[1], words, cell.label_set, prior, model.decoding
        ids, _ = labels_by_chain(chain._replace(config=config), *given)
        of_ids = score_ids(ids, cell.label_set, cell.test, task)
        scores[f"{weight:g}"] = 100 * of_ids.get("f1_conlleval", of_ids["score"])
    return scores


def lines(scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[dict[str, str]]:
    """A line of the table for each α, and for the best of each target."""
    targets = list(scores[DEFAULT])
    means = {
        weight: np.array([np.mean(list(by_target[target].values())) for target in targets])
        for weight, by_target in scores.items()
    }
    means[HINDSIGHT] = np.max(list(means.values()), axis=0)
    return [
        {
            "α": weight,
            "mean": f"{of_targets.mean():.2f}",
            "difference": f"{(of_targets - means[DEFAULT]).mean():+.2f}",
            "least": f"{(of_targets - means[DEFAULT]).min():+.2f}",
        }
        for weight, of_targets in means.items()
    ]
