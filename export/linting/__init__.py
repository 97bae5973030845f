"""What can be found wrong in a data set, and what of it can be repaired."""
