"""maskgate's runtime: video in, a decision about a door out. Never imports torch."""

__version__ = "0.1.0"
