"""Whatever lies in the place of a model file: ModelError comes out, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from colour_graph import plain, write_colour_graph
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper

from monitor import Evidence, replay
from monitor.cli import main
from monitor.contract import KEY_PREFIX, LARGEST_SIDE_PX, SCORE_FLOOR, Contract, ResizeRule
from monitor.detector import Detector
from monitor.errors import ModelError, NoEvidence
from monitor.face_size import smallest_face_px

FLOAT = TensorProto.FLOAT
GOOD = Contract(("mask", "noMask"), ResizeRule(512, 512))
KEYS = ("spec", "classes", "resize", "thresholds", "producer", "training", "metrics")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file in which nothing is wrong."""
    return write_colour_graph(tmp_path_factory.mktemp("fuzz") / "colours.onnx")


@pytest.fixture
def changed(model: Path, tmp_path: Path) -> Callable[..., Path]:
    """Writes the model as a function has changed it."""

    def write(change: Callable[[ModelProto], object], name: str = "changed.onnx") -> Path:
        proto = onnx.load(model)
        change(proto)
        (tmp_path / name).write_bytes(proto.SerializeToString())
        return tmp_path / name

    return write


def answer(proto: ModelProto, name: str, value: object, dtype: type = np.float32) -> None:
    """Let an output be a constant in place of what is computed."""
    for node in proto.graph.node:
        for index, output in enumerate(node.output):
            if output == name:
                node.output[index] = f"former_{name}"
    tensor = onnx.numpy_helper.from_array(np.array(value, dtype))
    proto.graph.node.append(helper.make_node("Constant", [], [name], value=tensor))
    output = next(output for output in proto.graph.output if output.name == name)
    output.CopyFrom(helper.make_tensor_value_info(name, tensor.data_type, None))


def say(proto: ModelProto, key: str, value: str) -> None:
    """Let the metadata say something else."""
    for entry in proto.metadata_props:
        if entry.key == KEY_PREFIX + key:
            entry.value = value


def rename(proto: ModelProto, before: str, after: str) -> None:
    for value in (*proto.graph.input, *proto.graph.output):
        if value.name == before:
            value.name = after
    for node in proto.graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                names[index] = after if name == before else name


def test_the_model_that_is_changed_here_is_taken_as_it_is(model: Path) -> None:
    assert Detector(model, device="cpu")(plain(255, 0)).best_scores == [1.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no maskgate metadata|can be loaded"),  # nothing
        (b"\n", "can be loaded"),  # a tag without a value
        (b"model: path: maskgate.onnx\n", "can be loaded"),  # the configuration
        (b"<!DOCTYPE html><title>404</title>", "can be loaded"),  # of a download that failed
        (b"version https://git-lfs.github.com/spec/v1\n", "can be loaded"),  # not checked out
        (b"PK\x03\x04" + bytes(500), "can be loaded"),  # a torch checkpoint
        (b"\x20\0\0\0ORTM" + bytes(500), "can be loaded"),  # onnxruntime's own format
        (b"\x3a" * 5000, "can be loaded"),  # a graph in a graph in a graph
    ],
)
def test_what_is_no_onnx_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as refusal:
        Detector(path, device="cpu")
    assert "broken.onnx" in str(refusal.value)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.onnx"
    with huge.open("wb") as file:
        file.truncate(2**31)
    for path, message in (
        (tmp_path, "no such model file"),  # a folder
        (tmp_path / "nothing.onnx", "no such model file"),
        (tmp_path / ("x" * 300), "no such model file|cannot read"),  # longer than a name may be
        (huge, "less than 2 GiB"),  # more than ONNX can hold; nothing of it is read
    ):
        with pytest.raises(ModelError, match=message):
            Detector(path, device="cpu")


def external(tensor: TensorProto, location: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


@pytest.mark.parametrize(
    "location",
    [
        "../../etc/passwd",  # above the model
        "/etc/passwd",  # anywhere
        "beside.bin",  # relative to the model, or to wherever the program was started
        "./beside.bin",
        "*/_ORT_MEM_ADDR_/*",  # to onnxruntime, an address in memory
        "",
        "a\0b",
    ],
)
def test_a_file_that_names_another_is_refused_before_it_is_looked_for(
    changed: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    location: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("beside.bin").write_bytes(bytes(64))
    path = changed(lambda proto: external(proto.graph.initializer[0], location))
    monkeypatch.setattr("onnxruntime.InferenceSession", None)
    with pytest.raises(ModelError, match="tensor 'rows_columns' lies in another file"):
        Detector(path, device="cpu")


def tensors(proto: ModelProto) -> list[TensorProto]:
    """One tensor in each place where a file may hold one."""
    graph, node = proto.graph, proto.graph.node[0]
    function = proto.functions.add()
    branch = node.attribute.add(type=onnx.AttributeProto.GRAPH)
    branches = node.attribute.add(type=onnx.AttributeProto.GRAPHS).graphs.add()
    return [
        graph.initializer.add(),
        graph.sparse_initializer.add().values,
        graph.sparse_initializer.add().indices,
        node.attribute.add().t,
        node.attribute.add().tensors.add(),
        node.attribute.add().sparse_tensor.values,
        node.attribute.add().sparse_tensors.add().indices,
        branch.g.initializer.add(),
        branches.node.add().attribute.add().g.node.add().attribute.add().t,
        function.node.add().attribute.add().t,
        function.attribute_proto.add().t,
        proto.training_info.add().initialization.initializer.add(),
        proto.training_info.add().algorithm.initializer.add(),
    ]


@pytest.mark.parametrize("place", range(13))
@pytest.mark.parametrize("half", ["the flag", "the name"])
def test_no_place_in_a_file_hides_a_tensor(
    changed: Callable[..., Path], place: int, half: str
) -> None:
    def change(proto: ModelProto) -> None:
        tensor = tensors(proto)[place]
        if half == "the flag":
            tensor.data_location = TensorProto.EXTERNAL
        else:
            tensor.external_data.add(key="location", value="/etc/passwd")

    with pytest.raises(ModelError, match="lies in another file"):
        Detector(changed(change), device="cpu")


def test_a_tensor_that_is_split_in_two_is_put_together_before_it_is_judged(
    model: Path, tmp_path: Path
) -> None:
    # readers merge what is given twice: the second half makes the first one external
    second = ModelProto()
    second.graph.initializer.add().data_location = TensorProto.EXTERNAL
    path = tmp_path / "split.onnx"
    path.write_bytes(model.read_bytes() + second.SerializeToString())
    with pytest.raises(ModelError, match="lies in another file"):
        Detector(path, device="cpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: rename(p, "image", "images"), "inputs .* found, expected image"),
        (lambda p: rename(p, "boxes", "bbox"), "outputs .* found, expected boxes"),
        (lambda p: rename(p, "scores", "boxes "), "outputs .* found"),  # nearly the name
        # another input beside it
        (lambda p: p.graph.input.append(helper.make_tensor_value_info("x", FLOAT, [1])), "inputs"),
        (lambda p: p.graph.output.pop(), "outputs"),  # half of the answer
        (lambda p: answer(p, "boxes", [[[0, 0, 9, 9]]], np.float64), "outputs"),
        (lambda p: answer(p, "scores", [[[1, 0]]], np.int64), "outputs"),
        (lambda p: answer(p, "boxes", [[0, 0, 9, 9]] * 2), "of shapes"),  # no batch
        (lambda p: answer(p, "boxes", [[[0, 0, 9]] * 2]), "of shapes"),  # three corners
        (lambda p: answer(p, "boxes", 1.0), "of shapes"),  # a number
        (lambda p: answer(p, "scores", [[[1, 0, 0]] * 2]), "of shapes"),  # one class too many
        (lambda p: answer(p, "scores", [[[1]] * 2]), "of shapes"),  # one too few: says mask only
        (lambda p: answer(p, "scores", [[[1, 0]] * 3]), "of shapes"),  # rows without a box
        (lambda p: answer(p, "scores", np.zeros((2, 2, 2))), "of shapes"),  # for two frames
        (lambda p: answer(p, "boxes", [[[0, 0, np.nan, 9]] * 2]), "cannot be"),
        (lambda p: answer(p, "scores", [[[np.inf, 0]] * 2]), "cannot be"),
        (lambda p: answer(p, "scores", [[[7, 0]] * 2]), "cannot be"),  # no score
        (lambda p: p.graph.ClearField("node"), "can be loaded"),  # no network
        (lambda p: p.graph.node[0].input.append("gone"), "can be loaded"),
        (lambda p: setattr(p.opset_import[0], "version", 10_000), "can be loaded"),
        (lambda p: setattr(p.graph.node[0], "op_type", "Mask"), "can be loaded"),
    ],
)
def test_another_network_is_refused(
    changed: Callable[..., Path], change: Callable[[ModelProto], object], message: str
) -> None:
    with pytest.raises(ModelError, match=message) as refusal:
        Detector(changed(change), device="cpu")
    assert "changed.onnx" in str(refusal.value)


def test_more_rows_than_fit_into_memory_are_refused_without_being_made(
    changed: Callable[..., Path],
) -> None:
    def declared(proto: ModelProto) -> None:
        huge = onnx.numpy_helper.from_array(np.array([1, 10**12, 2]))
        nodes = proto.graph.node
        (number,) = (n for n, node in enumerate(nodes) if list(node.output) == ["scores"])
        nodes[number].CopyFrom(helper.make_node("Constant", [], ["many"], value=huge))
        nodes.insert(number + 1, helper.make_node("ConstantOfShape", ["many"], ["scores"]))
        proto.graph.output[1].CopyFrom(
            helper.make_tensor_value_info("scores", FLOAT, [1, 10**12, 2])
        )

    with pytest.raises(ModelError, match="K at most 10000"):
        Detector(changed(declared), device="cpu")


def test_more_rows_than_were_declared_are_refused(changed: Callable[..., Path]) -> None:
    def change(proto: ModelProto) -> None:
        answer(proto, "boxes", np.zeros((1, 10_001, 4)))
        answer(proto, "scores", np.zeros((1, 10_001, 2)))

    with pytest.raises(ModelError, match="K at most 10000"):
        Detector(changed(change), device="cpu")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spec", "one"),
        ("spec", ""),
        ("classes", '"mask"'),  # a text is no list
        ("classes", '["mask", 7]'),
        ("classes", '["mask", ""]'),
        ("classes", '["mask", "\\ud800"]'),  # cannot be printed
        ("classes", '["mask", "\\u001b[2J"]'),  # clears the screen
        ("classes", json.dumps([f"class {i}" for i in range(1000)])),  # the scores have two columns
        ("classes", "[" * 100_000),
        ("thresholds", '{"grant": 1e999, "deny": 0.1}'),
        ("thresholds", f'{{"grant": {"9" * 4000}, "deny": 0.1}}'),
        ("thresholds", '{"grant": null, "deny": 0.1}'),
        ("thresholds", "[]"),
        ("resize", '{"rule": "sides", "min_side_px": 1e999, "max_side_px": 9, "multiple_px": 1}'),
        ("resize", '{"rule": "long-side", "long_side_px": 1e999, "multiple_px": 1}'),
        # a network's picture that does not fit into memory
        ("resize", '{"rule": "long-side", "long_side_px": 1000000, "multiple_px": 32}'),
        (
            "resize",
            '{"rule": "sides", "min_side_px": null, "max_side_px": null, "multiple_px": 99999}',
        ),
        ("training", "7"),
        ("metrics", "null"),
    ],
)
def test_absurd_metadata_is_refused(changed: Callable[..., Path], key: str, value: str) -> None:
    with pytest.raises(ModelError, match=r"changed\.onnx"):
        Detector(changed(lambda proto: say(proto, key, value)), device="cpu")


def test_metadata_that_is_no_text_is_refused(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "latin.onnx"
    path.write_bytes(model.read_bytes().replace(b'"noMask"', b'"noM\xe4sk'[:8]))
    with pytest.raises(ModelError, match=r"latin\.onnx"):
        Detector(path, device="cpu")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("boxes", [[[0, 0, np.nan, 9]]]),
        ("boxes", [[[-np.inf, 0, 9, 9]]]),
        ("boxes", [[[0, 0, 3e38, 9]]]),  # finite, but not when scaled to the frame
        ("boxes", [[[9, 0, 0, 9]]]),  # its right side left of its left one
        ("boxes", [[[0, 9, 9, 0]]]),
        ("scores", [[[np.nan, 0.9]]]),
        ("scores", [[[0.9, np.nan]]]),  # the column that would have kept the door shut
        ("scores", [[[0.9, -1.0]]]),
    ],
)
def test_an_answer_that_cannot_be_is_no_evidence_about_its_frame(
    model: Path, name: str, value: object
) -> None:
    detector = Detector(model, device="cpu")
    image = plain(255, 0)
    outputs = dict(zip(("boxes", "scores"), detector.infer(image), strict=True))
    outputs[name] = np.array(value, np.float32)[0]
    with pytest.raises(NoEvidence, match="cannot be"):
        detector.detections((outputs["boxes"], outputs["scores"]), image, image)


def test_a_row_that_cannot_be_is_not_dropped_beside_one_that_can(model: Path) -> None:
    # nobody knows that it was not to be a bare face
    detector, image = Detector(model, device="cpu"), plain(255, 0)
    boxes, scores = detector.infer(image)
    boxes = np.concatenate([boxes, boxes])
    scores = np.concatenate([scores, np.full_like(scores, np.nan)])
    with pytest.raises(NoEvidence):
        detector.detections((boxes, scores), image, image)


def test_rows_of_zeros_that_fill_up_an_answer_can_be(model: Path) -> None:
    detector, image = Detector(model, device="cpu"), plain(255, 0)
    boxes, scores = (np.concatenate([part, part * 0]) for part in detector.infer(image))
    assert len(detector.detections((boxes, scores), image, image)) == 1


def test_a_network_that_goes_astray_on_one_frame_is_no_evidence_about_it(
    changed: Callable[..., Path], tmp_path: Path
) -> None:
    def change(proto: ModelProto) -> None:
        # NaN where a score exceeds 0.9: the root of less than nothing
        nodes = proto.graph.node
        for node in nodes:
            if node.output[0] == "scores":
                node.output[0] = "former"
        most = onnx.numpy_helper.from_array(np.array(0.9, np.float32))
        nodes.append(helper.make_node("Constant", [], ["most"], value=most))
        nodes.append(helper.make_node("Sub", ["most", "former"], ["left"]))
        nodes.append(helper.make_node("Sqrt", ["left"], ["root"]))
        nodes.append(helper.make_node("Sub", ["root", "root"], ["nothing"]))
        nodes.append(helper.make_node("Add", ["former", "nothing"], ["scores"]))

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index, blue in enumerate([200, 200, 255, 200]):
        cv2.imwrite(str(pictures / f"{index}.png"), plain(blue, 0))
    detector = Detector(changed(change), device="cpu")
    decisions = [result.decision for result in replay(pictures, detector=detector)]
    clear, unknown = Evidence.CLEAR, Evidence.UNKNOWN
    assert [decision.evidence for decision in decisions] == [clear, clear, unknown, clear]
    assert "changed.onnx: boxes or scores that cannot be" in decisions[2].reason


def test_a_score_that_rounding_has_put_above_one_is_a_score(model: Path) -> None:
    detector, image = Detector(model, device="cpu"), plain(255, 0)
    boxes, scores = detector.infer(image)
    assert len(detector.detections((boxes, scores * np.float32(1.000001)), image, image)) == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=4),
    st.floats(0, 1),
)
def test_flipped_bits_and_a_cut_end_give_a_model_or_a_model_error(
    model: Path, tmp_path: Path, flips: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray(model.read_bytes())
    for place, bit in flips:
        content[int(place * len(content))] ^= 1 << bit
    path = tmp_path / "flipped.onnx"
    path.write_bytes(content[: round(kept * len(content))])
    try:
        found = Detector(path, device="cpu")(plain(100, 200))
    except ModelError:
        return
    assert len(found.classes) == found.scores.shape[1]


numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -1, 0, 32, 64]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=4), st.just("sides")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.fixed_dictionaries({"grant": inner, "deny": inner}),
        st.fixed_dictionaries(
            {"rule": inner, "min_side_px": inner, "max_side_px": inner, "multiple_px": inner}
        ),
        st.fixed_dictionaries({"anchor_sizes": inner}),
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(KEYS), st.one_of(values.map(json.dumps), st.text())))
def test_any_metadata_gives_a_contract_that_can_be_used_or_a_model_error(
    said: dict[str, str],
) -> None:
    props = GOOD.to_metadata() | {KEY_PREFIX + key: value for key, value in said.items()}
    try:
        contract = Contract.from_metadata(props, "x.onnx")
    except ModelError:
        return
    assert SCORE_FLOOR <= contract.deny <= contract.grant <= 1
    width_px, height_px = contract.resize.size(640, 360)
    assert width_px * height_px <= LARGEST_SIDE_PX**2
    smallest_face_px(contract, width_px=640, height_px=360, ignored_below_px=20.0)


@pytest.mark.parametrize("command", ["check", "replay"])
def test_a_command_ends_with_two_and_one_line(
    changed: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    path = changed(lambda proto: external(proto.graph.initializer[0], "../../etc/passwd"))
    config = tmp_path / "config.yaml"
    config.write_text(f"model: {{path: {path}, device: cpu}}\n")
    arguments = {"check": ["check"], "replay": ["replay", "demo"]}[command]
    assert main([*arguments, "--config", str(config)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("monitor: error: changed.onnx: tensor 'rows_columns' lies in another")
