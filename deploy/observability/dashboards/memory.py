"""What is in memory: the budget, what it holds, what it costs to open and close."""

from deploy.observability.dashboards.board import CHOSEN, REPLICA, Board, Row, panel, quantile, rate

BUDGET = Row(
    "Budget",
    (
        panel(
            "Memory granted, and the limit",
            "Full is fine as long as nothing is closed to make room.",
            "bytes",
            (f"polysent_memory_used_bytes{{{REPLICA}}}", "{{instance}}: used"),
            (f"polysent_memory_limit_bytes{{{REPLICA}}}", "{{instance}}: limit"),
        ),
        panel(
            "Open models",
            "All that are served: nobody waits for a cold start.",
            "none",
            (f"polysent_resident_models{{{REPLICA}}}", "{{instance}}"),
        ),
        panel(
            "Bytes by model",
            "As measured, private memory only: mapped weights are the page cache's.",
            "bytes",
            (
                f"sum by (language, version) (polysent_resident_bytes{{{CHOSEN}}})",
                "{{language}} {{version}}",
            ),
        ),
    ),
)
OPENING = Row(
    "Opening and closing",
    (
        panel(
            "Models opened",
            "failed: the log says why. refused: it can never fit.",
            "ops",
            (rate("polysent_loads_total", "outcome"), "{{outcome}}"),
        ),
        panel(
            "Time to open a model",
            "What the first text of a cold language waits; grows with a slow disk.",
            "s",
            (quantile(0.5, "polysent_load_seconds"), "p50"),
            (quantile(0.99, "polysent_load_seconds"), "p99"),
        ),
        panel(
            "Models closed",
            "budget: to make room. asked: by hand. retired: replaced.",
            "ops",
            (rate("polysent_evictions_total", "reason"), "{{reason}}"),
        ),
        panel(
            "Opened again within a minute of being closed",
            "Thrash: the budget is too small for what is asked.",
            "ops",
            (rate("polysent_premature_evictions_total", "language"), "{{language}}"),
        ),
        panel(
            "Tokenizers loaded",
            "Models of one base share one; more than there are different ones: too little memory.",
            "ops",
            (rate("polysent_tokenizer_loads_total", "outcome", REPLICA), "{{outcome}}"),
        ),
    ),
)
BOARD = Board("memory", "Polysent: models in memory", (BUDGET, OPENING))
