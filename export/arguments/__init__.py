"""Arguments: options that several commands share, and those of training."""
