"""Infrastructure of a run: processes, blocks of words, lookahead, compilations, progress.

- `processes`: joins the processes of a run, and sums and gathers values over them
- `heartbeats`: notices that another process is lost
- `shared_signals`: ends all processes when one of them is told to
- `polling`: calls a function regularly in a thread, for these two
- `blocks`: blocks of words of one shape, for texts of any length
- `lookahead`: computes the next results while the last ones are used
- `progress`: the progress bar, or lines in the log
- `compilation`: counts compilations and their time
"""
