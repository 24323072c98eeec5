"""Flag files of the package are named, those of the user are paths."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags

from launch import flag_files
from launch.config_flags import from_arguments
from zsl_jax import __version__
from zsl_jax.errors import InputError
from zsl_jax.training.config import TransferConfig

FOLDER = Path(flag_files.__file__).parent / "flags"


def contents(name):
    lines = (FOLDER / f"{name}.cfg").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("--")]


@pytest.mark.parametrize("form", ["--flagfile={}", "-flagfile={}"])
def test_a_name_stands_for_the_flags_in_the_file_of_the_package(form):
    given = ["transfer", form.format("pos_multi"), "--seed=1"]
    assert len(contents("pos_multi")) > 15
    assert flag_files.with_contents(given) == ["transfer", *contents("pos_multi"), "--seed=1"]


def test_the_value_may_be_the_next_argument():
    given = ["transfer", "--flagfile", "ner_single", "--seed", "1"]
    expected = ["transfer", *contents("ner_single"), "--seed", "1"]
    assert flag_files.with_contents(given) == expected


def test_a_file_of_the_user_comes_first_and_may_name_others(tmp_path, monkeypatch):
    (tmp_path / "pos_multi").write_text("# mine\n--flagfile=other\n--seed=1\n", encoding="utf-8")
    (tmp_path / "other").write_text("--seed=2\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert flag_files.with_contents(["--flagfile=pos_multi"]) == ["--seed=2", "--seed=1"]


def test_what_follows_two_dashes_is_left_alone():
    given = ["transfer", "--", "--flagfile=nothing"]
    assert flag_files.with_contents(given) == given


def test_an_unknown_flag_file_is_refused_with_the_names():
    with pytest.raises(InputError, match=r"--flagfile=pos is not a file; .*aspect_multi, .*pos_s"):
        flag_files.with_contents(["transfer", "--flagfile=pos"])


@pytest.mark.parametrize(
    "before", ["--epochs=7", "-epochs=7", "--epochs 7", "--approach=kd", "--learning_rate=0.1"]
)
def test_a_file_does_not_override_a_flag_before_it_in_silence(before):
    name = before.lstrip("-").replace("=", " ").split()[0]
    given = ["transfer", *before.split(), "--flagfile=pos_multi"]
    message = rf"pos_multi sets --{name}=\S+ after .*{name}.*; put --{name} after --flagfile"
    with pytest.raises(InputError, match=message):
        flag_files.with_contents(given)
    moved = ["transfer", "--flagfile=pos_multi", *before.split()]
    assert flag_files.with_contents(moved)[-1] == before.split()[-1]


@pytest.fixture
def known(monkeypatch):
    """Some flags of a program."""
    known = flags.FlagValues()
    flags.DEFINE_multi_string("source", [], "NAME=PATH", flag_values=known)
    flags.DEFINE_float("learning_rate", 1, "", flag_values=known)
    flags.DEFINE_bool("stop_early", False, "", flag_values=known)
    flags.DEFINE_string("text", None, "", flag_values=known)
    monkeypatch.setattr(flags, "FLAGS", known)


SAME = [
    "--learning_rate=2e-5", "--learning_rate=0.00002", "--learning_rate 2e-05", "--stop_early",
    "--stop_early=true", "--text --stop_early", "--epochs=3 --learning_rate=1", "-- --epochs=3",
]  # fmt: skip


@pytest.mark.parametrize("before", SAME)
def test_a_flag_before_a_file_may_have_the_same_value_or_be_given_again(before, known, tmp_path):
    (tmp_path / "mine").write_text("--learning_rate=2e-5\n--stop_early\n--epochs=1\n")
    behind = ["--epochs=2", "--learning_rate=1"] if before.startswith("--epochs") else []
    given = ["transfer", *before.split(), f"--flagfile={tmp_path / 'mine'}", *behind]
    assert flag_files.with_contents(given)[: 1 + len(before.split())] == given[: -1 - len(behind)]


@pytest.mark.parametrize("before", ["--nostop_early", "--stop_early=false", "--learning_rate 1"])
def test_values_are_compared_as_they_are_read(before, known, tmp_path):
    (tmp_path / "mine").write_text("--learning_rate=2e-5\n--stop_early\n")
    with pytest.raises(InputError, match=f"sets --[=\\w.-]+ after {before}; put --"):
        flag_files.with_contents(["transfer", *before.split(), f"--flagfile={tmp_path / 'mine'}"])


def test_sources_before_and_in_a_file_add_up(known, tmp_path):
    (tmp_path / "mine").write_text("--source=b=B\n", encoding="utf-8")
    given = ["transfer", "--source=a=A", f"--flagfile={tmp_path / 'mine'}"]
    assert flag_files.with_contents(given) == ["transfer", "--source=a=A", "--source=b=B"]


OF_PAPER = (
    "--label_model --confusion_learning_rate --tau_trainable --tau_fixed --mix_start --mix_end "
    "--mix_schedule"
).split()


@pytest.mark.parametrize(
    "choice", ["--approach=kd", "--approach=direct", "--label_model=chain", "-approach hard_vote"]
)
@pytest.mark.parametrize("before", [True, False])
def test_a_choice_without_the_papers_label_model_leaves_it_out_of_the_file(choice, before, caplog):
    given = ["transfer", "--text", "FILE", "--flagfile=pos_multi", *choice.split(), "--tau_fixed=3"]
    if before:
        given.insert(1, "--seed=4")
    file = [flag for flag in contents("pos_multi") if flag.partition("=")[0] not in OF_PAPER]
    place = given.index("--flagfile=pos_multi")
    expected = [*given[:place], *file, *given[place + 1 :]]
    assert flag_files.with_contents(given) == expected
    unused = [flag for flag in contents("pos_multi") if flag not in file]
    (line,) = caplog.messages
    assert line.endswith("the paper's label model are not used: " + " ".join(unused))


@pytest.mark.parametrize("given", [["--approach=mrt"], ["--approach=nothing"], ["--seed=1"]])
def test_other_choices_keep_the_whole_file(given, caplog):
    whole = flag_files.with_contents(["transfer", "--flagfile=pos_multi", *given])
    assert whole == ["transfer", *contents("pos_multi"), *given] and not caplog.messages


def test_a_file_that_contradicts_itself_is_left_as_it_is(tmp_path):
    (tmp_path / "mine").write_text("--approach=kd\n--tau_fixed=3\n", encoding="utf-8")
    whole = flag_files.with_contents(["transfer", f"--flagfile={tmp_path / 'mine'}"])
    assert whole == ["transfer", "--approach=kd", "--tau_fixed=3"]


def test_every_flag_file_shows_its_own_name():
    for name in flag_files.names():
        text = (FOLDER / f"{name}.cfg").read_text(encoding="utf-8")
        assert re.findall(r"--flagfile=(\S+)", text) == [name]


def run(*arguments, **options):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, **options)


def test_version_of_every_program(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = run("launch.evaluate", "--version", env=environment, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"zsl_jax {__version__}\n")


def test_a_program_refuses_an_unknown_flag_file_in_one_sentence():
    done = run("launch.evaluate", "--flagfile=pos")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: --flagfile=pos is not a file; name a file or one of: ")


# Labels that the paper's K counts: entities in BIO, O, padding and the end of a sentence.
PAPER_LABELS = {"ner": 11, "aspect": 5, "pos": 19, "ontonotes": 39}
# Appendix A.2: τ of σ and τ̂ of ψ.
PAPER_TAUS = {
    "ner_single": (3, 2), "ner_multi": (2, 10), "aspect_single": (3, 4), "aspect_multi": (2, 10),
    "pos_single": (4, 2), "pos_multi": (2, 10), "ontonotes_multi": (4, 10),
}  # fmt: skip


@pytest.mark.parametrize("name", flag_files.names())
def test_temperatures_are_the_papers(name):
    config = from_arguments(TransferConfig, [f"--flagfile={flag_files.path_of(name)}"]).label_model
    task = name.split("_")[0]
    counts_padding = "release" in name or task in ("ner", "aspect")
    assert (config.tau_fixed is None) != (config.mu_fixed is None)
    given = (config.mu_trainable, config.mu_fixed)
    taus = PAPER_TAUS[name.removesuffix("_release")]
    if counts_padding:
        others = PAPER_LABELS[task] - 1
        expected = [math.exp(tau) / (math.exp(tau) + others) for tau in taus]
        assert given == pytest.approx(expected, abs=5e-5)
    else:
        assert given == (None, None) and (config.tau_trainable, config.tau_fixed) == taus
