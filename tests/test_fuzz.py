"""Fuzzing: damaged images by the thousand through the whole reading chain, in a worker with its limits.

    FUZZ=20000 FUZZ_FIRST=0 pytest -m proof tests/test_fuzz.py -s

Each number gives one file (see mutants.py), so that a finding can be made again.
"""

import os
import random
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from disks import other_filesystem
from mutants import mutant, odd_picture, seeds
from pool_owner import Owner

from digitwatch.workers.messages import Job, Outcome, Read, Rejected

NUMBER = int(os.environ.get("FUZZ", "20000"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
SECONDS = 120.0  # for one file, as limits.seconds; a page of noise with a thousand specks took twenty, and takes two
MEMORY = 4_000  # MB: limits.memory, which no lie about a size may pass; the largest page allowed takes half of it
WAVE = 100


def memory(owner: Owner) -> int:
    """Return the most memory, in MB, that the worker ever held."""
    status = Path(f"/proc/{owner.pid()}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) >> 10  # type: ignore[index]


def is_told(outcome: Outcome) -> bool:
    """Return whether a scan was read, or its failure is a sentence that somebody wrote for it."""
    return isinstance(outcome, Read) or (isinstance(outcome, Rejected) and "internal error" not in outcome.reason)


@pytest.mark.proof
def test_mutants_cost_nobody_but_themselves(tmp_path: Path) -> None:
    """Each damaged file is read or refused with a sentence; no worker dies, memory and time stay within limits."""
    whole = seeds()
    folder = other_filesystem(tmp_path)
    owner = Owner(seconds=SECONDS)
    owner.pool.start()
    counts: Counter[str] = Counter()
    found: dict[int, str] = {}
    first, highest = owner.pid(), 0
    for start in range(FIRST, FIRST + NUMBER, WAVE):
        for at in range(start, start + WAVE):
            (folder / f"{at}").write_bytes(mutant(at, whole))
            owner.pool.submit(Job(f"{at}", f"{at}.png", folder / f"{at}", folder / "out", claimed=False))
        for outcome in owner.await_outcomes(WAVE, WAVE * SECONDS):
            counts[_kind(outcome)] += 1
            if not is_told(outcome):
                found[int(outcome.job.id)] = _kind(outcome)
                shutil.copy(outcome.job.source, tmp_path)
            outcome.job.source.unlink()
        owner.outcomes.clear()
        shutil.rmtree(folder / "out", ignore_errors=True)
        highest = max(highest, memory(owner))
    last = owner.pid()
    owner.pool.stop()

    print(f"\n{NUMBER} files from {FIRST}: {dict(counts.most_common())}; worker's memory at most {highest} MB")
    assert found == {}, tmp_path
    assert highest < MEMORY
    assert (counts["died"], last) == (0, first)


def _kind(outcome: Outcome) -> str:
    if isinstance(outcome, Read):
        return outcome.pages[0].status
    return re.sub(r"[\d,]+", "N", getattr(outcome, "reason", "died"))


def test_odd_pictures_have_a_reading() -> None:
    """Full-frame dark, noise, ramps and hairlines: there is a reading and a picture, whatever it says."""
    from digitwatch.recognition.annotation.render import annotate
    from digitwatch.recognition.reader import Reader

    reader = Reader("dense")
    for number in range(40):
        for page, reading in reader.read_pages(odd_picture(random.Random(number))):
            assert reading.status in ("ok", "review", "empty")
            assert annotate(page, reading, "odd").startswith(b"\x89PNG")
