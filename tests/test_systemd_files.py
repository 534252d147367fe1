"""The files in systemd/: judged by systemd's and logrotate's own tools where they are installed."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from digitwatch.cli import install_service
from digitwatch.config import settings
from digitwatch.errors import ExitCode
from digitwatch.spool.claims import CLAIMED
from digitwatch.spool.csv_rows import HEADER, Row
from digitwatch.spool.prediction_log import PredictionLog

ROOT = Path(__file__).parents[1]
SYSTEMD = ROOT / "systemd"
UNITS = sorted(path.name for path in SYSTEMD.glob("digitwatch*.*") if path.suffix in (".service", ".path", ".socket"))
EXPOSURE = 0.5  # of 10; what typical units of this trade have is 9.2

systemd_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd is Linux")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program, or skip where it is not installed; return what it said."""
    program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip(f"needs {command[0]}")
    return subprocess.run([program, *map(str, command[1:])], capture_output=True, text=True, check=False)


def directives(unit: str) -> dict[str, list[str]]:
    """Return the values of each directive of a unit, in order."""
    text = (SYSTEMD / unit).read_text().replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def folders() -> dict[str, Path]:
    """Return the settings that install-service makes of the example, by their keys."""
    found = re.findall(r"^(\w+): (/\S+)$", install_service.service_settings(), re.MULTILINE)
    return {key: Path(place) for key, place in found}


def test_units_are_sound() -> None:
    """systemd-analyze verify finds nothing to complain about in any unit."""
    done = run("systemd-analyze", "verify", *(SYSTEMD / unit for unit in UNITS))

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_daemon_is_confined() -> None:
    """systemd-analyze security rates the exposure at most 0.5 of 10."""
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", SYSTEMD / "digitwatch.service")

    [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert float(exposure) <= EXPOSURE


def test_the_daemon_may_ask_for_leases_and_nothing_else() -> None:
    """What decodes images from anywhere can read, write and signal only what its user can."""
    unit = directives("digitwatch.service")

    assert (unit["CapabilityBoundingSet"], unit["AmbientCapabilities"]) == (["CAP_LEASE"], ["CAP_LEASE"])


def test_the_web_interface_changes_no_line_of_the_unit() -> None:
    """The address is opened by systemd for this machine alone; the service itself has no network, page or not."""
    socket, service = directives("digitwatch.socket"), directives("digitwatch.service")
    text = (ROOT / "config.yaml").read_text()

    assert socket["ListenStream"][0] in text
    assert (socket["IPAddressDeny"], socket["IPAddressAllow"]) == (["any"], ["localhost"])
    assert service["PrivateNetwork"] == ["yes"]
    assert service["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert "Sockets" not in service


def test_hopeless_exits_are_not_repeated() -> None:
    """Wrong usage and wrong settings end it; `try again later` and a bug do not."""
    [codes] = directives("digitwatch.service")["RestartPreventExitStatus"]

    assert {int(code) for code in codes.split()} & set(ExitCode) == {ExitCode.USAGE, ExitCode.CONFIG}


def test_all_folders_lie_in_the_one_place_that_can_be_written() -> None:
    """The inbox and the places of originals share a mount, so that a scan moves by one rename."""
    unit = directives("digitwatch.service")
    [writable] = unit["ReadWritePaths"]

    assert unit["BindPaths"] == [writable]
    assert set(folders()) == {*settings.FOLDERS, *settings.FILES, "taught"}
    assert all(place.is_relative_to(writable) for place in folders().values())


def test_each_folder_is_made_at_boot() -> None:
    """tmpfiles.conf makes all that config.yaml names, and the folder of claims, and cleans nothing."""
    lines = re.findall(r"^d (\S+) +(\d+) digitwatch digitwatch (\S+)$", (SYSTEMD / "tmpfiles.conf").read_text(), re.M)
    made = {Path(place) for place, _, _ in lines}
    wanted = {place for key, place in folders().items() if key not in settings.FILES}

    assert made == wanted | {folders()["inbox"].parent, folders()["inbox"] / CLAIMED}
    assert {age for _, _, age in lines} == {"-"}


def test_the_path_unit_waits_for_the_request_that_the_service_takes_away() -> None:
    """Both name the same file among the claims; otherwise the service would start for ever."""
    [request] = directives("digitwatch-inbox.path")["PathExists"]

    assert Path(request).parent == folders()["inbox"] / CLAIMED
    assert directives("digitwatch-inbox.service")["ExecStart"][0].split() == ["/usr/bin/rm", "-f", request]


def test_each_file_is_installed_and_explained() -> None:
    """Nothing in systemd/ is left out of install-service or of the page beside it."""
    names = {path.name for path in SYSTEMD.iterdir()} - {"README.md", "install.sh"}
    page = (SYSTEMD / "README.md").read_text()

    assert names == set(install_service.PLACES)
    assert [name for name in names if name.removesuffix(".service") not in page] == []


def test_installing_takes_three_commands() -> None:
    """The page begins with them; tests/container.py pastes these very lines."""
    block = re.findall(r"```sh\n(.*?)```", (SYSTEMD / "README.md").read_text(), re.DOTALL)[0]

    assert len(block.splitlines()) == 3


def test_install_is_a_sound_script() -> None:
    """The shell can read install.sh to its end."""
    assert run("sh", "-n", SYSTEMD / "install.sh").returncode == 0


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root gives folders away")
def test_user_and_folders_are_made(tmp_path: Path) -> None:
    """In an empty root: the user, and an inbox that its group may fill and nobody else may see."""
    (tmp_path / "etc").mkdir()
    users = run("systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "sysusers.conf")
    places = run("systemd-tmpfiles", f"--root={tmp_path}", "--create", SYSTEMD / "tmpfiles.conf")
    inbox = os.stat(tmp_path / "srv/digitwatch/inbox")
    [entry] = [line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("digitwatch:")]

    assert (users.returncode, places.returncode) == (0, 0)
    assert stat.S_IMODE(inbox.st_mode) == 0o3770
    assert (inbox.st_uid, inbox.st_gid) == tuple(map(int, entry.split(":")[2:4]))


def row(scan: str) -> Row:
    """Return a row of the log with this id."""
    return Row(*("x" if name != "id" else scan for name in Row._fields))


def rotate(folder: Path) -> list[Path]:
    """Run logrotate on a log in `folder` by the shipped rules; return the log and its siblings."""
    rules = (SYSTEMD / "digitwatch.logrotate").read_text()
    rules = rules.replace("/srv/digitwatch", str(folder)).replace("systemctl reload digitwatch.service", "true")
    rules = re.sub(r"^\tsu .*\n", "", rules, flags=re.MULTILINE).replace("0640 digitwatch digitwatch", "0640")
    (folder.parent / "rules").write_text(rules)
    done = run("logrotate", "--force", "--state", folder.parent / "state", folder.parent / "rules")
    assert (done.returncode, done.stderr) == (0, "")
    return sorted(folder.glob("predictions*"))


def test_rotation_loses_no_row(tmp_path: Path) -> None:
    """Rows go on in a new file with its header; what was recorded before is still found."""
    folder = tmp_path / "srv"
    folder.mkdir(mode=0o750)
    log = PredictionLog(folder / "predictions.csv")
    log.append([row("before")])
    paths = rotate(folder)
    log.append([row("after")])
    log.reopen()

    assert len(paths) == 2
    assert [path.read_text().count(HEADER) for path in paths] == [1, 1]
    assert set(log.find(["before", "after"])) == {"before", "after"}


def test_the_file_just_rotated_is_not_packed(tmp_path: Path) -> None:
    """A row that is being written while logrotate works lands in a plain file."""
    folder = tmp_path / "srv"
    folder.mkdir(mode=0o750)
    log = PredictionLog(folder / "predictions.csv")
    log.append([row("one")])

    assert len(rotate(folder)) == 2
    assert list(folder.glob("*.gz")) == []
