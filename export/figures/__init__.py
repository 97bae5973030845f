"""What is measured of detections against labels."""
