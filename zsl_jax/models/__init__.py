"""Encoders and the tagger in Flax Linen: arrays in, arrays out. Nothing here reads files or flags.

- `families`: the table of supported encoders, and what differs between them
- `encoder_config`: sizes, position offset and traits of an encoder, from
  config.json; refuses other encoders
- `config_values`: values of config.json, each checked
- `encoder`: all families as one module on packed rows, whose mask keeps sentences apart
- `layer`: one transformer layer
- `attention`: scaled dot-product attention
- `relative`: relative positions (DeBERTa)
- `rotary`: rotary positions, and layers of local attention (ModernBERT)
- `dropout`: dropout by a hash
- `token_classifier`: the tagger: the encoder and a linear head
- `frozen_split`: frozen layers below, trained layers above
- `huggingface`: converts Hugging Face's tensors to our parameters and back
- `huggingface_names`: the table of both names
- `unfit_tensors`: explains tensors that do not fit a tagger
"""
