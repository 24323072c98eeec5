"""One sentence in place of a traceback where memory runs out, with the flags that need less."""

from collections.abc import Container

EXHAUSTED = "RESOURCE_EXHAUSTED"  # how XLA's errors of this kind begin
OF_DEVICE = {
    "batch_words": "a smaller --batch_words",
    "accumulate": "a larger --accumulate",
    "remat": "--remat=all",
    "trainable_layers": "--trainable_layers",
    "row_length": "a smaller --row_length",
}
OF_HOST = {"max_sentences": "--max_sentences", "shards": "more processes (--shards)"}


def memory_advice(error: BaseException, flags: Container[str]) -> str | None:
    """What to do about an error, if it is about memory; None if it is not.

    Args:
      error: What a program raised.
      flags: Names of the program's flags.
    """
    if isinstance(error, MemoryError):
        where, remedies, page = "this machine", OF_HOST, "docs/scale.md#100000-sentences"
    elif isinstance(error, RuntimeError) and str(error).startswith(EXHAUSTED):
        where, remedies, page = "the device", OF_DEVICE, "docs/gpu.md#memory"
    else:
        return None
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    known = [remedy for flag, remedy in remedies.items() if flag in flags]
    advice = ", ".join(known) or "a machine with more memory"
    return f"{where} has too little memory ({reason}); try {advice}; see {page}"
