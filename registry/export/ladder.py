"""The ladder: the forms that an export can have, by name."""

LADDER: tuple[str, ...] = (
    "int8-dynamic",
    "int8-rows",
    "int8-tokens",
    "int8-tokens-c32",
    "int8-tokens-d32",
    "int8-dynamic-d8",
    "fp32",
    "int8-block128",
    "int8-block32-v32",
)
"""What a gate climbs, fastest first, as measured on AVX2 without VNNI (docs/adr/0009-ladder.md)."""
RUNGS = (*LADDER, "fp16")
"""All that can be asked for; fp16 is for cards: it saves a CPU no time (docs/adr/0019-gpu.md)."""
DEFAULT = "int8-block32-v32"
"""What an export has unless a gate has chosen."""
