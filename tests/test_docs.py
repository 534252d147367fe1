"""What the README says is true: commands, keys, columns, codes and links."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from digitwatch.config import settings
from digitwatch.errors import ExitCode
from digitwatch.log_codes import Reason, ReasonCode
from digitwatch.recognition.decoding import review_reason
from digitwatch.spool.csv_rows import HEADER, Row

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
LOG = (ROOT / "docs" / "log.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
PAGES = "\n".join([README, *(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))])


@pytest.mark.parametrize("column", Row._fields)
def test_every_column_is_explained(column: str) -> None:
    """Each column of the log has a line in the table of docs/log.md."""
    assert re.search(rf"^\|[^|]*`{column}`[^|]*\|", LOG, re.MULTILINE)


def test_the_sample_shows_the_header() -> None:
    """The CSV lines on the first screen begin with the header that is written."""
    assert HEADER in README


def test_the_sample_shows_what_is_read() -> None:
    """The rows on the first screen say what the bundled model reads on the two examples."""
    from digitwatch.recognition.reader import Reader

    reader = Reader()
    for line in README.splitlines():
        if line.startswith("2026-") and line.endswith("…"):
            _, name, _, prediction, confidence, status, reason, *_ = line.split(",")
            reading = reader.read(ROOT / "examples" / "scans" / name)

            assert (reading.text, reading.status, reading.reason) == (prediction, status, reason)
            assert abs(reading.confidence - float(confidence)) < 0.01


def test_every_reason_is_explained() -> None:
    """The table of docs/log.md has each reason code, and each text without numbers in it."""
    table = LOG[LOG.index("| code | reason | meaning |") :]
    texts = [reason.text for reason in vars(review_reason).values() if isinstance(reason, Reason)]

    assert [code for code in ReasonCode if not re.search(rf"`{code}[`:]", table)] == []
    assert [text for text in texts if f"`{text}`" not in table] == []


def test_every_key_is_listed() -> None:
    """Each key of config.yaml stands in docs/settings.md by its dotted path."""
    sections = {"limits": settings.Limits, "training": settings.Training, "web": settings.Web}
    keys = [key for key in settings.Settings.model_fields if key not in settings.INTERNAL and key not in sections]
    keys += ["profiles"]
    keys += [f"{name}.{key}" for name, section in sections.items() for key in section.model_fields]

    assert [key for key in keys if f"`{key}`" not in SETTINGS] == []


def test_every_exit_code_is_listed() -> None:
    """The table of exit codes is complete."""
    assert [code for code in ExitCode if f"| {code.value} |" not in README] == []


def test_every_command_is_shown() -> None:
    """Each option and command of --help is mentioned in the documentation."""
    text = subprocess.run(
        [sys.executable, "-m", "digitwatch", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = re.findall(r"^    (\w+)  ", text, re.MULTILINE)
    options = set(re.findall(r"--\w+", text)) - {"--help", "--version", "--config"}

    assert commands
    assert [word for word in (*commands, *options) if word not in PAGES] == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")), ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    """No link to a file of the project is broken."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_python_example_runs() -> None:
    """The lines under "Use it from Python" print a reading."""
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.startswith("004821 ")
