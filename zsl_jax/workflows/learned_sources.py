"""The sources' reliability as a transfer learned it: the file beside the tagger, and the report."""

import numpy as np
from jaxtyping import Float

from zsl_jax import kernels
from zsl_jax.evaluation import diagnosis
from zsl_jax.evaluation.warning_signs import TAGGER
from zsl_jax.io.label_model_file import LabelModel, save_label_model
from zsl_jax.runtime import processes
from zsl_jax.training import steps
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.confusion_matrices import starting_confusion
from zsl_jax.types import SourceVotes
from zsl_jax.workflows.approaches import TrainedTarget
from zsl_jax.workflows.chain_model import stored_chain
from zsl_jax.workflows.label_decoding import AUTO
from zsl_jax.workflows.run_hooks import tally_of
from zsl_jax.workflows.transfer_labels import TextLabels
from zsl_jax.workflows.transfer_task import TransferTask
from zsl_jax.workflows.vote_aggregation import aggregate_votes, as_target_labels


def save_sources(
    folder: str,
    transfer_task: TransferTask,
    done: TrainedTarget,
    config: TransferConfig,
    decoding: str = AUTO,
) -> None:
    """Writes φ and what belongs to it beside the tagger, with the decoding of Q."""
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
        done.decoding(decoding, "Q"),
    )
    save_label_model(folder, model)


def source_report(
    transfer_task: TransferTask, done: TrainedTarget, labels: TextLabels, config: TransferConfig
) -> diagnosis.Diagnosis:
    """A report on each source, with warnings; all processes call it."""
    votes, source_labels = transfer_task.text.votes, transfer_task.source_labels
    size = source_labels.label_set.size
    log_start = None
    if done.log_confusion is not None:
        log_start = unlearned_confusion(votes, size, config, len(done.objectives))
    by_tagger = processes.total(np.bincount(labels.by_tagger, minlength=size))
    mixes = config.mix(0.0), config.mix(1.0)
    objectives = done.objectives if mixes[0] == mixes[1] else ()  # J moves with λ by construction
    copies = None if done.chain is None else done.chain.fitted.copies
    by_gradient = config.has_paper_model and config.trains_confusion
    learned = diagnosis.Learned(
        done.log_confusion, log_start, objectives, by_tagger, copies, by_gradient
    )
    tally, same = tally_of(labels.probs, votes), same_labels(transfer_task, labels)
    return diagnosis.diagnose(
        transfer_task.names, source_labels, learned, tally, same, labels.labels_from
    )


def same_labels(transfer_task: TransferTask, labels: TextLabels) -> dict[str, float]:
    """How often others give the text's labels; all processes call it.

    Args:
      transfer_task: What was trained on.
      labels: Of this process's part of the text.

    Returns:
      The share of the words with votes, by name: of the majority, the mean and Dawid-Skene, of the
      source that agrees most, and of the tagger beside Q.
    """
    votes, size = transfer_task.text.votes, transfer_task.label_set.size
    by_source = as_target_labels(votes._replace(probs=None), size).labels
    others = {**labels.votes, "dawid_skene": aggregate_votes(votes, size, "dawid_skene").labels}
    others |= {f"source {name}": by_source[:, u] for u, name in enumerate(transfer_task.names)}
    if labels.labels_from == "Q":
        others[TAGGER] = labels.by_tagger
    voted = (votes.labels >= 0).any(axis=1)
    counts = [voted.sum(), *((ids == labels.ids)[voted].sum() for ids in others.values())]
    num_words, *same = processes.total(counts).tolist()
    shares = {name: n / max(num_words, 1) for name, n in zip(others, same, strict=True)}
    sources = [f"source {name}" for name in transfer_task.names]
    best = max(sources, key=lambda name: shares[name])
    return {name: share for name, share in shares.items() if name not in sources or name == best}


def unlearned_confusion(
    votes: SourceVotes, num_labels: int, config: TransferConfig, num_e_steps: int
) -> Float[np.ndarray, "U V K"]:
    """[U, V, K], log φ at the last E step of a training in which nothing was learned of a source.

    All processes call it.

    Args:
      votes: The sources' predictions for this process's part of the text.
      num_labels: K.
      config: Settings of the training.
      num_e_steps: How many there were; with the paper's label model, λ depends on it.
    """
    if config.chain is None:
        log_fixed, logits = starting_confusion(config.label_model, votes, num_labels)
        mix = np.float32(config.mix((num_e_steps - 1) / config.num_rounds))
        return np.asarray(steps.present_confusion(log_fixed, logits, logits, mix)[0])
    compatible = votes.meanings(num_labels)
    none, share = np.zeros(compatible.shape, np.float32), np.float32(config.chain.identity_share)
    return np.asarray(kernels.confusion_with_identity(none, compatible, share))
