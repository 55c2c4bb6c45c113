from pathlib import Path

import pytest

from registry.entry import Entry, mapping, words
from registry.manifest_csv import read

HEADER = "language,source,covers,labels,texts,licence,base_model,data_digest\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two checkpoints and a file of texts."""
    for name in ("de", "mul"):
        (tmp_path / "models" / name).mkdir(parents=True)
    (tmp_path / "de.txt").write_text("gut\nschlecht\n")
    return tmp_path


def problems(folder: Path, content: str | bytes) -> list[str]:
    """Return what is wrong with a file."""
    path = folder / "fleet.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read(path)[1])


def test_a_fleet_is_read(folder: Path) -> None:
    """Paths start at the file; a hub id stays one; a spreadsheet's mark and blank lines pass."""
    (folder / "fleet.csv").write_text(
        "\ufeff" + HEADER + "DE,models/de,,LABEL_0=negative; LABEL_1=positive,de.txt,MIT,base,d1\n"
        "\n"
        'mul,models/mul,"es, PT-br",,,,,\n'
        "fr,owner/name,,,,,,\n"
    )

    entries, wrong = read(folder / "fleet.csv")

    labels = {"LABEL_0": "negative", "LABEL_1": "positive"}
    texts, known = folder / "de.txt", ("MIT", "base", "d1")
    assert wrong == ()
    assert entries == (
        Entry("de", str(folder / "models/de"), (), labels, texts, *known),
        Entry("mul", str(folder / "models/mul"), ("es", "pt-BR")),
        Entry("fr", "owner/name"),
    )


def test_columns_may_be_left_out_and_stand_anywhere(folder: Path) -> None:
    """Only two are needed."""
    (folder / "fleet.csv").write_text("source,language\nowner/name,pt-br\n")

    assert read(folder / "fleet.csv") == ((Entry("pt-BR", "owner/name"),), ())


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    """With the line that it is on, as an editor counts them."""
    rows = [
        "de,models/de,,,,,,",
        "DE,models/mul,,,,,,",
        "",
        "german!,./missing,,LABEL_0=good;x,missing.txt,,,",
        ",models/de,,,,,,",
        "fr,,xx-none,,,,,",
        "nl,owner/name",
    ]

    found = problems(folder, HEADER + "\n".join(rows))

    assert [problem.partition(": ")[0] for problem in found] == [
        *("line 3", "line 5", "line 5", "line 5", "line 5", "line 6", "line 7", "line 7", "line 8"),
    ]
    assert found[0] == "line 3: de is on line 2 already"
    assert "'german!' is not a BCP-47" in found[1]
    assert found[2].endswith("missing is no directory")
    assert "LABEL_0=good, x" in found[3]
    assert found[4].endswith("missing.txt: No such file or directory")
    assert found[5] == "line 6: language is empty"
    assert found[6] == "line 7: source is empty"
    assert found[8] == "line 8: it has 2 cells, the header 8"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("lang,source\n", "line 1: the column language is missing"),
        (
            "language,source,lables\n",
            "line 1: the column 'lables' is unknown; did you mean labels?",
        ),
        ("language,source,zz\n", "the column 'zz' is unknown; there are language, source"),
        ("language,source,source\n", "line 1: the column source is there twice"),
        ("language,source\n", "it has no rows"),
        ("", "it is empty"),
        (b"language,source\n\xff\xfe\n", "it is not UTF-8"),
        ('language,source\n"de,x', "it is no CSV"),
    ],
)
def test_a_file_that_is_no_fleet(folder: Path, content: str | bytes, problem: str) -> None:
    """What it should be is said."""
    assert problem in "\n".join(problems(folder, content))


def test_texts_are_read_before_anything_starts(folder: Path) -> None:
    """A file that is not UTF-8 would end its model an hour later."""
    (folder / "de.txt").write_bytes(b"\xff")

    (problem,) = problems(folder, "language,source,texts\nde,models/de,de.txt\n")

    assert problem.startswith("line 2: texts: 'utf-8' codec can't decode")


def test_labels_map_to_ours() -> None:
    """A name may hold the sign itself."""
    assert mapping(["a=b=neutral"]) == {"a=b": "neutral"}
    for wrong in ("LABEL_0", "=negative", "LABEL_0=good"):
        with pytest.raises(ValueError, match=f"not {wrong}$"):
            mapping(["x=positive", wrong])


def test_words_of_a_list() -> None:
    """Commas, semicolons or spaces; a cell with commas would want quotes."""
    assert words("es, pt;it  ro") == ("es", "pt", "it", "ro")
    assert words(" ") == ()
