"""A fixed part of the scans of a batch: K of N, by the hash of the name."""

import re
from dataclasses import dataclass

_FORM = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")


@dataclass(frozen=True)
class Shard:
    """Part `number`, from 1, of `total` parts; every scan belongs to exactly one, on every machine."""

    number: int
    total: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Return the shard of `3/8`.

        Raises:
            ValueError: the text has another form, or the number is larger than the total.
        """
        found = _FORM.fullmatch(text)
        if found is None or int(found[1]) > int(found[2]):
            raise ValueError(f"expected K/N with K from 1 to N, such as 3/8, found {text!r}")
        return cls(int(found[1]), int(found[2]))

    def holds(self, scan: str) -> bool:
        """Return whether the scan with this id, 16 hexadecimal digits of the hash of its name, belongs to the part."""
        try:
            return int(scan, 16) % self.total == self.number - 1
        except ValueError:  # not the id of a batch
            return False

    def __str__(self) -> str:
        """Return `3/8`."""
        return f"{self.number}/{self.total}"
