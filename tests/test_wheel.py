"""The wheel: what is installed from it works in an empty folder, with the model inside."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "monitor", "export")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the sources, so that nothing is left beside them."""
    source, folder = (tmp_path_factory.mktemp(name) for name in ("source", "wheels"))
    for name in BUILT_FROM:
        there = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        there(ROOT / name, source / name)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), "."],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    if "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("needs setuptools from a package index")
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_holds_models_with_their_cards_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    models = [Path(name) for name in names if name.startswith("monitor/models/")]
    assert {path.stem for path in models if path.suffix == ".onnx"}
    assert {path.stem for path in models if path.suffix == ".onnx"} <= {
        path.stem for path in models if path.suffix == ".md"
    }
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]


def test_what_the_wheel_installs_runs_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    home, empty = tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    venv.create(home)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    packages = sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)})
    # the libraries it depends on are those of this test, which have been installed once already
    borrowed = {*site.getsitepackages(), sysconfig.get_path("purelib")}
    borrowed |= {path for path in sys.path if path.endswith("site-packages")}
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    Path(packages, "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    done = subprocess.run(
        [scripts / "monitor", "run", "--no-window", "--seconds", "2"],
        cwd=empty,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": os.environ["PATH"], "HOME": str(empty), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "frames per second" in done.stdout
    where = [python, "-c", "import monitor; print(monitor.__file__)"]
    found = subprocess.run(where, cwd=empty, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()).is_relative_to(home)
