"""Text: files of every format in, sentences of words out; and written again."""
