"""What a run needs besides mathematics: processes, blocks of words, compilations, progress."""
