"""May an export be served? Measured, compared, decided, certified."""
