"""The `polysent` command: calls registry/ and training/, talks HTTP to the running service."""
