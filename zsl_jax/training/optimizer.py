"""AdamW for the tagger and the confusion logits; the step applies the learning rates."""

import jax
import optax

from zsl_jax.training.config import OptimizerConfig


def make_optimizer(config: OptimizerConfig) -> optax.GradientTransformation:
    """Returns clipping, Adam's direction and decay; the caller multiplies by −(learning rate).

    Word-embedding rows without a gradient do not move (they have no decay), so training only the
    rows that occur in a text gives the same model as training all of them.
    """
    return optax.chain(
        optax.clip_by_global_norm(config.clip_norm) if config.clip_norm else optax.identity(),
        optax.scale_by_adam(),
        optax.add_decayed_weights(config.weight_decay, mask=_dense_kernels),
    )


def _dense_kernels(params):
    """True for the kernels of dense layers; False for biases, norms, embeddings and σ."""

    def is_kernel(path, _):
        return getattr(path[-1], "key", None) == "kernel"

    return jax.tree_util.tree_map_with_path(is_kernel, params)
