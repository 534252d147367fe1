"""The sections of the list `series` in config.yaml."""

import re
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PLACEHOLDER = re.compile(r"\*|\{[a-z_]+\}")


class SeriesSection(BaseModel):
    """Readings that belong together, and what may follow what."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    file: str | None = Field(None, min_length=1, max_length=400)
    field: str | None = Field(None, min_length=1)
    never_decreases: bool = False
    at_most_per_day: float | None = Field(None, gt=0, le=1e15)

    @model_validator(mode="after")
    def _has_rule(self) -> Self:
        if self.file is None and self.field is None:
            raise ValueError("expected `file` (such as meter-{meter}-*.jpg) or `field`, or both")
        if not self.never_decreases and self.at_most_per_day is None:
            raise ValueError("expected `never_decreases: true` or `at_most_per_day`, or both")
        return self

    @model_validator(mode="after")
    def _has_pattern(self) -> Self:
        parts = PLACEHOLDER.split(self.file or "")
        if "" in parts[1:-1] or any(character in part for part in parts for character in "{}"):
            raise ValueError(
                "file: expected a pattern such as meter-{meter}-*.jpg, with a text between two placeholders"
            )
        return self
