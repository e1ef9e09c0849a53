"""MiniStack's workers share each layer's files, and see each layer as it is."""

import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from kulanz_local.ministack_launcher import extract_each_layer_once


def zipped(path: Path, **texts: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name, text in texts.items():
            file.writestr(zipfile.ZipInfo(f"python/{name}.py"), text)  # without the time, which is coarse
    return path


def unpacked(runtime: SimpleNamespace, source: Path) -> Path:
    """As MiniStack unpacks: into a folder beside the zip that it has just made."""
    target = source.with_suffix("")
    target.mkdir()
    with runtime.zipfile.ZipFile(str(source)) as file:
        file.namelist()
        file.extractall(str(target))
    return target


@pytest.fixture
def runtime(tmp_path: Path) -> SimpleNamespace:
    module = SimpleNamespace(zipfile=zipfile)
    extract_each_layer_once(module, str(tmp_path))
    return module


def test_the_same_layer_is_unpacked_once_for_all_workers(tmp_path: Path, runtime: SimpleNamespace) -> None:
    found = [unpacked(runtime, zipped(tmp_path / worker / "layer_0.zip", a="1")) for worker in ("one", "two")]
    assert [(folder / "python" / "a.py").read_text() for folder in found] == ["1", "1"]
    assert found[0].readlink() == found[1].readlink()
    assert len(list((tmp_path / "layers").iterdir())) == 1


def test_another_layer_of_the_same_name_is_another(tmp_path: Path, runtime: SimpleNamespace) -> None:
    first = unpacked(runtime, zipped(tmp_path / "one" / "layer_0.zip", a="1"))
    second = unpacked(runtime, zipped(tmp_path / "two" / "layer_0.zip", a="2"))
    assert [(folder / "python" / "a.py").read_text() for folder in (first, second)] == ["1", "2"]


def test_a_workers_own_code_is_its_own(tmp_path: Path, runtime: SimpleNamespace) -> None:
    code = unpacked(runtime, zipped(tmp_path / "one" / "code.zip", a="1"))
    assert not code.is_symlink()
    assert (code / "python" / "a.py").read_text() == "1"
