"""How good labels are, and what went wrong with the sources: NumPy and plain Python only.

`metrics` compares predicted with gold labels, `confusions` says what is taken for what, `bootstrap`
and `stochastic_dominance` how sure that is; `diagnosis` looks at the sources without any gold.
"""
