"""Measurements of scores and time; never collected by pytest.

Scores on corpora:

- `pos_transfer`, `ner_transfer`: one target, by every approach
- `every_target`: every language as the target, over several seeds
- `comparing`: what these three share
- `mixed_sources`: sources with different labels and formats
- `aggregators`: label models, beside skweak's and crowd-kit's
- `robustness`: the label model on few, many, broken and copied sources
- `text_sizes`: the label model by the size of its text
- `label_model_cells`: what these two share
- `label_model_parts`: the label model with one part changed at a time
- `label_model_variants`, `gold_counts`, `word_keys`: its variants, counts and keys
- `tagger_weights`, `tagger_weight_scores`, `start_share_scores`: finished transfers by the
  weight of the tagger in Q, or of its start in P
- `reproduced_cells`, `variant_tables`: what these two share
- `rules`: gazetteers as sources
- `review`: what a review is worth
- `annotators`, `corrected_votes`: simulated annotators, and the label model with their corrections
- `real_texts`: paths of the corpora

Agreement with other programs:

- `parity`: encoders, beside PyTorch's
- `pipeline_agreement`: labels, beside those of transformers' pipeline

Time and memory:

- `accelerator`, `accelerator_ours`, `accelerator_torch`: a GPU or TPU, beside PyTorch
- `m_step`, `torch_tagger`: updates, beside PyTorch
- `e_step`, `e_step_pieces`: the E step, beside crowd-kit and NumPy
- `planted_votes`: planted votes, and Dawid–Skene on them, for `e_step`
- `chain`: the default label model, beside an M step, skweak and crowd-kit
- `skweak_hmm`: skweak's HMM, for `aggregators` and `chain`
- `dropout`: dropout's random bits
- `frozen_layers`: rounds with frozen layers
- `end_to_end`: whole transfers, by length of the text
- `host_stages`: what the host does besides training
- `stage_costs`: FLOPs and bytes of each stage, counted
- `transfer_memory`, `staged_transfer`: memory and time of each stage of a transfer
- `long_text`: `launch.predict` on long text
- `report_page`, `synthetic_run`: the report, and a run's folder without a run
- `measuring`, `random_text`: what these programs share
"""
