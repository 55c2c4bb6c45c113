"""The ladder: the forms that an export can have, by name."""

RUNGS: tuple[str, ...] = (
    "int8-dynamic",
    "int8-rows",
    "int8-tokens",
    "int8-tokens-d32",
    "int8-dynamic-d8",
    "fp32",
    "int8-block128",
    "int8-block32-v32",
)
"""Fastest first, as measured on AVX2 without VNNI (docs/adr/0009-ladder.md)."""
DEFAULT = "int8-block32-v32"
"""What an export has unless a gate has chosen."""
