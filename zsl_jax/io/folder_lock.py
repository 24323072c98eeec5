"""A lock that keeps a second run out of a folder.

It is a kernel lock (`flock`), so it is released when the process that holds it ends, however that
happens. On NFS the server keeps it, and other hosts see it. The lock file alone means nothing.
"""

import contextlib
import errno
from pathlib import Path

from absl import logging
from filelock import FileLock, Timeout

LOCK = ".lock"
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # the file system has no locks


class FolderLock:
    """The right to write into a folder, until it is released or this object is deleted."""

    def __init__(self, folder: Path, name: str = LOCK, timeout: float = 0):
        """Locks an existing folder, or what a name in it stands for.

        Args:
          folder: The folder.
          name: Of the lock file.
          timeout: Seconds to wait for another process; -1 waits until it is done.

        Raises:
          Timeout: Another process has locked it.
          OSError: The folder cannot be written.
        """
        self._path = folder / name
        self._lock = FileLock(self._path, thread_local=False)
        try:
            self._lock.acquire(timeout=timeout)
        except Timeout:
            raise
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            logging.warning(
                "%s is on a file system without locks (%s); make sure that no second run "
                "writes there", folder, error.strerror,
            )  # fmt: skip

    def release(self) -> None:
        """Releases the lock."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._lock.release()
