"""Which files and folders are no scans by their names: hidden, unfinished, or those of a NAS or a desktop.

The one list for all who look into a folder of scans: the daemon, `--batch`, `check`, uploads and metrics.
"""

import fnmatch
import re
from collections.abc import Iterable

UNFINISHED = (
    *("part", "partial", "filepart", "crdownload", "download", "tmp", "temp", "swp"),
    *("!sync", "opdownload", "aria2", "uploading", "!ut", "bc!"),
)
"""Endings that programs give to files they are still writing (browsers, scp clients, editors, syncthing)."""

STREAMS = ("Zone.Identifier", "encryptable", "AFP_AfpInfo", "AFP_Resource")
"""Streams of a file of Windows or macOS that are files of their own elsewhere; WSL writes U+F03A for the colon."""

PATTERNS = (
    *(".*", "~*", "*~"),  # hidden files, lock files of office programs, backups
    *(f"*.{ending}" for ending in UNFINISHED),
    *("@eaDir", "*@SynoEAStream", "*@SynoResource", "@tmp", "@sharebin", "#recycle", "#snapshot"),  # Synology
    *("@Recycle", "@Recently-Snapshot", "@__thumb"),  # QNAP
    *("$RECYCLE.BIN", "RECYCLER", "RECYCLED", "System Volume Information", "found.000"),  # Windows
    *("Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "Picasa.ini"),
    *(f"*{mark}{stream}" for mark in ":\uf03a" for stream in STREAMS),
    *("__MACOSX", "Icon\r", "Network Trash Folder", "Temporary Items", "TheVolumeSettingsFolder"),  # macOS
    *("lost+found", "aquota.user", "aquota.group"),  # Linux
)
"""Shell patterns of names that are left alone, in any case of letters."""


class IgnoredNames:
    """A test for single names of files and folders, not paths."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        """Take PATTERNS and `more` of them, as in `ignore` of config.yaml."""
        # One regular expression of all would take six times as long, which shows in listings of 200,000 names.
        names, starts, ends, others = set(), [], [], []
        for pattern in (each.lower() for each in (*PATTERNS, *more)):
            if _is_plain(pattern):
                names.add(pattern)
            elif pattern.endswith("*") and _is_plain(pattern[:-1]):
                starts.append(pattern[:-1])
            elif pattern.startswith("*") and _is_plain(pattern[1:]):
                ends.append(pattern[1:])
            else:
                others.append(fnmatch.translate(pattern))
        self._names, self._starts, self._ends = frozenset(names), tuple(starts), tuple(ends)
        self._others = re.compile("|".join(others)) if others else None

    def __contains__(self, name: object) -> bool:
        """Return whether a file or folder of this name is left alone."""
        lower = str(name).lower()
        if lower in self._names or lower.startswith(self._starts) or lower.endswith(self._ends):
            return True
        return self._others is not None and self._others.match(lower) is not None


def _is_plain(pattern: str) -> bool:
    return not any(character in pattern for character in "*?[")


IGNORED = IgnoredNames()
"""The names that are left alone without any setting."""
