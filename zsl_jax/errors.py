"""The errors that programs print as one sentence."""


class InputError(ValueError):
    """A file, flag or folder of the user's cannot be used.

    The message is a sentence that names the file and line (or the flag) and the way out. Programs
    print it without a traceback and exit with status 2.
    """


class Preempted(Exception):
    """The process was told to end, and has saved what it had.

    Programs print the message and exit with `status`, as a process that the signal ended.
    """

    def __init__(self, message: str, status: int):
        """The message, and 128 and the number of the signal."""
        super().__init__(message)
        self.status = status
