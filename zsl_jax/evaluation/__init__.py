"""Scores of labels, and diagnosis of the sources: NumPy and plain Python only.

`metrics` compares predicted with gold labels, `confusions` counts which labels are confused,
`bootstrap` and `stochastic_dominance` estimate uncertainty, and `diagnosis` examines the sources
without gold labels.
"""
