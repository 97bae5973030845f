"""`python -m export`: the command line of the training side."""

from __future__ import annotations

import argparse
import importlib
import io
import sys
from collections.abc import Sequence

from monitor.errors import MaskgateError
from monitor.output import end_refused

# command: (module, purpose)
COMMANDS = {
    "convert": ("convert", "turn labels of one form into another"),
    "lint": ("lint", "find what is wrong with a data set before it is trained on"),
    "debug": ("debug", "look at boxes, anchors and augmented views"),
    "train": ("train", "train a RetinaNet on labelled pictures"),
    "mean": ("mean", "make one snapshot of several"),
    "evaluate": ("evaluate", "measure a model on labelled pictures"),
    "predict": ("predict", "draw what a model finds onto pictures"),
    "compare": ("compare", "see what a new model would decide otherwise"),
    "onnx": ("to_onnx", "turn a snapshot into the file that the monitor runs"),
}


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Names the defaults that say something: numbers, words and paths."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or isinstance(action.default, bool | list):
            return action.help
        return super()._get_help_string(action)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 fine, 1 failed, 2 wrong usage or model."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, purpose) in COMMANDS.items():
        # each command declares its own options, when it is known to be the one
        commands.add_parser(name, help=purpose, add_help=False)
    name = parser.parse_args(arguments[:1]).command
    return run_command(name, arguments[1:], f"python -m export {name}")


def run_command(name: str, arguments: Sequence[str], prog: str) -> int:
    """Run the command of that name, called `prog` in messages; returns its exit code."""
    module_name, purpose = COMMANDS[name]
    module = importlib.import_module(f"export.{module_name}")
    parser = argparse.ArgumentParser(
        prog=prog,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # a file name that the terminal cannot show is no reason to stop
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        exit_code: int = module.run(options)
        sys.stdout.flush()
    except MaskgateError as error:
        print(f"{prog}: error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        return end_refused(error, prog)
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return 130
    return exit_code


def retinanet_train() -> int:
    """The console script `retinanet-train`."""
    return run_command("train", sys.argv[1:], "retinanet-train")


def retinanet_evaluate() -> int:
    """The console script `retinanet-evaluate`."""
    return run_command("evaluate", sys.argv[1:], "retinanet-evaluate")


def retinanet_debug() -> int:
    """The console script `retinanet-debug`."""
    return run_command("debug", sys.argv[1:], "retinanet-debug")


def retinanet_convert_model() -> int:
    """The console script `retinanet-convert-model`."""
    return run_command("onnx", sys.argv[1:], "retinanet-convert-model")


if __name__ == "__main__":
    sys.exit(main())
