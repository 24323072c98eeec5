"""Ends all processes of a run when one of them is told to, wherever they are.

A process whose coordinator is gone is aborted by JAX, and one that waits for another in a
collective waits for half a minute. So the process that is told tells the others first.
"""

import contextlib
import os
import signal
import time

import jax
from orbax.checkpoint import multihost

from zsl_jax.runtime.polling import polled

_SIGNAL = "zsl_jax/signal"
_ENDING = "zsl_jax/ending"
# Seconds between two looks for a signal; how long the coordinator waits for the others to hear of
# one, and then to be gone.
_POLL, _TO_HEAR, _TO_END = 0.25, 0.6, 0.2


def following_others() -> contextlib.AbstractContextManager[None]:
    """Sends this process the signal that any other one of its run was sent."""
    return polled(pass_on_signal, _POLL, "signals of others")


def tell_others(number: signal.Signals) -> None:
    """Tells the other processes of a signal; the coordinator waits until they have ended."""
    client, index = multihost.get_jax_distributed_client(), jax.process_index()
    with contextlib.suppress(jax.errors.JaxRuntimeError):
        client.key_value_set(_SIGNAL, str(int(number)), allow_overwrite=True)
        client.key_value_set(f"{_ENDING}/{index}", "", allow_overwrite=True)
        deadline = time.monotonic() + _TO_HEAR
        while index == 0 and time.monotonic() < deadline:
            if len(client.key_value_dir_get(_ENDING)) == jax.process_count():
                time.sleep(_TO_END)
                return
            time.sleep(0.02)


def pass_on_signal() -> bool:
    """Sends this process the signal that another one was sent; tells whether there was one."""
    try:
        number = int(multihost.get_jax_distributed_client().key_value_try_get(_SIGNAL))
    except jax.errors.JaxRuntimeError:  # no signal yet, or the run is lost
        return False
    if signal.getsignal(number) is signal.SIG_IGN:  # as Ctrl-C is in the background
        number = signal.SIGTERM
    os.kill(os.getpid(), number)
    return True
