"""What `zsl_jax.transfer` is given, checked before anything is computed."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from absl import logging

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_choices import Approach
from zsl_jax.types import Sentence
from zsl_jax.workflows.given_text import PathLike
from zsl_jax.workflows.resolve_sources import Given, fetched_sources, resolve_sources
from zsl_jax.workflows.source_settings import SourceSettings
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.transfer_run import LabelledTest


class TransferInputs(NamedTuple):
    """The sources of a transfer, and how their predictions are made or read.

    Attributes:
      sources: By name, for the text.
      test_sources: By name, for the test, besides those that can annotate it.
      settings: How they are read.
      row_length: Subwords of a row.
      cache: A folder that keeps what models predict; None keeps nothing.
    """

    sources: Mapping[str, Given]
    test_sources: Mapping[str, Given]
    settings: SourceSettings
    row_length: int
    cache: PathLike | None

    def named(self) -> dict[str, Source]:
        """The sources that are files, models or pipelines."""
        return {
            name: self.settings.of(name, given)
            for name, given in self.sources.items()
            if isinstance(given, Source | str | os.PathLike)
        }

    def paths(self) -> Iterator[tuple[str, PathLike]]:
        """The paths among the sources, with the setting that names each."""
        groups = (("`sources`", self.sources), ("`test_sources`", self.test_sources))
        for setting, sources in groups:
            for name, given in sources.items():
                if isinstance(given, Source):
                    given = given.path
                if isinstance(given, str | os.PathLike):
                    yield f"{setting}[{name!r}]", given

    def predictions(self, text: TextShard) -> dict[str, SourcePredictions]:
        """The sources' predictions for the text."""
        return resolve_sources(self.sources, text, self.row_length, self.settings, self.cache)

    def labelled_test(
        self, gold: list[Sentence], task: str | None, read_as: Mapping[str, Any]
    ) -> LabelledTest:
        """A test, whose labels were read as it is told, with the sources' predictions for it."""
        asked = self._asked_about_test()
        plain = TextShard([sentence._replace(labels=None) for sentence in gold])
        made = resolve_sources(asked, plain, self.row_length, self.settings, self.cache)
        by_source = {name: dict(predictions.about) for name, predictions in made.items()}
        return LabelledTest(gold, made, task, {"test_source": by_source, "test": read_as})

    def start(self, config: TransferConfig, encoder: PathLike | None) -> str:
        """The folder or hub name from which training starts.

        Raises:
          InputError: The approach needs other sources, or there is no encoder.
        """
        config.approach.check_sources(len(self.sources))
        if config.approach is Approach.DIRECT:
            if encoder is not None:
                logging.warning(
                    "`encoder` is not used by `approach`=%s, which takes the one source as it is; "
                    "give None", config.approach,
                )  # fmt: skip
            return model_taken_as_it_is(list(self.named().values()), len(self.sources))
        if encoder is None:
            raise InputError("`encoder` is missing: give the folder or hub name to start from")
        return fetched(encoder, "`encoder`")

    def untested(self) -> list[str]:
        """The names of the sources without predictions for a test."""
        asked = self._asked_about_test()
        return [name for name in self.sources if name not in asked]

    def _asked_about_test(self) -> dict[str, Given]:
        """What predicts for a test: test sources, and the sources that can annotate it."""
        return {**self._able_to_annotate(), **self.test_sources}

    def _able_to_annotate(self) -> dict[str, Given]:
        """The sources that can be asked about another text: functions, models and pipelines."""
        named = self.named()
        return {
            name: given
            for name, given in self.sources.items()
            if (callable(given) if name not in named else not named[name].is_file)
        }


def transfer_inputs(
    sources: Mapping[str, Given],
    test_sources: Mapping[str, Given] | None,
    settings: SourceSettings,
    row_length: int,
    cache: PathLike | None,
) -> TransferInputs:
    """Returns the inputs, with local copies of what is in buckets.

    Raises:
      InputError: A test source has the name of no source.
    """
    for_test = fetched_sources(test_sources, "test_sources") if test_sources else {}
    for name in for_test:
        if name not in sources:
            raise InputError(
                f"`test_sources`: there is no source {name}; the sources are {', '.join(sources)}"
            )
    shared = settings.with_those_of(sources)
    return TransferInputs(sources, for_test, shared, row_length, cache)


def warn_of_untested(names: Iterable[str]) -> None:
    """Warns, before anything is trained, of sources without predictions for the test."""
    for name in names:
        logging.warning(
            "the source %s has no predictions for `test` and abstains there; give their file in "
            "`test_sources`",
            name,
        )


def model_taken_as_it_is(sources: list[Source], count: int) -> str:
    """The one source of `approach`=direct.

    Args:
      sources: Those that are files, models or pipelines.
      count: How many sources there are in all.

    Raises:
      InputError: There are several, or it cannot be the target tagger.
    """
    if count == 1 and sources and sources[0].is_model and sources[0].label_map is None:
        return sources[0].path
    raise InputError(
        "`approach`=direct takes exactly one source, and that must be a model folder without a "
        "label map; give it, or another `approach`"
    )
