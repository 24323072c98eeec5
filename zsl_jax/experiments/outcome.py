"""Writes the table of an experiment in every format."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from zsl_jax.atomic_file import atomic_file
from zsl_jax.experiments.cell_locks import claimed
from zsl_jax.experiments.comparison import Comparison
from zsl_jax.experiments.observations import Observed, observe
from zsl_jax.experiments.plan import Cell, Kind, Method, Workplace, cells_of
from zsl_jax.experiments.scores import CellResult, has_test_labels, read_results
from zsl_jax.experiments.states import RECORD, failure_file
from zsl_jax.experiments.table import Table, as_plain, make_table
from zsl_jax.experiments.table_formats import as_csv, as_latex, as_markdown, as_text
from zsl_jax.experiments.table_layout import SCORE_TITLES, as_plain_grids, grids_of, other_scores
from zsl_jax.io.json_file import read_json_object, write_json
from zsl_jax.io.run_files import TEST
from zsl_jax.report import is_installed, write_table_page
from zsl_jax.training.config_choices import Approach

STEM = "table"
MOST_SHOWN = 12  # cells that are missing


def write_outcome(work: Workplace) -> str:
    """Writes table.txt, .md, .tex, .csv and .json into the output.

    With Jinja2 and Matplotlib, also report.html and the figures as PNG and SVG. One process at a
    time reads the cells and writes, so that the last one has those of all.

    Returns:
      The table as text.
    """
    with claimed(work.output / STEM, waits=True):
        return _write(work)


def _write(work: Workplace) -> str:
    results = read_results(work, list(cells_of(work.experiment)))
    table = make_table(work, results, work.experiment.score)
    others = [make_table(work, results, name) for name in other_scores(results, table.score)]
    grids, title = grids_of(table, others), work.experiment.title
    observed = observe(work, results)
    notes = list(_notes(work, table, observed))
    texts = {
        "txt": as_text(title, grids, notes),
        "md": as_markdown(title, grids, notes),
        "tex": as_latex(title, grids, notes),
        "csv": as_csv(table),
    }
    for extension, text in texts.items():
        with atomic_file(work.output / f"{STEM}.{extension}") as part:
            part.write_text(text, encoding="utf-8")
    about = read_json_object(work.output / RECORD) if (work.output / RECORD).exists() else {}
    written = {
        **as_plain(table),
        "observations": [{**one._asdict(), "mean": one.mean} for one in observed],
        "grids": as_plain_grids(grids),
        "notes": notes,
        "record": about,
    }
    write_json(work.output / f"{STEM}.json", written)
    if is_installed():
        write_table_page(work.output / f"{STEM}.json", work.output)
    return texts["txt"]


def _notes(work: Workplace, table: Table, observed: Sequence[Observed]) -> Iterator[str]:
    """What stands below the table."""
    yield _about_marks(work.experiment.seeds)
    titles = {method.name: method.title for method in table.experiment.methods}
    groups = {method.name: method.group for method in table.experiment.methods}
    for block in table.blocks:
        for column, found in block.comparisons.items():
            names = [f"{titles[name]} ({groups[name]})" for name in (found.best, found.baseline)]
            yield f"{block.setting.title}, {column}: {names[0]} – {names[1]}: {_tests(found)}"
    yield from (one.text for one in observed)
    yield from what_is_missing(work, table)
    yield from what_has_no_labels(work, table)
    yield from _about(work, table)


def _about_marks(seeds: Sequence[int]) -> str:
    """What the numbers and the marks of a table mean.

    >>> _about_marks([3]).partition(":")[0]
    'Scores of seed 3. The best of a column is underlined (_)'
    """
    bootstrap = "The paired bootstrap resamples the sentences of the test."
    if len(seeds) == 1:
        return (
            f"Scores of seed {seeds[0]}. The best of a column is underlined (_): almost stochastic "
            f"dominance, which would make it bold (*), needs several seeds. {bootstrap}"
        )
    return (
        f"Means ± standard deviations over the seeds {', '.join(map(str, seeds))}. The best of a "
        "column is bold (*) if almost stochastic dominance over the best baseline holds at p < "
        "0.05 by the program of Dror et al. (2019), as in the paper, and underlined (_) otherwise. "
        "The exact ε allows for the number of seeds, which makes it the stricter test; both claim "
        f"an advantage at 0.5 or below. {bootstrap}"
    )


def what_is_missing(work: Workplace, table: Table) -> Iterator[str]:
    """Settings without any cell, done or failed, and the cells that others lack."""
    failed = [cell for cell in table.missing if failure_file(work.folder(cell)).exists()]
    begun = {cell.setting for cell in [*table.results, *failed]}
    none = [s.title for s in table.experiment.settings if s.name not in begun]
    if none and begun:
        yield f"Not run: {', '.join(none)}"
    cells = [cell for cell in table.missing if cell.setting in begun or not begun]
    if cells:
        yield f"Missing cells: {_named(cells)}"


def what_has_no_labels(work: Workplace, table: Table) -> Iterator[str]:
    """The cells whose labels of the test are gone, so that tests with them lack p-values."""
    cells = [cell for cell in table.results if not has_test_labels(work, cell)]
    if cells:
        yield (
            f"No bootstrap with cells whose {TEST}.parquet is missing: {_named(cells)}; delete "
            "their folders and give the command again to have it"
        )


def _named(cells: Sequence[Cell]) -> str:
    more = len(cells) - MOST_SHOWN
    shown = ", ".join(cell.name for cell in cells[:MOST_SHOWN])
    return shown + (f" and {more} more" if more > 0 else "")


def _tests(found: Comparison) -> str:
    parts = [f"{found.difference:+.2f}"]
    if found.epsilon_lax is not None:
        parts.append(f"ε {found.epsilon_lax:.2f} (exact {found.epsilon_exact:.2f})")
    parts += [
        f"bootstrap p = {value:.3f}" + ("" if place == 0 else f" by {SCORE_TITLES[score]}")
        for place, (score, value) in enumerate(found.p_values.items())
    ]
    return ", ".join(parts)


def _times(results: Sequence[CellResult]) -> str:
    """How long they took."""
    seconds = [result.seconds for result in results]
    text = f"{_spread(seconds)} each, {sum(seconds) / 3600:.2f} hours together"
    spent = [result.cpu_seconds for result in results if result.cpu_seconds is not None]
    return text + (f"; of processor time, {_spread(spent)}" if spent else "")


def _spread(seconds: Sequence[float]) -> str:
    """Median, least and most.

    >>> _spread([64, 302, 150.4])
    '150 seconds (median; 64 to 302)'
    """
    return f"{median(seconds):.0f} seconds (median; {min(seconds):.0f} to {max(seconds):.0f})"


def _trains(method: Method, setting: str) -> bool:
    """Whether cells of a method train a tagger."""
    is_direct = method.configs[setting].approach is Approach.DIRECT
    return method.kind is Kind.FUNCTION or (method.kind is Kind.TRANSFER and not is_direct)


def _about(work: Workplace, table: Table) -> Iterator[str]:
    """Data, machine and time."""
    results = table.results.values()
    if not results:
        return
    by_kind = defaultdict(list)
    for cell, result in table.results.items():
        by_kind[_trains(table.experiment.method(cell.method), cell.setting)].append(result)
    for trains, title in ((True, "with training"), (False, "without training")):
        if by_kind[trains]:
            yield f"{len(by_kind[trains])} cells {title}: {_times(by_kind[trains])}"
    yield "Source models and their predictions take further time."
    devices = Counter(result.devices for result in results)
    yield "Devices: " + ", ".join(f"{count} cells on {name}" for name, count in devices.items())
    versions: dict[str, dict[str, None]] = {}  # several if the cells were done with several
    for name, version in (pair for result in results for pair in result.versions.items()):
        versions.setdefault(name, {})[version] = None
    yield "Versions: " + ", ".join(f"{name} {' and '.join(v)}" for name, v in versions.items())
    record = work.output / RECORD
    if record.exists():
        data = read_json_object(record)["data"]
        yield "SHA-256 of the data: " + ", ".join(f"{name} {h[:12]}" for name, h in data.items())
