"""Errors that end a command with one clear line and a documented exit code."""

from __future__ import annotations


class MaskgateError(Exception):
    """Anything a user can cause and mend; its text says what, where, found and expected.

    `exit_code` is what the command line returns: 1 for a failure at run time.
    """

    exit_code = 1


class UsageError(MaskgateError):
    """The command line was used wrongly."""

    exit_code = 2


class ConfigError(MaskgateError):
    """The configuration, or another file that steers a run, is wrong."""

    exit_code = 2


class ModelError(MaskgateError):
    """The model file is missing, damaged, or not one this runtime understands."""

    exit_code = 2


class ForeignModel(ModelError):
    """The model file is one of another program."""


class NoEvidence(ModelError):
    """The model gave nothing for one frame that could be believed; it may for the next."""


class SourceError(MaskgateError):
    """A camera, clip or folder could not be opened or decoded."""


class ActuatorError(MaskgateError):
    """A lock, command or other device did not do what it was told."""
