"""The runtime must start where the training side and its libraries are not installed."""

from __future__ import annotations

import subprocess
import sys

_IMPORT_EVERYTHING = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "export", "onnx"):
            raise ImportError(f"the runtime imported {name}")

sys.meta_path.insert(0, Refuse())
import monitor
names = [
    module.name
    for module in pkgutil.walk_packages(monitor.__path__, "monitor.")
    if module.name != "monitor.__main__"
]
for name in names:
    importlib.import_module(name)
assert not {"torch", "export", "onnx"} & sys.modules.keys()
print(len(names))
"""

_WITHOUT_OPENCV = """
import sys

class NoLibrary:
    def find_spec(self, name, path=None, target=None):
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file: No such file")

sys.meta_path.insert(0, NoLibrary())
from monitor.cli import main
sys.exit(main(["check"]))
"""


def python(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_every_module_of_the_runtime_imports_without_torch_and_export() -> None:
    done = python(_IMPORT_EVERYTHING)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20


def test_a_system_library_that_is_missing_is_named_in_one_line() -> None:
    done = python(_WITHOUT_OPENCV)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "libGL.so.1" in line
    assert "libgl1 and libglib2.0-0" in line
