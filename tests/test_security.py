import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = re.findall(
    r"^\| [^|]+ \| [^|]+ \| [^|]+ \| (.+) \|$",
    (ROOT / "docs" / "security.md").read_text("utf-8"),
    re.MULTILINE,
)[2:]


@pytest.mark.parametrize("test", ROWS)
def test_every_line_of_the_threat_model_has_its_test(test: str) -> None:
    """By file and name; a threat that nothing tries is not met."""
    named = re.fullmatch(r"`(tests/.+\.py)::(\w+)`", test)

    assert named is not None
    assert re.search(
        rf"^(async )?def {named[2]}\(", (ROOT / named[1]).read_text("utf-8"), re.MULTILINE
    )
