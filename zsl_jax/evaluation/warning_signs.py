"""Signs of silent, copied and switched sources and of collapse, put into words by name."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from zsl_jax.labels import OUTSIDE, SILENT

EQUAL_COLUMNS = 0.02
LOST_SHARE = 0.01
COPY_SHARE = 0.5
SAME_SHARE = 0.995
LAG = 0.02
TAGGER = "tagger"  # among labellings that are compared with Q
UNLEARNED_GAP = 0.2
SHOWN = 3


def labelling_phrase(name: str) -> str:
    """What a labelling of the text is called in a sentence.

    >>> [labelling_phrase(name) for name in ("mean", "dawid_skene", "source en")]
    ['the mean', 'Dawid–Skene', 'the source en']
    """
    return "Dawid–Skene" if name == "dawid_skene" else f"the {name}"


def silent_source_warnings(
    source_names: Sequence[str],
    label_names: Sequence[str],
    given: Float[np.ndarray, "U V"],
    num_words: int,
) -> list[str]:
    """Warns of sources whose labels are uninformative: no votes, or one label for every word.

    Args:
      source_names: The U sources' names.
      label_names: The V labels that sources give.
      given: [U, V], words on which each source gives each label.
      num_words: Of the text.

    Returns:
      A sentence for each such source of a text of several words. One label and abstentions may
      well be an informative rule.
    """
    warnings = []
    for name, counts in zip(source_names, given, strict=True) if num_words > 1 else ():
        used = {label_names[label] for label in np.flatnonzero(counts).tolist()}
        if not used:
            warnings.append(
                f"the source {name} abstains from all {num_words:,} words and has no influence; "
                "check that its predictions are about this text"
            )
        elif used <= {OUTSIDE, SILENT}:
            warnings.append(
                f"the source {name} names no entity in {int(counts.sum()):,} words; check it, or "
                "leave it out"
            )
        elif len(used) == 1 and counts.sum() == num_words:
            warnings.append(
                f"the source {name} gives the same label, {used.pop()}, to all {num_words:,} "
                "words, which is not informative; check it, or leave it out"
            )
    return warnings


def near_copy_warnings(source_names: Sequence[str], copies: Float[np.ndarray, "U U"]) -> list[str]:
    """Warns of sources that are near-copies of each other.

    Args:
      source_names: The U sources' names.
      copies: [U, U], how far any two sources are copies, from 0 to 1.

    Returns:
      A sentence for each group of sources that are more copies than not of the first one in it.
    """
    warnings, named = [], set()
    for place, row in enumerate(copies > COPY_SHARE):
        group = [other for other in np.flatnonzero(row).tolist() if other not in named]
        if place not in named and len(group) > 1:
            named.update(group)
            listed = ", ".join(source_names[other] for other in group[:-1])
            warnings.append(
                f"the sources {listed} and {source_names[group[-1]]} give nearly the same labels; "
                "together they have the weight of one source"
            )
    return warnings


def collapsed_tagger_warnings(
    label_names: Sequence[str],
    by_tagger: Float[np.ndarray, " K"],
    inferred: Bool[np.ndarray, " K"],
) -> list[str]:
    """Warns of a tagger that gives every word one label, though Q does not.

    Args:
      label_names: The K label names.
      by_tagger: [K], words to which the tagger alone gives each label.
      inferred: [K], whether Q gives a word's worth of its mass to each.

    Returns:
      At most one sentence.
    """
    used, wanted = np.flatnonzero(by_tagger), np.flatnonzero(inferred)
    if len(used) != 1 or len(wanted) < 2:
        return []
    return [
        f"the tagger alone (P) gives every word the label {label_names[used[0]]}, where Q has "
        f"{len(wanted)} labels: it has learned too little; train longer (`epochs`, "
        "`head_learning_rate`), or use the labels of Q"
    ]


def lagging_tagger_warnings(same_labels: Mapping[str, float]) -> list[str]:
    """Warns of a tagger that gives Q's label less often than what needs no training.

    Args:
      same_labels: By the name of a labelling, the share of the words on which it gives Q's label.

    Returns:
      At most one sentence, where the tagger's share is below another one by more than 0.02.
    """
    others = {name: share for name, share in same_labels.items() if name != TAGGER}
    best = max(others, key=lambda name: others[name], default=TAGGER)
    if TAGGER not in same_labels or same_labels[TAGGER] + LAG >= same_labels[best]:
        return []
    return [
        f"the tagger alone (P) gives the label of Q on {100 * same_labels[TAGGER]:.1f} % of the "
        f"words, {labelling_phrase(best)} on {100 * same_labels[best]:.1f} %: the tagger has "
        "learned too little; train longer (`epochs`, `head_learning_rate`), or use the labels of Q"
    ]


def one_label_warning(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> str:
    """Warns of a tagger that gives every word of a labelled text one label, though gold has others.

    Returns:
      A sentence; empty where there is nothing to warn of.
    """
    wanted, used = ({label for labels in text for label in labels} for text in (gold, predicted))
    if len(used) != 1 or wanted <= used:
        return ""
    return (
        f"the tagger gives every word of `dev` the label {used.pop()}, where gold has "
        f"{len(wanted)} labels: it has learned too little; train longer (`epochs`), with fewer "
        "words per update (`batch_words`), or with a higher `head_learning_rate`"
    )


def confusion_warnings(
    name: str,
    label_names: Sequence[str],
    confusion: Float[np.ndarray, "V K"],
    compatible: Bool[np.ndarray, "V K"],
    counts: Float[np.ndarray, "V K"],
) -> list[str]:
    """Warns of a source that is worse than chance, or that does not distinguish two labels.

    Args:
      name: The source.
      label_names: The K label names.
      confusion: [V, K], φ, indexed [predicted, true]; each column sums to 1.
      compatible: [V, K], whether the source's label may mean the true one.
      counts: [V, K], words by the source's label and the inferred one.

    Returns:
      At most three sentences: on labels that the source never gives though Q has them, on others
      with φ(y|y) < 1/K, and on pairs of labels whose columns
      differ by a total variation of less than 0.02. There is no warning of labels that the source
      does not have or that are inferred for none of its words, nor of pairs for which it has only
      labels that may mean both or neither.
    """
    size = len(label_names)
    warnings = []
    right = np.where(compatible, confusion, 0).sum(axis=0)
    judged = compatible.any(axis=0) & (counts.sum(axis=0) > 0)
    below = judged & (right < 1 / size - 1e-5)
    silent = below & ~(compatible & (counts.sum(axis=1) > 0)[:, None]).any(axis=0)
    lost = np.flatnonzero(silent).tolist()
    if lost:
        words = [int(counts[:, y].sum()) for y in lost]
        listed = ", ".join(f"{label_names[y]} {n:,}" for y, n in zip(lost, words, strict=True))
        warnings.append(
            f"the source {name} never gives some labels; the words that have them, by their "
            f"inferred labels: {listed}"
        )
    low = np.flatnonzero(below & ~silent).tolist()
    if low:
        listed = ", ".join(f"{label_names[y]} {right[y]:.3f}" for y in low)
        warnings.append(
            f"the source {name} gives the right label less often than chance (1/{size} = "
            f"{1 / size:.3f}) for: {listed}; its labels may have been switched"
        )
    columns = confusion.T
    distances = np.stack([0.5 * np.abs(columns - column).sum(axis=1) for column in columns])
    told_apart = (compatible[:, :, None] != compatible[:, None, :]).any(axis=0)
    equal = np.argwhere(np.triu(told_apart & (distances < EQUAL_COLUMNS), k=1)).tolist()
    if equal:
        listed = ", ".join(f"{label_names[a]} and {label_names[b]}" for a, b in equal[:SHOWN])
        more = f" (and {len(equal) - SHOWN} more pairs)" if len(equal) > SHOWN else ""
        warnings.append(
            f"the source {name} cannot tell apart {listed}{more}: its columns for them are equal"
        )
    return warnings


def unlearned_confusion_warnings(
    source_names: Sequence[str],
    expected: Float[np.ndarray, " U"],
    at_start: Float[np.ndarray, " U"],
    agreement: Float[np.ndarray, " U"],
) -> list[str]:
    """Warns of sources that count for too little, since σ has hardly left its start.

    Args:
      source_names: The U sources' names.
      expected: [U], the share of its words on which φ expects each source to be right.
      at_start: [U], the same before anything was learned.
      agreement: [U], the share on which its label may mean the inferred one.

    Returns:
      At most one sentence, on the sources whose agreement is higher than φ expects by more than 0.2
      and whose φ has come less than half of the way from its start. There is none of matrices that
      were not learned at all, such as those of MRT.
    """
    gap = agreement - expected
    low = np.flatnonzero((gap > UNLEARNED_GAP) & (expected - at_start < gap)).tolist()
    if not low or np.allclose(expected, at_start, rtol=0, atol=1e-5):
        return []
    listed = ", ".join(
        f"{100 * expected[source]:.0f} % and {100 * agreement[source]:.0f} % for "
        f"{source_names[source]}"
        for source in low[:SHOWN]
    )
    more = f" (and {len(low) - SHOWN} more sources)" if len(low) > SHOWN else ""
    return [
        "the confusion matrices have learned too little, so that sources count for too little; "
        f"expected and actual agreement with Q are {listed}{more}; raise "
        "`confusion_learning_rate` or `mu_trainable`, train longer (`epochs`), or use the default, "
        "`label_model=chain`"
    ]


def lost_label_warnings(
    source_names: Sequence[str],
    label_names: Sequence[str],
    mass: Float[np.ndarray, " K"],
    votes: Float[np.ndarray, "U K"],
) -> list[str]:
    """Warns of labels that Q has given up though sources vote for them.

    Args:
      source_names: The U sources' names.
      label_names: The K label names.
      mass: [K], posterior mass of each label, in words.
      votes: [U, K], words on which a source gives a label.

    Returns:
      A sentence for each label that has at least one vote per source on average, and whose
      posterior mass is less than a hundredth of that.
    """
    expected = votes.sum(axis=0) / max(len(source_names), 1)
    warnings = []
    for label in np.flatnonzero((expected >= 1) & (mass < LOST_SHARE * expected)).tolist():
        voters = ", ".join(
            f"{name} {int(count):,}"
            for name, count in zip(source_names, votes[:, label].tolist(), strict=True)
            if count
        )
        warnings.append(
            f"the label {label_names[label]} has lost its posterior mass ({mass[label]:.2f} words) "
            f"though sources vote for it: {voters}"
        )
    return warnings


def no_gain_warnings(
    same_labels: Mapping[str, float], objectives: Sequence[float], reference: str = "Q"
) -> list[str]:
    """Warns of a label model that adds nothing to putting the votes together.

    Args:
      same_labels: By the name of a labelling, the share of the words on which it gives Q's label;
        the tagger's does not count.
      objectives: J per word of each E step, the first of which is that of the fixed matrices.
      reference: "Q", or "P" for a tagger without a label model, which may well learn the vote.

    Returns:
      At most two sentences: on shares of 0.995 or more, and on a last J not below the first.
    """
    warnings = []
    same = [
        f"of {labelling_phrase(name)}"
        for name, share in same_labels.items()
        if share >= SAME_SHARE and name != TAGGER
    ]
    if same and reference == "Q":
        listed = " and ".join([*([", ".join(same[:-1])] if same[1:] else []), same[-1]])
        warnings.append(
            f"Q gives the label {listed} on {100 * SAME_SHARE:g} % of the words or more: the label "
            "model adds next to nothing to this, which needs no training"
        )
    if len(objectives) > 1 and objectives[-1] >= objectives[0]:
        warnings.append(
            f"J did not fall: {objectives[0]:.4f} per word at the first E step, "
            f"{objectives[-1]:.4f} at the last; the sources' labels are not explained better than "
            "before training"
        )
    return warnings
