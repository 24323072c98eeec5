"""What a transfer learned of its sources: the file beside the tagger, and the report."""

from zsl_jax.evaluation import diagnosis
from zsl_jax.io.label_model import LabelModel, save_label_model
from zsl_jax.training import hosts
from zsl_jax.training.config import TrainConfig
from zsl_jax.workflows.aggregation import aggregate
from zsl_jax.workflows.chain_model import stored_chain
from zsl_jax.workflows.experiment import Experiment
from zsl_jax.workflows.recording import tally_of
from zsl_jax.workflows.transfer import Transferred


def save_sources(
    folder: str, experiment: Experiment, done: Transferred, config: TrainConfig
) -> None:
    """Write φ and what belongs to it beside the tagger."""
    assert done.log_confusion is not None
    weights = config.label_model.weights
    model = LabelModel(
        experiment.names,
        experiment.alphabet,
        done.log_confusion,
        weights.prior,
        weights.source,
        config.predictions,
        None if done.chain is None else stored_chain(done.chain),
    )
    save_label_model(folder, model)


def source_report(experiment: Experiment, done: Transferred) -> diagnosis.Diagnosis | None:
    """What was learned of each source, with warnings; None without a label model.

    All processes call it.
    """
    if done.posterior is None:
        return None
    votes, alphabet = experiment.text.votes, experiment.alphabet
    inferred = done.posterior.argmax(axis=1)
    same_labels = {}
    for method in ("majority", "mean"):
        labels = aggregate(votes, alphabet.scheme.size, method).labels
        same, voted = hosts.total([(labels == inferred).sum(), (labels >= 0).sum()]).tolist()
        same_labels[method] = same / max(voted, 1)
    tally = tally_of(done.posterior, votes)
    return diagnosis.diagnose(
        experiment.names, alphabet, done.log_confusion, tally, same_labels, done.objectives
    )
