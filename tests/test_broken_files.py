"""Files that are not what they say, or no longer: whatever they hold, only a SourceError comes."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path

import cv2
import pytest
from colours import picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import SourceError
from monitor.sources import open_source

FRAMES = 20
MOST_FRAMES = 10 * FRAMES


def written(path: Path, codec: str) -> bytes:
    """A clip of FRAMES pictures, as its file holds it."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, (64, 48))
    assert writer.isOpened()
    for _ in range(FRAMES):
        writer.write(picture("masked"))
    writer.release()
    return path.read_bytes()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Whole clips by the suffix of their files."""
    folder = tmp_path_factory.mktemp("whole")
    kinds = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "mp4v"}
    return {kind: written(folder / f"clip{kind}", codec) for kind, codec in kinds.items()}


def play(spec: str) -> int | None:
    """How many frames a source gave before its end; None when it failed."""
    try:
        source = open_source(spec)
        try:
            return sum(1 for _ in islice(source.frames(), MOST_FRAMES))
        finally:
            source.close()
    except SourceError:
        return None


damage = st.lists(
    st.tuples(
        st.sampled_from(["flip", "zero", "cut out", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(1, 64),
    ),
    max_size=20,
)


def damaged(content: bytes, changes: list[tuple[str, float, int]]) -> bytes:
    """The content after changes of that kind, each at a share of its length, over some bytes."""
    broken = bytearray(content)
    for kind, share, count in changes:
        start = int(share * len(broken))
        piece = broken[start : start + count]
        replacement = {
            "flip": bytes(byte ^ 1 << count % 8 for byte in piece),
            "zero": bytes(len(piece)),
            "cut out": b"",
            "repeat": piece * 2,
        }[kind]
        broken[start : start + count] = replacement
    return bytes(broken)


@given(st.sampled_from([".mp4", ".avi", ".mkv"]), damage, st.floats(0, 1))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_clip_plays_as_far_as_it_goes_or_is_refused(
    clips: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
    suffix: str,
    changes: list[tuple[str, float, int]],
    kept: float,
) -> None:
    content = damaged(clips[suffix], changes)
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    path.write_bytes(content[: int(kept * len(content))])
    count = play(str(path))
    assert count is None or 0 < count < MOST_FRAMES


@given(st.binary(max_size=400), st.sampled_from([".mp4", ".avi", ".mkv", ".ts", ".png", ""]))
def test_a_file_of_any_bytes_ends(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"bytes{suffix}"
    path.write_bytes(content)
    assert play(str(path)) != 0


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
@pytest.mark.parametrize("claimed", [".avi", ".txt", ".mp4"])
def test_a_clip_plays_whatever_its_suffix_says(
    clips: dict[str, bytes], tmp_path: Path, suffix: str, claimed: str
) -> None:
    path = tmp_path / f"clip{claimed}"
    path.write_bytes(clips[suffix])
    assert play(str(path)) == FRAMES


def empty_clip(folder: Path) -> str:
    path = folder / "empty.avi"
    cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48)).release()
    return str(path)


def folder_of_a_clip_s_name(folder: Path) -> str:
    path = folder / "clip.mp4"
    path.mkdir()
    return str(path)


def clip_called_picture(folder: Path) -> str:
    written(folder / "clip.avi", "MJPG")
    return str((folder / "clip.avi").rename(folder / "clip.png"))


def pipe(folder: Path) -> str:
    os.mkfifo(folder / "clip.mp4")
    return str(folder / "clip.mp4")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(empty_clip, "empty.avi: ", id="a stream of no length"),
        pytest.param(folder_of_a_clip_s_name, "clip.mp4: no picture found", id="a folder"),
        pytest.param(clip_called_picture, "1 of 1 pictures", id="a clip called a picture"),
        pytest.param(pipe, "no such file or folder", id="a pipe, which might never end"),
        pytest.param(lambda folder: f"{folder}/{'x' * 300}", "name too long", id="a long name"),
        pytest.param(lambda folder: f"{folder}/\udcff.mp4", r"\\udcff", id="a name of no text"),
        pytest.param(
            lambda folder: "rtsp://me:secret@host/\udcff",
            r"^'rtsp://host/\\udcff'",
            id="a URL of no text",
        ),
        pytest.param(lambda folder: "/dev/video\0", r"\\x00", id="a device with a NUL"),
        pytest.param(lambda folder: "1900", "an index of 0 to 99", id="an index too high"),
        pytest.param(lambda folder: "9" * 5000, "an index of 0 to 99", id="an index too long"),
    ],
)
def test_what_is_no_video_is_refused_in_words(
    tmp_path: Path, make: Callable[[Path], str], message: str
) -> None:
    spec = make(tmp_path)
    with pytest.raises(SourceError, match=f"(?i){message}"):
        list(open_source(spec).frames())


@given(st.text(max_size=40))
def test_any_text_names_a_source_or_is_refused(spec: str) -> None:
    with suppress(SourceError):
        open_source(spec).close()
