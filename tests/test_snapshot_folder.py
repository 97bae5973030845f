"""The folder of snapshots: `best.pt` is the best epoch of the training that goes on there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from export import checkpoint
from export.snapshot_folder import go_on


def epochs(*ap50s: float | None, loss: float = 1.0) -> list[dict[str, Any]]:
    """A history; the losses tell one training from another."""
    return [{"epoch": n, "loss": loss, "ap50": ap50} for n, ap50 in enumerate(ap50s, 1)]


MINE, OTHER = epochs(0.3, 0.6, None, 0.5), epochs(0.9, loss=2.0)


def snapshots(folder: Path, **histories: list[dict[str, Any]]) -> Path:
    for name, history in histories.items():
        checkpoint.save(folder / f"{name.replace('_', '.')}.pt", {"history": history})
    return folder


def histories(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {path.name: checkpoint.load(path)["history"] for path in folder.glob("*.pt")}


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("last.pt", {"last": MINE, "best": MINE[:2]}),
        # it was taken for an earlier one when another was begun there
        ("last.old.pt", {"last": OTHER, "best": OTHER, "last_old": MINE, "best_old": MINE[:2]}),
    ],
)
def test_elsewhere_it_is_brought_along_and_those_of_another_training_are_kept(
    tmp_path: Path, name: str, before: dict[str, list[dict[str, Any]]]
) -> None:
    home = snapshots(tmp_path / "before", **before)
    folder = snapshots(tmp_path / "now", last=OTHER, best=OTHER)
    go_on(folder, home / name, MINE)
    assert histories(folder) == {"last.old.pt": OTHER, "best.pt": MINE[:2], "best.old.pt": OTHER}


@pytest.mark.parametrize(
    ("best", "history"),
    [
        (MINE[:2], MINE),  # as after every epoch
        (MINE[:2], MINE[:2]),  # the last is the best
        # a kill came between the two
        (MINE[:2], MINE[:1]),
    ],
)
def test_where_it_lies_everything_stays(
    tmp_path: Path, best: list[dict[str, Any]], history: list[dict[str, Any]]
) -> None:
    snapshots(tmp_path, last=history, best=best, best_old=OTHER)
    before = histories(tmp_path)
    go_on(tmp_path, tmp_path / "last.pt", history)
    assert histories(tmp_path) == before


def test_it_comes_back_where_another_training_was_begun_by_mistake(tmp_path: Path) -> None:
    snapshots(tmp_path, last=OTHER, best=OTHER, last_old=MINE, best_old=MINE[:2])
    go_on(tmp_path, tmp_path / "last.old.pt", MINE)
    assert histories(tmp_path) == {
        **{"last.pt": OTHER, "last.old.pt": MINE},
        **{"best.pt": MINE[:2], "best.old.pt": OTHER},
    }


@pytest.mark.parametrize(
    ("history", "said"),
    [
        (MINE, "no best.pt before an epoch is better than epoch 2, whose snapshot is not beside"),
        # nothing was validated yet
        (MINE[2:3], "best.pt of an earlier training kept as best.old.pt"),
        ([], "best.pt of an earlier training kept as best.old.pt"),
    ],
)
@pytest.mark.parametrize("other", [OTHER, []], ids=["a training's", "a mean"])
def test_where_it_is_lost_that_of_another_training_does_not_pass_for_it(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    history: list[dict[str, Any]],
    said: str,
    other: list[dict[str, Any]],
) -> None:
    snapshots(tmp_path, last=history, best=other)
    go_on(tmp_path, tmp_path / "last.pt", history)
    assert histories(tmp_path) == {"last.pt": history, "best.old.pt": other}
    assert said in capsys.readouterr().err
