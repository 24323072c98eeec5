"""What a transfer learned of its sources: the file beside the tagger, and the report."""

from zsl_jax.evaluation import diagnosis
from zsl_jax.io.label_model import LabelModel, save_label_model
from zsl_jax.runtime import processes
from zsl_jax.training.config import TransferConfig
from zsl_jax.workflows.aggregate import aggregate
from zsl_jax.workflows.approaches import TrainedTarget
from zsl_jax.workflows.chain_model import stored_chain
from zsl_jax.workflows.run_hooks import tally_of
from zsl_jax.workflows.transfer_task import TransferTask


def save_sources(
    folder: str, transfer_task: TransferTask, done: TrainedTarget, config: TransferConfig
) -> None:
    """Write φ and what belongs to it beside the tagger."""
    assert done.log_confusion is not None
    weights = config.label_model.weights
    model = LabelModel(
        transfer_task.names,
        transfer_task.source_labels,
        done.log_confusion,
        weights.prior or 0.0,
        weights.source,
        config.predictions,
        None if done.chain is None else stored_chain(done.chain),
    )
    save_label_model(folder, model)


def source_report(transfer_task: TransferTask, done: TrainedTarget) -> diagnosis.Diagnosis | None:
    """What was learned of each source, with warnings; None without a label model.

    All processes call it.
    """
    if done.posterior is None:
        return None
    votes, source_labels = transfer_task.text.votes, transfer_task.source_labels
    inferred = done.posterior.argmax(axis=1)
    same_labels = {}
    for method in ("majority", "mean"):
        labels = aggregate(votes, source_labels.label_set.size, method).labels
        same, voted = processes.total([(labels == inferred).sum(), (labels >= 0).sum()]).tolist()
        same_labels[method] = same / max(voted, 1)
    tally = tally_of(done.posterior, votes)
    return diagnosis.diagnose(
        transfer_task.names, source_labels, done.log_confusion, tally, same_labels, done.objectives
    )
