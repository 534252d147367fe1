"""The commands that make, draw and test form templates."""

from collections import Counter
from pathlib import Path

import cv2

from digitwatch.cli import factories
from digitwatch.errors import ExitCode, UsageError
from digitwatch.forms import schema, template_files
from digitwatch.forms.form_reader import FormReader
from digitwatch.models import provisioning
from digitwatch.recognition.reader import Reader


def new(example: Path, out: Path | None) -> ExitCode:
    """Write a template beside an example, with the boxes that are found on it; an existing file is kept."""
    target = out or example.with_suffix(".yaml")
    if target.exists():
        raise UsageError(f"expected a new file, found {target}; choose another with --out")
    text = template_files.template_text(example)
    target.write_text(text, "utf-8")
    print(f"{target}: {text.count('- name:')} fields; rename them, and see them with: digitwatch fields draw {target}")
    return ExitCode.DONE


def draw(template: Path, out: Path | None) -> ExitCode:
    """Write a picture of the example with the names and boxes of the fields."""
    target = out or template.with_suffix(".fields.png")
    cv2.imwrite(str(target), template_files.drawn(schema.load_one(template)))
    print(target)
    return ExitCode.DONE


def test(config: factories.Config, template: Path, folder: Path, out: Path | None) -> ExitCode:
    """Register and read every page of a folder; print a table, and write a contact sheet for each page."""
    settings = factories.load_settings(config)
    reader = Reader(provisioning.active_model(settings), review_below=settings.review_below)
    form_reader = FormReader([schema.load_one(template)], lambda page: reader.read_page(page)[1])
    sheets = out or folder.with_name(f"{folder.resolve().name}-fields")
    sheets.mkdir(parents=True, exist_ok=True)
    lost = 0
    for tested in template_files.read_folder(form_reader, folder):
        where = f"{tested.name} page {tested.page}"
        if tested.found is None:
            lost += 1
            print(f"{where}: {tested.reason}")
            continue
        counts = Counter(each.reading.status for each in tested.found.fields)
        texts = " ".join(f"{each.field.name}={each.reading.text or '-'}" for each in tested.found.fields)
        print(f"{where}: {', '.join(f'{count} {status}' for status, count in counts.items())}: {texts}")
        cv2.imwrite(str(sheets / f"{tested.name}.{tested.page}.png"), template_files.contact_sheet(tested))
    print(f"{lost} pages were not registered; see the contact sheets in {sheets}")
    return ExitCode.SOME_FAILED if lost else ExitCode.DONE
