"""Names of files and folders that are no scans."""

import pytest

from digitwatch.spool.ignored_names import IGNORED, IgnoredNames


@pytest.mark.parametrize(
    "name",
    [
        *(
            ".a.png",
            "~a.png",
            "~$form.docx",
            "a.png~",
            "a.png.part",
            "A.TMP",
            "a.jpg.crdownload",
            ".part",
            "a.jpg.aria2",
        ),
        *("@eaDir", "a.jpg@SynoEAStream", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", ".snapshot"),
        *("$RECYCLE.BIN", "$Recycle.Bin", "System Volume Information", "Thumbs.db", "thumbs.DB", "desktop.ini"),
        *("a.jpg:Zone.Identifier", "a.jpg\uf03aZone.Identifier", "__MACOSX", "Icon\r", ".DS_Store", "._a.jpg"),
        *("lost+found", ".Trash-1000", ".stfolder", ".stversions"),
    ],
)
def test_names_of_systems_and_of_unfinished_files_are_ignored(name: str) -> None:
    """In any case of letters."""
    assert name in IGNORED


@pytest.mark.parametrize(
    "name",
    ["a.png", "part", "tmp", "a.part.png", "a~b.png", "a.partly", "@1.png", "#1.png", "$5.jpg", "recycle.png", "Icon"],
)
def test_scans_may_resemble_them(name: str) -> None:
    """A whole name is compared, not a part of it."""
    assert name not in IGNORED


def test_the_list_can_be_extended() -> None:
    """By the patterns of config.yaml; what is ignored anyway stays so."""
    ignored = IgnoredNames(["*.BAK", "preview*", "?.gif", "*copy*", "[xy]z", "old", "b?"])

    names = ("a.bak", "Preview of a.png", ".a.png", "a.gif", "a copy.png", "yz", "Old", "b2")
    assert [name for name in names if name not in ignored] == []
    assert [name for name in ("a.png", "aa.gif", "zz", "older", "b22") if name in ignored] == []
