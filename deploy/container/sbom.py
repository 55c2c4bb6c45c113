"""`sbom.py VERSION`, run inside the image: Python, its packages and Debian's, as CycloneDX.

cyclonedx-bom lies in /tools, where the image's own interpreter does not look.
"""

import json
import platform
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

PYTHON = "/app/.venv/bin/python"
DEBIAN = "${Package}\t${Version}\t${Architecture}\n"


def debian(line: str) -> dict[str, str]:
    """Return the component of a line of dpkg's."""
    name, version, architecture = line.split("\t")
    purl = f"pkg:deb/debian/{name}@{version}?arch={architecture}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def interpreter() -> dict[str, Any]:
    """Return the component that is Python itself: python.org's is no package."""
    version = platform.python_version()
    purl = f"pkg:generic/python@{version}"
    return {
        "type": "platform",
        "bom-ref": purl,
        "name": "python",
        "version": version,
        "purl": purl,
        "licenses": [{"license": {"id": "Python-2.0"}}],
    }


def python() -> dict[str, Any]:
    """Return the bill of what the service's interpreter can import, licences included."""
    sys.path.append("/tools")
    run = import_module("cyclonedx_py._internal.cli").run  # found only now

    with tempfile.TemporaryDirectory() as folder:
        bill = Path(folder) / "bill.json"
        if code := run(argv=["environment", PYTHON, "-o", str(bill)]):
            sys.exit(code)
        made: dict[str, Any] = json.loads(bill.read_text("utf-8"))
        return made


def main() -> None:
    """Print the bill."""
    bill = python()
    listed = subprocess.run(  # noqa: S603  (Debian's own)
        ["/usr/bin/dpkg-query", "-W", "-f", DEBIAN], check=True, capture_output=True, text=True
    ).stdout
    bill["components"] += [interpreter(), *(debian(line) for line in listed.splitlines())]
    bill["metadata"]["component"] = {
        "type": "container",
        "bom-ref": "polysent",
        "name": "polysent",
        "version": sys.argv[1],
    }
    json.dump(bill, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
