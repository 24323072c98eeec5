"""Grids as plain text, Markdown and LaTeX, and a table as CSV."""

import csv
import io
import itertools
import unicodedata
from collections.abc import Iterator, Sequence

from zsl_jax.experiments.table import BOLD, UNDERLINED, Entry, Table, all_entries
from zsl_jax.experiments.table_layout import Grid, Written

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "–": "--",
        "±": r"$\pm$",
        "−": "$-$",
        "…": r"\ldots{}",
        **{letter: f"\\{letter}" for letter in "&%$#_{}"},
        **{letter: f"${letter}$" for letter in "<>|"},  # others in LaTeX's first encoding
        **{letter: f"{{{letter}}}" for letter in "[*"},  # which a \\ before them would take
    }
)
_LATEX |= {  # omicron is a Latin o to LaTeX
    0x3B1 + place: f"${name}$" if len(name) == 1 else rf"$\{name}$"
    for place, name in enumerate(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi o pi rho "
        "varsigma sigma tau upsilon phi chi psi omega".split()
    )
}
_MARKDOWN = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_[]<>|~$&"})
CSV_COLUMNS = (
    "setting row title group role labels_from target score mean sd seeds mark paper difference "
    "counts"
).split()


def as_text(title: str, grids: Sequence[Grid], notes: Sequence[str]) -> str:
    """Aligned columns; * marks what is bold, _ what is underlined."""
    marks = {BOLD: "*", UNDERLINED: "_"}
    parts = [title]
    for grid in grids:
        head = ["", *grid.columns]
        rows = [
            [f"  {name}", *(cell.text + marks.get(cell.mark or "", " ") for cell in cells)]
            for _, name, cells in grid.rows
        ]
        widths = [max(map(_width, column)) for column in zip(head, *rows, strict=True)]
        lines = [grid.title, _padded([*head[:1], *(f"{c} " for c in head[1:])], widths)]
        shown = iter(rows)
        for group, members in _groups(grid):
            lines.append(group)
            lines += [_padded(next(shown), widths) for _ in members]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, "\n".join(notes)]) + "\n"


def as_markdown(title: str, grids: Sequence[Grid], notes: Sequence[str]) -> str:
    """Pipe tables; the best are bold, or underlined by a tag of HTML."""
    parts = [f"# {_plain(title)}"]
    for grid in grids:
        lines = [
            f"## {_plain(grid.title)}\n",
            "| | " + " | ".join(map(_plain, grid.columns)) + " |",
            "|---|" + "---:|" * len(grid.columns),
        ]
        for group, members in _groups(grid):
            lines.append(f"| *{_plain(group)}* |" + " |" * len(grid.columns))
            for _, name, cells in members:
                lines.append(f"| {_plain(name)} | " + " | ".join(map(_markdown, cells)) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, "\n".join(f"* {_plain(note)}" for note in notes)]) + "\n"


def as_latex(title: str, grids: Sequence[Grid], notes: Sequence[str]) -> str:
    """Tables with the rules of the package booktabs; notes are comments."""
    parts = [f"% {title}; needs \\usepackage{{booktabs}}"]
    for grid in grids:
        width = 1 + len(grid.columns)
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escaped(grid.title)}}}",
            rf"\begin{{tabular}}{{l{'r' * len(grid.columns)}}}",
            r"\toprule",
            " & ".join(["", *map(_escaped, grid.columns)]) + r" \\",
        ]
        for group, members in _groups(grid):
            lines += [r"\midrule", rf"\multicolumn{{{width}}}{{l}}{{{_escaped(group)}}} \\"]
            for _, name, cells in members:
                lines.append(" & ".join([_escaped(name), *map(_latex, cells)]) + r" \\")
        parts.append("\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]))
    return "\n\n".join([*parts, "\n".join(f"% {note}" for note in notes)]) + "\n"


def as_csv(table: Table) -> str:
    """One line per method, column, labels (P, Q or votes) and score, with mean and deviation.

    Of each method, those that count in the table come first, with 1 in the column `counts`; they
    alone have a mark and the paper's value.
    """
    target = io.StringIO()
    writer = csv.DictWriter(target, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for block in table.blocks:
        for method in table.experiment.methods:
            for labels_from, score, counts, entries in all_entries(table, block, method):
                about = {
                    "setting": block.setting.name,
                    "row": method.name,
                    "title": method.title,
                    "group": method.group,
                    "role": method.role,
                    "labels_from": labels_from,
                    "score": score,
                    "counts": int(counts),
                }
                for column, entry in entries.items():
                    writer.writerow({**about, "target": column, **_csv_numbers(entry)})
    return target.getvalue()


def _csv_numbers(entry: Entry) -> dict[str, object]:
    return {
        "mean": f"{entry.mean:.4f}",
        "sd": None if entry.sd is None else f"{entry.sd:.4f}",
        "seeds": len(entry.by_seed),
        "mark": entry.mark,
        "paper": entry.paper,
        "difference": None if entry.paper is None else f"{entry.mean - entry.paper:.4f}",
    }


def _groups(grid: Grid) -> Iterator[tuple[str, list]]:
    for group, members in itertools.groupby(grid.rows, key=lambda row: row[0]):
        yield group, list(members)


def _markdown(cell: Written) -> str:
    if cell.mark == BOLD:
        return f"**{cell.text}**"
    return f"<u>{cell.text}</u>" if cell.mark == UNDERLINED else cell.text


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return text.translate(_MARKDOWN)


def _latex(cell: Written) -> str:
    command = {BOLD: r"\textbf", UNDERLINED: r"\underline"}.get(cell.mark or "")
    text = _escaped(cell.text)
    return f"{command}{{{text}}}" if command else text


def _escaped(text: str) -> str:
    return text.translate(_LATEX)


def _width(text: str) -> int:
    """Columns of a terminal; accents that combine with a letter take none."""
    return sum(not unicodedata.combining(letter) for letter in text)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    head = first[0] + " " * (first[1] - _width(first[0]))
    tail = ["  " + " " * (width - _width(text)) + text for text, width in others]
    return (head + "".join(tail)).rstrip()
