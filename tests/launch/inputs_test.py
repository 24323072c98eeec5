"""What the programs note down of their inputs."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = """
from absl import flags
from launch import inputs, options, run_spec
options.define("text", "test", "source", "seed")
for text, test in (("-", {file!r}), ({file!r}, "-")):
    flags.FLAGS(["program", f"--text={{text}}", f"--test={{test}}"])
    print(run_spec.record().data == run_spec.record().data)
"""


def test_a_run_from_the_standard_input_is_never_the_same_again(tmp_path):
    """Nobody can tell whether the text is, so its checkpoints are refused to a second one.

    A test is read after training, so another one is no other run.
    """
    file = tmp_path / "a.conll"
    file.write_text("Ka\n")
    command = [sys.executable, "-c", CODE.format(file=str(file))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_labelled_text_in_which_nothing_is_annotated_is_refused(tmp_path):
    (tmp_path / "a.conll").write_text("Anna\tO\nsings\tO\n")
    command = [sys.executable, "-m", "launch.evaluate", f"--gold={tmp_path / 'a.conll'}"]
    command += [f"--predicted={tmp_path / 'a.conll'}"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2 and not done.stdout
    assert "a.conll: every word is labelled O" in done.stderr and "--column" in done.stderr


def test_the_column_of_the_words_is_a_flag(tmp_path):
    (tmp_path / "gold.conll").write_text("B-PER\tAnna\nO\tsings\n")
    (tmp_path / "predicted.conll").write_text("Anna\tB-PER\nsings\tO\n")
    command = [sys.executable, "-m", "launch.evaluate", f"--gold={tmp_path / 'gold.conll'}"]
    command += [f"--predicted={tmp_path / 'predicted.conll'}", "--word_column=1", "--column=0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "accuracy 100.00" in done.stdout


def test_sentences_out_of_scope_are_predicted_but_not_scored(tmp_path):
    sentence = '<sentence id="{}"{}><text>{}</text>{}</sentence>'
    opinion = '<Opinions><Opinion target="soup" from="2" to="6"/></Opinions>'
    first, second = sentence.format(1, "", "a soup", opinion), sentence.format(3, "", "no", "")
    aside = sentence.format(2, ' OutOfScope="TRUE"', "a bistro", "")
    (tmp_path / "gold.xml").write_text(f"<r>{first}{aside}{second}</r>")
    labels = "a\tO\nsoup\tB-ASPECT\n\na\tO\nbistro\tB-ASPECT\n\nno\tO\n"
    (tmp_path / "predicted.conll").write_text(labels)
    command = [sys.executable, "-m", "launch.evaluate", f"--gold={tmp_path / 'gold.xml'}"]
    command += [f"--predicted={tmp_path / 'predicted.conll'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "accuracy 100.00" in done.stdout and "3 words" in done.stdout
    assert "1 sentences are out of scope" in done.stderr
