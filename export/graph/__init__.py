"""The graph: a trained network as the one ONNX file that the monitor runs."""
