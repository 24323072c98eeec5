"""Flags that a run would not read are refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import program, start

ROOT = Path(__file__).parents[2]
CODE = """
from absl import flags
import launch.transfer
from launch import inputs, flag_combinations
from launch.terminal import with_flags
from zsl_jax.errors import InputError
base = ["program", "--text=t", "--output=o", "--encoder=e", "--source=a=b"]
for given in {cases!r}:
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    flags.FLAGS(base + given.split())
    try:
        flag_combinations.check_transfer(inputs.sources(), [])
        print("read")
    except InputError as error:
        print(with_flags(str(error)))
"""
CASES = {
    "": "read",
    "--label_model=paper --tau_fixed=3 --stop_early --strategy=direct": "read",
    "--approach=mrt --mu_fixed=.9 --strategy=hard_em": "read",
    "--approach=kd --distillation=mse --strategy=soft_em": "read",
    "--approach=kd --label_model=chain": "read",
    "--tau_fixed=3": "--tau_fixed is a setting of the paper's label model; give --label_model=",
    "--approach=kd --mix_end=0": "--mix_end is a setting of the paper's label model; give --appro",
    "--approach=hard_vote --source_weight=2": "--source_weight is a setting of the paper's",
    "--approach=mrt --label_model=chain": "--label_model=chain cannot be combined with",
    "--stop_early": "--stop_early is for the paper's label model",
    "--strategy=direct": "--strategy=direct is for the paper's label model",
    "--approach=kd --strategy=hard_em": "--strategy is not used by --approach=kd, only by mrt and",
    "--approach=kd --label_model=chain --stop_early": "--stop_early is not used by --approach=kd",
    "--approach=hard_cat --stop_early": "--stop_early is not used by --approach=hard_cat",
    "--tau_fixed=3 --approach=kd --label_model=chain": "--tau_fixed is a setting of the paper's",
    "--mix_start=1": "--mix_start is a setting of the paper's label model; give --label_model=",
    "--init=best": "--init=best is not one of auto, encoder, source:NAME",
    "--test_source=a=b": "--test_source is given without --test=FILE; give both, or omit it",
    "--max_test_sentences=9": "--max_test_sentences is given without --test=FILE",
    "--approach=mrt --tau_trainable=3": "--tau_trainable is not used by --approach=mrt; omit it",
    "--approach=mrt --mix_start=1": "--mix_start is not used by --approach=mrt; omit it",
    "--label_model=paper --pseudo_count=2": "--pseudo_count is not used by --confusion_update=grad",
    "--label_model=paper --confusion_init=dawid_skene --mu_trainable=.9": "--mu_trainable is not",
    "--label_model=paper --confusion_update=closed_form --pseudo_count=2": "read",
    "--label_model=paper --mix_schedule=constant --mix_start=0": "--mix_start is not used by --mix",
    "--approach=direct --epochs=2": "--epochs is not used by --approach=direct; omit it",
    "--approach=direct --learning_rate=1": "--learning_rate is not used by --approach=direct; omit",
    "--approach=direct": "--encoder is not used by --approach=direct; omit it",
    "--column=2": "--column is not used without --test; omit it",
    "--approach=direct --gold_words=g": "--gold_words is not used by --approach=direct, which",
    "--task=pos": "--task is not used without --test or a spaCy pipeline as --source; omit it",
    "--task=pos --test=t": "read",
    "--task=pos --source=s=spacy:en": "read",
    "--offsets=utf16": "--offsets=utf16 is not used without character spans in the predictions; o",
    "--distillation=mse": "--distillation is not used by --approach=lvm, only by kd; omit it",
}


def test_flags_that_would_not_be_read_are_refused():
    command = [sys.executable, "-c", CODE.format(cases=list(CASES))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(CASES)
    for line, (given, expected) in zip(lines, CASES.items(), strict=True):
        assert line.startswith(expected), (given, line)


WORDS = "--words is not used without raw text (.txt or .xml, or --format=plain or semeval)"


@pytest.mark.parametrize(
    ("program", "arguments", "message"),
    [
        ("aggregate", ["--source=a=x", "--method=mean", "--dawid_skene_rounds=9"],
         "--dawid_skene_rounds is not used by --method=mean; omit it"),
        ("predict", ["--model=m", "--text=t", "--offsets=utf16"],
         "--offsets is not used without --source; omit it"),
        ("predict", ["--model=m", "--text=t", "--label_map=a=x"],
         "--label_map is not used without --source; omit it"),
        ("predict", ["--model=m", "--text=t", "--source=a=b", "--task=pos"],
         "--task is not used without a spaCy pipeline as --source; omit it"),
        ("train", ["--encoder=e", "--train=t", "--task=pos"],
         "--task is not used without --dev; omit it"),
        ("predict", ["--model=m", "--text=t.conllu", "--words=unicode"], f"{WORDS}; omit it"),
        ("annotate", ["--model=m", "--text=t", "--words=unicode"], f"{WORDS}; omit it"),
        ("evaluate", ["--gold=t.tsv", "--predicted=t.tsv", "--words=whitespace"], WORDS),
        ("train", ["--encoder=e", "--train=t,u.jsonl", "--dev=d", "--words=unicode"], WORDS),
        ("transfer", ["--encoder=e", "--text=t", "--source=a=b", "--words=unicode"], WORDS),
        ("train", ["--encoder=e", "--train=t", "--dev=d.xml", "--words=unicode"], "t cannot be r"),
        ("predict", ["--model=m", "--text=t.txt", "--words=unicode"], "t.txt cannot be read"),
        ("review", ["--run=r", "--estimate=e", "--number=9"],
         "--number is not used with --estimate; omit it"),
        ("review", ["--run=r", "--resamples=9"],
         "--resamples is not used without --estimate; omit it"),
    ],
)  # fmt: skip
def test_flags_of_other_programs_that_would_not_be_read_are_refused(
    tmp_path, program, arguments, message
):
    ending = {"annotate": ".parquet", "evaluate": ".json"}.get(program, "")
    output = f"--output={tmp_path / 'out'}{ending}"
    done = start(f"launch.{program}", *arguments, output).finish(60)
    assert done.returncode == 2 and f"error: {message}" in done.stderr, done.stderr


def test_units_of_offsets_are_refused_where_no_predictions_have_any(tmp_path):
    words, spans = tmp_path / "a.conll", tmp_path / "a.jsonl"
    words.write_text("Ann\tB-PER\nran\tO\n")
    spans.write_text('{"text": "Ann ran", "spans": [[0, 3, "PER"]]}\n')
    given = [f"--gold={words}", f"--predicted={words}", "--resamples=9"]
    program("evaluate", *given, f"--significance={spans}", "--offsets=significance=utf16")
    for value in ("utf16", "significance=utf16"):
        refused = program("evaluate", *given, f"--offsets={value}", status=2).stderr
        assert f"error: --offsets={value} is not used without character spans" in refused


FILES = """
from absl import flags
import launch.transfer
from launch import flag_combinations, flag_files, inputs
from launch.terminal import with_flags
from zsl_jax.errors import InputError
base = ["--text=t", "--output=o", "--encoder=e", "--source=a=b"]
for given in {cases!r}:
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    try:
        flags.FLAGS(flag_files.with_contents(["program", *given.split(), *base]))
        flag_combinations.check_transfer(inputs.sources(), [])
        print("read")
    except InputError as error:
        print(with_flags(str(error)))
"""


def test_flag_files_of_the_package_are_for_approaches_that_read_less_too(tmp_path):
    (tmp_path / "mine").write_text("--approach=mrt\n--tau_trainable=2\n")
    refused = "--tau_trainable is not used by --approach=mrt; omit it"
    cases = {
        "--flagfile=pos_single": "read",
        "--flagfile=pos_single --approach=mrt": "read",
        "--flagfile=ner_multi_release --approach=mrt --mu_fixed=.9": "read",
        "--flagfile=pos_single --confusion_update=closed_form": "read",
        "--flagfile=pos_single --approach=mrt --tau_trainable=4": refused,
        "--tau_trainable=3 --flagfile=pos_single --approach=mrt": "--flagfile=pos_single sets "
        "--tau_trainable=4 after --tau_trainable=3; put --tau_trainable after --flagfile to "
        "override the file, or leave it out",
        f"--flagfile={tmp_path / 'mine'}": refused,
    }
    command = [sys.executable, "-c", FILES.format(cases=list(cases))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == list(cases.values()) and "not used" not in done.stderr
