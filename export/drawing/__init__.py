"""Pictures of labels, detections and curves, in files and on the screen."""
