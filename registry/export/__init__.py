"""A checkpoint in the forms that can be served: ONNX, on the rungs of a ladder."""
