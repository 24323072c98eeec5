"""The page about an experiment's table, and its figures as files, made from table.json alone."""

import itertools
import os
from pathlib import Path

from zsl_jax.atomic_file import atomic_file
from zsl_jax.io.json_file import read_json_object
from zsl_jax.report.page import check_installed, environment

TEMPLATE = "table.html.j2"


def write_table_page(table: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """Writes report.html, and each figure as PNG and SVG, into a folder.

    Args:
      table: The table.json of an experiment.
      folder: Where the page goes.

    Raises:
      InputError: The table cannot be read, or what the page is made with is not installed.
    """
    check_installed()
    from zsl_jax.report.charts import svg_of
    from zsl_jax.report.table_figures import figures_of

    content = read_json_object(Path(table))
    figures = figures_of(content)
    for name, figure in figures.items():
        for extension in ("png", "svg"):
            with atomic_file(Path(folder) / f"{name}.{extension}") as part:
                figure.savefig(part, format=extension, dpi=150)
    grids = [
        {**grid, "groups": [list(rows) for _, rows in itertools.groupby(grid["rows"], _group)]}
        for grid in content["grids"]
    ]
    shown = {name: svg_of(figure) for name, figure in figures.items()}
    page = environment().get_template(TEMPLATE).render(table=content, grids=grids, figures=shown)
    with atomic_file(Path(folder) / "report.html") as part:
        part.write_bytes(page.encode("utf-8", errors="replace"))


def _group(row: dict) -> str:
    return row["group"]
