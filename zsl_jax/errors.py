"""The one error that bad input raises."""


class InputError(ValueError):
    """A file, flag or folder of the user's cannot be used.

    The message is a sentence that names the file and line (or the flag) and the way out. Programs
    print it without a traceback and exit with status 2.
    """
