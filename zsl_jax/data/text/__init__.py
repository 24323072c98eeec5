"""Text: files of every format in, sentences of words out; and written again.

- `readers`: `read_sentences`, the one door to all formats
- `formats`: the format of a file, from its name and first lines
- `read_options`: how a file is to be read, and whether its labels are read at all
- `files`: globs, folders, gzip, encodings and standard input
- `compact_text`: sentences in Arrow arrays, decoded where they are read
- `chunks`: a text of any length, some sentences at a time
- `writers`: CoNLL, JSON lines and spans
- `entity_places`: the entities of a sentence with their places in its text

Files with one word per line:

- `columns`: CoNLL (with -DOCSTART- lines), CoNLL-U, Universal NER and WikiANN
- `column_layout`: their columns, as far as the first lines show
- `word_column`, `label_column`: signs that the columns of words and labels are others
- `numbering`: whether a column numbers the words
- `sentence_breaks`: sentences that no empty line ends; numbered lines that are not words (1-2)
- `comment_lines`: comments, or words that begin with "#"
- `quoting`: quotation marks that CSV adds to words and labels
- `misc_column`: labels in MISC of CoNLL-U
- `multiword_tokens`: labels of its multiword tokens
- `conll2009`: CoNLL-2009
- `wikiann`: the language in front of every word of WikiANN

Other formats:

- `plain_text`: one sentence per line
- `json_lines`: JSON lines of words
- `json_spans`: JSON lines with a text and character spans (their words: `predictions.projection`)
- `span_fields`: the fields of a span, by the program that wrote it
- `known_keys`: which other keys of JSON lines are harmless
- `offset_units`: units of offsets: characters, UTF-16 units, bytes
- `arrow_text`: Parquet and Hugging Face `datasets`
- `arrow_files`: Parquet and Arrow files, checked before they are read
- `saved_dataset`: folders that `save_to_disk` wrote
- `ontonotes`: OntoNotes 5 (CoNLL-2012)
- `semeval`: SemEval-2016, opinion targets in XML

Words:

- `word_rules`: how raw text is split into words
- `word_types`: types of words (shape, suffixes, form), for the label model
- `checks`: checks of words and labels from any file
"""
