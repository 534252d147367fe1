"""`digitwatch install-service`, below a folder instead of the system."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from digitwatch.cli import install_service
from digitwatch.errors import ExitCode, UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system to install into, by a digitwatch that lies where the service can see it."""
    monkeypatch.setattr(sys, "prefix", "/opt/digitwatch")
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    return tmp_path / "root"


def files(root: Path) -> set[str]:
    """Return the files below a folder."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_all_files_are_put_into_place(root: Path) -> None:
    """Units, user, folders, rotation and settings, readable by all; the folders of the settings are the service's."""
    assert install_service.install(root) == ExitCode.DONE

    assert files(root) == {*install_service.PLACES.values(), install_service.SETTINGS}
    assert all((root / name).stat().st_mode & 0o777 == 0o644 for name in files(root))
    assert "inbox: /srv/digitwatch/inbox" in (root / install_service.SETTINGS).read_text()


def test_an_upgrade_keeps_the_settings(root: Path) -> None:
    """The new ones are laid beside them."""
    install_service.install(root)
    (root / install_service.SETTINGS).write_text("settle: 3\n")
    install_service.install(root)

    assert (root / install_service.SETTINGS).read_text() == "settle: 3\n"
    assert "inbox:" in (root / install_service.SETTINGS).with_name("config.yaml.new").read_text()


def test_what_was_installed_is_removed(root: Path) -> None:
    """Only the settings stay; a second time there is nothing left to remove."""
    install_service.install(root)
    assert install_service.remove(root) == install_service.remove(root) == ExitCode.DONE

    assert files(root) == {install_service.SETTINGS}


def test_a_program_elsewhere_gets_a_drop_in(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service sees its folder and its Python, until digitwatch lies in the usual place again."""
    monkeypatch.setattr(sys, "prefix", "/opt/pipx/venvs/digitwatch")
    install_service.install(root)
    text = (root / install_service.DROP_IN).read_text()
    assert "BindReadOnlyPaths=/opt/pipx/venvs/digitwatch\n" in text
    assert "PATH=/opt/pipx/venvs/digitwatch/bin:" in text

    monkeypatch.setattr(sys, "prefix", "/opt/digitwatch")
    install_service.install(root)
    assert not (root / install_service.DROP_IN).exists()


@pytest.mark.parametrize("place", ["/root/.local/share/pipx/venvs/digitwatch", "/home/ann/digitwatch/.venv"])
def test_a_private_program_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """The confined service could not see it; nothing is written."""
    monkeypatch.setattr(sys, "prefix", place)
    with pytest.raises(UsageError, match=f"found {place}"):
        install_service.install(root)

    assert not root.exists()


def test_a_program_that_others_cannot_read_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a pip under umask 077 makes it: the service would end with code 126."""
    monkeypatch.setattr(install_service, "PRIVATE", ())
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "program"))
    (tmp_path / "program").mkdir(mode=0o700)

    with pytest.raises(UsageError, match=r"chmod -R go\+rX"):
        install_service.install(root)


def test_the_example_is_printed(run: Run) -> None:
    """It is the file of the checkout."""
    example = Path(__file__).parents[2] / "config.yaml"
    assert run("--print-config").stdout == example.read_text()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completions_know_every_command(run: Run, shell: str) -> None:
    """They are made from the parser."""
    pytest.importorskip("shtab")
    text = run("--print-completion", shell).stdout

    assert all(word in text for word in ("install-service", "--annotate", "--print-config", "fields"))


def test_the_manual_page_is_up_to_date() -> None:
    """It is what docs/write_man_page.py makes of the parser."""
    pytest.importorskip("argparse_manpage")
    docs = Path(__file__).parents[2] / "docs"
    code = "import write_man_page; print(write_man_page.page(), end='')"
    done = subprocess.run([sys.executable, "-c", code], cwd=docs, capture_output=True, text=True, check=True)

    assert done.stdout == (docs / "digitwatch.1").read_text()
