from models.keys import Key, Scope, change
from models.store import Store


def add(store: Store, name: str, scope: Scope = Scope.PREDICT, rate: float | None = None) -> str:
    """Add a key to a store, as `polysent keys add` does; return it."""
    entry, key = Key.new(name, scope, rate)
    change(store.keys, lambda keys: keys.with_(entry))
    return key
