"""What an experiment is, and the cells that follow from it."""

import dataclasses
import enum
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zsl_jax.training.config import TrainConfig, TransferConfig

MODELS, CACHE = "models", "cache"  # folders of an output besides those of the settings
SIMILARITY = "similarity"  # what a method may use, and the name of its only source


class Kind(enum.StrEnum):
    """How a method labels the target."""

    TRANSFER = "transfer"
    AGGREGATION = "aggregation"
    SUPERVISED = "supervised"
    FUNCTION = "function"


class Role(enum.StrEnum):
    """What a method is in the comparison; a bound is not compared."""

    BASELINE = "baseline"
    PROPOSED = "proposed"
    BOUND = "bound"


class Method(NamedTuple):
    """One row of a table.

    Attributes:
      name: Of its folders.
      title: In the table.
      group: Heading under which the table lists it.
      role: What it is in the comparison.
      kind: How it labels the target.
      configs: By the names of the settings that have this row, how it is trained.
      uses: The way to aggregate, for aggregations; "similarity" for a transfer that learns from
        the sources' mean weighted by their languages' similarity to the target's.
      function: Called in the place of `zsl_jax.transfer`.
    """

    name: str
    title: str
    group: str
    role: Role
    kind: Kind
    configs: Mapping[str, TransferConfig]
    uses: str | None = None
    function: Callable[..., Any] | None = None


class Setting(NamedTuple):
    """One block of columns: the targets with their sources.

    Attributes:
      name: Of its folder.
      title: In the table.
      targets: Languages (or domains) in the order of the columns.
      sources: Of every target but itself.
      labels_from: Which labels count: by "P", the tagger alone, or by "Q", with its sources.
      max_sentences: Random sentences of the text; None for all.
    """

    name: str
    title: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    labels_from: str
    max_sentences: int | None

    def sources_of(self, target: str) -> tuple[str, ...]:
        """The sources of one target."""
        return tuple(source for source in self.sources if source != target)


class Corpora(NamedTuple):
    """Where the texts are, and how they are read.

    Attributes:
      train: Path of a language's training text below the data's folder, with "{language}" in it.
      test: The same of its test.
      text: The same of unlabelled text to learn from; None for the words of `train`.
      format: As for `read_sentences`.
      column: Likewise.
      word_column: Likewise.
      encoding: Likewise.
      select: Start of a comment of the sentences to use, with "{language}" in it; None for all. A
        text with "{language}" in its path is used as a whole.
    """

    train: str
    test: str
    text: str | None = None
    format: str | None = None
    column: str | int | None = None
    word_column: str | int | None = None
    encoding: str | None = None
    select: str | None = None


class Figure(NamedTuple):
    """A line chart of the scores.

    Attributes:
      across: "settings" or "rows", whose numbers are the x axis.
      x_label: Below it.
    """

    across: str
    x_label: str


class Observation(NamedTuple):
    """That one row has higher scores than another, as the paper observes.

    Attributes:
      title: In the notes below the table.
      better: Setting and method of the row that should be higher.
      worse: The same of the other one; None for the source that agrees best with the label model
        in each cell of the first.
      labels_from: "P" compares the labels of the tagger alone; None those that count.
    """

    title: str
    better: tuple[str, str]
    worse: tuple[str, str] | None
    labels_from: str | None = None


# By setting, method and target: the score in percent.
PaperValues = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A table or figure.

    Attributes:
      name: Of the experiment.
      title: Of the table.
      task: Which score counts, as for `evaluation.metrics.score`.
      score: Key of the score in the table.
      corpora: The texts.
      settings: In the order of the blocks.
      methods: In the order of the rows.
      seeds: Of sources, samples and training.
      source_config: How the source models are trained.
      max_source_sentences: Random sentences for each of them; None for all.
      max_test_sentences: Random sentences of a test, the same for all seeds; None for all.
      paper: What the paper reports.
      figure: None for a table only.
      observations: Of the paper, which are tested.
    """

    name: str
    title: str
    task: str
    score: str
    corpora: Corpora
    settings: tuple[Setting, ...]
    methods: tuple[Method, ...]
    seeds: tuple[int, ...]
    source_config: TrainConfig
    max_source_sentences: int | None = None
    max_test_sentences: int | None = None
    paper: PaperValues = dataclasses.field(default_factory=dict)
    figure: Figure | None = None
    observations: tuple[Observation, ...] = ()

    @property
    def has_sizes(self) -> bool:
        """Whether the settings differ in the size of the text."""
        return len({setting.max_sentences for setting in self.settings}) > 1

    def setting(self, name: str) -> Setting:
        """The setting of a name."""
        return next(setting for setting in self.settings if setting.name == name)

    def method(self, name: str) -> Method:
        """The method of a name."""
        return next(method for method in self.methods if method.name == name)


class Cell(NamedTuple):
    """One method on one target with one seed."""

    setting: str
    target: str
    method: str
    seed: int

    @property
    def name(self) -> str:
        """Its place below the output folder."""
        return f"{self.setting}/{self.target}/{self.method}/{self.seed}"


class Workplace(NamedTuple):
    """An experiment with the folders that it uses.

    Attributes:
      experiment: What is done.
      data: Folder of the corpora.
      encoder: Folder or hub name of the encoder that every training starts from.
      output: Folder of the cells, the source models and the table.
      keeps_models: Whether the cells keep their taggers.
    """

    experiment: Experiment
    data: Path
    encoder: str
    output: Path
    keeps_models: bool = False

    def folder(self, cell: Cell) -> Path:
        """The run folder of a cell."""
        return self.output / cell.name

    @property
    def cache(self) -> Path:
        """Folder of what the source models predict, and of what frozen layers give."""
        return self.output / CACHE


def cells_of(experiment: Experiment) -> Iterator[Cell]:
    """The cells of an experiment: all of one seed, then all of the next."""
    for seed in experiment.seeds:
        for setting in experiment.settings:
            for target in setting.targets:
                for method in experiment.methods:
                    if setting.name in method.configs:
                        yield Cell(setting.name, target, method.name, seed)


def chosen_cells(
    cells: Sequence[Cell], only: Sequence[str] = (), share: tuple[int, int] = (1, 1)
) -> list[Cell]:
    """Some of the cells.

    Args:
      cells: Of an experiment.
      only: Starts of their names, such as "multi/ca"; each seed's cells come in the order of these.
        All by default.
      share: (i, n): every n-th cell from the i-th on, counted from 1.

    >>> cells = [Cell("one", target, "kd", 0) for target in ("ca", "fi", "ru")]
    >>> [cell.target for cell in chosen_cells(cells, ["one/fi", "one"])]
    ['fi', 'ca', 'ru']
    >>> [cell.target for cell in chosen_cells(cells, share=(2, 2))]
    ['fi']
    """
    wanted = list(cells)
    if only:
        seeds = dict.fromkeys(cell.seed for cell in cells)
        pairs = itertools.product(seeds, only, cells)
        wanted = [c for seed, start, c in pairs if c.seed == seed and is_below(c, start)]
    first, step = share
    return list(dict.fromkeys(wanted))[first - 1 :: step]


def is_below(cell: Cell, start: str) -> bool:
    """Whether a cell's name starts with these parts."""
    return f"{cell.name}/".startswith(f"{start.strip('/')}/")
