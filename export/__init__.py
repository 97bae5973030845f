"""maskgate's training side: labelled pictures in, one ONNX file out."""
