"""Rejects combinations of flags of launch.transfer that cannot be run."""

from collections.abc import Sequence

from launch import flag_files, shared_flags
from launch.config_flags import from_flags
from launch.options import FLAGS, refuse_unread
from zsl_jax.errors import InputError


def check_transfer(sources, test_sources) -> None:
    """Rejects combinations of flags of launch.transfer that cannot be run."""
    from zsl_jax.training.config import TransferConfig
    from zsl_jax.training.config_checks import check_combination, check_gold_words, check_read
    from zsl_jax.workflows.transfer_inputs import model_taken_as_it_is, warn_of_untested

    config = from_flags(TransferConfig)
    if not sources:
        raise InputError("--source is missing: give at least one, as --source=NAME=PATH")
    files = {source.name for source in sources if source.is_file}
    for source in test_sources:
        if source.name not in files:
            raise InputError(
                f"--test_source={source.name}=...: there is no --source={source.name}=FILE; "
                "a model or pipeline annotates --test itself"
            )
    for name in ("test_source", "max_test_sentences"):
        if FLAGS[name].value and FLAGS.test is None:
            raise InputError(f"--{name} is given without --test=FILE; give both, or omit it")
    if FLAGS.test is not None:
        warn_of_untested(sorted(files - {source.name for source in test_sources}))
    else:
        refuse_unread(("column",), "without --test")
        if not any(source.pipeline for source in sources):
            refuse_unread(("task",), "without --test or a spaCy pipeline as --source")
    config.approach.check_sources(len(sources))
    given = [name for name in shared_flags.SECTIONS["paper's model"] if FLAGS[name].present]
    check_combination(config, given)
    check_gold_words(config, FLAGS.gold_words is not None)
    check_read(config, flag_files.own([name for name in FLAGS if FLAGS[name].present]))
    if FLAGS.approach == "direct":
        refuse_unread(("encoder", "save_every_steps"), "by --approach=direct")
        model_taken_as_it_is(sources, len(sources))
    elif FLAGS.encoder is None:
        raise InputError("--encoder is missing: give the model folder or hub name to start from")


def check_output_format(label_names: Sequence[str]) -> None:
    """Rejects --output_format=spans for labels that do not encode entities."""
    from zsl_jax.labels import is_bio

    if FLAGS.output_format == "spans" and not is_bio(label_names):
        raise InputError(
            f"--output_format=spans needs BIO labels; the target's are {', '.join(label_names)}: "
            "use conll or jsonl"
        )
