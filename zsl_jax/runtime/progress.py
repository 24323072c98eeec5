"""Progress over words: a bar on a terminal, a plain log line every ten seconds elsewhere."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from absl import logging
from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0

Advance = Callable[..., None]
_bars = True


def show_bars(shown: bool) -> None:
    """Whether terminals get bars; without them they get lines as files do."""
    global _bars
    _bars = shown


@contextlib.contextmanager
def word_progress(total: int | None, description: str, shown: bool = True) -> Iterator[Advance]:
    """Reports the progress of a pass over the corpus, with words per second and the time left.

    The first batch, in which programs are compiled, is not in the rate.

    Args:
      total: Number of words of the pass; None if unknown, in which case no time left is shown.
      description: The current task, e.g. "round 1: M step".
      shown: False in a process whose work another one reports.

    Yields:
      `advance(words, note="")`, to be called after each batch with the number of words done and an
      optional note such as "loss 0.31".
    """
    if not shown:
        yield lambda words, note="": None
        return
    if not (_bars and sys.stderr.isatty()):
        log = _line_logger(total, description, time.monotonic)
        yield log
        if total is None:
            log(0, last=True)
        return
    with tqdm(total=total, desc=description, unit=" words", unit_scale=True, smoothing=0) as bar:

        def advance(words: int, note: str = "") -> None:
            bar.set_postfix_str(note, refresh=False)
            bar.update(words)
            if not bar.initial:
                bar.initial, bar.start_t = bar.n, time.time()
                bar.last_print_t = bar.start_t

        yield advance


def _line_logger(total: int | None, description: str, clock: Callable[[], float]) -> Advance:
    started = last_line = clock()
    done = first = 0  # words in all, and in the first batch
    first_ended = started

    def advance(words: int, note: str = "", last: bool = False) -> None:
        nonlocal done, first, first_ended, last_line
        now = clock()
        if not done:
            first, first_ended = words, now
        done += words
        ended = last or (total is not None and done >= total)
        if now - last_line < SECONDS_BETWEEN_LINES and not ended:
            return
        last_line = now
        of_all = "" if total is None else f" of {total:,}"
        text = f"{description}: {done:,}{of_all} words"
        if done == first and not ended:
            text += f", the first batch (with compilation) took {now - started:.0f} s"
        else:
            since, words_since = (started, done) if done == first else (first_ended, done - first)
            speed = words_since / max(now - since, 1e-9)
            text += f", {speed:,.0f} words/s"
            if total is not None:
                text += f", {(total - done) / speed if speed else float('inf'):.0f} s left"
        logging.info("%s%s", text, f", {note}" if note else "")

    return advance
