"""The programs; each is run as `python -m launch.NAME`.

Programs:

- `train`: labelled text in, a source model out
- `annotate`: a model's labels and probabilities for a text, as a source's predictions
- `transfer`: sources and unlabelled text in, the target tagger out
- `predict`: labels for a text
- `aggregate`: the sources' predictions in, one label per word out, without a tagger
- `evaluate`: scores and tests
- `reproduce`: tables and figures of the paper; `experiments` has their YAML files
- `report`: the page about a run
- `review`: sentences to correct, and scores from the corrections
- `demo`: a whole transfer on a small scale

Flags:

- `shared_flags`: the flags that several programs share
- `config_flags`: flags made from the configurations of `zsl_jax.training.config`
- `source_flags`: `--source` and what belongs to it
- `flag_files`: `--flagfile=pos_multi`; `flags` has the files
- `help_page`: the page that `--help` prints
- `options`: defines flags, and starts and ends every program
- `flag_combinations`: combinations of flags that are refused
- `paths`: `~`, addresses in buckets, and outputs that are inputs
- `inputs`: reads the texts and sources that flags name

Runs:

- `run_spec`: the specification of a run, by which it resumes
- `joined_processes`: joins the processes of a run
- `terminal`: output on a terminal, and logs
- `memory_advice`: what to do when memory runs out
- `malloc_settings`: settings of malloc for faster updates on a CPU
- `compilation_cache`: keeps what XLA compiles for the next program

Experiments:

- `yaml_file`: YAML with line numbers for errors
- `experiment_file`: the YAML file of an experiment
- `experiment_rows`: its rows
"""

import signal
import sys

# Until `interruption.watch_signals`, Ctrl-C ends a program as SIGTERM does, without waiting for
# Python, which may be loading a library. Nothing is written by then.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
