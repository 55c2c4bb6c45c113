"""The image that BentoML makes of the service; deploy/container makes it smaller."""

import bentoml

COMMAND = (
    "printf '#!/bin/sh\\nPYTHONPATH=%s/src exec python -P -m cli \"$@\"\\n' $BENTO_PATH"
    " > /usr/local/bin/polysent && chmod 755 /usr/local/bin/polysent"
)
"""Puts `polysent` into the image, where the project is not installed but copied."""

image = bentoml.images.Image(
    base_image="python:3.11-slim-bookworm",
    distro="custom",  # those that BentoML knows add a compiler and git: 600 MB
    python_version="3.11",
    lock_python_packages=False,
).run(COMMAND)
