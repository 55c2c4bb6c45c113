"""The token of the control plane: as set, else a random one that only this user can read."""

import logging
import secrets

from models.secret import kept
from models.settings import Settings
from models.store import Store

_LOG = logging.getLogger(__name__)


def admin_token(settings: Settings, store: Store) -> str:
    """Return the token; a random one is kept in the store, so that its replicas share it.

    Where it can't be kept, nobody knows it, and the control plane is closed.
    """
    if set_ := settings.admin_token.get_secret_value():
        return set_
    try:
        return kept(store.token)
    except OSError as error:
        _LOG.warning("pin and evict need POLYSENT_ADMIN_TOKEN: no token can be kept: %s", error)
        return secrets.token_urlsafe()
