"""Grafana's dashboards: values that say what they ask, and what makes JSON of them."""
