"""Paths in flags, in a program that needs no model."""

import pytest

from tests.programs import start

LABELLED = "Ka\tB-X\nlo\tO\n"


def run(program, home, *arguments):
    return start(f"launch.{program}", *arguments, HOME=str(home)).finish(60)


@pytest.fixture
def home(tmp_path):
    for name in ("a.conll", "b.conll"):
        (tmp_path / name).write_text(LABELLED)
    return tmp_path


def test_a_tilde_is_the_home_folder(home):
    done = run("evaluate", home, "--gold=~/a.conll", "--predicted=~/b.conll", "--output=~/s.json")
    assert done.returncode == 0 and (home / "s.json").exists() and "100.00" in done.stdout
    sources = ["--source=x=~/a.conll", "--source=y=~/b.conll"]
    done = run("aggregate", home, *sources, "--output=~/c.jsonl")
    assert done.returncode == 0 and (home / "c.jsonl").exists(), done.stderr
    (home / "both.conll").write_text(f"{LABELLED}\n{LABELLED}")
    done = run("evaluate", home, "--gold=~/a.conll,~/b.conll", "--predicted=~/both.conll")
    assert done.returncode == 0 and "100.00" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("program", "arguments", "flag"),
    [
        ("evaluate", ["--gold=~/a.conll", "--predicted=~/b.conll", "--output=~/a.conll"], "gold"),
        ("evaluate", ["--gold=~/a.conll", "--predicted=~/*.conll", "--output=~/b.conll"], "pred"),
        ("aggregate", ["--source=x=~/a.conll", "--output=~/link.conll"], "source"),
        ("predict", ["--model=~/model", "--text=~/a.conll", "--output=~/a.conll"], "text"),
        (
            "predict",
            ["--model=~/model", "--text=~/b.conll,~/a.conll", "--output=~/a.conll"],
            "text",
        ),
        ("train", ["--encoder=~/model", "--train=~/a.conll", "--output=~/model"], "encoder"),
    ],
)
def test_output_equal_to_an_input_is_refused(home, program, arguments, flag):
    (home / "model").mkdir()
    (home / "link.conll").symlink_to(home / "a.conll")
    done = run(program, home, *arguments)
    assert done.returncode == 2 and f"is --{flag}" in done.stderr, done.stderr
    assert "give another path" in done.stderr and "Traceback" not in done.stderr
    assert (home / "a.conll").read_text() == LABELLED


@pytest.mark.parametrize(
    ("program", "arguments", "name", "ending"),
    [
        ("evaluate", ["--gold=~/a.conll", "--predicted=~/b.conll"], "s.csv", ".json"),
        ("report", ["--run=~/run"], "page.pdf", ".html"),
        ("review", ["--run=~/run"], "tasks.xml", ".json"),
        ("review", ["--run=~/run", "--tool=prodigy"], "tasks.json", ".jsonl"),
        ("review", ["--run=~/run", "--tool=conll"], "z.parquet", ".conll or .tsv or .txt"),
        ("review", ["--run=~/run", "--tool=conll"], "z.jsonl", ".conll or .tsv or .txt"),
    ],
)
def test_an_output_with_the_ending_of_another_format_is_refused(
    home, program, arguments, name, ending
):
    done = run(program, home, *arguments, f"--output=~/{name}")
    assert done.returncode == 2 and done.stderr.endswith(f"; let the name end in {ending}\n")
    assert f"error: --output={home}/{name}: " in done.stderr and not (home / name).exists()


@pytest.mark.parametrize(
    ("program", "arguments", "ending"),
    [
        ("evaluate", ["--gold=~/a.conll", "--predicted=~/b.conll"], ".json"),
        ("report", ["--run=~/run"], ".html"),
        ("review", ["--run=~/run", "--estimate=~/a.conll"], ".json"),
        ("review", ["--run=~/run", "--tool=doccano"], ".jsonl"),
        ("review", ["--run=~/run", "--tool=conll"], ".conll"),
    ],
)
def test_files_are_not_written_to_the_standard_output(home, program, arguments, ending):
    for output in ("-", "/dev/stdout"):
        done = run(program, home, *arguments, f"--output={output}")
        assert done.returncode == 2 and f"error: --output={output}: " in done.stderr, done.stderr
        assert done.stderr.endswith(f", in a file of its own; give a name that ends in {ending}\n")
        assert not done.stdout


def test_an_input_that_an_earlier_run_left_in_the_output_is_refused(home):
    text = home / "run" / "labels.conll"
    text.parent.mkdir()
    text.write_text(LABELLED)
    (home / "link").symlink_to(home / "run")
    arguments = ["--encoder=~/model", "--source=x=~/a.conll", f"--text={text}", "--overwrite"]
    done = run("transfer", home, *arguments, "--output=~/link")
    assert done.returncode == 2 and f"--text={text} is a record of the run in --" in done.stderr
    assert "copy the file elsewhere" in done.stderr and text.read_text() == LABELLED


@pytest.mark.parametrize(
    ("program", "arguments", "part"),
    [
        ("report", ["--run=~/run"], "labels.parquet"),
        ("review", ["--run=~/run", "--tool=conll"], "labels.conll"),
        ("predict", ["--model=~/run", "--text=~/a.conll"], "config.json"),
        ("aggregate", ["--source=x=~/run"], "reviews.jsonl"),
    ],
)
def test_an_output_that_replaces_a_part_of_an_input_is_refused(home, program, arguments, part):
    path = home / "run" / part
    path.parent.mkdir()
    path.write_text(LABELLED)
    (home / "link").symlink_to(home / "run")
    done = run(program, home, *arguments, f"--output={home / 'link' / part}")
    assert done.returncode == 2 and f"{part} is a part of --" in done.stderr, done.stderr
    assert "would be lost; give another path" in done.stderr and path.read_text() == LABELLED


def test_an_empty_output_is_refused(home):
    done = run("aggregate", home, "--source=x=~/a.conll", "--output=")
    assert done.returncode == 2 and "error: --output is empty; give a path" in done.stderr


def test_the_standard_output_may_be_named_as_a_device(home):
    done = run("aggregate", home, "--source=x=~/a.conll", "--method=majority", "--output=/dev/fd/1")
    assert done.returncode == 0 and done.stdout == LABELLED + "\n"
    assert "2 words labelled by majority, argmax: /dev/fd/1" in done.stderr


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("c.conllu", ".conllu is not written; let the name end in"),
        ("c.CSV", ".csv is not written; let the name end in"),
        ("c.parquet.gz", ".parquet.gz is not written; let the name end in"),
        ("c.xlsx", ".xlsx is not written; let the name end in"),
        ("none/c.conll", "there is no folder"),
    ],
)
def test_outputs_that_cannot_be_written_are_refused_before_anything_is_read(home, output, said):
    done = run("aggregate", home, "--source=x=~/a.conll", f"--output=~/{output}")
    assert done.returncode == 2 and said in done.stderr
    assert "labels read as" not in done.stderr and not (home / output).exists()


def test_a_text_that_is_given_twice_is_refused(home):
    arguments = ["--encoder=~/model", "--train=~/a.conll", "--train", "~/b.conll", "--output=~/o"]
    done = run("train", home, *arguments)
    assert done.returncode == 2 and "--train is given twice" in done.stderr


def test_one_standard_input_for_one_text(home):
    arguments = ["--encoder=~/model", "--train=-", "--dev=-", "--output=~/out"]
    done = run("train", home, *arguments)
    assert done.returncode == 2 and "--train=- and --dev=-" in done.stderr


def test_flags_that_are_nan_are_refused(home):
    done = run("evaluate", home, "--gold=-", "--predicted=~/a.conll", "--confidence=nan")
    assert done.returncode == 2 and "--confidence=nan is not a number" in done.stderr


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--output=s3://bucket/run", "s3:// is not supported here; give a path on a disk or a"),
        ("--text=ftp://bucket/a.conll", "ftp:// is not supported"),
        ("--source=x=abc://bucket/en.parquet", "--source=abc://bucket/en.parquet: abc://"),
        ("--tensorboard=gs://bucket/board", "--tensorboard=gs://bucket/board: gs:// is not"),
        ("--text=s3://bucket/a.conll", "install the package: pip install s3fs"),
        ("--label_map=x=hdfs://a/b.yaml", "hdfs:// is not supported"),
        ("--encoder=https://huggingface.co/org/name", "the Hugging Face hub (org/name) without"),
        ("--gold_words=" + "a" * 300, "the name is too long; give a shorter one"),
        ("--source=x=" + "a/" * 3000, "the name is too long; give a shorter one"),
    ],
)
def test_urls_and_overlong_names_are_refused_before_anything_else(home, flag, said):
    arguments = ["--encoder=~/model", "--source=x=~/b.conll", "--output=~/out"]
    texts = [] if flag.startswith("--text") else ["--text=~/a.conll"]
    done = run("transfer", home, *arguments, *texts, flag)
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and not (home / "out").exists()


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\nb", "a/b", ".a"])
def test_names_of_sources_are_plain_words(home, name):
    done = run("aggregate", home, f"--source={name}=~/a.conll", "--output=~/c.conll")
    assert done.returncode == 2 and "a name is a plain word" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and "\x1b" not in done.stderr


def test_long_source_names_are_accepted(home):
    done = run("aggregate", home, f"--source={'n' * 300}=~/a.conll", "--output=~/c.conll")
    assert done.returncode == 0 and (home / "c.conll").exists(), done.stderr
