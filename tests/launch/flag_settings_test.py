"""The flag files of the paper's settings, and of those of its authors' released code."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "launch" / "flags"
PAPER = sorted(file for file in FOLDER.glob("*.cfg") if not file.stem.endswith("_release"))
RELEASED = {
    "rounds", "clip_norm", "warmup", "head_dropout", "batch_words", "weight_decay", "prior_weight",
}  # fmt: skip


def flags(file):
    """The flags of a file, by name."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line[:2] == "--"]
    return dict(line[2:].split("=", 1) for line in lines)


@pytest.mark.parametrize("file", PAPER, ids=lambda file: file.stem)
def test_the_release_differs_in_the_settings_that_it_explains(file):
    release = file.with_name(f"{file.stem}_release.cfg")
    paper, released = flags(file), flags(release)
    changed = {name for name in released if paper.get(name) != released[name]}
    one_source = {"prior_weight"} if file.stem.endswith("single") else set()
    temperatures = set()
    if "tau_fixed" in paper:  # the release counts padding and the end of a sentence as labels
        temperatures = {"mu_trainable", "mu_fixed"}
        assert {"tau_trainable", "tau_fixed"} == paper.keys() - released.keys()
    assert changed == (RELEASED - one_source) | temperatures
    lines = release.read_text(encoding="utf-8").splitlines()
    for name in changed - {"mu_fixed"}:  # one comment explains both
        place = next(n for n, line in enumerate(lines) if line.startswith(f"--{name}="))
        assert lines[place - 1].startswith("# "), name


@pytest.mark.parametrize("file", PAPER, ids=lambda file: file.stem)
def test_the_release_clips_the_gradient_per_sentence_at_5(file):
    released = flags(file.with_name(f"{file.stem}_release.cfg"))
    words_per_sentence = int(released["batch_words"]) / 16
    assert float(released["clip_norm"]) * words_per_sentence == pytest.approx(5, rel=1e-3)


def test_programs_understand_every_flag_file():
    code = (
        "import sys, launch.transfer\nfrom absl import flags\n"
        "for file in sys.argv[1:]:\n    flags.FLAGS.unparse_flags()\n"
        "    flags.FLAGS(['x', '--text=a', '--output=b', '--flagfile=' + file])\n"
    )
    files = [str(file) for file in FOLDER.glob("*.cfg")]
    done = subprocess.run(
        [sys.executable, "-c", code, *files], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
