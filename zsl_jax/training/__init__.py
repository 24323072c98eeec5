"""Training a tagger: the loops, the compiled updates, EM with either label model, checkpoints.

It is given iterators over batches and functions to call; it reads and writes no files but
checkpoints.

Settings and loops:

- `config`: every setting of a run, with its default and its help text
- `config_choices`: the settings that are a choice, such as approach and strategy
- `setting_types`: the types of their values
- `config_checks`: settings that exclude each other
- `loop`: the loops, with fixed targets or by EM: E and M steps in turn, and when they end
- `text_batches`: the text, as the loop is given it
- `hooks`: functions that the loop calls, to report and to save
- `records`: what it reports: progress, updates, E steps
- `setup`: the parts of a training, and its first state
- `state`: parameters, optimiser and random key, which an update changes; a new head's start
- `checkpoints`: Orbax checkpoints, by which a run resumes
- `divergence`: the checks that J and the tagger are finite, before a model is written

Updates (the M step):

- `m_step`: the updates of one epoch, which end when a loss is not finite
- `steps`: every function of training, compiled for the devices
- `update`: loss and gradient of one update
- `optimizer`, `schedules`: AdamW; learning rates and λ over time
- `devices`: arrays spread over devices (`pmap`, `shard_map`)
- `frozen_pass`: the frozen layers, run once over a text

Label models (the E step):

- `e_step`: log P_θ of every word, and Q
- `paper_rounds`: what a round of EM does with the paper's model (MRT, LVM)
- `confusion_matrices`: its confusion matrices: temperatures, start, closed form
- `chain_rounds`: the same with the default model, the reliability-weighted chain
- `chain_fit`: the chain's own fit to a text, without a tagger; its settings are in `config`
- `chain_inference`: Q and the best sequences by a fitted chain
- `chain_sources`: the reliability of the sources in it: trust, weights, confusion matrices
- `chain_text`: a text as the chain sees it, and sums over its words
- `sentence_rows`: whole sentences in rows of one length, for forward-backward
"""
