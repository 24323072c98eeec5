"""Short trainings on fake devices, in a process of its own; prints losses and gradients as JSON.

python -m tests.training.device_runs RUNS

RUNS is a JSON list of the arguments of `run`, one list for each run.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
)
os.environ["PJRT_NPROC"] = "16"

import jax
import numpy as np

from tests.training.examples import ENCODER, K, packed_text, starting_params
from zsl_jax.models.frozen_split import split_layers
from zsl_jax.training import loop, setup
from zsl_jax.training.checkpoints import Checkpoints, Saver
from zsl_jax.training.config import LabelModelConfig, OptimizerConfig, TransferConfig
from zsl_jax.training.config_choices import Approach, LabelModelKind, Partition
from zsl_jax.training.confusion_matrices import Sources
from zsl_jax.training.devices import Devices
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.paper_rounds import PaperModel
from zsl_jax.workflows.corpus_batches import training_corpus
from zsl_jax.workflows.frozen_cache import precompute_frozen
from zsl_jax.workflows.loaded_tagger import LoadedTagger

U = 2


class Stopped(Exception):
    """The process is gone."""


def run(
    partition: str,
    num_devices: int,
    accumulate: int,
    layers: int | None = None,
    folder: str | None = None,
    stop_at: int | None = None,
) -> dict:
    """Two rounds of the latent variable model; rows of a batch and words do not divide evenly.

    Args:
      partition: How the devices share an update.
      num_devices: Their number.
      accumulate: Parts that each device divides its rows into.
      layers: That are trained; None trains the embeddings, too.
      folder: Where states are saved after every round, and the last one is looked for.
      stop_at: Update at which the run ends.
    """
    config = TransferConfig(
        approach=Approach.LVM, rounds=2, batch_words=20, dropout=0.0, row_length=16,
        partition=Partition(partition), trainable_layers=layers, accumulate=accumulate,
        label_model=LabelModelConfig(LabelModelKind.PAPER, confusion_learning_rate=1e-1),
        optimizer=OptimizerConfig(learning_rate=1e-2, head_learning_rate=1e-2),
    )  # fmt: skip
    devices = Devices(tuple(jax.devices()[:num_devices]), config.partition)
    windows = packed_text(31)
    rng = np.random.default_rng(0)
    votes = rng.dirichlet(np.ones(K), (windows.num_words, U)).astype(np.float32)
    logits = rng.normal(size=(U, K, K)).astype(np.float32)
    log_fixed = np.log(np.tile(np.full((K, K), 0.1) + 0.7 * np.eye(K), (U, 1, 1)))
    losses, norms, objectives, rows = [], [], [], []

    def on_step(record):
        if record.step == stop_at:
            raise Stopped
        losses.append(record.loss)
        norms.append(record.gradient_norm)

    hooks = Hooks(on_step=on_step, on_round=lambda r: objectives.append(r.expectation.objective))
    params = starting_params()
    start_tagger = LoadedTagger("tiny", {}, ENCODER, params, None, None)
    with tempfile.TemporaryDirectory() as cache:
        parts, states = precompute_frozen(start_tagger, [windows], config, Path(cache))
    if layers is not None:
        params = split_layers(params, layers)[1]
    corpus = training_corpus(parts, config, 16, devices, states)
    rows = len(corpus.epoch(0)[0].word_ids)
    training = setup.Training(
        config, setup.step_settings(config, ENCODER, K), devices, corpus, hooks
    )
    first = setup.init_state(params, logits, config)
    start = setup.ResumePoint(first)
    if folder is not None:
        checkpoints = Checkpoints(Path(folder), devices, first, ("A", "B", "C"))
        saver = Saver(checkpoints, every_steps=None)
        hooks = hooks._replace(wants_state=saver.wants_state, keep=saver.keep)
        training, start = training._replace(hooks=hooks), checkpoints.start()
    model = PaperModel(Sources(votes, log_fixed.astype(np.float32), logits))
    try:
        state, _, _ = loop.expectation_maximization(training, start, model)
    finally:
        if folder is not None:
            checkpoints.close()
    return {
        "losses": losses,
        "gradient_norms": norms,
        "objectives": objectives,
        "rows": rows,
        "words": windows.num_words,
        "from_step": start.progress.step,
        "head": np.asarray(state.params["classifier"]["kernel"]).tolist(),
        "confusion": np.asarray(state.confusion_logits).tolist(),
    }


if __name__ == "__main__":
    print(json.dumps([run(*arguments) for arguments in json.loads(sys.argv[1])]))
