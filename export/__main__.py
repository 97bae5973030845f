"""`python -m export`: the command line of the training side."""

from __future__ import annotations

import argparse
import sys

from monitor.errors import MaskgateError

from . import evaluate, to_onnx, train, training_options

COMMANDS = {
    "train": (training_options, train, "train a RetinaNet on labelled pictures"),
    "evaluate": (evaluate, evaluate, "measure a model on labelled pictures"),
    "onnx": (to_onnx, to_onnx, "turn a checkpoint into the file that the monitor runs"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 fine, 1 failed, 2 wrong usage or model."""
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (options_of, module, purpose) in COMMANDS.items():
        command = commands.add_parser(
            name, help=purpose, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        options_of.add_arguments(command)
        command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        exit_code: int = options.run(options)
    except MaskgateError as error:
        print(f"export {options.command}: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export: interrupted", file=sys.stderr)
        return 130
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
