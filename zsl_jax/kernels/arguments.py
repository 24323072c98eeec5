"""How every kernel treats its arguments: compilation, shape checks, labels, precision, devices."""

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, Real, jaxtyped

Result = TypeVar("Result")
Scalar = Real[ArrayLike, ""]
NUMBERS_OF_LABELS = {"num_labels", "num_source_labels"}  # names of arguments


def kernel(
    function: Callable[..., Result] | None = None, *, static: Sequence[str] = ()
) -> Callable[..., Any]:
    """Compiles a function and checks the shapes and types in its signature while it is traced.

    NumPy arrays and Python numbers become JAX arrays, and half-precision arrays float32. Matrix
    products keep all bits of float32, also where a GPU or TPU would round the factors. Inside
    another compiled function the kernel is inlined and costs nothing.

    Args:
      function: With jaxtyping annotations.
      static: Names of the arguments that are part of the program, such as numbers of labels.

    Raises:
      jaxtyping.TypeCheckError: When called with shapes that do not fit each other; it names the
        argument and the sizes of the axes so far.
      ValueError: A number of labels below 1.
    """
    if function is None:
        return functools.partial(kernel, static=static)
    parameters = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Result:
        args, kwargs = jax.tree.map(_as_read, (args, kwargs))
        given = parameters.bind(*args, **kwargs).arguments
        check_numbers_of_labels(**{name: given[name] for name in given.keys() & NUMBERS_OF_LABELS})
        with jax.default_matmul_precision("highest"):
            return _with_shape_checks(function)(*args, **kwargs)

    return jax.jit(checked, static_argnames=tuple(static), inline=True)


def on_host(function: Callable[..., Result]) -> Callable[..., Result]:
    """Checks the shapes and types in the signature of a function of NumPy arrays at each call.

    Raises:
      jaxtyping.TypeCheckError: As for `kernel`.
    """

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Result:
        return _with_shape_checks(function)(*args, **kwargs)

    return checked


@functools.cache
def _with_shape_checks(function: Callable[..., Result]) -> Callable[..., Result]:
    """The function with its checks, made when it is first traced to keep the import quick."""
    from beartype import beartype

    return jaxtyped(function, typechecker=beartype)


def check_numbers_of_labels(**numbers: Any) -> None:
    """Raises ValueError for a number below 1 (or a bool); other types are left to the signature."""
    for name, value in numbers.items():
        if isinstance(value, bool) or (isinstance(value, int) and value < 1):
            raise ValueError(f"{name} is {value}; it must be a whole number above 0")


def _as_read(value: Any) -> Any:
    """Half-precision arrays as float32, NumPy's whole numbers as Python's; the rest as it is."""
    if isinstance(value, np.integer):  # of a static argument, such as `labels.max() + 1`
        return int(value)
    is_half = isinstance(value, jax.Array) and value.dtype in (jnp.float16, jnp.bfloat16)
    return value.astype(jnp.float32) if is_half else value


def widest_float(*values: ArrayLike) -> jnp.dtype:
    """The widest floating-point type of arrays and numbers, at least float32."""
    return jnp.promote_types(jnp.result_type(*values), jnp.float32)


def in_widest_float(*values: ArrayLike) -> tuple[Array, ...]:
    """Arrays and numbers in the widest floating-point type of them, at least float32."""
    dtype = widest_float(*values)
    return tuple(jnp.asarray(value, dtype) for value in values)


def labels_in_range(labels: Int[Array, "..."], num_labels: int) -> Int[Array, "..."]:
    """Label ids as int32; -1, which abstains, for every id outside 0 … `num_labels` - 1."""
    labels = at_least_int32(labels)
    return jnp.where((labels >= 0) & (labels < num_labels), labels, -1).astype(jnp.int32)


def at_least_int32(ids: Int[Array, "..."]) -> Int[Array, "..."]:
    """Ids in a type that holds the number of any table's rows, to be compared with it."""
    return ids.astype(jnp.promote_types(ids.dtype, jnp.int32))


def are_labels(votes: Array) -> bool:
    """Whether votes are label ids; otherwise, they are probabilities."""
    return jnp.issubdtype(votes.dtype, jnp.integer)


def normalised(rows: Float[Array, "*words K"]) -> Float[Array, "*words K"]:
    """Rows that sum to 1; all-zero rows stay as they are."""
    total = jnp.sum(rows, axis=-1, keepdims=True)
    return rows / jnp.where(total > 0, total, 1)


def flat_words(values: Array, trailing: int) -> Array:
    """The axes before the last `trailing` ones merged into a single axis of words."""
    cut = values.ndim - trailing
    return values.reshape(math.prod(values.shape[:cut]), *values.shape[cut:])


def varying_like(value: Array, *others: Array) -> Array:
    """The same value, which `jax.shard_map` takes to differ between devices where the others do.

    Loops and branches need it: what they start from must be of the type that they end with. The
    selection between equal values is removed by the compiler.
    """
    differs = functools.reduce(jnp.logical_or, (jnp.any(other == other) for other in others))
    return jnp.where(differs, value, value)


def sum_over_devices(sums: Any, axis_name: str | None) -> Any:
    """Sums added up over a device axis of `jax.shard_map` or `jax.pmap`; unchanged for None."""
    return sums if axis_name is None else lax.psum(sums, axis_name)
