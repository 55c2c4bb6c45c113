"""The registry seam over MLflow."""
