"""Tables of an experiment: every method on every target with every seed, and their results.

A cell, one method on one target with one seed, is an ordinary run folder.

- `plan`: what an experiment is, and its cells
- `corpora`: its texts, and the samples that cells use
- `run`: does the cells that are not done
- `cell_locks`: which process does which cell
- `states`: which cells are done, failed or open
- `source_models`: source models, trained once per language and seed
- `methods`: what each method does in a cell
- `scores`: the results of the cells that are done
- `table`: means, deviations and marks from them
- `comparison`: the best proposed method against the best baseline; when a number is bold
- `observations`: whether the paper's observations hold
- `table_layout`: the rows and columns of a written table
- `table_formats`: text, Markdown, LaTeX and CSV
- `outcome`: writes all of these
"""
