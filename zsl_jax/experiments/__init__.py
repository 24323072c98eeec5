"""Tables of an experiment: every method on every target with every seed, and what came of them.

An experiment (`plan`) has cells, which are ordinary run folders. `run` does those that are open,
`scores` reads those that are done, `table` puts them together, and `table_formats` writes it.
"""
