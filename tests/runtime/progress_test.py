import io
import sys

from absl import logging

from zsl_jax.runtime import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_log_lines_every_ten_seconds_and_at_the_end(monkeypatch):
    lines, now = [], [0.0]
    monkeypatch.setattr(logging, "info", lambda text, *args: lines.append(text % args))
    advance = progress._line_logger(10_000, "round 1", lambda: now[0])
    for _ in range(10):
        now[0] += 4.0
        advance(1_000, "loss 0.31")
    assert lines == [
        "round 1: 3,000 of 10,000 words, 250 words/s, 28 s left, loss 0.31",
        "round 1: 6,000 of 10,000 words, 250 words/s, 16 s left, loss 0.31",
        "round 1: 9,000 of 10,000 words, 250 words/s, 4 s left, loss 0.31",
        "round 1: 10,000 of 10,000 words, 250 words/s, 0 s left, loss 0.31",
    ]


def test_compilation_in_the_first_batch_is_not_in_the_rate(monkeypatch):
    lines, now = [], [0.0]
    monkeypatch.setattr(logging, "info", lambda text, *args: lines.append(text % args))
    advance = progress._line_logger(4_000, "round 1", lambda: now[0])
    for seconds in (60.0, 4.0, 8.0, 4.0):
        now[0] += seconds
        advance(1_000)
    assert lines == [
        "round 1: 1,000 of 4,000 words, the first batch (with compilation) took 60 s",
        "round 1: 3,000 of 4,000 words, 167 words/s, 6 s left",
        "round 1: 4,000 of 4,000 words, 188 words/s, 0 s left",
    ]


def test_a_bar_starts_its_rate_after_the_first_batch(monkeypatch):
    stream, now = Terminal(), [0.0]
    monkeypatch.setattr(sys, "stderr", stream)
    for clock in ("time.time", "tqdm.std.time"):
        monkeypatch.setattr(clock, lambda: now[0])
    with progress.word_progress(4_000, "round 1") as advance:
        for seconds in (60.0, 4.0, 4.0, 4.0):
            now[0] += seconds
            advance(1_000)
    assert "250 words/s" in stream.getvalue()


def test_no_bar_off_a_terminal(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(logging, "info", lambda *args: None)
    with progress.word_progress(10, "round 1") as advance:
        advance(10)
    assert stream.getvalue() == ""


def test_bar_on_a_terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.word_progress(10, "round 1") as advance:
        advance(4)
        advance(6, "loss 0.31")
    shown = stream.getvalue()
    assert "round 1: 100%" in shown and "words/s" in shown and "loss 0.31" in shown


def test_without_a_total_there_is_no_time_left(monkeypatch):
    lines, now = [], [0.0]
    monkeypatch.setattr(logging, "info", lambda text, *args: lines.append(text % args))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.word_progress(None, "labelling") as advance:
        for _ in range(4):
            now[0] += 4.0
            advance(1_000)
    assert lines == [
        "labelling: 3,000 words, 250 words/s",
        "labelling: 4,000 words, 250 words/s",
    ]
