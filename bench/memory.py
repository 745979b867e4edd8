"""how much memory processes take while something happens."""

import threading
import time
from collections import defaultdict
from types import TracebackType

import psutil

_EVERY_S = 0.03


class Peaks:
    """the highest resident memory of named groups of processes while the block runs, above what they had before.

    a group is a process and, apart from it, its descendants; those of postgres share memory, so their proportional
    share is counted there
    """

    def __init__(self, pids: dict[str, int], *, shared: frozenset[str] = frozenset()) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._shared = shared
        self._stop = threading.Event()
        self._peaks: dict[str, int] = defaultdict(int)
        self._before: dict[str, int] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peaks":
        self._before = self._now()
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def growth_mb(self) -> dict[str, float]:
        """return by how many MB each group grew at most."""
        names = sorted(set(self._peaks) | set(self._before))
        return {name: round(max(0, self._peaks[name] - self._before.get(name, 0)) / 1e6, 1) for name in names}

    def _watch(self) -> None:
        while not self._stop.is_set():
            for name, size in self._now().items():
                self._peaks[name] = max(self._peaks[name], size)
            time.sleep(_EVERY_S)

    def _now(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for name, process in self._processes.items():
            children = process.children(recursive=True)
            if name in self._shared:
                sizes[name] = sum(_size(one, shared=True) for one in [process, *children])
                continue
            sizes[name] = _size(process, shared=False)
            if name == "worker":
                sizes["reader"] = sum(_size(child, shared=False) for child in children if _is_reader(child))
        return sizes


def _is_reader(process: psutil.Process) -> bool:
    """say whether a child has become the reading process: just forked, it still looks like the whole worker."""
    try:
        return any(word.startswith("plyr.media.") for word in process.cmdline())
    except psutil.Error:
        return False


def _size(process: psutil.Process, *, shared: bool) -> int:
    try:
        return int(process.memory_full_info().pss) if shared else int(process.memory_info().rss)
    except psutil.Error:
        return 0
