"""start processes that cannot outlive the one that started them."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1

# loaded before any fork: the child may not take locks of the import system
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(sig: signal.Signals = signal.SIGTERM) -> None:
    """ask the kernel to send this process `sig` when the thread that started it ends, even by kill -9 (linux only)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)


def tied_to_parent(sig: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """return a `preexec_fn` that ties the new process to this one.

    spawn from the main thread: the kernel watches the thread, not the process.
    """
    parent = os.getpid()

    def before_exec() -> None:
        die_with_parent(sig)
        if os.getppid() != parent:  # the parent died before the kernel was asked
            os._exit(1)

    return before_exec


def is_alive(pid: int) -> bool:
    """say whether a process with this id exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
