"""The path of a model: inspect, export, gate, register, promote, sync.

Imports `models` and nothing else of ours. torch is imported in export.py and reference.py only,
MLflow in mlflow_source.py only, and each inside the functions that need it.
"""
