"""The errors that programs print as one sentence."""


class InputError(ValueError):
    """A file, flag or folder given by the user cannot be used.

    The message is one sentence that names the file and line (or the flag) and a remedy. Programs
    print it without a traceback and exit with status 2.
    """


class Preempted(Exception):
    """The process was told to end, and has saved its state.

    Programs print the message and exit with `status`, as a process that the signal ended.
    """

    def __init__(self, message: str, status: int):
        """Takes the message and the exit status, 128 plus the number of the signal."""
        super().__init__(message)
        self.status = status
