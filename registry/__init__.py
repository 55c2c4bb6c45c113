"""The path of a model: inspect, export, gate, register, promote, sync.

Imports `models` and nothing else of ours. torch and transformers are imported in export/
and gate/reference.py only, MLflow in mlflow/ only, and each inside the functions that need it.
"""
