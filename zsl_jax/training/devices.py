"""The devices that work on one batch, and how arrays are laid out on them.

A batch is split by rows; everything else is replicated. With `jax.pmap` the copies are stacked on a
leading axis of this process's devices; under `jax.shard_map` they are one array on a mesh. A single
device holds plain arrays.
"""

import dataclasses
import functools
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from zsl_jax.training.config_choices import Partition

AXIS = "devices"


@dataclasses.dataclass(frozen=True)
class Devices:
    """An ordered set of devices, of one process or of all.

    Attributes:
      devices: The devices, in the same order in every process.
      partition: How they share the work.
    """

    devices: tuple[jax.Device, ...]
    partition: Partition = Partition.PMAP

    @property
    def is_one(self) -> bool:
        """Whether there is a single device, so that nothing has to be split."""
        return len(self.devices) == 1

    @property
    def axis(self) -> str | None:
        """Axis name for collectives; None on a single device."""
        return None if self.is_one else AXIS

    @functools.cached_property
    def local(self) -> "Devices":
        """The devices of this process."""
        here = jax.process_index()
        local = tuple(device for device in self.devices if device.process_index == here)
        return Devices(local, self.partition)

    @functools.cached_property
    def mesh(self) -> Mesh:
        """The devices as a mesh with one axis, for shard_map."""
        return Mesh(np.array(self.devices), (AXIS,))

    @property
    def waits(self) -> bool:
        """Whether a step has to finish before the next one is queued.

        On CPU, queued steps with collectives wait for each other's threads until XLA times out.
        """
        return not self.is_one and self.devices[0].platform == "cpu"

    def replicate(self, tree: Any) -> Any:
        """Copies host arrays to each device."""
        if self.is_one:
            return jax.device_put(tree, self.devices[0])
        if self.partition is Partition.PMAP:
            stacked = jax.tree.map(self._stacked, tree)
            rows = NamedSharding(self.local.mesh, PartitionSpec(AXIS))
            return jax.device_put(stacked, rows)
        return self._on_mesh(tree, PartitionSpec())

    def split(self, tree: Any) -> Any:
        """Splits the rows (first axis) of arrays over this process's devices."""
        if self.is_one:
            return tree
        if self.partition is Partition.PMAP:
            return jax.tree.map(self._split_rows, tree)
        return self._on_mesh(tree, PartitionSpec(AXIS))

    def fetch(self, tree: Any) -> Any:
        """Copies to the host what `replicate` returned, or what a step returned in its place."""
        return jax.tree.map(self._fetched, tree)

    def join(self, array: jax.Array) -> np.ndarray:
        """Joins this process's rows of an array that a step returned split by rows."""
        if self.is_one:
            return np.asarray(array)
        shards = sorted(array.addressable_shards, key=lambda shard: shard.index[0].start or 0)
        rows = np.concatenate([np.asarray(shard.data) for shard in shards])
        return rows.reshape(-1, *rows.shape[2:]) if self.partition is Partition.PMAP else rows

    def _stacked(self, leaf: Any) -> np.ndarray:
        leaf = np.asarray(leaf)
        return np.broadcast_to(leaf, (len(self.local.devices), *leaf.shape))

    def _split_rows(self, leaf: np.ndarray) -> np.ndarray:
        return leaf.reshape(len(self.local.devices), -1, *leaf.shape[1:])

    def _on_mesh(self, tree: Any, spec: PartitionSpec) -> Any:
        sharding = NamedSharding(self.mesh, spec)
        make = functools.partial(jax.make_array_from_process_local_data, sharding)
        return jax.tree.map(lambda leaf: make(np.asarray(leaf)), tree)

    def _fetched(self, leaf: jax.Array) -> np.ndarray:
        if self.is_one:
            return np.array(leaf)  # a copy: the device's buffer may be donated to the next step
        copy = np.array(leaf.addressable_shards[0].data)
        return copy[0] if self.partition is Partition.PMAP else copy


def all_devices(partition: Partition = Partition.PMAP) -> Devices:
    """The devices of all processes."""
    return Devices(tuple(jax.devices()), partition)
