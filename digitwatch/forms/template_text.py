"""A template that was made in an editor: from its values to the text of a file, and checked as that file would be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from digitwatch.forms.schema import NAME, Form, FormError, load_one

DIGITS = 4  # decimal places of a box: 0.03 mm of A4


def text_of(template: Mapping[str, Any]) -> str:
    """Return the YAML of a template; what is empty is left out, and boxes are rounded."""
    kept = _filled(template)
    fields = template.get("fields")
    if isinstance(fields, list):
        kept["fields"] = [_field(field) if isinstance(field, dict) else field for field in fields]
    return yaml.safe_dump(kept, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)


def checked(template: Mapping[str, Any], name: str, folder: Path) -> Form:
    """Return a template that is written as NAME.yaml into a folder in which its example lies.

    Lists of known numbers are left out, since their files do not lie there.

    Raises:
        FormError: it cannot be used; all problems are named.
        OSError: the file cannot be written.
    """
    if not NAME.fullmatch(name):
        raise FormError([f"name: expected letters, digits and _ . - , found {name!r}"])
    example = str(template.get("example", ""))
    if Path(example).name != example:
        raise FormError([f"example: expected the name of a file, found {example!r}"])
    fields = template.get("fields")
    if isinstance(fields, list):
        fields = [
            {k: v for k, v in field.items() if k != "list"} if isinstance(field, dict) else field for field in fields
        ]
    path = folder / f"{name}.yaml"
    path.write_text(text_of({**template, "fields": fields}), "utf-8")
    try:
        return load_one(path)
    except FormError as error:
        raise FormError([problem.removeprefix(f"{path}: ") for problem in error.problems]) from error


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    kept = _filled(field)
    box = kept.get("box")
    if isinstance(box, list) and all(isinstance(share, int | float) for share in box):
        kept["box"] = [round(float(share), DIGITS) for share in box]
    return kept


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without those that say nothing; 0 is a number."""
    nothing: tuple[Any, ...] = ("", [], None)
    return {str(key): value for key, value in values.items() if value not in nothing and value is not False}
