"""MLflow, the sync, the service and Prometheus on one machine, and what proves them."""
