"""A real browser without a window; tests that need it are skipped where there is none."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
needs_browser = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium is installed (apt-get install chromium)"
)


def run(page: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Opens a page from the disk, without a network, in a profile of its own."""
    profile = page.parent / "profile"
    command = [
        str(PROGRAM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        "--hide-scrollbars", "--window-size=1300,2400", "--virtual-time-budget=3000",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", *arguments,
        page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done


def dom(page: Path) -> str:
    """The page after its scripts have run; there must be nothing on the console."""
    done = run(page, "--dump-dom")
    assert not re.findall(r".*CONSOLE.*", done.stderr), done.stderr
    return done.stdout


def screenshot(page: Path, target: Path) -> Path:
    """A picture of the upper part of the page."""
    run(page, f"--screenshot={target}")
    return target
