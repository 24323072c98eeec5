"""What programs print, to readers that go and to terminals that obey escape sequences."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from launch.terminal import escaped, say
from zsl_jax.errors import InputError

ROOT = Path(__file__).parents[2]


def shell(line, **environment):
    """Runs a line of bash; the status is that of its first program."""
    line = line.replace("PROGRAM", f"{sys.executable} -m launch")
    return subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def write(path, *rows):
    path.write_text("".join(f"{word}\t{label}\n" for word, label in rows) + "\n")
    return path


@pytest.mark.parametrize("flag", ["--help", "--helpfull"])
def test_help_may_be_cut_off(flag):
    done = shell(f"PROGRAM.transfer {flag} | head -1")
    assert len(done.stdout.splitlines()) == 1 and done.stderr == "" and done.returncode == 0
    assert shell(f"PROGRAM.predict {flag} | true").stderr == ""


def test_scores_that_nobody_reads_are_still_written(tmp_path):
    text = write(tmp_path / "a.conll", ("Ka", "B-X"), ("lo", "O"))
    output = tmp_path / "a.json"
    done = shell(f"PROGRAM.evaluate --gold={text} --predicted={text} --output={output} | true")
    assert "rror" not in done.stderr and done.returncode == 0
    assert json.loads(output.read_text())["task"] == "ner"


def test_labels_that_nobody_reads_end_the_program_without_a_word(tmp_path):
    text = write(tmp_path / "a.conll", ("Ka", "B-X"))
    done = shell(f"PROGRAM.aggregate --source=a={text} --method=majority --output=- | true")
    assert done.returncode == 141 and "rror" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_the_standard_output_is_one_sentence(tmp_path, unbuffered):
    text = write(tmp_path / "a.conll", ("Ka", "B-X"), ("lo", "O"))
    done = shell(
        f"PROGRAM.evaluate --gold={text} --predicted={text} > /dev/full",
        PYTHONUNBUFFERED=unbuffered,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "error: the standard output cannot be written: No space left" in done.stderr


def test_escape_sequences_are_shown_as_such(tmp_path):
    text = write(tmp_path / "a.conll", ("Ka", "B-\x1b[31mX"), ("lo", "O"))
    done = shell(f"PROGRAM.evaluate --gold={text} --predicted={text}")
    assert done.returncode == 2 and r"\x1b[31mX" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    done = shell(f"PROGRAM.evaluate --gold={text} --predicted=$'{tmp_path}/\\e[31m\\nno.conll'")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert r"\x1b[31m\nno.conll" in done.stderr and "\x1b" not in done.stderr


def test_escape_sequences_in_the_log(tmp_path):
    text = write(tmp_path / "a.conll", ("Ka", "I-X"), ("lo", "O"))
    source = f"--source=$'a\\x9b31m\\x07'={text}"
    done = shell(f"PROGRAM.aggregate {source} --method=majority --output={tmp_path / 'b.conll'}")
    assert "source" in done.stderr
    assert not set("\x9b\x07\x1b") & set(done.stderr + done.stdout)


@pytest.mark.parametrize(
    "text", ["a\x1b[31mb", "\x00", "\x7f", "\x9b1m", "a\rb", "\x0b", "\u2028", "a\u202eb"]
)
def test_control_characters_are_escaped(text):
    assert escaped(text).isprintable() and escaped("a\tb\nc é 漢") == "a\tb\nc é 漢"


def test_a_terminal_that_lacks_letters_shows_escapes():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    say("é", stream)
    assert stream.buffer.getvalue() == b"\\xe9\n"


def test_a_broken_stream_is_an_input_error():
    class Broken(io.StringIO):
        encoding = "utf-8"

        def write(self, _):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(InputError, match="cannot be written: Input/output error"):
        say("a", Broken())


def test_a_binary_flagfile_is_one_sentence(tmp_path):
    (tmp_path / "flags").write_bytes(b"--seed=\xff\xfe\x00")
    done = shell(f"PROGRAM.train --flagfile={tmp_path / 'flags'}")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"error: --flagfile={tmp_path / 'flags'} cannot be read" in done.stderr
    assert "give a text file of flags in UTF-8" in done.stderr


def test_log_format_json_makes_every_line_an_object(tmp_path):
    text = write(tmp_path / "a.conll", ("Anna", "B-PER"), ("sings", "O"))
    flags = f"--source=a={text} --method=majority --log_format=json"
    done = shell(f"PROGRAM.aggregate {flags} --output={tmp_path / 'b.conll'}")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 0 and len(lines) >= 1
    assert all(line.keys() == {"time", "level", "place", "message"} for line in lines)
    assert "info" in {line["level"] for line in lines}
    done = shell(f"PROGRAM.aggregate {flags} --source=b=none.conll --output={tmp_path / 'c.conll'}")
    last = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, last["level"]) == (2, "error")
    assert last["message"].startswith("error: --source=b=none.conll: there is no file none.conll")


def test_log_format_json_shows_no_bars(monkeypatch):
    from zsl_jax.runtime import progress

    monkeypatch.setattr(progress, "_bars", True)
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    progress.show_bars(False)
    with progress.word_progress(2, "labelling") as advance:
        advance(2)
    assert "\r" not in stream.getvalue()


def test_settings_in_messages_are_flags_of_the_program_that_has_them():
    code = """
from launch.terminal import with_flags
text = "`sources`, `test_sources`, `batch_words`, `nothing`"
print(with_flags(text))
import launch.transfer
print(with_flags(text))
"""
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.splitlines() == [
        "`sources`, `test_sources`, `batch_words`, `nothing`",
        "--source, --test_source, --batch_words, `nothing`",
    ]
