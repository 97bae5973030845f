from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from colours import picture
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import SourceError
from monitor.frame import Frame
from monitor.sources import open_source
from monitor.sources.camera import without_secrets
from monitor.sources.capture import open_capture
from monitor.sources.container import missing_bytes
from monitor.sources.video import FrameClock

Clip = Callable[..., Path]


def play(spec: int | str | Path, fps_of_pictures: float = 1.0) -> list[Frame]:
    spec = str(spec) if isinstance(spec, Path) else spec
    return list(open_source(spec, fps_of_pictures=fps_of_pictures).frames())


def convert(source: Path, target: Path, *options: str) -> Path:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")
    command = [ffmpeg, "-v", "error", "-y", "-i", source, *options, target]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return target


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    target = path.with_name(f"cut-{path.name}")
    target.write_bytes(content[: int(len(content) * share)])
    return target


def test_a_clip_yields_every_frame_at_its_timestamp(clip: Clip) -> None:
    frames = play(clip("door", [("bare", 3), ("masked", 2)], fps=8))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.125, 0.25, 0.375, 0.5])
    assert frames[0].image.shape == (48, 64, 3)
    assert all(frame.lasts_seconds == 0 for frame in frames)


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        ({0}, 1),
        ({0, 1}, 1),  # the other one is the detector's
        ({0, 2, 5, 7}, 3),
    ],
)
def test_decoding_a_clip_leaves_a_core_to_the_detector(
    clip: Clip, monkeypatch: pytest.MonkeyPatch, cores: set[int], expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    capture = open_capture(str(clip("door", [("bare", 1)])))
    assert capture.get(cv2.CAP_PROP_N_THREADS) == expected
    capture.release()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("uneven.mkv", ["-vf", "select=lt(n\\,5)+gt(n\\,14)"], id="with a gap"),
        pytest.param("late.mkv", ["-c", "copy", "-output_ts_offset", "7"], id="late start"),
    ],
)
def test_times_follow_the_container_and_start_at_zero(
    clip: Clip, tmp_path: Path, name: str, options: list[str]
) -> None:
    source = clip("even", [("bare", 20)], fps=10)
    frames = play(convert(source, tmp_path / name, *options, "-fps_mode", "passthrough"))
    kept = [n for n in range(20) if n < 5 or n > 14] if name == "uneven.mkv" else range(20)
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in kept], abs=2e-3)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("bare.m4v", ["-f", "m4v"], id="no timestamps at all"),
        pytest.param("b-frames.avi", ["-c:v", "mpeg4", "-bf", "2"], id="last frame has none"),
    ],
)
def test_frames_without_a_timestamp_follow_at_the_frame_rate(
    clip: Clip, tmp_path: Path, name: str, options: list[str]
) -> None:
    source = clip("even", [("bare", 12)], fps=25)
    frames = play(convert(source, tmp_path / name, *options))
    assert [frame.time for frame in frames] == pytest.approx([n / 25 for n in range(12)], abs=2e-3)


@given(
    st.lists(st.floats(-1e6, 1e6, allow_nan=False) | st.just(float("nan")), min_size=1),
    st.floats(1, 120),
)
def test_the_clock_starts_at_zero_and_never_stands_still(stamps: list[float], fps: float) -> None:
    clock = FrameClock(fps)
    times = [clock.time(stamp) for stamp in stamps]
    assert times[0] == 0.0
    assert all(after > before for before, after in pairwise(times))


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        pytest.param([5.0, 5.1, 5.3], [0.0, 0.1, 0.3], id="offset"),
        pytest.param([0.0, 0.0, 0.0], [0.0, 0.1, 0.2], id="none at all"),
        pytest.param([0.0, 0.1, 0.1, 0.2], [0.0, 0.1, 0.2, 0.3], id="repeated"),
        pytest.param([8.0, 8.1, 0.0, 0.1], [0.0, 0.1, 0.2, 0.3], id="clips joined"),
    ],
)
def test_the_clock_goes_on_where_timestamps_do_not(
    stamps: list[float], expected: list[float]
) -> None:
    clock = FrameClock(10)
    assert [clock.time(stamp) for stamp in stamps] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("front.mp4", ["-movflags", "+faststart"], id="mp4, index first"),
        pytest.param("fragments.mp4", ["-movflags", "frag_keyframe"], id="mp4, fragments"),
        pytest.param("clip.avi", [], id="avi"),
        pytest.param("clip.mkv", [], id="matroska"),
        pytest.param("clip.webm", ["-f", "matroska"], id="webm"),
    ],
)
def test_a_truncated_video_is_told_after_its_last_frame(
    clip: Clip, tmp_path: Path, name: str, options: list[str]
) -> None:
    options = ["-c:v", "mpeg4", *options]
    whole = convert(clip("whole", [("bare", 40), ("masked", 40)]), tmp_path / name, *options)
    assert len(play(whole)) == 80
    received = []
    with pytest.raises(SourceError, match=r"cut-.* truncated: \d+ bytes are missing"):
        received.extend(frame.index for frame in open_source(str(cut(whole, 0.8))).frames())
    # A list extended by a generator keeps what came before the error.
    assert 0 < len(received) < 80


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("edited.mp4", ["-ss", "2.5", "-c", "copy"], id="edit list hides frames"),
        pytest.param("piped.mkv", ["-live", "1"], id="size unknown"),
        pytest.param("clip.ts", [], id="no size anywhere"),
    ],
)
def test_a_container_that_announces_too_much_is_no_truncation(
    clip: Clip, tmp_path: Path, name: str, options: list[str]
) -> None:
    target = convert(clip("whole", [("bare", 60)]), tmp_path / name, *options)
    assert 0 < len(play(target)) <= 60


def test_bytes_appended_to_a_video_are_no_truncation(clip: Clip) -> None:
    path = clip("door", [("bare", 5)])
    with path.open("ab") as file:
        file.write(b"\x7f\xff\xff\xffjunk and more of it")
    assert missing_bytes(path) == 0
    assert len(play(path)) == 5


@given(st.binary(max_size=200), st.sampled_from([b"\x1aE\xdf\xa3", b"RIFF", b"\0\0\0\x08ftyp"]))
def test_any_bytes_after_a_known_header_are_measured_without_failing(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, header: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "header"
    path.write_bytes(header + content)
    assert missing_bytes(path) >= 0


def test_a_video_that_is_deleted_while_it_plays_is_an_error(clip: Clip) -> None:
    path = clip("door", [("bare", 5)])
    frames = open_source(str(path)).frames()
    next(frames)
    path.unlink()
    with pytest.raises(SourceError, match=r"door\.mp4: No such file"):
        list(frames)


def test_a_codec_that_is_not_decoded_is_named(clip: Clip, tmp_path: Path) -> None:
    path = convert(clip("door", [("bare", 5)]), tmp_path / "door.avi", "-c:v", "mpeg4")
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"AV01"))
    with pytest.raises(SourceError, match=r"no frame decoded; .* AV01 found, which may be convert"):
        play(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("empty.mp4", b"", id="zero bytes"),
        pytest.param("text.mp4", b"not a video", id="text"),
    ],
)
def test_a_file_that_is_no_video_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=name):
        play(tmp_path / name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, scene in [("b.png", "bare"), ("a.png", "nobody"), ("c.PNG", "masked")]:
        assert cv2.imwrite(str(folder / name), picture(scene))
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_a_folder_plays_its_pictures_by_name_at_the_given_rate(folder: Path) -> None:
    frames = play(folder, fps_of_pictures=2.0)
    assert [(frame.index, frame.time, frame.lasts_seconds) for frame in frames] == [
        (0, 0.0, 0.5),
        (1, 0.5, 0.5),
        (2, 1.0, 0.5),
    ]
    for frame, scene in zip(frames, ["nobody", "bare", "masked"], strict=True):
        assert np.array_equal(frame.image, picture(scene))


def test_damaged_pictures_leave_a_hole_in_time_and_are_named_at_the_end(folder: Path) -> None:
    (folder / "aa.png").write_bytes(b"")
    (folder / "d.jpg").write_bytes(b"\xff\xd8\xff broken")
    received: list[tuple[int, float]] = []
    with pytest.raises(SourceError, match=r"aa\.png.*d\.jpg: 2 of 5 pictures empty or damaged"):
        received.extend((frame.index, frame.time) for frame in open_source(str(folder)).frames())
    assert received == [(0, 0.0), (1, 2.0), (2, 3.0)]


def test_names_that_are_not_utf_8_are_said_in_what_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(b"fold\xe9r")
    folder.mkdir()
    (folder / os.fsdecode(b"\xff.png")).write_bytes(b"")
    # A path with such a name is refused, but a folder may be named without it.
    monkeypatch.chdir(folder)
    source = open_source(".")
    assert source.name == "fold\\udce9r"
    with pytest.raises(SourceError) as failure:
        list(source.frames())
    assert str(failure.value) == "\\udcff.png: 1 of 1 pictures empty or damaged"


def test_a_single_picture_is_a_source(folder: Path) -> None:
    assert [frame.time for frame in play(folder / "b.png")] == [0.0]


def test_the_demo_knows_its_length_and_its_timeline() -> None:
    demo = open_source("demo")
    first = next(demo.frames())
    assert (demo.name, demo.live, first.time) == ("demo", False, 0.0)
    assert demo.timeline
    assert demo.fps is not None
    assert demo.frame_count_hint is not None
    assert max(span.to_seconds for span in demo.timeline) <= demo.frame_count_hint / demo.fps


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param("/nowhere/clip.mp4", "no such file or folder", id="missing file"),
        pytest.param("", "source: '' found, expected", id="nothing"),
        pytest.param("ftp://host/clip.mp4", "scheme 'ftp' found", id="unknown scheme"),
        pytest.param("97", "camera 97: cannot be opened", id="missing camera by text"),
        pytest.param(97, "camera 97: cannot be opened, no such", id="missing camera by number"),
        pytest.param("/dev/video97", "/dev/video97: cannot be opened", id="missing device"),
        pytest.param("rtsp://127.0.0.1:9/live", "cannot be opened", id="nobody listens"),
    ],
)
def test_a_source_that_is_not_there_is_refused_by_name(spec: int | str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        play(spec)


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        pytest.param("rtsp:/admin:s3cret@cam/1", "...@cam/1: no such", id="a slash missing"),
        pytest.param("rtsp//admin:s3@cret@cam/1", "...@cam/1: no such", id="@ in the password"),
        pytest.param("rtsp:/admin:s3cret@cam/1?u=h://x", "scheme '...@cam/1?u=h'", id="two colons"),
        pytest.param("rtsp:/a:s3cret@cam/1\0", r"...@cam/1\x00'", id="not a name at all"),
        pytest.param("rtsp:/a:s3cret@" + "c" * 300, "...@ccc", id="too long for a name"),
    ],
)
def test_what_may_be_a_mistyped_address_is_refused_without_its_password(
    spec: str, shown: str
) -> None:
    with pytest.raises(SourceError) as refusal:
        open_source(spec)
    assert shown in str(refusal.value)
    assert "cret" not in str(refusal.value)


def test_a_file_s_name_may_hold_what_an_address_holds(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("2026-01-31T10:15:00", "rtsp:me@home"):
        clip(name, [("bare", 3)])
        assert len(play(f"{name}.mp4")) == 3


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no picture found, expected files ending in"):
        open_source(str(tmp_path))


def test_a_stream_is_read_over_the_network_and_ends_with_an_error(clip: Clip) -> None:
    path = clip("door", [("bare", 5)])
    handler = partial(QuietHandler, directory=str(path.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        received: list[Frame] = []
        with pytest.raises(SourceError, match=r"http://127.0.0.1:\d+/door.mp4: gives no more"):
            received.extend(open_source(f"http://127.0.0.1:{server.server_port}/door.mp4").frames())
        server.shutdown()
        thread.join()
    assert [frame.index for frame in received] == [0, 1, 2, 3, 4]
    assert all(after.time >= before.time for before, after in pairwise(received))


class QuietHandler(SimpleHTTPRequestHandler):
    """A web server that says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Drop it."""


@pytest.mark.parametrize("spec", [0, "0", "/dev/video0", "rtsp://host/live", "http://host/feed"])
def test_cameras_and_streams_are_live_and_opened_only_when_read(spec: int | str) -> None:
    assert open_source(spec).live


@pytest.mark.parametrize(
    ("url", "name"),
    [
        pytest.param("rtsp://host:554/live/1", "rtsp://host:554/live/1", id="nothing to hide"),
        pytest.param("rtsp://me:secret@host/live", "rtsp://host/live", id="password"),
        pytest.param("rtsp://me:sec/re#t?@host/live", "rtsp://host/live", id="odd characters"),
        pytest.param("rtsp://me:se@cret@host/live", "rtsp://host/live", id="@ in the password"),
        pytest.param("http://host/feed?pwd=secret", "http://host/feed", id="in the query"),
    ],
)
def test_a_password_is_never_part_of_the_name(url: str, name: str) -> None:
    assert without_secrets(url) == name
    assert open_source(url).name == name


def test_a_file_s_name_holds_no_secrets() -> None:
    assert without_secrets("who?#1.mp4") == "who?#1.mp4"


def test_a_stream_that_fails_does_not_tell_its_password() -> None:
    with pytest.raises(SourceError) as failure:
        play("rtsp://me:secret@127.0.0.1:9/live?token=secret")
    assert "secret" not in str(failure.value)
