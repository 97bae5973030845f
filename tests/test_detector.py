"""The detector: real ONNX files, made by the exporter from a small network with random weights."""

import hashlib
import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from monitor.contract import SCORE_FLOOR, Contract, ResizeRule
from monitor.detector import SHIPPED_MODELS, Detector
from monitor.errors import ModelError
from monitor.frame import Image
from monitor.provider import CPU, Device, Environment, obstacle
from monitor.scene import demo, training_picture

FRAME_SIZES = [(320, 240), (640, 480), (1280, 720), (1920, 1080), (360, 640)]


def drawn(width_px: int, height_px: int, seed: int = 3) -> Image:
    return training_picture(np.random.default_rng(seed), width_px, height_px)[0]


@pytest.mark.parametrize("size_px", FRAME_SIZES)
def test_boxes_lie_inside_the_frame_and_scores_fall(
    small_model: Path, size_px: tuple[int, int]
) -> None:
    found = Detector(small_model, device="cpu")(drawn(*size_px))
    assert len(found) > 0
    assert (found.boxes >= 0).all()
    assert (found.boxes <= np.array([*size_px, *size_px])).all()
    assert (np.diff(found.best_scores) <= 0).all()
    assert (found.best_scores >= SCORE_FLOOR).all()


@pytest.mark.parametrize("size_px", FRAME_SIZES)
def test_resizing_on_the_host_finds_what_resizing_in_the_graph_finds(
    size_px: tuple[int, int],
) -> None:
    # the shipped model, because the scores of random weights are all but equal: their order is luck
    on_host = Detector(device="cpu")
    in_graph = Detector(device="cpu", resize_on_host=False)
    for index in (60, 150, 250):
        image = np.asarray(demo().image(index))
        image = np.ascontiguousarray(image[: size_px[1], : size_px[0]])
        first, second = on_host(image), in_graph(image)
        sure = [faces.where(faces.best_scores >= 0.3) for faces in (first, second)]
        assert len(sure[0]) == len(sure[1])
        # OpenCV rounds each resized pixel to a whole number, the graph does not
        assert np.allclose(sure[0].scores, sure[1].scores, atol=0.03)
        # a step of a box in int8 is 1.2 % of its anchor's side
        sides_px = sure[0].sides_px[:, None]
        assert (np.abs(sure[0].boxes - sure[1].boxes) <= 1.5 + 0.03 * sides_px).all()


def test_the_same_frame_gives_the_same_detections(small_model: Path) -> None:
    detector = Detector(small_model, device="cpu")
    image = drawn(500, 300)
    first, second = detector(image), detector(image)
    assert (first.boxes == second.boxes).all()
    assert (first.scores == second.scores).all()


def test_the_file_says_what_the_detector_needs(small_model: Path) -> None:
    detector = Detector(small_model, device="cpu")
    assert detector.classes == ("mask", "noMask")
    assert detector.provider == CPU
    assert not detector.bound
    assert not detector.graph
    assert len(detector.sha256) == 64


@pytest.mark.parametrize("name", SHIPPED_MODELS)
def test_a_shipped_model_is_small_and_names_its_training(name: str) -> None:
    detector = Detector(Path(name), device="cpu")
    assert detector.path == SHIPPED_MODELS[name]
    assert detector.path.stat().st_size <= 8e6
    assert detector.contract.classes == ("mask", "noMask")
    assert detector.contract.training["merge"] == ["incorrectMask=noMask"]
    assert detector.path.with_suffix(".md").is_file()


def test_without_a_name_the_usual_model_is_taken(small_model: Path) -> None:
    assert Detector(device="cpu").path == SHIPPED_MODELS["edge"]
    assert Detector(small_model, device="cpu").path == small_model


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_asking_for_a_gpu_without_one_refuses_to_start(small_model: Path, device: Device) -> None:
    if obstacle("cuda", Environment.here()) is None:
        pytest.skip("there is a GPU here")
    with pytest.raises(ModelError, match=f"device {device} does not start"):
        Detector(small_model, device=device)


def test_auto_says_why_it_runs_on_the_cpu(
    small_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reason = obstacle("cuda", Environment.here())
    if reason is None:
        pytest.skip("there is a GPU here")
    with caplog.at_level("INFO"):
        assert Detector(small_model).provider == CPU
    assert f"not cuda: {reason}" in caplog.text


@pytest.mark.parametrize("device", ["cuda", "tensorrt", "auto"])
def test_a_gpu_that_fails_only_when_it_starts_is_no_reason_to_go_on_unsaid(
    small_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    device: Device,
) -> None:
    if obstacle("cuda", Environment.here()) is None:
        pytest.skip("there is a GPU here")
    monkeypatch.setattr("monitor.provider.obstacle", lambda *_: None)
    if device != "auto":
        with pytest.raises(ModelError, match=f"device {device} does not start"):
            Detector(small_model, device=device)
        return
    with caplog.at_level("INFO"):
        detector = Detector(small_model)
    assert len(caplog.messages) == 2
    for better, message in zip(("tensorrt", "cuda"), caplog.messages, strict=True):
        assert message.startswith(f"device auto: not {better}: small.onnx: the model failed")
    assert (detector.provider, detector.bound, detector.graph) == (CPU, False, False)
    assert len(detector(drawn(320, 240))) > 0


@pytest.mark.parametrize(
    ("best", "cut_off"),
    [
        ([0.9, 0.6, 0.4], 0.4),  # every row is taken: there may be more
        ([0.9, 0.6, 0.04], 0.0),  # the last one is not worth a row
        ([0.9, 0.0, 0.0], 0.0),  # room for two more
        ([], 0.0),  # a model without rows
    ],
)
def test_detections_say_from_which_score_on_some_may_be_missing(
    small_model: Path, best: list[float], cut_off: float
) -> None:
    image = drawn(64, 64)
    boxes = np.tile(np.array([[0, 0, 9, 9]], np.float32), (len(best), 1))
    scores = np.zeros((len(best), 2), np.float32)
    scores[:, 1] = best
    found = Detector(small_model, device="cpu").detections((boxes, scores), image, image)
    assert found.cut_off == pytest.approx(cut_off)
    assert found.where(found.best_scores > 1).cut_off == pytest.approx(cut_off)


def with_metadata(source: Path, path: Path, props: dict[str, str]) -> Path:
    model = onnx.load(source)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, props)
    onnx.save(model, path)
    return path


def test_a_file_without_metadata_is_refused_by_name(small_model: Path, tmp_path: Path) -> None:
    path = with_metadata(small_model, tmp_path / "stranger.onnx", {})
    with pytest.raises(ModelError, match=r"stranger.onnx: no maskgate metadata"):
        Detector(path, device="cpu")


@pytest.mark.parametrize(
    "content",
    [
        b"",  # an empty file
        b"\x08\x07",  # the beginning of a model
        os.urandom(4096),  # noise
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken.onnx"):
        Detector(path, device="cpu")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing.onnx: no such model file"):
        Detector(tmp_path / "nothing.onnx")


def test_a_graph_of_another_shape_is_refused(tmp_path: Path) -> None:
    tensor = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "other",
        [tensor],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])],
    )
    opset = [onnx.helper.make_opsetid("", 20)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)
    onnx.helper.set_model_props(model, Contract(("mask",), ResizeRule(64, 64)).to_metadata())
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ModelError, match="expected image, uint8"):
        Detector(tmp_path / "other.onnx", device="cpu")


def test_a_file_of_another_hash_is_refused(small_model: Path, tmp_path: Path) -> None:
    pinned = hashlib.sha256(small_model.read_bytes()).hexdigest()
    assert Detector(small_model, device="cpu", sha256=pinned).sha256 == pinned
    other = tmp_path / "other.onnx"
    other.write_bytes(small_model.read_bytes() + b"!")
    with pytest.raises(ModelError, match=f"other.onnx: sha256 .* found, expected {pinned}"):
        Detector(other, device="cpu", sha256=pinned)
