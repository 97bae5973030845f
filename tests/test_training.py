"""Training as its users run it, on drawn pictures: what it leaves behind, and what it refuses."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
import torch
from full_disk import full_disk
from training_cases import SMALL, SMALL_NETWORK, annotate, drawn_set

from export import checkpoint
from export.__main__ import main
from export.backbone import MobileNetV2
from export.engine import batch_loss
from export.loss import Target
from export.retinanet import RetinaNet, RetinaNetConfig
from export.training_log import LogError, TrainingLog


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_set(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def trained(data_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a training of two epochs leaves behind."""
    folder = tmp_path_factory.mktemp("trained")
    options = ["--snapshot-path", str(folder), "--compute-val-loss", *SMALL]
    assert main(["train", *options, "pascal", str(data_set)]) == 0
    return folder


def table_of(data_set: Path, folder: Path) -> list[str]:
    """The words of a CSV data set of three of the pictures, with classes of another name."""
    pictures = [f"{data_set}/JPEGImages/drawn{index}.jpg" for index in range(3)]
    rows = [f"{pictures[0]},10,10,50,60,bare", f"{pictures[1]},20,10,60,60,covered"]
    (folder / "data.csv").write_text("\n".join([*rows, f"{pictures[2]},,,,,"]))
    (folder / "classes.csv").write_text("covered,0\nbare,1\n")
    return ["csv", str(folder / "data.csv"), str(folder / "classes.csv")]


def test_training_leaves_snapshots_that_say_how_they_were_made(trained: Path) -> None:
    content = checkpoint.load(trained / "last.pt")
    assert content["config"]["classes"] == ("mask", "noMask")
    assert content["arguments"]["seed"] == 0
    assert content["resize"] == {"min_side_px": 128, "max_side_px": 128, "multiple_px": 32}
    assert (content["epoch"], content["progress"]["steps"]) == (2, 0)
    assert len(content["pictures"]) == 4
    best = checkpoint.load(trained / "best.pt")
    assert best["history"] == content["history"]


def test_training_tells_of_each_epoch_in_a_line_and_in_curves(trained: Path) -> None:
    first, second = map(json.loads, (trained / "history.jsonl").read_text().splitlines())
    assert [entry["epoch"] for entry in (first, second)] == [1, 2]
    for entry in (first, second):
        assert entry["class_loss"] > 0
        assert entry["box_loss"] > 0
        assert entry["skipped_steps"] == 0
        assert entry["speed"]["pictures_per_second"] > 0
        assert 0 <= entry["speed"]["waiting_share"] <= 1
    # validated every second epoch
    assert "validation" not in first
    assert second["validation"]["pictures"] == 4
    assert second["ap50"] == second["validation"]["slices"][0]["mean"]["ap50"]
    assert second["val_loss"]["class_loss"] > 0
    assert cv2.imread(str(trained / "curves.png")) is not None


def test_a_history_that_cannot_be_written_stays_that_of_the_epochs_before(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, None)
    first = {"epoch": 1, "class_loss": 1.5, "box_loss": 0.5}
    log.write([first])
    second = first | {"epoch": 2, "validation": "x" * 2_000_000}
    with full_disk(1_000_000), pytest.raises(LogError, match="cannot write the history: File too"):
        log.write([first, second])
    assert json.loads((tmp_path / "history.jsonl").read_text()) == first


def test_training_without_snapshots_writes_nothing(
    data_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--no-snapshots", "--no-evaluation", *SMALL, "--epochs", "1", "--steps", "1"]
    assert main(["train", *options, "pascal", str(data_set)]) == 0
    assert list(tmp_path.iterdir()) == []


def test_steps_say_how_long_an_epoch_is(data_set: Path, tmp_path: Path) -> None:
    # eight pictures are 2 steps of 4, and one more in a second pass over them
    options = ["--snapshot-path", str(tmp_path), "--no-evaluation", *SMALL, "--scenes", "0"]
    options += ["--epochs", "1", "--steps", "3", "--lr", "1e-3", "--schedule", "constant"]
    assert main(["train", *options, "pascal", str(data_set)]) == 0
    content = checkpoint.load(tmp_path / "last.pt")
    assert int(content["steps_averaged"]) == 3
    (entry,) = content["history"]
    assert entry["lr"] == 1e-3
    assert not (tmp_path / "best.pt").exists()


def test_snapshots_of_an_earlier_training_do_not_pass_for_those_of_a_new_one(
    data_set: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = {}
    for name in ("last", "best"):
        shutil.copy(trained / f"{name}.pt", tmp_path)
        earlier[f"{name}.old.pt"] = (trained / f"{name}.pt").read_bytes()
    # one of them is also what the new training starts with
    options = ["--weights", str(tmp_path / "last.pt"), *SMALL_NETWORK, "--epochs", "1"]
    options += ["--snapshot-path", str(tmp_path), "--no-evaluation", "--steps", "1"]
    assert main(["train", *options, "pascal", str(data_set)]) == 0
    said = "last.pt and best.pt of an earlier training kept as last.old.pt and best.old.pt"
    assert f"{tmp_path}: {said}" in capsys.readouterr().err
    assert {path.name for path in tmp_path.glob("*.pt")} == {"last.pt", *earlier}
    for name, content in earlier.items():
        assert (tmp_path / name).read_bytes() == content


def test_a_frozen_stem_keeps_the_weights_that_were_loaded(
    data_set: Path, trained: Path, tmp_path: Path
) -> None:
    start = checkpoint.load(trained / "last.pt")["averaged"]
    options = ["--weights", str(trained / "last.pt"), "--freeze-stem", *SMALL_NETWORK]
    options += ["--snapshot-path", str(tmp_path), "--epochs", "1", "--batch-size", "4"]
    assert main(["train", *options, "pascal", str(data_set)]) == 0
    end = checkpoint.load(tmp_path / "last.pt")["network"]
    for name, moves in (
        ("conv1.weight", False),
        ("layer1.1.conv2.weight", False),
        ("layer1.1.bn2.running_mean", False),
        ("layer2.0.conv1.weight", True),
    ):
        key = f"backbone.body.{name}"
        assert torch.equal(start[key], end[key]) is not moves, name


def test_a_network_learns_from_another_one_as_well(
    data_set: Path, trained: Path, tmp_path: Path
) -> None:
    once = ["--snapshot-path", str(tmp_path), *SMALL, "--epochs", "1", "--no-evaluation"]
    losses = []
    for words in ([], ["--teacher", str(trained / "last.pt"), "--teacher-share", "0.9"]):
        assert main(["train", *once, *words, "pascal", str(data_set)]) == 0
        content = checkpoint.load(tmp_path / "last.pt")
        losses.append(content["history"][0])
    alone, taught = losses
    assert content["arguments"]["teacher"] == "last.pt"
    assert taught["class_loss"] < 0.9 * alone["class_loss"]


def test_a_training_takes_another_matcher_and_repeats_of_a_label(
    data_set: Path, tmp_path: Path
) -> None:
    options = ["--snapshot-path", str(tmp_path), *SMALL, "--compute-val-loss", "--epochs", "1"]
    words = ["--validate-every", "1", "--matcher", "nearest", "--repeat", "noMask=2"]
    words += ["--merge", "noMask=mask", "--scenes", "0"]
    assert main(["train", *options, *words, "pascal", str(data_set)]) == 0
    content = checkpoint.load(tmp_path / "last.pt")
    arguments, (entry,) = content["arguments"], content["history"]
    assert (arguments["matcher"], arguments["repeat"]) == ("nearest", ["noMask=2"])
    assert all(map(math.isfinite, [entry["class_loss"], *entry["val_loss"].values()]))


@pytest.fixture
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_two_threads")
def test_a_gradient_is_finite_where_p6_is_a_single_pixel() -> None:
    torch.manual_seed(0)
    config = RetinaNetConfig(("mask", "noMask"), "resnet18", 0.25)
    network = RetinaNet(config).to(memory_format=torch.channels_last).train()
    pictures = torch.randint(0, 256, (8, 64, 64, 3), dtype=torch.uint8)
    targets = [Target(torch.tensor([[4.0, 4, 60, 60]]), torch.tensor([0]))] * 8
    sums = batch_loss(network, pictures, targets, torch.device("cpu"), torch.bfloat16)
    sums[:2].sum().backward()
    gradient = network.get_parameter("backbone.fpn.extra_blocks.p7.weight").grad
    assert gradient.norm().isfinite()


def test_a_learning_rate_beyond_reason_stops_with_the_parts_of_the_loss(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--snapshot-path", str(tmp_path), *SMALL, "--optimizer", "sgd", "--lr", "1e12"]
    options += ["--optimizer-clipnorm", "1e12", "--steps", "40"]
    assert main(["train", *options, "pascal", str(data_set)]) == 1
    error = capsys.readouterr().err
    for part in ("of the epoch: class loss ", "box loss ", "matched anchors", "expected finite"):
        assert part in error


def test_a_table_of_boxes_trains_as_well(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = table_of(data_set, tmp_path)
    options = ["--snapshot-path", str(tmp_path), *SMALL]
    assert main(["train", *options, *words]) == 2
    assert "the classes are covered, bare; expected --scenes 0" in capsys.readouterr().err
    assert main(["train", *options, "--scenes", "0", *words]) == 0
    content = checkpoint.load(tmp_path / "last.pt")
    assert content["config"]["classes"] == ("covered", "bare")
    assert "validation" not in content["history"][-1]


def test_a_training_that_stops_improving_ends_early(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--snapshot-path", str(tmp_path), *SMALL, "--validate-every", "1"]
    options += ["--epochs", "9", "--early-stop", "1"]
    assert main(["train", *options, "pascal", str(data_set)]) == 0
    assert "training ends early" in capsys.readouterr().err
    ap50s = [entry["ap50"] for entry in checkpoint.load(tmp_path / "last.pt")["history"]]
    assert len(ap50s) < 9
    assert ap50s[-1] < max(ap50s[:-1]) + 0.01
    # the same command again has nothing to add
    options.remove("--no-weights")
    options += ["--snapshot", str(tmp_path / "last.pt")]
    assert main(["train", *options, "pascal", str(data_set)]) == 0
    assert "training ends early" in capsys.readouterr().err
    assert len(checkpoint.load(tmp_path / "last.pt")["history"]) == len(ap50s)


@pytest.mark.parametrize("listed_as", ["train", "val"])
def test_a_damaged_picture_is_named_before_the_first_step(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], listed_as: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(data_set, folder)
    name = "drawn3.jpg" if listed_as == "train" else "drawn9.jpg"
    whole = (folder / "JPEGImages" / name).read_bytes()
    # the header is whole, so that only decoding finds it
    (folder / "JPEGImages" / name).write_bytes(whole[: len(whole) * 2 // 3])
    options = ["--snapshot-path", str(tmp_path / "run"), *SMALL]
    assert main(["train", *options, "pascal", str(folder)]) == 1
    error = capsys.readouterr().err
    assert f"{name}: found the end of the file before the picture's end" in error
    assert "step" not in error


def test_damaged_pictures_and_annotations_are_left_out_when_asked_for(
    data_set: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(data_set, folder)
    for name in ("drawn3.jpg", "drawn9.jpg"):
        whole = (folder / "JPEGImages" / name).read_bytes()
        (folder / "JPEGImages" / name).write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "Annotations" / "drawn5.xml").write_text("<annotation")
    options = ["--damaged", "skip", "--snapshot-path", str(tmp_path / "run"), *SMALL]
    assert main(["train", *options, "pascal", str(folder)]) == 0
    for name in ("drawn3.jpg", "drawn5.xml", "drawn9.jpg"):
        assert any(f"{name}: " in record.getMessage() for record in caplog.records)
    content = checkpoint.load(tmp_path / "run" / "last.pt")
    assert content["history"][-1]["validation"]["pictures"] == 3
    assert len(content["pictures"]) == 3


@pytest.mark.parametrize(
    ("change", "exit_code", "message"),
    [
        # a picture of no bytes
        (lambda d: (d / "JPEGImages/drawn0.jpg").write_bytes(b""), 1, "drawn0.jpg"),
        # a box outside its picture
        (
            lambda d: annotate(d / "Annotations/drawn1.xml", [[10, 10, 999, 50]], ["mask"]),
            1,
            "drawn1.xml: object 1: found x 10 to 999",
        ),
        # an annotation that is no XML
        (lambda d: (d / "Annotations/drawn2.xml").write_text("<annotation"), 1, "drawn2.xml"),
        # no data set at all
        (lambda d: shutil.rmtree(d / "JPEGImages"), 2, "no such folder"),
    ],
)
def test_bad_data_ends_in_one_clear_message(
    data_set: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change,
    exit_code: int,
    message: str,
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(data_set, folder)
    change(folder)
    options = ["--snapshot-path", str(tmp_path / "run"), *SMALL]
    assert main(["train", *options, "pascal", str(folder)]) == exit_code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        # every option out of its range, at once
        (["--random-transform", "--crop", "64", "--width", "0.1"], "at least 128; --width"),
        # beyond every network and every epoch
        (["--width", "inf", "--scenes", "inf"], "--width: inf found, expected 0.25 to 4; --scenes"),
        # a backbone that nobody published
        (
            ["--imagenet-weights", "--width", "0.5"],
            "--imagenet-weights: found with --width 0.5, expected --width 1",
        ),
        # what only a validation can say
        (
            ["--no-evaluation", "--early-stop", "2", "--compute-val-loss"],
            "--early-stop, --compute-val-loss: found without a validation, expected",
        ),
        # a crop of pictures that are shown whole
        (["--crop", "128"], "--crop: found without --random-transform"),
        # a merge without a target
        (["--merge", "mask"], "expected FROM=TO"),
        # weights that are not there
        (["--weights", "nothing.pth"], "nothing.pth: no such file"),
        # a snapshot that is not there
        (["--snapshot", "nothing.pt"], "nothing.pt: no such file"),
        # anchors that are not there
        (["--no-weights", "--config", "nothing.ini"], "nothing.ini: cannot read the anchor config"),
        # a GPU that is not there
        (["--gpu", "99"], "--gpu: 99 found, expected the number of one of"),
        # a share of nothing
        (["--teacher-share", "0.5"], "--teacher-share: found without --teacher"),
        (["--teacher", "a.pt", "--teacher-share", "2"], "--teacher-share: 2.0 found, expected a"),
        # a teacher that is not there
        (["--no-weights", "--teacher", "nothing.pt"], "nothing.pt: no such file"),
        # blocks that expand nothing
        (["--no-weights", "--backbone", "mobilenet_v2", "--expansion", "1"], "expected 2 or more"),
        # blocks that this backbone does not have
        (["--no-weights", "--backbone", "resnet18", "--expansion", "3"], "found with resnet18"),
        (["--no-weights", "--backbone", "resnet18", "--fused"], "--fused: found with resnet18"),
        # sides that contradict each other
        (["--image-min-side", "800", "--image-max-side", "300"], "expected step <= least <= most"),
    ],
)
def test_wrong_usage_ends_in_one_clear_message(
    data_set: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", *options, "pascal", str(data_set)]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_weights_whose_blocks_expand_nothing_are_refused(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(MobileNetV2(0.25, expansion=1).state_dict(), tmp_path / "flat.pth")
    words = ["--weights", str(tmp_path / "flat.pth"), "--snapshot-path", str(tmp_path)]
    assert main(["train", *words, "pascal", str(data_set)]) == 2
    assert "flat.pth: a mobilenet_v2 whose blocks expand nothing" in capsys.readouterr().err


def test_a_snapshot_of_a_network_with_unknown_parts_is_refused(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint.save(tmp_path / "newer.pt", {"config": {"legs": 4}, "loaded": []})
    words = ["--snapshot", str(tmp_path / "newer.pt"), "--snapshot-path", str(tmp_path)]
    assert main(["train", *words, "pascal", str(data_set)]) == 2
    said = capsys.readouterr().err
    assert "newer.pt: its config describes no network" in said
    assert "legs" in said


@pytest.mark.parametrize("option", ["--tensorboard-dir", "--snapshot-path"])
def test_a_folder_that_is_a_file_is_named_before_the_first_step(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    (tmp_path / "file").write_text("")
    words = ["--snapshot-path", str(tmp_path / "run"), *SMALL, option, str(tmp_path / "file")]
    assert main(["train", *words, "pascal", str(data_set)]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path / 'file'}: the folder cannot be made" in error
    assert "epoch 1/" not in error


def test_a_width_without_published_weights_is_said_to_start_from_random_ones(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # a teacher that is not there ends it before the first step
    words = [*SMALL_NETWORK, "--teacher", str(tmp_path / "nothing.pt"), "--no-snapshots"]
    assert main(["train", *words, "pascal", str(data_set)]) == 2
    error = capsys.readouterr().err
    assert "starting from random weights, which learn far slower: there are none from" in error


def test_subnets_normalised_in_groups_refuse_channels_that_make_none(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = RetinaNetConfig(
        ("mask", "noMask"), "resnet18", 0.25, fpn_channels=32, subnet_depth=1, head_norm="group"
    )
    torch.save(RetinaNet(config).state_dict(), tmp_path / "group.pth")
    words = ["--weights", str(tmp_path / "group.pth"), *SMALL_NETWORK, "--no-snapshots"]
    assert main(["train", *words, "--fpn-channels", "48", "pascal", str(data_set)]) == 2
    assert "--fpn-channels: 48 found, expected a multiple of 32" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        # two beginnings
        ["--weights", "a.pth", "--no-weights"],
        # a backbone that is none
        ["--backbone", "vgg16"],
        # an abbreviation might become another option one day
        ["--epoch", "3"],
    ],
)
def test_options_that_make_no_sense_are_refused(data_set: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["train", *options, "pascal", str(data_set)])


def test_the_log_of_tensorboard_has_the_losses(data_set: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    options = ["--no-snapshots", "--tensorboard-dir", str(tmp_path), *SMALL]
    assert main(["train", *options, "pascal", str(data_set)]) == 0
    written = accumulator.EventAccumulator(str(tmp_path)).Reload()
    for name in ("class_loss", "box_loss", "lr", "speed/pictures_per_second"):
        assert [event.step for event in written.Scalars(name)] == [1, 2]
    assert [event.step for event in written.Scalars("ap50")] == [2]
