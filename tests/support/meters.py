"""Meters that are read day by day with misread digits, each at full confidence: what their series publish.

    python tests/support/meters.py

Each reading of 2 %, or each digit of 2 %, has another digit, of which the reader was sure: the worst case. `knowable`
are the misreadings that may not follow the true value before them. Of the others, a last digit that is a little too
large, no rule can know. A published value has the status `ok`.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from digitwatch.series.rules import Point, Rule
from digitwatch.series.tracker import Draft, Entry, Histories

START = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Meters:
    """Meters of `digits` digits, read once a day, that grow by up to `growth` a day.

    share: of the digits, or of the readings with one misread digit, that are misread.
    """

    number: int = 20
    rounds: int = 500
    digits: int = 6
    growth: int = 1
    most: float = 2.0
    share: float = 0.02
    per_digit: bool = True


@dataclass
class Figures:
    """Counts of readings.

    recoveries: for each time that true readings were doubted, how many until one was published, that one included.
    largest_error: of a published value.
    """

    readings: int = 0
    misread: int = 0
    knowable: int = 0
    published_knowable: int = 0
    published_others: int = 0
    largest_error: int = 0
    recoveries: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the figures as a line of the table in docs/series.md."""
        hidden = self.misread - self.knowable
        recovery = f"{len(self.recoveries)}, {max(self.recoveries, default=0)}"
        published = f"{self.published_knowable} of {self.knowable}", f"{self.published_others} of {hidden}"
        return " | ".join(map(str, (self.readings, self.misread, *published, self.largest_error, recovery)))


def misread(text: str, meters: Meters, chance: random.Random) -> str:
    """Return a reading, perhaps with another digit or more."""
    places = range(len(text))
    if meters.per_digit:
        wrong = [place for place in places if chance.random() < meters.share]
    else:
        wrong = [chance.choice(places)] if chance.random() < meters.share else []
    for place in wrong:
        other = chance.choice([digit for digit in "0123456789" if digit != text[place]])
        text = text[:place] + other + text[place + 1 :]
    return text


def simulate(meters: Meters, seed: int) -> Figures:
    """Read all meters in turn."""
    chance, figures = random.Random(seed), Figures()
    for meter in range(meters.number):
        _read(meter, meters, chance, figures)
    return figures


def _read(meter: int, meters: Meters, chance: random.Random, figures: Figures) -> None:
    """Read one meter day by day; three true readings make its series known, and are not counted."""
    rule = Rule("{meter}.png", "", never_decreases=True, at_most_per_day=meters.most)
    histories: Histories = {}
    value, doubted, before = chance.randrange(10 ** (meters.digits - 1)), 0, Point("", 0, "0")
    for day in range(meters.rounds + 3):
        value += chance.randint(0, meters.growth)
        true = f"{value:0{meters.digits}}"
        text = misread(true, meters, chance) if day >= 3 else true
        scan = f"{START + timedelta(days=day):%Y%m%dT%H%M%S}.000Z-{day:08x}"
        draft = Draft((rule,), histories)
        verdict = draft.judge(Entry(scan, "", f"{meter}.png", "1", "", text, is_sure=True))
        histories.update(draft.changed)
        is_published = verdict is not None and verdict.reason is None
        if day >= 3:
            _count(figures, rule.problem(before, Point(scan, day, text)) is not None, int(text) - value, is_published)
            if text == true and (doubted or not is_published):
                doubted += 1
            if text == true and is_published and doubted:
                figures.recoveries.append(doubted)
                doubted = 0
        before = Point(scan, day, true)


def _count(figures: Figures, is_knowable: bool, error: int, is_published: bool) -> None:
    figures.readings += 1
    if error:
        figures.misread += 1
        figures.knowable += is_knowable
        figures.published_knowable += is_knowable and is_published
        figures.published_others += not is_knowable and is_published
        figures.largest_error = max(figures.largest_error, abs(error) * is_published)


KINDS = {
    "2 % of the readings, 1 a day, limit 2": Meters(per_digit=False),
    "2 % of the digits, 1 a day, limit 2": Meters(),
    "2 % of the digits, 8 a day, limit 10": Meters(growth=8, most=10),
    "2 % of the digits, 80 a day, limit 100": Meters(growth=80, most=100),
}

if __name__ == "__main__":
    for name, meters in KINDS.items():
        for seed in (1, 2, 3):
            print(f"| {name} | {seed} | {simulate(meters, seed)} |")
