"""Shards of a batch: a fixed split of the scans by their names."""

import pytest

from digitwatch.service.batch import scan_id
from digitwatch.service.shard import Shard


def test_each_scan_belongs_to_exactly_one_shard() -> None:
    """And the parts have about the same size."""
    ids = [scan_id(f"{number}.png") for number in range(8000)]
    parts = [[scan for scan in ids if Shard(number, 8).holds(scan)] for number in range(1, 9)]

    assert sorted(scan for part in parts for scan in part) == sorted(ids)
    assert all(850 < len(part) < 1150 for part in parts)


@pytest.mark.parametrize("text", ["0/8", "9/8", "8", "1/0", "a/b", "1/8/2", "-1/8"])
def test_other_texts_are_refused(text: str) -> None:
    """The message shows the form."""
    with pytest.raises(ValueError, match="such as 3/8"):
        Shard.parse(text)
