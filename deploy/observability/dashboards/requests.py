"""What users feel: objectives, texts, time, the engine, the cache."""

from deploy.observability.dashboards.board import (
    CHOSEN,
    REPLICA,
    Board,
    Row,
    panel,
    quantile,
    rate,
    ratio,
)

INTERACTIVE = f'{CHOSEN}, urgency="interactive"'
PADDING = rate("polysent_batch_padding_tokens_total")

OBJECTIVES = Row(
    "Objectives: each busy language by itself, the quiet ones together",
    (
        panel(
            "Failures: burn rate over an hour",
            "1 spends the budget (0.1 % of the texts) in its 30 days; at 14.4 somebody is woken.",
            "none",
            ("class:polysent_failed:ratio_rate1h / 0.001", "{{class}}"),
        ),
        panel(
            "Slowness: burn rate over an hour",
            "The budget is 1 % over 0.25 s in a busy language, over 2.5 s in the quiet ones.",
            "none",
            ("class:polysent_slow:ratio_rate1h / 0.01", "{{class}}"),
        ),
        panel(
            "Over three days",
            "The part of the texts that failed, and that was slow.",
            "percentunit",
            ("class:polysent_failed:ratio_rate3d", "{{class}}: failed"),
            ("class:polysent_slow:ratio_rate3d", "{{class}}: slow"),
        ),
        panel(
            "Languages in each class",
            "Busy is who had 10,000 texts within a day.",
            "none",
            ("sum by (class) (language:polysent_class:info)", "{{class}}"),
        ),
    ),
)
TEXTS = Row(
    "Texts",
    (
        panel(
            "Texts by outcome",
            "overloaded: too few cores. model_unavailable: the log says why.",
            "reqps",
            (rate("polysent_answers_total", "outcome"), "{{outcome}}"),
        ),
        panel(
            "Texts by language",
            "Empty: no language was chosen, the text was refused before.",
            "reqps",
            (rate("polysent_answers_total", "language"), "{{language}}"),
        ),
        panel(
            "Time of an interactive text",
            "From its arrival to its outcome; lines of POST /bulk wait by design and are left out.",
            "s",
            *(
                (quantile(share, "polysent_answer_seconds", chosen=INTERACTIVE), name)
                for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ),
        ),
        panel(
            "99th percentile by language",
            "High for one: cold (see Models) or hot (see its share of texts).",
            "s",
            (
                quantile(0.99, "polysent_answer_seconds", "language", INTERACTIVE),
                "{{language}}",
            ),
        ),
        panel(
            "Mean time by stage",
            "queue grows: too few cores. load grows: too little memory.",
            "s",
            (
                ratio(
                    rate("polysent_stage_seconds_sum", "stage"),
                    rate("polysent_stage_seconds_count", "stage"),
                ),
                "{{stage}}",
            ),
        ),
        panel(
            "Texts that wait for the engine",
            "Full at POLYSENT_QUEUE_LIMIT for each model and urgency: 429 from there on.",
            "none",
            (f"sum by (language) (polysent_waiting_texts{{{CHOSEN}}})", "{{language}}"),
        ),
    ),
)
ENGINE = Row(
    "Engine and cache",
    (
        panel(
            "Cores at work",
            "Near POLYSENT_LANES: add replicas.",
            "none",
            (rate("polysent_engine_seconds_total", "urgency"), "{{urgency}}"),
        ),
        panel(
            "Texts in an engine run",
            "1 when texts come one by one.",
            "none",
            (
                ratio(rate("polysent_batch_texts_total"), rate("polysent_batches_total")),
                "texts",
            ),
        ),
        panel(
            "Padding",
            "Part of the tokens computed for nothing; POLYSENT_BATCH_PADDING limits it.",
            "percentunit",
            (
                ratio(PADDING, f"({PADDING} + {rate('polysent_batch_tokens_total')})"),
                "padding",
            ),
        ),
        panel(
            "Why a run had no more texts",
            "drained: none waited. tokens: the run was full.",
            "ops",
            (rate("polysent_batches_total", "reason"), "{{reason}}"),
        ),
        panel(
            "Cache: part of the texts that it knew",
            "joined counts as known: the same text was being computed.",
            "percentunit",
            (
                ratio(
                    rate("polysent_cache_requests_total", chosen=f'{REPLICA}, outcome!="miss"'),
                    rate("polysent_cache_requests_total", chosen=REPLICA),
                ),
                "known",
            ),
        ),
        panel(
            "Cache: bytes",
            "At POLYSENT_CACHE with few texts known: a larger one may help.",
            "bytes",
            (f"polysent_cache_bytes{{{REPLICA}}}", "{{instance}}"),
        ),
    ),
)
BOARD = Board("requests", "Polysent: requests", (OBJECTIVES, TEXTS, ENGINE))
