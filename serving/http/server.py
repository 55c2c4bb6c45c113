"""What BentoML's server does its own way, and has no option for."""

import logging
import os

from models.log import log_as
from models.settings import Settings
from serving.http.connection import impatient
from serving.http.edge import REPORTS_TO, OnlyOurFaults


def adapt(settings: Settings) -> None:
    """Let it log in our form and without texts, hang up on slow callers, and count by itself.

    To be called before prometheus_client is imported: it would share our metrics between
    processes, through files, although BentoML's own are off and there is one process.
    """
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    log_as(settings.log)
    logging.getLogger(REPORTS_TO).addFilter(OnlyOurFaults())
    impatient(settings.upload_seconds)
