"""Relative positions of disentangled attention (DeBERTa-v2 and -v3).

A score has, beside the product of the query's and the key's contents, the products of each content
with the embedding of the distance between the two. Distances fall into buckets: each near one has
its own, far ones share buckets of exponentially growing width.

All products with distances are taken before they are laid out by key: a row of a batch of S places
has 2S - 1 distances, and moving row i of the products by i places aligns distance with key. This
needs no gather, which is slow on accelerators.

He et al. 2021, DeBERTa: Decoding-enhanced BERT with Disentangled Attention,
https://arxiv.org/abs/2006.03654; He et al. 2021, DeBERTaV3, https://arxiv.org/abs/2111.09543.
"""

import dataclasses

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from zsl_jax.errors import InputError
from zsl_jax.models.config_values import Values, shown

KINDS = ("c2p", "p2c")  # content to position, position to content


@dataclasses.dataclass(frozen=True)
class RelativePositions:
    """Settings of relative positions.

    Attributes:
      span: Half the number of embeddings.
      buckets: Number of buckets of the distances in one direction; 0 if each has its own.
      longest: The distance from which on all share the last bucket.
      kinds: Which of `KINDS` are among the scores.
      is_normalised: Whether the embeddings are normalised.
    """

    span: int
    buckets: int
    longest: int
    kinds: tuple[str, ...]
    is_normalised: bool

    @staticmethod
    def from_huggingface(values: Values) -> "RelativePositions | None":
        """Reads the settings from a config.json; None if the model has no relative positions.

        Raises:
          InputError: The model has projections of positions of their own, or unknown scores.
        """
        config = values.config
        if not config.get("relative_attention", False):
            return None
        kinds = config.get("pos_att_type") or []
        kinds = kinds.lower().split("|") if isinstance(kinds, str) else kinds
        if not isinstance(kinds, list) or not set(map(str, kinds)) <= set(KINDS):
            raise InputError(
                f"{values.where}: pos_att_type {shown(kinds)} is not supported; use a model with "
                f"{' and '.join(KINDS)}"
            )
        values.require("share_att_key", config.get("share_att_key", False), True)
        longest = config.get("max_relative_positions", -1)
        if type(longest) is not int or longest < 1:
            longest = values.size("max_position_embeddings")
        buckets = max(values.size("position_buckets", -1, least=-1), 0)
        if buckets and not 1 <= buckets // 2 < longest - 1:
            raise InputError(
                f"{values.where}: {buckets} position_buckets do not divide distances up to "
                f"{longest}; use the model's own file"
            )
        normalised = "layer_norm" in str(config.get("norm_rel_ebd", "none")).lower().split("|")
        used = tuple(kind for kind in KINDS if kind in kinds)
        return RelativePositions(buckets or longest, buckets, longest, used, normalised)

    def rows(self, length: int) -> Int[np.ndarray, " 2*S-1"]:
        """Row of the embeddings of each distance from 1 - S to S - 1."""
        distance = np.arange(1 - length, length)
        if self.buckets:
            distance = log_buckets(distance, self.buckets, self.longest)
        return np.clip(distance + self.span, 0, 2 * self.span - 1)

    def scores(
        self,
        query: Float[Array, "R heads S size"],
        key: Float[Array, "R heads S size"],
        position_query: Float[Array, "heads D size"],
        position_key: Float[Array, "heads D size"],
    ) -> Float[Array, "R heads S S"]:
        """Sum of the scores between contents and distances.

        Args:
          query: Queries of the contents.
          key: Keys of the contents.
          position_query: Queries of the D = 2S - 1 distances from 1 - S to S - 1.
          position_key: Keys of the same.
        """
        rows, heads, length, _ = query.shape
        scores = jnp.zeros((rows, heads, length, length), query.dtype)
        if "c2p" in self.kinds:  # along a row of keys, the distance from the query falls
            scores += laid_out(query @ position_key[:, ::-1].swapaxes(-1, -2))
        if "p2c" in self.kinds:
            scores += laid_out(key @ position_query.swapaxes(-1, -2)).swapaxes(-1, -2)
        return scores


def log_buckets(
    distance: Int[np.ndarray, "..."], buckets: int, longest: int
) -> Int[np.ndarray, "..."]:
    """Bucket of each distance: itself up to half of the buckets, logarithmic beyond.

    Args:
      distance: Signed distances.
      buckets: Number of buckets in one direction.
      longest: The distance that falls into the last bucket.
    """
    half = buckets // 2
    far = np.maximum(np.abs(distance), half).astype(np.float32) / np.float32(half)
    widest = np.log(np.float32((longest - 1) / half))
    bucket = np.ceil(np.log(far) / widest * np.float32(half - 1)) + half
    near = np.abs(distance) <= half
    return np.where(near, distance, bucket * np.sign(distance)).astype(np.int64)


def laid_out(products: Float[Array, "R heads S 2*S-1"]) -> Float[Array, "R heads S S"]:
    """Moves row i to the left by S - 1 - i places and keeps the first S.

    >>> laid_out(jnp.arange(6).reshape(1, 1, 2, 3))[0, 0].tolist()
    [[1, 2], [3, 4]]
    """
    *outer, length, width = products.shape
    padded = jnp.pad(products, [(0, 0)] * (len(outer) + 1) + [(0, 1)])
    flat = padded.reshape(*outer, length * (width + 1))
    moved = flat[..., length - 1 : length - 1 + length * width]
    return moved.reshape(*outer, length, width)[..., :length]
