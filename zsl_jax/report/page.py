"""The report: everything that the sections found, as one HTML file that needs nothing else."""

import os
from importlib import util
from pathlib import Path
from typing import Any

from zsl_jax.atomic_file import atomic_file
from zsl_jax.errors import InputError

MISSING = (
    "the report needs Jinja2 and Matplotlib, which are not installed; install the extra: "
    "pip install 'zsl_jax[report]'"
)


def is_installed() -> bool:
    """Whether what the report is made with is installed."""
    return all(util.find_spec(name) for name in ("jinja2", "matplotlib"))


def check_installed() -> None:
    """Raises InputError if what the report is made with is not installed."""
    if not is_installed():
        raise InputError(MISSING)


def write_report(run: str | os.PathLike[str], output: str | os.PathLike[str]) -> int:
    """Writes the page about a finished transfer.

    Args:
      run: The run's folder.
      output: The HTML file, which appears under its name when it is complete.

    Returns:
      The size of the page in bytes.

    Raises:
      InputError: The folder holds no finished transfer, the page cannot be written, or what it is
        made with is not installed.
    """
    check_installed()
    folder = Path(output).parent
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder} for {output}; create it first")
    data = _rendered(_sections(run)).encode("utf-8", errors="replace")
    with atomic_file(output) as part:
        part.write_bytes(data)
    return len(data)


def _sections(run: str | os.PathLike[str]) -> dict[str, Any]:
    """The contents of each section of the template."""
    from zsl_jax.report import (  # they load Matplotlib
        labels_section,
        learning_section,
        record_section,
        sentences_section,
        sources_section,
        summary_section,
        test_section,
    )
    from zsl_jax.report.labelled_words import read_labelled_words
    from zsl_jax.report.run_record import read_run
    from zsl_jax.report.text_statistics import text_statistics

    record = read_run(run)
    confusions = [
        (report["name"], found["predicted"], found["inferred"])
        for report in record.result["sources"]["sources"]
        for found in report["confusions"]
    ]
    blocks = read_labelled_words(record.folder, record.labels_from)
    text = text_statistics(blocks, confusions)
    return {
        "summary": summary_section.summary_section(record, text),
        "sources": sources_section.sources_section(record, text),
        "learning": learning_section.learning_section(record),
        "labels": labels_section.labels_section(text),
        "doubtful": sentences_section.sentences_section(text),
        "test": test_section.test_section(record),
        "record": record_section.record_section(record),
    }


def _rendered(sections: dict[str, Any]) -> str:
    return environment().get_template("report.html.j2").render(**sections)


def environment() -> Any:
    """Jinja2's environment of all pages: text is escaped, missing values are errors."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from zsl_jax.report.sentences_section import shortened

    made = Environment(
        loader=PackageLoader("zsl_jax.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = percent
    made.filters["short"] = shortened
    made.filters["points"] = lambda value: "–" if value is None else f"{100 * value:+.2f}"
    made.filters["count"] = lambda value: f"{value:,}"
    return made


def percent(share: float | None) -> str:
    """A share as the terminal prints it too.

    >>> percent(0.98765), percent(None)
    ('98.77', '–')
    """
    return "–" if share is None else f"{100 * share:.2f}"
