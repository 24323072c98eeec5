"""Splits a tagger into frozen layers, whose output never changes, and layers to be trained.

An encoder of L - k layers with the first part's parameters, followed by a tagger of k layers with
the second part's, is equivalent to the whole tagger.
"""

import jax
import numpy as np

from zsl_jax.models.token_classifier import Params

_BELOW = ("embeddings", "relative")  # parts of an encoder that come before its layers


def split_layers(params: Params, num_trained: int) -> tuple[Params, Params]:
    """Splits a tagger below its last layers.

    Args:
      params: {"encoder": ...} of L layers, and heads.
      num_trained: k, from 0 to L.

    Returns:
      The parameters of the encoder `config.below(k)`; and those of the tagger `config.above(k)`
      that takes its output. Both have the embeddings of relative positions; layers are views.
    """
    encoder = params["encoder"]
    layers = encoder["layers"]
    cut = len(jax.tree.leaves(layers)[0]) - num_trained
    frozen = {name: encoder[name] for name in _BELOW if name in encoder}
    upper = {name: encoder[name] for name in encoder if name != "embeddings"}
    frozen["layers"] = jax.tree.map(lambda leaf: leaf[:cut], layers)
    upper["layers"] = jax.tree.map(lambda leaf: leaf[cut:], layers)
    return frozen, {**params, "encoder": upper}


def join_layers(frozen: Params, trained: Params) -> Params:
    """Undoes `split_layers`; returns the whole tagger, with NumPy layers."""
    parts = frozen["layers"], trained["encoder"]["layers"]
    layers = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    return {**trained, "encoder": {**trained["encoder"], **frozen, "layers": layers}}
