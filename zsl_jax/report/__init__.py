"""The page about a transfer, for people who look rather than read: `write_report`.

It is made of what the run's folder holds, without JAX: the records, what was learned of the
sources, and the labels of the text. Needs the extra [report]: Jinja2 and Matplotlib.
"""

from zsl_jax.report.page import check_installed, is_installed, write_report
from zsl_jax.report.table_page import write_table_page

__all__ = ["check_installed", "is_installed", "write_report", "write_table_page"]
