"""How well labelled scans are read: counts in groups, a bound of the wrong ones among `ok`, and their ranking."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digitwatch.log_codes import Status
from digitwatch.recognition.result import Reading
from digitwatch.spool.csv_rows import printable
from digitwatch.training.evaluation.scan_labels import Label
from digitwatch.training.evaluation.selective import RiskCoverage, upper_bound

COVERAGES = (0.5, 0.7, 0.9, 1.0)  # shares of the readings at which the risk is printed


@dataclass(frozen=True)
class LabelledReading:
    """A scan with its label and what was read on it, all pages together.

    text: the digits, rows and pages separated by one space. written: the same with the signs. confidence: of the whole
    text, 0 to 1. reason: why the status is not `ok`.
    """

    label: Label
    text: str
    written: str
    status: Status
    confidence: float
    reason: str

    @property
    def is_ok(self) -> bool:
        """Whether nobody would look at it."""
        return self.status == Status.OK

    @property
    def has_label_text(self) -> bool:
        """Whether the text is that of the label, which may be with or without signs."""
        return self.label.text in (self.text, self.written)

    @property
    def is_right(self) -> bool:
        """Whether it is right: the text of the label, or on a scan without digits any status but `ok`.

        What cannot be read is not right.
        """
        if self.status == Status.FAILED:
            return False
        return self.has_label_text if self.label.text else not self.is_ok


def joined(label: Label, pages: Sequence[Reading]) -> LabelledReading:
    """Return the reading of a scan from those of its pages.

    It is for review if a page is, else `ok` if a page is, else `empty`. Its confidence is the product of those of the
    pages with digits: each must be right.
    """
    found = [page for page in pages if page.text]
    statuses = {page.status for page in pages}
    return LabelledReading(
        label,
        " ".join(page.text for page in found),
        " ".join(page.written for page in found),
        next((status for status in (Status.REVIEW, Status.OK) if status in statuses), Status.EMPTY),
        math.prod(page.confidence for page in found) if found else 0.0,
        printable("; ".join(dict.fromkeys(page.reason for page in pages if page.reason))),
    )


def failed(label: Label, reason: str) -> LabelledReading:
    """Return what stands for a scan that cannot be read."""
    return LabelledReading(label, "", "", Status.FAILED, 0.0, reason)


def table(readings: Sequence[LabelledReading]) -> Iterator[str]:
    """Yield the lines of a table: for each group and in total how many are read, right, `ok`, and wrong and `ok`."""
    groups: dict[str, list[LabelledReading]] = {}
    for reading in readings:
        groups.setdefault(reading.label.group, []).append(reading)
    rows = {printable(name) or "(no group)": group for name, group in sorted(groups.items())} if any(groups) else {}
    width = max(map(len, (*rows, "group", "total"))) + 2
    yield f"{'group':<{width}}{'n':>7}{'right':>18}{'ok':>18}{'wrong ok':>18}"
    for name, group in (*rows.items(), ("total", readings)):
        yield f"{name:<{width}}{_counts(group)}"


def _counts(group: Sequence[LabelledReading]) -> str:
    ok = [reading for reading in group if reading.is_ok]
    right, wrong = (sum(each.is_right for each in group), sum(not each.is_right for each in ok))
    cells = (_share(right, len(group)), _share(len(ok), len(group)), _share(wrong, len(ok)))
    return f"{len(group):>7}" + "".join(f"{cell:>18}" for cell in cells)


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.2f} %)" if whole else f"{part}"


def measures(readings: Sequence[LabelledReading]) -> Iterator[str]:
    """Yield lines with the bound of the wrong ones among `ok`, the risk at coverages and the AUGRC."""
    ok = [reading for reading in readings if reading.is_ok]
    if ok:
        wrong = sum(not reading.is_right for reading in ok)
        bound = 100 * upper_bound(wrong, len(ok))
        yield f"wrong among ok: {wrong} of {len(ok)}; of scans like these at most {bound:.2f} %, with 95 % confidence"
    ranked = [reading for reading in readings if reading.text]
    if ranked:
        curve = risk_coverage(ranked)
        risks = ", ".join(f"{100 * curve.risk_at(share):.2f} % of {share:.0%}" for share in COVERAGES)
        yield f"wrong among the most confident of {len(ranked)} readings with digits: {risks}"
        rate = curve.risk_at(1)
        yield f"AUGRC {curve.augrc:.5f} (in the best order {rate**2 / 2:.5f}, in a random order {rate / 2:.5f})"


def risk_coverage(ranked: Sequence[LabelledReading]) -> RiskCoverage:
    """Return the risk coverage curve of the readings that found digits, ranked by confidence.

    Only these can be accepted. The status does not matter: most reasons for review put the confidence below the
    threshold, and a caveat of the page leaves it, so that the curve measures the confidence alone. Accepted is the
    text: one read on a scan without digits is wrong, also where its status makes it right in the table.
    """
    return RiskCoverage.of(
        [reading.confidence for reading in ranked], [not reading.has_label_text for reading in ranked]
    )


def mistakes(readings: Sequence[LabelledReading]) -> list[LabelledReading]:
    """Return what is not right: wrong `ok` ones first, the most confident first."""
    wrong = [reading for reading in readings if not reading.is_right]
    return sorted(wrong, key=lambda each: (not each.is_ok, -each.confidence, each.label.file))
