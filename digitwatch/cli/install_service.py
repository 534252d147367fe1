"""`digitwatch install-service`: the files of the systemd service, copied into the system or removed from it."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from digitwatch.errors import ExitCode, UsageError
from digitwatch.system.shipped_files import shipped

PLACES = {
    "digitwatch.service": "etc/systemd/system/digitwatch.service",
    "digitwatch.socket": "etc/systemd/system/digitwatch.socket",
    "digitwatch-inbox.service": "etc/systemd/system/digitwatch-inbox.service",
    "digitwatch-inbox.path": "etc/systemd/system/digitwatch-inbox.path",
    "sysusers.conf": "etc/sysusers.d/digitwatch.conf",
    "tmpfiles.conf": "etc/tmpfiles.d/digitwatch.conf",
    "digitwatch.logrotate": "etc/logrotate.d/digitwatch",
}
SETTINGS = "etc/digitwatch/config.yaml"
DROP_IN = "etc/systemd/system/digitwatch.service.d/10-place.conf"
USUAL = tuple(map(Path, ("/opt/digitwatch", "/usr", "/usr/local")))
"""Places of the program that digitwatch.service knows."""

PRIVATE = tuple(map(Path, ("/home", "/root", "/run", "/tmp", "/var/tmp")))
"""Places that the confined service cannot see."""

UNITS = ("digitwatch.service", "digitwatch.socket", "digitwatch-inbox.path")
ADVICE = "umask 022; python3 -m venv /opt/digitwatch && /opt/digitwatch/bin/pip install 'digitwatch[web]'"


def install(root: Path) -> ExitCode:
    """Copy the files of the service below `root`; settings that are there are kept, the new ones laid beside them.

    Where `root` is the system itself, user and folders are made as well; nothing is started.

    Raises:
        UsageError: this user may not, or the service could not see the program.
    """
    _check_user(root)
    drop_in = _drop_in(Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())
    for name, place in PLACES.items():
        _put(root / place, _text(f"systemd/{name}"))
    settings = root / SETTINGS
    _put(settings.with_name("config.yaml.new") if settings.exists() else settings, service_settings())
    if drop_in:
        _put(root / DROP_IN, drop_in)
    else:
        (root / DROP_IN).unlink(missing_ok=True)
    if root == Path("/"):
        _run("systemd-sysusers", f"/{PLACES['sysusers.conf']}")
        _run("systemd-tmpfiles", "--create", f"/{PLACES['tmpfiles.conf']}")
        _run("systemctl", "daemon-reload")
    print("next: systemctl enable --now digitwatch (after an upgrade: systemctl restart digitwatch)")
    return ExitCode.DONE


def remove(root: Path) -> ExitCode:
    """Stop the service and delete the files that `install` copied; settings, scans and results stay.

    Raises:
        UsageError: this user may not.
    """
    _check_user(root)
    if root == Path("/"):
        _run("systemctl", "disable", "--now", *UNITS)
    for place in (*PLACES.values(), DROP_IN):
        with contextlib.suppress(FileNotFoundError):
            (root / place).unlink()
            print(f"removed {root / place}")
    with contextlib.suppress(OSError):
        (root / DROP_IN).parent.rmdir()
    if root == Path("/"):
        _run("systemctl", "daemon-reload")
    print(f"kept: {root / SETTINGS}, the scans and results in /srv/digitwatch, the user digitwatch, and {sys.prefix}")
    return ExitCode.DONE


def service_settings() -> str:
    """Return the settings of the service: those of the example, with the folders below /srv/digitwatch."""
    return _text("config.yaml").replace("digitwatch-data/", "/srv/digitwatch/")


def _check_user(root: Path) -> None:
    if root == Path("/") and os.geteuid() != 0:
        raise UsageError("install-service: expected to be run as root: it writes into /etc (or choose --root DIR)")
    if root == Path("/") and shutil.which("systemctl") is None:
        raise UsageError("install-service: expected a system with systemd, found no systemctl")


def _text(name: str) -> str:
    path = shipped(name)
    if path is None:
        raise UsageError(f"install-service: {name} is not installed: install digitwatch from its wheel or a checkout")
    return path.read_text("utf-8")


def _drop_in(prefix: Path, base: Path) -> str:
    """Return what the unit needs in addition for a program in `prefix` with the Python in `base`; mostly nothing.

    Raises:
        UsageError: the service could not see one of them.
    """
    places = [place for place in dict.fromkeys((prefix, base)) if place not in USUAL]
    for place in places:
        if any(place.is_relative_to(private) for private in PRIVATE):
            raise UsageError(
                f"install-service: expected digitwatch and its Python in a place that the service can see, such as "
                f"/opt/digitwatch, found {place}: {ADVICE}"
            )
    for place in (prefix, Path(__file__)):
        if place.exists() and not place.stat().st_mode & 0o004:
            raise UsageError(
                f"install-service: expected {place} to be readable by the user digitwatch: chmod -R go+rX {prefix}"
            )
    if not places:
        return ""
    shown = " ".join(map(str, places))
    path = f"{prefix / 'bin'}:/opt/digitwatch/bin:/usr/local/bin:/usr/bin"
    return f"[Service]\nEnvironment=PATH={path}\nBindReadOnlyPaths={shown}\nExecPaths={shown}\n"


def _put(path: Path, text: str) -> None:
    """Write a file that everybody may read, whatever the umask; it is replaced at once."""
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        folder.chmod(0o755)
    scratch = path.with_name(f".{path.name}.tmp")
    scratch.write_text(text, "utf-8")
    scratch.chmod(0o644)
    scratch.rename(path)
    print(path)


def _run(*command: str) -> None:
    """Run a program of systemd; what it complains about is shown, and ends nothing."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"digitwatch: {' '.join(command)}: {done.stderr.strip()}", file=sys.stderr)
