"""The errors that programs print as one sentence."""

import re

_LINE_ENDS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")  # as str.splitlines has them


class InputError(ValueError):
    """A file, flag or folder given by the user cannot be used.

    The message is one sentence that names the file and line (or the flag) and a remedy. Programs
    print it without a traceback and exit with status 2.
    """

    def __init__(self, message: str):
        r"""Takes the message; line ends in it, as in names of files, become escapes.

        >>> print(InputError("a.bin cannot be read (unknown variant `\n`)"))
        a.bin cannot be read (unknown variant `\n`)
        """
        super().__init__(_LINE_ENDS.sub(lambda match: repr(match[0])[1:-1], message))


class OtherRunError(InputError):
    """A folder holds checkpoints of another run."""

    def __init__(self, fact: str, way_out: str):
        """Takes the two parts of the message; whoever knows a better way out keeps the fact."""
        super().__init__(f"{fact}; {way_out}")
        self.fact = fact


class Preempted(Exception):
    """The process was asked to end, and has saved its state.

    Programs print the message and exit with `status`, as a process that the signal ended.
    """

    def __init__(self, message: str, status: int):
        """Takes the message and the exit status, 128 plus the number of the signal."""
        super().__init__(message)
        self.status = status
