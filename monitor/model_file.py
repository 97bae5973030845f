"""The model file before anything runs it: read once, and refused if it reaches for other files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from .errors import ModelError

_MOST_BYTES = 2**31 - 1

# Of ONNX's messages, the fields through which a tensor can be reached, and in a tensor what says
# that its values are elsewhere; each with its number and type. All are read as repeated, so that a
# field that is given twice hides nothing.
_MESSAGES = {
    "Model": {"graph": (7, "Graph"), "training": (20, "Training"), "function": (25, "Function")},
    "Training": {"initialization": (1, "Graph"), "algorithm": (2, "Graph")},
    "Function": {"node": (7, "Node"), "default": (11, "Attribute")},
    "Graph": {"node": (1, "Node"), "tensor": (5, "Tensor"), "sparse": (15, "Sparse")},
    "Node": {"attribute": (5, "Attribute")},
    "Attribute": {
        "tensor": (5, "Tensor"),
        "graph": (6, "Graph"),
        "tensors": (10, "Tensor"),
        "graphs": (11, "Graph"),
        "sparse": (22, "Sparse"),
        "sparses": (23, "Sparse"),
    },
    "Sparse": {"values": (1, "Tensor"), "indices": (2, "Tensor")},
    "Tensor": {"name": (8, "bytes"), "external": (13, "Entry"), "location": (14, "int")},
    "Entry": {"key": (1, "bytes"), "value": (2, "bytes")},
}


def read_model(path: Path) -> bytes:
    """The content of a model file, whatever it is; raises ModelError when it cannot be read."""
    try:
        if not path.is_file():
            raise ModelError(f"{path}: no such model file")
        size_bytes = path.stat().st_size
        if size_bytes > _MOST_BYTES:
            raise ModelError(f"{path}: {size_bytes} bytes found, expected less than 2 GiB")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot read the model: {error.strerror}") from None


def check_complete(content: bytes, name: str) -> None:
    """Raise ModelError unless this is ONNX that holds all of its values itself.

    A tensor may name another file that holds its values. Which files are then read differs from one
    onnxruntime to the next, and the SHA-256 of the model says nothing about them: none is taken.

    content: of the file.
    name: of the file, for messages.
    """
    model = _Model()
    try:
        model.ParseFromString(content)
    except DecodeError:
        raise ModelError(f"{name}: not a model that can be loaded: no ONNX, or damaged") from None
    for tensor in _tensors(model):
        if tensor.external or any(tensor.location):
            tensor_name = b"".join(tensor.name).decode(errors="replace")
            raise ModelError(
                f"{name}: tensor {tensor_name!a} lies in another file, expected all in this one"
            )


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor at or below a message."""
    if message.DESCRIPTOR.name == "Tensor":
        yield message
        return
    for _, parts in message.ListFields():
        for part in parts:
            yield from _tensors(part)


def _define() -> Any:
    """The class of the message at the top."""
    file = descriptor_pb2.FileDescriptorProto(name="model_file.proto", syntax="proto2")
    kinds = {
        "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
        "int": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    }
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            added = message.field.add(name=field, number=number)
            added.label = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
            if kind in kinds:
                added.type = kinds[kind]
            else:
                added.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
                added.type_name = f".{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Model"))


_Model = _define()
