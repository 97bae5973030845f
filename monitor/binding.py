"""Binding: a session with buffers of its own, for a GPU that must not wait for memory."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import onnxruntime as ort

from .contract import INPUT
from .detections import FloatArray
from .frame import Image
from .provider import first_line
from .session import Shape

MOST_KEPT = 8
_log = logging.getLogger("monitor.detector")


class Binding:
    """A session that reads one buffer and writes others, each allocated once.

    session: with every dimension fixed.
    shape: of every batch, [B, H, W, 3].
    memory: where the buffers are: "cuda", or "cpu" for a session on the processor.
    graph: whether the session replays a CUDA graph.

    Raises whatever onnxruntime raises. For one thread at a time.
    """

    def __init__(
        self, session: ort.InferenceSession, shape: Shape, memory: str, *, graph: bool = False
    ) -> None:
        self.graph = graph
        self._session = session
        self._bound = session.io_binding()
        self._images = ort.OrtValue.ortvalue_from_shape_and_type(shape, np.uint8, memory)
        self._bound.bind_ortvalue_input(INPUT, self._images)
        self._outputs = []
        for output in session.get_outputs():
            # a batch is as long as what it is made of, also where the file has no name for that
            buffer_shape = (shape[0], *output.shape[1:])
            if not all(isinstance(length, int) for length in buffer_shape):
                raise ValueError(f"{output.name}: {buffer_shape} found, expected a fixed length")
            buffer = ort.OrtValue.ortvalue_from_shape_and_type(buffer_shape, np.float32, memory)
            self._bound.bind_ortvalue_output(output.name, buffer)
            self._outputs.append(buffer)

    def __call__(self, images: Image) -> list[FloatArray]:
        """What the network makes of a batch, uint8 [B, H, W, 3]: its outputs, on the host."""
        self._images.update_inplace(images)
        self._session.run_with_iobinding(self._bound)
        # of a buffer on the host `numpy` gives a view, which the next run would overwrite
        return [np.array(buffer.numpy()) for buffer in self._outputs]

    @property
    def addresses(self) -> tuple[int, ...]:
        """Where the buffers lie, the input first."""
        return tuple(buffer.data_ptr() for buffer in (self._images, *self._outputs))


def bind(open_session: Callable[..., ort.InferenceSession], shape: Shape, memory: str) -> Binding:
    """A binding that has run, with a CUDA graph where that works; the log says where it does not.

    open_session: called with `graph`, whether the session is to replay one.
    shape, memory: as for `Binding`.

    Raises whatever onnxruntime raises without a graph as well.
    """
    try:
        return _warmed_up(Binding(open_session(graph=True), shape, memory, graph=True), shape)
    except Exception as error:  # the network has a node on the processor, or one that waits
        reason = first_line(error)
    binding = _warmed_up(Binding(open_session(graph=False), shape, memory), shape)
    size = f"{shape[2]} x {shape[1]} px"
    _log.warning("frames of %s run without a CUDA graph: %s", size, reason)
    return binding


class Bindings:
    """A binding for each shape that batches have had lately.

    bind: makes one.
    most: how many are kept; the one that was used least recently goes, with its memory.

    `graph` is whether the last batch was the replay of a CUDA graph.
    """

    def __init__(self, bind: Callable[[Shape], Binding], most: int = MOST_KEPT) -> None:
        self.bound = True
        self.graph = False
        self._bind = bind
        self._most = most
        self._kept: dict[Shape, Binding] = {}  # the one used last is the last

    def __call__(self, images: Image) -> list[FloatArray]:
        """What the network makes of a batch, uint8 [B, H, W, 3]: its outputs, on the host."""
        binding = self._kept.pop(images.shape, None) or self._made(images.shape)
        self._kept[images.shape] = binding
        self.graph = binding.graph
        return binding(images)

    def __len__(self) -> int:
        return len(self._kept)

    def _made(self, shape: Shape) -> Binding:
        if len(self._kept) == self._most:
            _log.warning(
                "frames of more than %d sizes: each change to one that is gone takes a new start",
                self._most,
            )
            del self._kept[next(iter(self._kept))]
        return self._bind(shape)


def _warmed_up(binding: Binding, shape: Shape) -> Binding:
    # the first run captures a graph, the second replays it
    for _ in range(2):
        binding(np.zeros(shape, np.uint8))
    return binding
