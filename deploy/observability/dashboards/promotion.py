"""What arrives from the registry: versions, challengers, the sync."""

from deploy.observability.dashboards.board import CHOSEN, REPLICA, Board, Row, panel, rate, ratio

VERSIONS = Row(
    "Versions",
    (
        panel(
            "Texts by version",
            "A promotion is a line that gives way to another; a canary is two beside each other.",
            "reqps",
            (rate("polysent_answers_total", "language, version"), "{{language}} {{version}}"),
        ),
        panel(
            "Versions that took over",
            "gap: texts waited for a load, for both did not fit. failed: the log says why.",
            "ops",
            (rate("polysent_swaps_total", "outcome"), "{{outcome}}"),
        ),
        panel(
            "Languages that wait for a version",
            "For more than a minute: polysent models explain LANGUAGE.",
            "none",
            (f"sum by (language) (polysent_swaps_waiting{{{CHOSEN}}})", "{{language}}"),
        ),
        panel(
            "Challengers in the shadow",
            "dropped: no cores to spare, the rest is a sample. failed: do not promote.",
            "ops",
            (rate("polysent_shadow_total", "outcome"), "{{outcome}}"),
        ),
        panel(
            "Mean difference of their scores",
            "Of the champion's and the challenger's, on the same texts.",
            "none",
            (
                ratio(
                    rate("polysent_shadow_difference_sum", "language"),
                    rate("polysent_shadow_difference_count", "language"),
                ),
                "{{language}}",
            ),
        ),
    ),
)
SYNC = Row(
    "Sync",
    (
        panel(
            "Since the last good look at MLflow",
            "Grows: MLflow is away, or the sync is. What is served goes on.",
            "s",
            (f"polysent_sync_age_seconds{{{REPLICA}}}", "{{instance}}"),
        ),
        panel(
            "Looks by outcome",
            "registry_unavailable: MLflow does not answer.",
            "ops",
            (rate("polysent_sync_looks_total", "outcome", REPLICA), "{{outcome}}"),
        ),
        panel(
            "Routes moved",
            "Each is a line of polysent registry history.",
            "ops",
            (rate("polysent_alias_moves_total", "language, alias"), "{{language}} {{alias}}"),
        ),
        panel(
            "Versions that could not be brought",
            "serving.error on the version in MLflow says why.",
            "ops",
            (rate("polysent_sync_failures_total", "language, reason"), "{{language}} {{reason}}"),
        ),
        panel(
            "Bytes that arrived",
            "Before a promotion, not with it: what passed the gate is fetched at once.",
            "Bps",
            (rate("polysent_sync_received_bytes_total", "instance", REPLICA), "{{instance}}"),
        ),
        panel(
            "Starts of an embedded sync",
            "POLYSENT_SYNC=embedded: it had ended. The service's log has its last words.",
            "ops",
            (rate("polysent_sync_restarts_total", "instance", REPLICA), "{{instance}}"),
        ),
    ),
)
REPLICAS = Row(
    "Replicas",
    (
        panel(
            "Ready",
            "0: no champion in the store, or a pinned model does not open.",
            "none",
            (f"polysent_ready{{{REPLICA}}}", "{{instance}}"),
        ),
        panel(
            "Answering",
            "Whether Prometheus can read its metrics.",
            "none",
            (f"""up{{job=~"polysent|polysent-sync", {REPLICA}}}""", "{{job}} {{instance}}"),
        ),
    ),
)
BOARD = Board("promotion", "Polysent: promotion", (VERSIONS, SYNC, REPLICAS))
