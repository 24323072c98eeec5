"""Sentences for people to correct, and their corrections, in the formats of annotation tools.

- `tasks`: writes sentences with their labels for each tool
- `exports`: reads what each tool exports
- `corrections`: matches corrected sentences with a text
- `correction_labels`: their labels, beside those that the text can have
"""
