"""The choice of a device: what keeps each from starting is named, and nothing falls back unsaid."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from monitor.errors import ModelError
from monitor.provider import (
    CPU,
    CUDA,
    DRIVER,
    LIBRARIES,
    TENSORRT,
    Chosen,
    Device,
    Environment,
    choose,
    first_line,
    obstacle,
)


class Driver:
    """NVIDIA's driver library, as far as it is asked."""

    def __init__(self, gpus: int, initialised: int = 0) -> None:
        self._gpus, self._initialised = gpus, initialised

    def cuInit(self, flags: int) -> int:
        return self._initialised

    def cuDeviceGetCount(self, count: Any) -> int:
        count._obj.value = self._gpus
        return 0


def machine(
    *,
    missing: Collection[str] = (),
    driver: Driver | None = None,
    available: Collection[str] = (TENSORRT, CUDA, CPU),
    distributions: Collection[str] = ("onnxruntime-gpu",),
    cuda_version: str = "13.0",
) -> Environment:
    """A machine with a GPU and all that it needs, less what is missing."""

    def load(name: str) -> Any:
        if name in missing:
            raise OSError(f"{name}: cannot open shared object file")
        return (driver or Driver(gpus=1)) if name == DRIVER else ctypes.CDLL(None)

    return Environment(available, cuda_version, load, distributions)


@pytest.mark.parametrize(
    ("environment", "cuda", "tensorrt"),
    [
        # everything is there
        (machine(), None, None),
        # no driver
        (machine(missing=[DRIVER]), "no NVIDIA driver found", "no NVIDIA driver found"),
        # a driver that cannot start, as in a container without access to the GPU
        (machine(driver=Driver(1, 100)), "the NVIDIA driver finds no GPU", "finds no GPU"),
        # a driver without a GPU
        (machine(driver=Driver(0)), "the NVIDIA driver finds no GPU", "finds no GPU"),
        # CUDA's libraries without cuDNN; TensorRT needs them as well
        (
            machine(missing=["libcudnn.so.9"]),
            "libcudnn.so.9 cannot be loaded: pip install '.[cuda]'",
            "libcudnn.so.9 cannot be loaded: pip install '.[tensorrt]'",
        ),
        # no TensorRT, which is no matter to CUDA
        (
            machine(missing=["libnvinfer.so.10"]),
            None,
            "libnvinfer.so.10 cannot be loaded: pip install '.[tensorrt]'",
        ),
        # TensorRT without its reader of ONNX files
        (machine(missing=["libnvonnxparser.so.10"]), None, "libnvonnxparser.so.10 cannot be"),
        # built for CUDA alone
        (machine(available=[CUDA, CPU]), None, "this onnxruntime was built without Tensorrt"),
        # the package without CUDA
        (
            machine(available=[CPU], distributions=["onnxruntime"], cuda_version=""),
            "onnxruntime has no GPU: pip uninstall onnxruntime, then pip install '.[cuda]'",
            "then pip install '.[tensorrt]'",
        ),
        # built by hand, without CUDA
        (
            machine(available=[CPU], distributions=[], cuda_version=""),
            "this onnxruntime was built without CUDAExecutionProvider",
            "this onnxruntime was built without TensorrtExecutionProvider",
        ),
        # both packages, of which the one without CUDA came last
        (
            machine(available=[CPU], distributions=["onnxruntime", "onnxruntime-gpu"]),
            "pip uninstall onnxruntime, then pip install --force-reinstall --no-deps onnxruntime-",
            "onnxruntime and onnxruntime-gpu are both installed, and whichever came last is used",
        ),
        # both, of which the right one came last: that works
        (machine(distributions=["onnxruntime", "onnxruntime-gpu"]), None, None),
        # an older package
        (
            machine(cuda_version="12.8"),
            "built for CUDA 12.8, expected 13: pip install --upgrade '.[cuda]'",
            "expected 13: pip install --upgrade '.[tensorrt]'",
        ),
    ],
)
def test_what_keeps_a_device_from_starting_is_named_with_what_mends_it(
    environment: Environment, cuda: str | None, tensorrt: str | None
) -> None:
    assert obstacle("cpu", environment) is None
    devices: dict[Chosen, str | None] = {"cuda": cuda, "tensorrt": tensorrt}
    for device, expected in devices.items():
        found = obstacle(device, environment)
        assert found is None if expected is None else expected in (found or "")


@pytest.mark.parametrize(
    ("device", "missing", "raised", "started", "said"),
    [
        # the best of three
        ("auto", [], [], "tensorrt", []),
        # no TensorRT
        ("auto", ["libnvinfer.so.10"], [], "cuda", ["not tensorrt: libnvinfer.so.10 cannot"]),
        # libraries that are there and do not work
        ("auto", [], ["tensorrt"], "cuda", ["not tensorrt: tensorrt is out of order"]),
        # no GPU at all
        ("auto", [DRIVER], [], "cpu", ["not tensorrt: no NVIDIA driver", "not cuda: no NVIDIA"]),
        # a GPU that is broken
        ("auto", [], ["tensorrt", "cuda"], "cpu", ["not tensorrt: tensorrt is", "not cuda: cuda"]),
        # what was asked for works, and nothing else is looked at
        ("cuda", ["libnvinfer.so.10"], [], "cuda", []),
        ("tensorrt", [], [], "tensorrt", []),
        ("cpu", [DRIVER], ["tensorrt", "cuda"], "cpu", []),
    ],
)
def test_the_best_that_works_is_taken_and_each_better_one_is_explained(
    caplog: pytest.LogCaptureFixture,
    device: Device,
    missing: list[str],
    raised: list[str],
    started: str,
    said: list[str],
) -> None:
    def start(chosen: Chosen) -> str:
        if chosen in raised:
            raise RuntimeError(f"{chosen} is out of order\nand a page of details")
        return chosen

    with caplog.at_level(logging.INFO):
        assert choose(device, machine(missing=missing), start) == started
    assert len(caplog.messages) == len(said)
    for message, beginning in zip(caplog.messages, said, strict=True):
        assert message.startswith(f"device auto: {beginning}")
        assert "\n" not in message


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
@pytest.mark.parametrize("missing", [[DRIVER], LIBRARIES["cuda"], []])
def test_a_device_that_was_asked_for_is_never_replaced(
    device: Device, missing: Collection[str]
) -> None:
    def start(chosen: Chosen) -> str:
        assert chosen == device
        raise RuntimeError("CUDA failure 999")

    with pytest.raises(ModelError, match=f"device {device} does not start: .*device: cpu"):
        choose(device, machine(missing=missing), start)


def test_two_packages_of_one_name_are_told_of_even_where_it_works(
    caplog: pytest.LogCaptureFixture,
) -> None:
    both = machine(distributions=["onnxruntime", "onnxruntime-gpu"])
    assert choose("cuda", both, str) == "cuda"
    assert "both installed" in caplog.text
    assert "pip uninstall onnxruntime" in caplog.text


def test_this_environment_can_be_looked_at() -> None:
    here = Environment.here()
    assert CPU in here.available
    with pytest.raises(OSError, match="libnothing"):
        here.load("libnothing.so.1")
    assert obstacle("cuda", replace(here, available=[CPU])) is not None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("one\ntwo"), "one"),  # of several lines
        (ValueError(""), "ValueError"),  # of none
    ],
)
def test_an_error_is_told_in_one_line(error: Exception, line: str) -> None:
    assert first_line(error) == line
