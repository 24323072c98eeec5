"""Formats scores, confusions and tests as text, in percent and without a final line break."""

from collections.abc import Mapping, Sequence
from typing import Any

TITLES = {"accuracy": "accuracy", "f1_strict": "strict F1", "f1_conlleval": "conlleval F1"}
SHOWN_CONFUSIONS = 10


def format_evaluation(evaluation: Mapping[str, Any]) -> str:
    """Formats the evaluation of one or several predictions of a text.

    Args:
      evaluation: As `workflows.evaluate.evaluate` returns it.

    Returns:
      Scores, confusions, the interval of the main score, and the test against other files.
    """
    side = evaluation["predicted"]
    several = len(side["files"]) > 1
    scores = format_files(side) if several else format_scores(side["files"][0])
    confusion = (format_types if evaluation["task"] == "ner" else format_labels)(side["confusion"])
    if several:
        confusion += f"\n(counts over all {len(side['files'])} files)"
    return "\n\n".join([scores, confusion, format_tests(evaluation)])


def format_scores(scores: Mapping[str, Any]) -> str:
    """Formats a table of one prediction's scores, and the labels that were reinterpreted.

    Args:
      scores: As `metrics.score` returns them.

    Returns:
      Lines of text.
    """
    lines = [_size(scores), f"accuracy {_percent(scores['accuracy'])}"]
    if scores["task"] != "ner":
        return "\n".join([*lines, "", *_score_table("label", scores["per_label"])])
    for name in ("strict", "conlleval"):
        rows = {"all": scores[name]["overall"], **scores[name]["per_type"]}
        lines += ["", *_score_table(f"entities, {name}", rows)]
    for side, counts in scores["conlleval"]["repaired"].items():
        if counts:
            why = "I- without B-, an entity for conlleval, none for strict"
            lines.append(f"repaired in {side} ({why}): {_listed(counts)}")
    if scores["read_as_outside"]:
        lines.append(f"read as O in predicted: {_listed(scores['read_as_outside'])}")
    return "\n".join(lines)


def format_files(side: Mapping[str, Any]) -> str:
    """Formats one line per prediction, and their means and standard deviations.

    Args:
      side: "files" as `metrics.score` returns them, with the name of each "file"; "averages" as
        `averages.average_scores` returns them.

    Returns:
      Lines of text.
    """
    files, averages = side["files"], side["averages"]
    names = [name for name in TITLES if name in averages]
    rows = [["file", *(TITLES[name] for name in names)]]
    rows += [[scores["file"], *(_percent(scores[name]) for name in names)] for scores in files]
    for part in ("mean", "sd"):
        rows.append([part, *(_percent(averages[name][part]) for name in names)])
    title, key = ("entities, strict", "per_type") if len(names) > 1 else ("label", "per_label")
    each = [[title, "mean F1", "sd"]]
    each += [[name, _percent(f1["mean"]), _percent(f1["sd"])] for name, f1 in averages[key].items()]
    return "\n".join([_size(files[0]), "", *_aligned(rows), "", *_aligned(each)])


def format_types(confusion: Mapping[str, Any]) -> str:
    """Formats a matrix with one line per gold type and one column per predicted type.

    Args:
      confusion: `confusions.TypeConfusion` as a dictionary.

    Returns:
      Lines of text.
    """
    found, missed, spurious = (confusion[key] for key in ("found", "missed", "spurious"))
    types = sorted({*found, *missed, *spurious, *(name for row in found.values() for name in row)})
    rows = [["gold, predicted", *types, "missed"]]
    for name in types:
        counts = [*(found.get(name, {}).get(guess, 0) for guess in types), missed.get(name, 0)]
        rows.append([name, *(f"{count:,}" for count in counts)])
    rows.append(["spurious", *(f"{spurious.get(name, 0):,}" for name in types), ""])
    return "\n".join(_aligned(rows))


def format_labels(confusions: Sequence[Mapping[str, Any]]) -> str:
    """Formats the most frequent confusions of labels, one per line.

    Args:
      confusions: Every `confusions.LabelConfusion` as a dictionary, the most frequent first.

    Returns:
      Lines of text.
    """
    rows = [["gold", "predicted", "words", "% of gold"]]
    for confusion in confusions[:SHOWN_CONFUSIONS]:
        count, share = f"{confusion['num_words']:,}", f"{100 * confusion['share']:.1f}"
        rows.append([confusion["gold"], confusion["predicted"], count, share])
    return "\n".join(_aligned(rows))


def format_tests(evaluation: Mapping[str, Any]) -> str:
    """Formats the main score with its interval, and the test of its difference to other files.

    Args:
      evaluation: As for `format_evaluation`.

    Returns:
      Lines of text.
    """
    confidence = evaluation["confidence"]
    rows = [[TITLES[evaluation["score"]], "value", f"{100 * confidence:g} % interval"]]
    for flag in ("predicted", "significance"):
        if flag in evaluation:
            files = evaluation[flag]["files"]
            several = f"mean of {len(files)} `{flag}` files"
            name = several if len(files) > 1 else files[0]["file"]
            rows.append([name, *_interval(evaluation[flag]["interval"])])
    resamples = f"{evaluation['resamples']:,} resamples of the sentences"
    if "significance" not in evaluation:
        return "\n".join([*_aligned(rows), resamples])
    test = evaluation["significance"]
    rows.append(["difference", *_interval(test["difference"], "+")])
    lines = [*_aligned(rows), f"{resamples}; paired bootstrap: p = {test['p_value']:.4f}"]
    if test["dominance"]:
        ratio, bound = test["dominance"]["violation_ratio"], test["dominance"]["epsilon_min"]
        lines.append(
            f"almost stochastic dominance over the files: epsilon_min {bound:.3f} at confidence "
            f"{confidence:g} (violation ratio {ratio:.3f}), "
            + (
                "so the predicted labels are better"
                if bound < 0.5
                else "so the predicted labels are not shown better"
            )
        )
    return "\n".join(lines)


def _interval(interval: Mapping[str, float], sign: str = "") -> tuple[str, str]:
    value, low, high = (f"{100 * interval[key]:{sign}.2f}" for key in ("value", "low", "high"))
    return value, f"{low} to {high}"


def _size(scores: Mapping[str, Any]) -> str:
    return f"{scores['words']:,} words in {scores['sentences']:,} sentences"


def _score_table(title: str, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    cells = [[title, "precision", "recall", "F1", "support"]]
    for name, row in rows.items():
        shares = (_percent(row[key]) for key in ("precision", "recall", "f1"))
        cells.append([name, *shares, f"{row['support']:,}"])
    return _aligned(cells)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligns rows of cells: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "   ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
