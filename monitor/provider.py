"""Provider: on what the network runs here, and what keeps it from something better."""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeVar

import onnxruntime as ort

from .errors import ModelError

Device = Literal["auto", "cpu", "cuda", "tensorrt"]
Chosen = Literal["cpu", "cuda", "tensorrt"]
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
PROVIDERS: dict[Chosen, str] = {"tensorrt": TENSORRT, "cuda": CUDA, "cpu": CPU}

# onnxruntime-gpu 1.31 is built for these, and lists its providers whether they are there or not
CUDA_MAJOR = "13"
DRIVER = "libcuda.so.1"
LIBRARIES: dict[str, tuple[str, ...]] = {
    "cuda": (
        "libcudart.so.13",
        "libcublasLt.so.13",
        "libcublas.so.13",
        "libcurand.so.10",
        "libcudnn.so.9",
    ),
    "tensorrt": ("libnvinfer.so.10", "libnvonnxparser.so.10"),
}
WITHOUT_CUDA, WITH_CUDA = "onnxruntime", "onnxruntime-gpu"
_Started = TypeVar("_Started")
_log = logging.getLogger("monitor.detector")


@dataclass(frozen=True)
class Environment:
    """What this machine has.

    available: the providers that onnxruntime was built with.
    cuda_version: the CUDA that it was built for, such as "13.0"; empty for none.
    load: loads a shared library by its file name; raises OSError where it cannot.
    distributions: which of the two packages of onnxruntime pip has installed.
    """

    available: Collection[str]
    cuda_version: str
    load: Callable[[str], Any]
    distributions: Collection[str]

    @classmethod
    def here(cls) -> Environment:
        """The environment of this process."""
        names = [name for name in (WITHOUT_CUDA, WITH_CUDA) if _is_installed(name)]
        version = str(getattr(ort, "cuda_version", ""))
        return cls(ort.get_available_providers(), version, _load, names)


def choose(
    device: Device, environment: Environment, start: Callable[[Chosen], _Started]
) -> _Started:
    """Start the network on the device that was asked for, never silently on another.

    device: "auto" tries TensorRT, CUDA and the processor in turn, and says in the log why it did
        not take one.
    start: called with the device; whatever keeps it from starting there, it raises.

    Raises ModelError where `device` is "cuda" or "tensorrt" and does not start.
    """
    if {WITHOUT_CUDA, WITH_CUDA} <= set(environment.distributions):
        _log.warning("%s", _both_installed())
    if device == "cpu":
        return start("cpu")
    tried: tuple[Chosen, ...] = ("tensorrt", "cuda") if device == "auto" else (device,)
    for one in tried:
        reason = obstacle(one, environment)
        try:
            if reason is None:
                return start(one)
        except Exception as error:  # whatever keeps it from starting
            reason = first_line(error)
        if device != "auto":
            raise ModelError(f"device {one} does not start: {reason} (device: cpu needs no GPU)")
        _log.info("device auto: not %s: %s", one, reason)
    return start("cpu")


def obstacle(device: Chosen, environment: Environment) -> str | None:
    """What certainly keeps a device from starting, and what mends it; None where nothing does.

    Asked before onnxruntime, which prints pages, and goes on without the device.
    """
    if device == "cpu":
        return None
    if PROVIDERS[device] not in environment.available:
        return _not_built(device, environment)
    if environment.cuda_version.partition(".")[0] != CUDA_MAJOR:
        return (
            f"this onnxruntime was built for CUDA {environment.cuda_version}, "
            f"expected {CUDA_MAJOR}: {_install(device, '--upgrade ')}"
        )
    missing = _no_gpu(environment.load)
    if missing is not None:
        return missing
    for extra in ("cuda", device):
        for library in LIBRARIES[extra]:
            try:
                environment.load(library)
            except OSError:
                return f"{library} cannot be loaded: {_install(device)}"
    return None


def first_line(error: Exception) -> str:
    """What an error says, as far as its first line goes."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _not_built(device: Chosen, environment: Environment) -> str:
    if WITHOUT_CUDA not in environment.distributions:
        return f"this onnxruntime was built without {PROVIDERS[device]}: {_install(device)}"
    if WITH_CUDA in environment.distributions:
        return _both_installed()
    return f"{WITHOUT_CUDA} has no GPU: pip uninstall {WITHOUT_CUDA}, then {_install(device)}"


def _both_installed() -> str:
    # They share a folder, which an uninstall empties for both.
    return (
        f"{WITHOUT_CUDA} and {WITH_CUDA} are both installed, and whichever came last is used: "
        f"pip uninstall {WITHOUT_CUDA}, then pip install --force-reinstall --no-deps {WITH_CUDA}"
    )


def _install(device: Chosen, option: str = "") -> str:
    return f"pip install {option}'.[{device}]' in the source folder"


def _no_gpu(load: Callable[[str], Any]) -> str | None:
    try:
        driver = load(DRIVER)
    except OSError:
        return f"no NVIDIA driver found ({DRIVER})"
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return "the NVIDIA driver finds no GPU"
    return None


def _is_installed(name: str) -> bool:
    with contextlib.suppress(PackageNotFoundError):
        return bool(distribution(name))
    return False


def _load(name: str) -> ctypes.CDLL:
    """Load a library, also from where pip puts it; one that is loaded is found by its name."""
    if name != DRIVER:
        _preload()
    spec = find_spec("tensorrt_libs")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder, name)).is_file():
            return ctypes.CDLL(str(path))
    return ctypes.CDLL(name)


@cache
def _preload() -> None:
    """Let onnxruntime load CUDA and cuDNN; what it has to say of it, it prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        ort.preload_dlls()
    for line in said.getvalue().splitlines():
        _log.debug("%s", line)
