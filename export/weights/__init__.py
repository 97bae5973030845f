"""Weights: what a network starts with, and how those of one shape become those of another."""
