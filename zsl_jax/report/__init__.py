"""The page about a transfer, for people who look rather than read: `write_report`.

It is made from what the run's folder holds, without JAX: the records, what was learned about the
sources, and the labels of the text. Needs the extra [report]: Jinja2 and Matplotlib.

- `page`: `write_report`, the whole page; `templates` has its HTML, style sheet and script
- `run_record`: the records in a run's folder
- `labelled_words`: the text with all labels, some sentences at a time
- `text_statistics`: one pass over them: counts and agreement
- `doubtful_sentences`: which and how many sentences with expected errors are shown, and examples
  of confusions
- `summary_section`: the section "In one sentence"
- `sources_section`: "Sources"
- `learning_section`: "Learning"
- `labels_section`: "Labels"
- `sentences_section`: "Doubtful sentences"
- `test_section`: "Test"
- `record_section`: "How it was made"
- `charts`: pictures as SVG
- `table_page`, `table_figures`: the page and the figures of an experiment's table
"""

from zsl_jax.report.page import check_installed, is_installed, write_report
from zsl_jax.report.table_page import write_table_page

__all__ = ["check_installed", "is_installed", "write_report", "write_table_page"]
