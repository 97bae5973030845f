"""The commands, a file each: they put the parts together as the configuration says, and run."""
