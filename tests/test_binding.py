"""Bound sessions, on the processor: the same detections as a plain one, in the same buffers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from monitor.binding import Binding, Bindings, bind
from monitor.contract import OUTPUTS
from monitor.detections import FloatArray
from monitor.frame import Image
from monitor.provider import CPU, CUDA, TENSORRT
from monitor.scene import training_picture
from monitor.session import (
    Plain,
    Shape,
    check_placement,
    engine_folder,
    open_session,
    placement,
)

SHAPES: list[Shape] = [
    (1, 144, 256, 3),  # a camera
    (1, 192, 256, 3),  # another
    (1, 256, 160, 3),  # upright
    (2, 144, 256, 3),  # two frames at once
]


def drawn(shape: Shape, seed: int = 5) -> Image:
    pictures = np.random.default_rng(seed)
    return np.stack([training_picture(pictures, shape[2], shape[1])[0] for _ in range(shape[0])])


@pytest.fixture(scope="module")
def opened(small_model: Path) -> Callable[..., ort.InferenceSession]:
    return partial(open_session, small_model.read_bytes(), "cpu", threads=1)


@pytest.fixture
def bindings(opened: Callable[..., ort.InferenceSession]) -> Bindings:
    return Bindings(lambda shape: Binding(opened(shape=shape), shape, "cpu"), most=3)


def same(first: list[FloatArray], second: list[FloatArray]) -> bool:
    # A session of fixed shape may add up in another order.
    return all(np.allclose(one, other, atol=1e-4) for one, other in zip(first, second, strict=True))


def test_each_frame_size_gives_what_a_plain_session_gives(
    opened: Callable[..., ort.InferenceSession], bindings: Bindings
) -> None:
    plain = Plain(opened())
    for seed, shape in enumerate([*SHAPES, *SHAPES[::-1]]):
        images = drawn(shape, seed)
        assert same(list(plain(images)), bindings(images))


def test_a_file_in_half_precision_is_bound_as_any_other(half_model: Path) -> None:
    half = partial(open_session, half_model.read_bytes(), "cpu", threads=1)
    bound = Binding(half(shape=SHAPES[0]), SHAPES[0], "cpu")(drawn(SHAPES[0]))
    assert [output.dtype for output in bound] == [np.float32, np.float32]
    boxes, scores = Plain(half())(drawn(SHAPES[0]))
    assert np.allclose(bound[1], scores, atol=1e-2)
    assert np.allclose(bound[0], boxes, atol=0.5)


def test_the_buffers_stay_where_they_are_and_their_contents_are_handed_out_as_copies(
    opened: Callable[..., ort.InferenceSession],
) -> None:
    binding = Binding(opened(shape=SHAPES[0]), SHAPES[0], "cpu")
    addresses = binding.addresses
    assert len(set(addresses)) == 1 + len(OUTPUTS)
    first = binding(drawn(SHAPES[0], 1))
    kept = [np.array(output) for output in first]
    for seed in range(2, 6):
        assert not same(binding(drawn(SHAPES[0], seed)), kept)
        assert binding.addresses == addresses
    assert all((one == other).all() for one, other in zip(first, kept, strict=True))


def test_no_more_than_a_few_sizes_are_kept_and_the_one_used_last_stays(
    opened: Callable[..., ort.InferenceSession], caplog: pytest.LogCaptureFixture
) -> None:
    made: list[Shape] = []

    def made_for(shape: Shape) -> Binding:
        made.append(shape)
        return Binding(opened(shape=shape), shape, "cpu")

    bindings = Bindings(made_for, most=2)
    for number in (0, 1, 0, 1, 0):
        bindings(drawn(SHAPES[number]))
    assert made == SHAPES[:2]
    assert not caplog.messages
    bindings(drawn(SHAPES[2]))  # the second has to go
    bindings(drawn(SHAPES[0]))
    assert made == SHAPES[:3]
    assert len(bindings) == 2
    assert "more than 2 sizes" in caplog.text


def test_a_frame_of_another_size_is_refused_by_the_session_itself(
    opened: Callable[..., ort.InferenceSession],
) -> None:
    with pytest.raises(Exception, match=r"Got: 192 Expected: 144"):
        Plain(opened(shape=SHAPES[0]))(drawn(SHAPES[1]))
    with pytest.raises(Exception, match="size"):
        Binding(opened(shape=SHAPES[0]), SHAPES[0], "cpu")(drawn(SHAPES[1]))


def test_where_no_graph_can_be_captured_the_log_says_so_and_the_binding_runs_without(
    opened: Callable[..., ort.InferenceSession], caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[bool] = []

    def open_gpu(*, graph: bool) -> ort.InferenceSession:
        asked.append(graph)
        if graph:
            raise RuntimeError("the model has control flow nodes\nand a page of details")
        return opened(shape=SHAPES[0])

    with caplog.at_level(logging.INFO):
        binding = bind(open_gpu, SHAPES[0], "cpu")
    assert asked == [True, False]
    assert not binding.graph
    assert caplog.messages == [
        "frames of 256 x 144 px run without a CUDA graph: the model has control flow nodes"
    ]


def test_where_a_graph_can_be_captured_the_binding_says_that_it_replays_one(
    opened: Callable[..., ort.InferenceSession], caplog: pytest.LogCaptureFixture
) -> None:
    # On the processor there is nothing to capture: this shows what is asked for, and how often.
    asked: list[bool] = []

    def open_gpu(*, graph: bool) -> ort.InferenceSession:
        asked.append(graph)
        return opened(shape=SHAPES[0])

    bindings = Bindings(lambda shape: bind(open_gpu, shape, "cpu"))
    assert not bindings.graph
    bindings(drawn(SHAPES[0]))
    assert bindings.graph
    assert asked == [True]
    assert not caplog.messages


def test_what_fails_without_a_graph_as_well_is_an_error() -> None:
    def open_gpu(*, graph: bool) -> ort.InferenceSession:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        bind(open_gpu, SHAPES[0], "cpu")


@pytest.mark.parametrize(
    ("placed", "provider", "refused"),
    [
        ({CUDA: 308}, CUDA, False),  # all of it
        ({CUDA: 300, CPU: 8}, CUDA, False),  # shapes are computed on the processor
        ({CUDA: 8, CPU: 300}, CUDA, True),  # little of it
        ({CPU: 308}, CUDA, True),  # nothing
        ({CUDA: 308}, TENSORRT, True),  # TensorRT left it to the next
        ({TENSORRT: 200, CUDA: 108}, TENSORRT, False),  # TensorRT left some
    ],
)
def test_a_provider_that_leaves_the_network_to_another_is_refused(
    placed: dict[str, int], provider: str, refused: bool
) -> None:
    if not refused:
        check_placement(placed, provider)
        return
    with pytest.raises(RuntimeError, match=f"{provider} takes too little .* on "):
        check_placement(placed, provider)


def test_a_session_tells_where_its_nodes_run(small_model: Path) -> None:
    options = ort.SessionOptions()
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    placed = placement(ort.InferenceSession(small_model, options, providers=[CPU]))
    assert placed.keys() == {CPU}
    assert placed[CPU] > 50


def test_engines_of_another_file_or_shape_are_never_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folders = {engine_folder(sha256 * 64, shape) for sha256 in ("a", "b") for shape in SHAPES[:2]}
    assert len(folders) == 4
    assert all(folder.is_dir() and tmp_path in folder.parents for folder in folders)
    assert engine_folder("a" * 64, SHAPES[0]) in folders
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in folders)
