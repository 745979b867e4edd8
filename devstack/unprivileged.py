"""how root runs postgres, which refuses to be run by root.

preferred: a user namespace in which root looks like nobody. nothing changes owner, and it works below a 0700 home.
else (containers usually forbid namespaces): really become nobody, with data and binaries in a place nobody can reach.
a parent folder's mode is never touched.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

NOBODY = 65534
_NAMESPACE = ("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


class PopenUser(TypedDict, total=False):
    """the arguments of `subprocess` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Disguise:
    """how to start a process that must not be root: a command in front of it, or another user."""

    prefix: tuple[str, ...] = ()
    becomes: int | None = None

    def popen_user(self) -> PopenUser:
        """return the `subprocess` arguments for this disguise."""
        if self.becomes is None:
            return {}
        return {"user": self.becomes, "group": self.becomes, "extra_groups": []}

    def own(self, path: Path) -> None:
        """give a path to the user the process will be."""
        if self.becomes is not None:
            os.chown(path, self.becomes, self.becomes)


NONE_NEEDED = Disguise()
IN_NAMESPACE = Disguise(prefix=_NAMESPACE)
AS_NOBODY = Disguise(becomes=NOBODY)


@cache
def choose() -> Disguise:
    """pick the lightest disguise that works on this machine; cost: one short process when root.

    a user without a name, as containers have them, is as little to postgres's liking as root
    """
    if os.geteuid() != 0 and _has_a_name(os.geteuid()):
        return NONE_NEEDED
    if shutil.which("unshare"):
        tried = subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return IN_NAMESPACE
    return AS_NOBODY if os.geteuid() == 0 else NONE_NEEDED


def _has_a_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def reachable_by_others(path: Path) -> bool:
    """say whether any user may walk down to `path` and into it."""
    path = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
