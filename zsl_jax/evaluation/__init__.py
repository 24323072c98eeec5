"""How good labels are, and what went wrong with the sources: NumPy and plain Python only.

`metrics` compares predicted with gold labels; `diagnosis` looks at the sources without any gold.
"""
