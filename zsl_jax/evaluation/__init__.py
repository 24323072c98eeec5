"""Scores of labels, and diagnosis of the sources: without JAX.

- `metrics`: accuracy, entity F1, scores per label
- `entity_scores`: entities in the strict and in conlleval's reading
- `precision_recall`: precision, recall and F1 from counts
- `confusions`: which types or labels are confused
- `calibration`: whether probabilities are as high as the share of correct labels
- `bootstrap`: intervals and paired tests over sentences
- `stratified_intervals`: scores and intervals from a sample of the sentences, for reviews
- `stochastic_dominance`: almost stochastic dominance over seeds
- `averages`: means and standard deviations over files
- `score_lines`: all of these as text
- `diagnosis`: examines the sources without gold labels
- `tally`: the counts that it needs
- `warning_signs`: its warnings of silent, copied and switched sources, and of collapse
"""
