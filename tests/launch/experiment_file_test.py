"""Experiments as YAML files: what is read, and one sentence for what is wrong."""

import dataclasses

import pytest

from launch import experiment_file
from launch.experiment_file import read_experiment, with_chosen
from launch.experiment_rows import FOLDER
from tests.experiments.tiny_experiment import YAML, write_experiment
from zsl_jax.errors import InputError
from zsl_jax.experiments.plan import Kind, Role, cells_of
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_checks import check_combination
from zsl_jax.training.config_choices import Approach, ConfusionInit, LabelModelKind


def read(folder, text=YAML, **options):
    return read_experiment(str(write_experiment(folder, text)), **options)


def test_fields_of_an_experiment(tmp_path):
    experiment = read(tmp_path)
    assert experiment.name == "tiny" and experiment.seeds == (0, 1)
    single, multi = experiment.settings
    assert single.sources == ("aa",) and single.targets == ("cc",)
    assert multi.sources_of("cc") == ("aa", "bb") and multi.labels_from == "Q"
    assert experiment.source_config.epochs == 2
    assert experiment.source_config.optimizer.learning_rate == 0.01
    assert experiment.paper["multi"]["kd"]["cc"] == 80.0


def test_observations_are_those_between_rows_that_an_experiment_has(tmp_path):
    text = YAML.replace("  - majority\n", "  - lvm_soft\n  - mrt_soft\n")
    found = {one.title: (one.better, one.worse) for one in read(tmp_path, text).observations}
    above = "LVM above MRT on soft predictions"
    assert found[f"one source, {above}"] == (("single", "lvm_soft"), ("single", "mrt_soft"))
    assert found[f"two sources, {above}"] == (("multi", "lvm_soft"), ("multi", "mrt_soft"))
    gains = [title for title in found if title.startswith("several sources above one")]
    assert len(gains) == 3 and len(found) == 5
    assert found[gains[0]] == (("multi", "kd"), ("single", "kd"))
    assert [one.title for one in read(tmp_path).observations] == gains[:1]  # kd alone has both


def test_a_new_row_is_two_lines(tmp_path):
    mine = read(tmp_path).method("mine")
    assert (mine.kind, mine.role) == (Kind.TRANSFER, Role.PROPOSED)
    config = mine.configs["multi"]
    assert config.approach is Approach.LVM and config.rounds == 1
    assert config.label_model.kind is LabelModelKind.PAPER
    assert config.label_model.confusion_init is ConfusionInit.DAWID_SKENE
    assert config.optimizer.learning_rate == 0.01  # of `transfer`


def test_a_row_for_one_source_is_where_no_target_has_several(tmp_path):
    for targets in ("[aa, cc]", "[cc, aa]"):
        both = f"sources: [aa, bb], targets: {targets}, labels_from: Q"
        methods = read(tmp_path, YAML.replace("targets: [cc], labels_from: Q", both)).methods
        multi = [method.name for method in methods if "multi" in method.configs]
        assert multi == ["kd", "mine", "majority", "supervised"]


def test_a_row_like_another_changes_some_of_its_fields(tmp_path):
    text = YAML.replace("  - majority\n", "  - {name: hot, like: mrt_soft, tau_fixed: 7}\n")
    hot = read(tmp_path, text).method("hot")
    assert hot.group == "soft predictions" and hot.configs["multi"].approach is Approach.MRT
    assert hot.configs["multi"].label_model.tau_fixed == 7
    assert hot.title == "hot"  # so that it is not taken for MRT
    same = YAML.replace("  - majority\n", "  - {like: mrt_soft, tau_fixed: 7}\n")
    assert read(tmp_path, same).method("mrt_soft").title == "MRT"
    titled = text.replace("tau_fixed", "title: MRT at 7, tau_fixed")
    assert read(tmp_path, titled).method("hot").title == "MRT at 7"


def test_titles_are_on_one_line(tmp_path):
    text = YAML.replace("title: Tiny table", "title: >\n  Tiny\n  table").replace(
        "title: two sources", r'title: "two\n sources"'
    )
    experiment = read(tmp_path, text)
    assert experiment.title == "Tiny table" and experiment.setting("multi").title == "two sources"


def test_a_setting_of_a_row_that_its_approach_does_not_read_is_refused(tmp_path):
    text = YAML.replace("  - majority\n", "  - {name: hot, like: mrt_soft, tau_trainable: 7}\n")
    message = r"line \d+: the row hot: `tau_trainable` is not used by `appr"
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_function_beside_the_file_is_a_row(tmp_path):
    (tmp_path / "own.py").write_text("def mine(*given, **more):\n    return 'called'\n")
    text = YAML.replace("  - majority\n", '  - {name: f, function: "own.py:mine"}\n')
    method = read(tmp_path, text).method("f")
    assert method.kind is Kind.FUNCTION and method.function() == "called"


def test_a_file_of_functions_may_import_what_is_beside_it_and_define_classes(tmp_path):
    (tmp_path / "beside_own.py").write_text("WORD = 'called'\n")
    (tmp_path / "own.py").write_text(
        "from __future__ import annotations\nimport dataclasses\nfrom beside_own import WORD\n"
        "@dataclasses.dataclass\nclass A:\n    word: str = WORD\ndef mine():\n    return A().word\n"
    )
    text = YAML.replace("  - majority\n", '  - {name: f, function: "own.py:mine"}\n')
    assert read(tmp_path, text).method("f").function() == "called"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def f(:", "'own.py:f', which cannot be loaded .SyntaxError: .*; correct it, or write"),
        (
            "1 / 0",
            r"'own.py:f', which cannot be loaded .ZeroDivisionError: division by zero.; corr",
        ),
        ("exit(3)", "'own.py:f', which cannot be loaded .SystemExit: 3.; correct it"),
        ("f = 3", "'own.py:f', which is not a function"),
        ("g = print", "'own.py:f', which cannot be loaded .AttributeError: .*; correct it, or wri"),
    ],
)
def test_a_function_that_cannot_be_loaded_is_named_with_the_reason(code, message, tmp_path):
    (tmp_path / "own.py").write_text(code)
    text = YAML.replace("  - majority\n", '  - {name: f, function: "own.py:f"}\n')
    with pytest.raises(InputError, match=f"line 21: `function` is {message}"):
        read(tmp_path, text)


def test_settings_come_from_the_flag_file_the_profile_the_row_and_the_flags_in_this_order(tmp_path):
    text = YAML.replace("labels_from: Q}", "labels_from: Q, flagfile: pos_multi}")
    plain = read(tmp_path, text)
    assert plain.method("kd").configs["multi"].rounds == 3  # pos_multi
    assert plain.method("kd").configs["multi"].optimizer.learning_rate == 0.01
    small = read(tmp_path, text, profile="small", arguments=["--rounds=5"])
    assert [s.max_sentences for s in small.settings] == [8, 8]
    config = small.method("mine").configs["multi"]
    assert (config.rounds, config.optimizer.learning_rate, config.batch_words) == (5, 0.02, 64)


def test_null_in_a_row_is_the_default_whatever_the_experiment_says(tmp_path):
    text = YAML.replace("rounds: 1", "rounds: 1, learning_rate: null")
    config = read(tmp_path, text, profile="small").method("mine").configs["multi"]
    assert config.optimizer.learning_rate == TransferConfig().optimizer.learning_rate
    assert (config.rounds, config.batch_words) == (1, 64)
    file = YAML.replace("rounds: 1", "rounds: null, flagfile: pos_multi")
    config = read(tmp_path, file).method("mine").configs["multi"]
    assert config.rounds is None and config.epochs == 1  # pos_multi has 3 rounds of 1 epoch
    again = read(tmp_path, text, arguments=["--learning_rate=0.5"]).method("mine")
    assert again.configs["multi"].optimizer.learning_rate == 0.5


def test_flags_change_sources_too_but_for_epochs(tmp_path):
    experiment = read(tmp_path, arguments=["--epochs=7", "--learning_rate=0.5"])
    assert experiment.source_config.epochs == 2
    assert experiment.source_config.optimizer.learning_rate == 0.5
    assert experiment.method("kd").configs["multi"].epochs == 7


WRONG = {
    "an unknown field": ("task: pos", "tasks: pos", "line 3: `tasks` is not known"),
    "a wrong kind": ("seeds: [0, 1]", "seeds: 3", "line 8: `seeds` is 3, but must be a list"),
    "an unknown choice": ("task: pos", "task: tag", "line 3: `task` is 'tag'; choose one of pos"),
    "a missing field": ("score: accuracy\n", "", "`score` is missing; add it"),
    "no place for the language": ("{language}/test", "test", "line 7: `test` has no {language}"),
    "an unknown source": ("sources: [aa]", "sources: [xx]", "line 15: `sources` has xx; the lang"),
    "a target without sources": ("targets: [cc], labels_from: P", "targets: [aa], labels_from: P",
        "line 15: `targets` has aa, which is its own only source"),
    "an unknown row": ("  - majority", "  - majorty", "line 17: `rows` has majorty, which is none"),
    "a row twice": ("  - majority", "  - kd", "line 17: `rows` has kd twice; give"),
    "a title twice": ("rounds: 1", "rounds: 1, title: KD-re, group: soft predictions",
        "line 20: `title` is 'KD-re', like that of kd; give each row its own"),
    "an unknown flag of a row": ("rounds: 1", "round: 1", "line 20: .*round"),
    "an unknown flag that is null": ("rounds: 1", "round: null", "line 20: `round` is not a flag"),
    "a flag file that is not there": ("rounds: 1", "flagfile: nowhere",
        "line 20: --flagfile=nowhere is not a file; name a file or one of: .*pos_multi"),
    "a flag file that cannot be read": ("rounds: 1", "flagfile: /",
        "line 20: --flagfile=/ cannot be read .*; give a text file of flags"),
    "a value out of bounds": ("rounds: 1", "rounds: 0", "line 20: .*--rounds=0"),
    "an unknown flag of a source": ("batch_words: 64, row", "batch: 64, row", "line 12: .*batch"),
    "a row without a way": ("approach: lvm, label_model: paper, confusion_init: dawid_skene, ", "",
        "line 20: the row mine needs `approach`, `like`, `aggregate` or `function`"),
    "an approach of a supervised row": ("rounds: 1", "supervised: true",
        "line 20: `approach` is not used by a supervised row; omit it"),
    "a function that is not there": ("approach: lvm", 'function: "no.py:f"', "line 20: `function`"),
    "a paper value of no row": ("    kd: {cc", "    kdd: {cc", "line 27: `kdd` is not a row"),
    "a paper value of no target": ("kd: {cc: 80", "kd: {dd: 80", "line 27: `dd` is not a t"),
    "a paper value of all rows": ("    kd: {cc: 80.0}\n", "    kd: 3\n",
        "line 27: `kd` is 3, but must be"),
    "a paper value of all settings": ("  multi:\n    kd: {cc: 80.0}\n", "  multi: 3\n",
        "line 26: `multi` is 3, but must be"),
    "seeds that are none": ("seeds: [0, 1]", "seeds: [0, a]", "line 8: `seeds` must be whole n"),
    "a negative seed": ("seeds: [0, 1]", "seeds: [-1]", "line 8: `seeds` must be whole n"),
    "a seed twice": ("seeds: [0, 1]", "seeds: [1, 0, 1]", "line 8: `seeds` has 1 twice; name each"),
    "a setting twice": ("name: multi", "name: single", "line 14: `settings` has single twice"),
    "a language twice": ("aa, bb, cc]", "aa, bb, cc, bb]", "line 5: `languages` has bb twice"),
    "a source twice": ("sources: [aa]", "sources: [aa, aa]", "line 15: `sources` has aa twice"),
    "a target twice": ("targets: [cc], labels_from: Q", "targets: [cc, cc], labels_from: Q",
        "line 16: `targets` has cc twice"),
    "a language above the output": ("aa, bb, cc]", "aa, bb, cc, ..]",
        "line 5: `languages` has '..', which cannot be the name of a folder"),
    "a language named as the mean": ("aa, bb, cc]", "aa, bb, cc, Avg.]",
        "line 5: `languages` has 'Avg.', which cannot be used as a name; choose another"),
    "a setting of two folders": ("name: multi", "name: a/b", "line 16: `name` is 'a/b'"),
    "a setting of the models": ("name: multi", "name: models", "line 16: `name` is 'models'"),
    "a row without letters": ("name: mine", "name: ''", "line 20: `name` is ''"),
    "a row of two lines": ("name: mine", r'name: "a\nb"', "line 20: `name` is 'a.*nb'"),
    "a row too long": ("name: mine", f"name: {'long' * 60}", "line 20: `name` is 'long.* folder"),
    "a date that is none": ("title: Tiny table", "title: 2024-13-45",
        "line 2: '2024-13-45' cannot be read as .*timestamp; .*put it in quotes"),
    "an unknown tag": ("title: Tiny table", "title: !tiny table", "line 2: 'table' cannot be read"),
    "an alias in itself": ("rounds: 1", "rounds: &a [*a]", "has an alias within its own value"),
    "a list as a field": ("task: pos", "? [task]\n: pos", "line 3: the name of a field"),
    "a score that the task has not": ("score: accuracy", "score: f1_strict",
        "line 4: `score` is 'f1_strict'; choose one of accuracy$"),
    "no sentence": ("max_sentences: 12", "max_sentences: 0", "line 10: `max_sentences` is 0"),
    "fewer than no sentences": ("max_test_sentences: 15", "max_test_sentences: -1",
        "line 11: `max_test_sentences` is -1, but must be 1 or more"),
    "another place than the language's": ("{language}/test", "{language}/{part}",
        "line 7: `test` is .*; write no other braces than those of {language}"),
    "a brace that is open": ("{language}/train", "{language}{/train", "line 6: `train` .* braces"),
    "two ways in a row": ("approach: lvm, label_model: paper, confusion_init: dawid_skene",
        "aggregate: mean, supervised: true", "line 20: `supervised` cannot be combined with `aggr"),
    "a flag of an aggregation": ("approach: lvm, label_model: paper, confusion_init: dawid_skene",
        "aggregate: mean", "line 20: `rounds` is not used by a row with `aggregate`; omit it"),
    "a seed of a row": ("rounds: 1", "seed: 1", "line 20: `seed` is that of the cell; omit it"),
    "a seed of sources": ("source: {epochs: 2", "source: {seed: 2", "line 12: `seed` is that of"),
    "a seed of targets": ("transfer: {", "transfer: {seed: 2, ", "line 13: `seed` is that of"),
    "an unknown flag of all rows": ("transfer: {", "transfer: {round: 2, ",
        "line 13: `round` is not a flag of the training; did you mean `rounds`"),
    "a flag of the program in a row": ("rounds: 1", "encoder: x",
        "line 20: `encoder` is the same for the whole table; omit it, and give --encoder"),
    "a flag of the program for all rows": ("transfer: {", "transfer: {encoder: x, ",
        "line 13: `encoder` is the same for the whole table"),
    "a flag of the program for sources": ("source: {epochs: 2", "source: {encoder: x",
        "line 12: `encoder` is the same for the whole table"),
    "a flag of targets for sources": ("source: {epochs: 2", "source: {rounds: 2",
        "line 12: `rounds` is a flag of targets only; omit it, or move it to `transfer`"),
    "a task of a row": ("rounds: 1", "task: ner", "line 20: `task` is that of the experiment"),
    "a flag of absl": ("rounds: 1", "undefok: x", "line 20: `undefok` is not a flag"),
    "a switch that is negated": ("rounds: 1", "nostop_early: true", "line 20: `nostop_early` is n"),
    "a setting of another label model": ("approach: lvm, label_model: paper, confusion_init: "
        "dawid_skene, rounds: 1", "approach: kd, tau_fixed: 3",
        "line 20: the row mine: `tau_fixed` is a setting of the paper's label model"),
    "a label model of another approach": ("approach: lvm, label_model: paper, confusion_init: "
        "dawid_skene, rounds: 1", "approach: mrt, label_model: chain",
        "line 20: the row mine: `label_model`=chain cannot be combined with `approach`=mrt"),
    "a path outside the data": ('"{language}/test', '"/{language}/test',
        "line 7: `test` is '/{language}/test.conll'; write a path below --data"),
    "a paper value that is no percentage": ("kd: {cc: 80.0}", "kd: {cc: 180}",
        "line 27: `cc` is not a score in percent"),
    "a flag file of a setting": ("labels_from: Q", "labels_from: Q, flagfile: nowhere",
        "line 16: --flagfile=nowhere is not a file"),
    "a figure across settings without numbers": ("paper:",
        "figure: {across: settings, x_label: x}\npaper:",
        "line 25: `across` needs numbers as the names of the settings, and 'single' is none"),
    "a figure across rows without numbers": ("paper:", "figure: {across: rows, x_label: x}\npaper:",
        "line 25: `across` needs numbers as the titles of the rows, and 'DT' is none"),
    "an unknown format": ("task: pos", "task: pos\nformat: conl", "line 4: `format` is 'conl'"),
    "a column of words that is none": ("task: pos", "task: pos\nword_column: [1]",
        "line 4: `word_column` is"),
    "no seed": ("seeds: [0, 1]", "seeds: []", "line 8: `seeds` is empty; name at least one"),
    "no target": ("targets: [cc], labels_from: Q", "targets: [], labels_from: Q",
        "line 16: `targets` is empty; name at least one"),
    "no source": ("sources: [aa]", "sources: []", "line 15: `sources` is empty; name at least"),
    "YAML that is none": ("task: pos", "task: [pos", "line 4: .*; correct the YAML"),
    "a field twice": ("task: pos", "task: pos\ntask: ner", "line 4: `task` occurs twice; keep one"),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_faults_are_named_with_file_and_line(fault, tmp_path):
    old, new, message = WRONG[fault]
    assert old in YAML
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, YAML.replace(old, new, 1))
    text = str(caught.value)
    assert "tiny.yaml" in text and "\n" not in text.strip()


def test_unknown_experiments_profiles_and_rows_are_refused_with_the_names(tmp_path):
    with pytest.raises(InputError, match=r"--experiment=table9 is neither .* figure2, .*table4"):
        read_experiment("table9")
    with pytest.raises(InputError, match=r"--profile=tiny: .* has these profiles: small"):
        read(tmp_path, profile="tiny")
    with pytest.raises(InputError, match=r"--rows=kdd is not a row; the rows are direct, kd"):
        with_chosen(read(tmp_path), ["kdd"], None)
    assert with_chosen(read(tmp_path), ["kd"], [5]).seeds == (5,)
    text = YAML.replace("transfer: {learning_rate: 0.02}", "transfer: fast")
    with pytest.raises(InputError, match="line 24: `transfer` is 'fast', but must be a mapping"):
        read(tmp_path, text, profile="small")


@pytest.mark.parametrize("name", experiment_file.names())
def test_a_transfer_accepts_the_settings_of_every_row(name):
    for profile in (None, "small"):
        for method in read_experiment(name, profile).methods:
            if method.kind in (Kind.TRANSFER, Kind.SUPERVISED):
                for config in method.configs.values():
                    check_combination(config)
                    if method.kind is Kind.SUPERVISED:
                        assert config.approach is Approach.DIRECT


def test_a_row_without_a_label_model_takes_what_else_the_flag_file_has(tmp_path):
    config = read_experiment("table4").method("kd").configs["multi"]
    assert config.label_model == TransferConfig().label_model and config.batch_words == 512
    shared = YAML.replace("labels_from: Q}", "labels_from: Q, flagfile: pos_multi}")
    shared = shared.replace("transfer: {", "transfer: {tau_fixed: 7, ")
    kd, mine = (read(tmp_path, shared).method(name).configs["multi"] for name in ("kd", "mine"))
    assert kd.label_model == TransferConfig().label_model and mine.label_model.tau_fixed == 7
    chain = YAML.replace("transfer: {", "transfer: {label_model: chain, ")
    kd, direct = (read(tmp_path, chain).method(name) for name in ("kd", "direct"))
    assert kd.configs["multi"].label_model.kind is LabelModelKind.CHAIN  # which it can learn from
    assert direct.configs["single"].label_model == TransferConfig().label_model
    own = YAML.replace("approach: lvm, label_model: paper", "approach: kd, label_model: paper")
    with pytest.raises(InputError, match="line 20: the row mine: `label_model`=paper cannot be"):
        read(tmp_path, own)


def test_the_standard_rows_that_an_experiment_leaves_out_may_keep_the_papers_values(tmp_path):
    text = YAML.replace("    kd: {cc: 80.0}\n", "    kd: {cc: 80.0}\n    mrt_hard: {cc: 81.0}\n")
    assert read(tmp_path, text).paper["multi"]["mrt_hard"] == {"cc": 81.0}


def test_a_flag_file_beside_the_experiment_is_named_by_its_file_name(tmp_path):
    (tmp_path / "own.cfg").write_text("--dropout=0.3\n", encoding="utf-8")
    text = YAML.replace("rounds: 1", "flagfile: own.cfg")
    assert read(tmp_path, text).method("mine").configs["multi"].dropout == 0.3
    of_setting = read(
        tmp_path, YAML.replace("labels_from: Q}", "labels_from: Q, flagfile: own.cfg}")
    )
    assert of_setting.method("kd").configs["multi"].dropout == 0.3
    assert of_setting.method("kd").configs["single"].dropout != 0.3


def test_a_wrong_flag_of_the_command_line_is_named_without_a_row():
    with pytest.raises(InputError, match=r"^`init`=1 is not one of"):
        read_experiment("table4", arguments=["--init=1"])


def test_early_stopping_is_for_the_rows_that_have_j():
    experiment = read_experiment("table4", arguments=["--stop_early"])
    stops = {m.name for m in experiment.methods if any(c.stop_early for c in m.configs.values())}
    with_j = {"mrt_hard", "mrt_soft", "lvm_hard", "lvm_soft", "lvm_ds"}
    assert with_j <= stops and not stops & {"kd", "direct", "recommended", "supervised"}


def test_flags_of_the_papers_label_model_are_for_the_rows_that_have_it():
    experiment = read_experiment("table4", arguments=["--tau_fixed=3", "--dropout=0.3"])
    for method in experiment.methods:
        if method.kind in (Kind.TRANSFER, Kind.SUPERVISED):
            config = method.configs["multi" if "multi" in method.configs else "single"]
            check_combination(config)
            assert (config.label_model.tau_fixed == 3) == config.has_paper_model
            assert config.dropout == 0.3
    assert experiment.method("mrt_soft").configs["multi"].has_paper_model
    assert not experiment.method("recommended").configs["multi"].has_paper_model
    paper = read_experiment("table4", arguments=["--label_model=paper", "--tau_fixed=3"])
    config = paper.method("recommended").configs["multi"]
    assert config.has_paper_model and config.label_model.tau_fixed == 3
    assert not paper.method("kd").configs["multi"].has_paper_model


@pytest.mark.parametrize("name", experiment_file.names())
def test_the_package_has_readable_experiments(name):
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    head = text[: text.index("title:")]
    assert f"--experiment={name} " in head
    for part in ("# Command: ", "# Data: ", "# Expected: ", "# Time: "):
        assert part in head, part
    experiment = read_experiment(name)
    small = read_experiment(name, "small")
    assert len(list(cells_of(small))) == len(list(cells_of(experiment))) > 0
    assert small.source_config.trainable_layers == 4
    assert all(method.configs for method in experiment.methods), "each row is in a setting"


def test_the_papers_averages_are_those_of_its_tables():
    """Averages as the paper prints them, from values typed by hand: a typing error shows."""
    printed = {
        ("table4", "single", "direct"): 80.44, ("table4", "single", "lvm_soft"): 81.22,
        ("table4", "multi", "kd"): 83.43, ("table4", "multi", "mrt_hard"): 82.97,
        ("table4", "multi", "lvm_soft"): 83.73, ("table2_ner", "single", "kd"): 76.81,
        ("table2_ner", "multi", "hard_cat"): 76.37, ("table2_ner", "multi", "lvm_hard"): 77.40,
        ("table2_aspect", "multi", "kd"): 56.30, ("table2_aspect", "single", "lvm_hard"): 55.64,
        ("table3", "multi", "hard_vote"): 78.49, ("table3", "multi", "lvm_soft"): 80.31,
        ("table5", "multi", "mrt_direct"): 78.02, ("table6", "multi", "lvm_hard_em"): 78.45,
    }  # fmt: skip
    for (name, setting, row), average in printed.items():
        values = read_experiment(name).paper[setting][row].values()
        assert sum(values) / len(values) == pytest.approx(average, abs=0.011), (name, row)


def test_the_recommended_row_is_the_default_of_the_programs():
    config = read_experiment("table4").method("recommended").configs["multi"]
    assert config == dataclasses.replace(TransferConfig(), approach=Approach.LVM)
    small = read_experiment("table4", "small")
    assert small.method("recommended").configs["multi"].epochs is None  # by the size of the text
    assert small.method("kd").configs["multi"].epochs == 2
