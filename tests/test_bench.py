"""Bench: every stage is timed by itself, and two models meet the machine in turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from colours import CLASSES, picture
from onnx import TensorProto, helper

from monitor.bench.stages import WARM_UP_FRAMES, Spread, bench, compare
from monitor.cli import main
from monitor.detections import Detections
from monitor.frame import Frame, Image


class Clock:
    """Seconds that pass only when somebody works."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class SlowDetector:
    """Takes 2, 3 and 4 ms for the three parts of a call, ten times as long while it warms up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls = 0

    def shrink(self, image: Image) -> Image:
        self._calls += 1
        return self._after(2, image)

    def infer(self, image: Image) -> tuple[Any, Any]:
        return self._after(3, (image, image))

    def detections(self, outputs: tuple[Any, Any], small: Image, image: Image) -> Detections:
        return self._after(4, Detections.empty(CLASSES))

    def _after(self, milliseconds: float, result: Any) -> Any:
        self._clock.seconds += milliseconds / 1000 * (10 if self._calls <= WARM_UP_FRAMES else 1)
        return result


def frames(clock: Clock, count: int) -> Iterator[Frame]:
    for index in range(count):
        clock.seconds += 0.001
        yield Frame(picture("masked"), index, index / 10)


def small_network(path: Path, shape: list[int | str], kind: int = TensorProto.FLOAT) -> Path:
    """An ONNX file of one input that it hands on as it is."""
    node = helper.make_node("Identity", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(name, kind, shape) for name in "xy"]
    graph = helper.make_graph([node], "identity", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)
    return path


def test_the_spread_is_the_middle_and_what_nearly_all_stay_below() -> None:
    assert Spread.of([0.001 * number for number in range(101)]) == Spread(50.0, 95.0)


@pytest.mark.parametrize(
    ("there_are", "asked", "timed"),
    [
        (40, 10, 10),  # more than were asked for
        (WARM_UP_FRAMES + 3, 10, 3),  # the source ends sooner
        (WARM_UP_FRAMES + 1, 10, 1),  # a single one
    ],
)
def test_each_stage_is_timed_by_itself_after_a_warm_up(
    there_are: int, asked: int, timed: int
) -> None:
    clock = Clock()
    detector: Any = SlowDetector(clock)

    def takes(milliseconds: float) -> Callable[[Frame, Any], Any]:
        def work(frame: Frame, _: Any) -> None:
            clock.seconds += milliseconds / 1000

        return work

    found = bench(frames(clock, there_are), detector, takes(5), takes(6), asked, clock=clock)
    assert found is not None
    assert found.frames == timed
    middles = {name: spread.p50_ms for name, spread in found.stages.items()}
    expected = {"read": 1, "resize": 2, "network": 3, "detections": 4, "decide": 5, "draw": 6}
    assert middles == pytest.approx(expected)
    assert list(found.stages) == list(expected)
    assert found.frame.p95_ms == pytest.approx(21)
    assert found.frames_per_second == pytest.approx(1000 / 21)


def test_a_source_that_ends_in_the_warm_up_has_no_figures() -> None:
    clock = Clock()
    detector: Any = SlowDetector(clock)
    few = frames(clock, WARM_UP_FRAMES)
    assert bench(few, detector, lambda *_: None, lambda *_: None, 9, clock=clock) is None  # type: ignore[arg-type]


def test_two_models_are_timed_in_turn_and_compared_pair_by_pair() -> None:
    clock, turns = Clock(), []

    def model(name: str, milliseconds: float) -> Callable[[Image], None]:
        def work(image: Image) -> None:
            turns.append(name)
            # the machine slows down, and does so for both
            clock.seconds += milliseconds / 1000 * (1 + len(turns) // 2)

        return work

    ours, other = model("A", 3), model("B", 4)
    found = compare([picture("bare")], ours, other, 20, clock=clock)
    assert turns == ["A", "B"] * (WARM_UP_FRAMES + 20)
    assert found.ratio == pytest.approx(0.75, rel=0.1)
    assert found.ours.p50_ms < found.other.p50_ms


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ([1, 3, 48, 64], TensorProto.FLOAT),  # channels first, as most exporters write
        ([1, 48, 64, 3], TensorProto.FLOAT),  # channels last
        ([1, 3, 48, 64], TensorProto.FLOAT16),  # half precision
        ([1, 48, 64, 3], TensorProto.UINT8),  # bytes
    ],
)
def test_the_bench_prints_and_writes_what_it_measured(
    small_model: Path,
    clip: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    shape: list[int | str],
    kind: int,
) -> None:
    source = clip("door", [("masked", WARM_UP_FRAMES + 8)])
    other = small_network(tmp_path / "other.onnx", shape, kind)
    options = ["--model", str(small_model), "--source", str(source), "--frames", "6"]
    options += ["--against", str(other), "--json", str(tmp_path / "bench.json")]
    assert main(["bench", *options]) == 0
    printed = capsys.readouterr().out
    for words in ("whole frame", "network", "ratio", "its resize and its network alone", "MB of"):
        assert words in printed
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written["frames"] == 6
    assert written["source"] == {"name": str(source), "width_px": 64, "height_px": 48}
    assert written["model"]["file"] == "small.onnx"
    assert written["provider"] == "CPUExecutionProvider"
    assert (written["bound"], written["graph"]) == (False, False)
    assert written["threads"] >= 1
    stages = written["stages"]
    assert all(0 <= spread["p50_ms"] <= spread["p95_ms"] for spread in stages.values())
    middles = [spread["p50_ms"] for spread in stages.values()]
    assert written["frame"]["p95_ms"] >= max(middles)
    assert written["memory_mb"] > 10
    assert written["against"]["file"] == "other.onnx"
    assert written["against"]["ratio"] > 0


def test_another_model_of_this_program_is_timed_as_a_whole_call(
    small_model: Path, clip: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = clip("door", [("masked", WARM_UP_FRAMES + 2)])
    options = ["--model", str(small_model), "--source", str(source), "--frames", "2"]
    # a shipped one, by its name
    assert main(["bench", *options, "--against", "edge"]) == 0
    assert "maskgate-edge.onnx: its whole call" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        # a model that takes pictures of any size: which would be fair?
        (["--against", "any.onnx"], "any.onnx: inputs"),
        # none at all
        (["--against", "nothing.onnx"], "nothing.onnx: no such model file"),
        # pictures that do not fit into memory
        (["--against", "vast.onnx"], "vast.onnx: inputs"),
        # a network that fails on every picture
        (["--against", "failing.onnx"], "failing.onnx: the model failed on a frame"),
        # one of this program, which this version cannot read
        (["--against", "newer.onnx"], "newer.onnx: spec version '2.0' found"),
        # text
        (["--against", "text.onnx"], "text.onnx: not a model that can be loaded"),
        # a source that is none
        (["--source", "nowhere.mp4"], "nowhere.mp4: no such file or folder"),
        # a folder where a file should be
        (["--json", "."], "expected a file to write"),
    ],
)
def test_what_cannot_be_timed_is_said(
    small_model: Path,
    clip: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    small_network(tmp_path / "any.onnx", [1, 3, "h", "w"])
    small_network(tmp_path / "vast.onnx", [1, 3, 10**6, 10**6])
    small_network(tmp_path / "failing.onnx", [2, 3, 8, 8])
    (tmp_path / "text.onnx").write_text("no model")
    newer = onnx.load(small_model)
    helper.set_model_props(newer, {"maskgate.spec": "2.0"})
    onnx.save(newer, tmp_path / "newer.onnx")
    source = str(clip("door", [("masked", WARM_UP_FRAMES + 2)]))
    words = ["bench", "--model", str(small_model), "--source", source, "--frames", "2", *options]
    assert main(words) in (1, 2)
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


def test_a_clip_too_short_to_warm_up_is_said(
    small_model: Path, clip: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(clip("door", [("masked", WARM_UP_FRAMES - 2)]))
    figures = Path(source).with_name("figures.json")
    figures.write_text("older")
    words = ["bench", "--model", str(small_model), "--source", source, "--json", str(figures)]
    assert main(words) == 1
    assert "too few frames found" in capsys.readouterr().err
    assert figures.read_text() == "older"


def test_nothing_is_timed_zero_times() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "--frames", "0"])


def test_the_pictures_are_gone_through_in_a_circle() -> None:
    seen: list[int] = []
    images = [np.full((2, 2, 3), value, np.uint8) for value in (1, 2)]
    compare(images, lambda image: seen.append(int(image[0, 0, 0])), lambda image: None, 3)
    assert set(seen) == {1, 2}
