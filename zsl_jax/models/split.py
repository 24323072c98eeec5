"""Splits a tagger into frozen layers, whose output never changes, and layers to be trained.

An encoder of L - k layers with the first part's parameters, followed by a tagger of k layers with
the second part's, is equivalent to the whole tagger.
"""

import jax
import numpy as np

from zsl_jax.models.token_classifier import Params


def split_layers(params: Params, num_trained: int) -> tuple[Params, Params]:
    """Splits a tagger below its last layers.

    Args:
      params: {"encoder": ...} of L layers, and "classifier".
      num_trained: k, from 0 to L.

    Returns:
      The parameters of an encoder of L - k layers: {"embeddings", "layers"}; and those of the
      tagger that takes its output: {"encoder": {"layers"}, "classifier"}. Layers are views.
    """
    layers = params["encoder"]["layers"]
    cut = len(jax.tree.leaves(layers)[0]) - num_trained
    frozen = {**params["encoder"], "layers": jax.tree.map(lambda leaf: leaf[:cut], layers)}
    upper = {"layers": jax.tree.map(lambda leaf: leaf[cut:], layers)}
    return frozen, {**params, "encoder": upper}


def join_layers(frozen: Params, trained: Params) -> Params:
    """Undoes `split_layers`; returns the whole tagger, with NumPy layers."""
    parts = frozen["layers"], trained["encoder"]["layers"]
    layers = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    return {**trained, "encoder": {**frozen, "layers": layers}}
