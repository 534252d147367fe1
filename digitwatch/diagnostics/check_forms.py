"""Checks of the form templates: each is read, its example is found on itself, and what its fields expect."""

from collections.abc import Iterator
from pathlib import Path

from digitwatch.diagnostics.finding import Finding, fail, note, ok
from digitwatch.forms import registration
from digitwatch.forms.form_reader import prepared
from digitwatch.forms.schema import Field, Form, FormError, load_one, template_paths
from digitwatch.recognition.image.decode import ImageError, decode

NAMED = 8  # fields that are named at most


def forms(folder: Path | None) -> Iterator[Finding]:
    """Yield a finding for each template of a folder; none where no folder is named."""
    if folder is None:
        return
    try:
        paths = template_paths(folder)
    except FormError as error:
        yield from (fail(problem) for problem in error.problems)
        return
    usable = []
    for path in paths:
        try:
            usable.append(load_one(path))
        except FormError as error:
            yield from (fail(f"form {problem}") for problem in error.problems)
    yield from (_found(form, [each for each in usable if each is not form]) for form in usable)


def _found(form: Form, others: list[Form]) -> Finding:
    """Check that the example of a template is found as its own form, and as no other."""
    try:
        page = next(iter(decode(form.example.read_bytes())))
        prepared_page = registration.prepare_page(page.grey)
        passing = [each for each in (form, *others) if registration.register(prepared(each), prepared_page)]
        if form not in passing:
            return fail(
                f"form {form.name}: its example is not found on itself: it needs more printed lines or text, "
                "in every quarter of the page"
            )
    except (FormError, ImageError, OSError) as error:
        return fail(f"form {form.name}: {error}")
    height, width = page.grey.shape
    what = f"form {form.name}: {_fields(form.fields)}; example {form.example.name}, {width} × {height} pixels"
    if len(passing) > 1:
        return note(f"{what}; it also passes as {passing[1].name}: of two forms the likelier one is taken")
    return ok(what)


def _fields(fields: tuple[Field, ...]) -> str:
    """Return the number of fields, their names, and how many expect something."""
    names = ", ".join(field.name for field in fields[:NAMED]) + (", …" if len(fields) > NAMED else "")
    free = sum(
        field.digits is None and field.pattern is None and field.known is None and field.maximum is None
        for field in fields
    )
    checked = f", {free} without digits, pattern, list or limits" if free else ""
    return f"{len(fields)} {'field' if len(fields) == 1 else 'fields'} ({names}){checked}"
