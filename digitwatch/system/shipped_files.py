"""Files that come with digitwatch besides its code: units, example configuration, documentation."""

from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
"""The checkout, or the folder of all installed packages."""


def shipped(name: str) -> Path | None:
    """Return the path of a file such as `systemd/digitwatch.service`; None where it was left out.

    A wheel puts them into `share/digitwatch` of its environment (`data-files` in pyproject.toml).
    """
    import sysconfig  # noqa: PLC0415 (reads the build settings of Python, for a few commands only)

    places = (HERE, Path(sysconfig.get_path("data"), "share", "digitwatch"), HERE / "share" / "digitwatch")
    return next((place / name for place in places if (place / name).is_file()), None)
