"""Infrastructure of a run: processes, blocks of words, lookahead, compilations, progress."""
