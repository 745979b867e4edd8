"""what the developer sees: lines with the name of who said them."""

import os
import sys
from contextlib import suppress
from typing import TextIO

_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)
_WIDTH = 10


class Console:
    """prints lines with coloured names; colours only where a person looks."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._coloured = self._out.isatty() and "NO_COLOR" not in os.environ
        self._given: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """print one line of a process."""
        colour = self._given.setdefault(name, _COLOURS[len(self._given) % len(_COLOURS)])
        self._print(f"{self._paint(name.ljust(_WIDTH) + ' |', str(colour))} {text}")

    def say(self, text: str) -> None:
        """print something of our own."""
        self._print(text)

    def highlight(self, text: str) -> str:
        """return text made to stand out."""
        return self._paint(text, "1")

    def _paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._coloured else text

    def _print(self, text: str) -> None:
        with suppress(OSError):  # the terminal is gone; stopping cleanly matters more than saying so
            print(text, file=self._out, flush=True)
