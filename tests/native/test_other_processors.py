"""The bits of aarch64: calls of the library, recorded here, are made once more under qemu, and come to the same."""

import ctypes
import shutil
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from itertools import cycle
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pytest
from numpy.lib.array_utils import byte_bounds
from one_step import ENDS, HIDDEN, RULES, targets

from deltarule.data.augment import Deformation
from deltarule.data.built_in import arithmetic, cute_dog, xor
from deltarule.data.dataset import Dataset
from deltarule.native import build, engine_call, loader
from deltarule.native.engine_call import LANES, Deform
from deltarule.nn.network import Network
from deltarule.recipes import read
from deltarule.recipes.build import build as build_job
from deltarule.training.clip_and_average import MovingAverage
from deltarule.training.trainer import Trainer

COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
PACKAGES = "qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
FUNCTIONS = ["run_float32", "run_float64", "deform_float32", "deform_float64"]  # enum Function of replay.c
APART = {"room", "z", "a", "delta"}  # to compute in, and copies for callbacks
RECIPES = {"xor": xor, "cute-dog": cute_dog, "arithmetic": arithmetic}


Field = bytes | int


class Recorded(NamedTuple):
    """A call of the library: its function, and its fields before and after."""

    function: str
    before: dict[str, Field]
    after: dict[str, Field]


def contents(call: ctypes.Structure, n_bytes: dict[str, int]) -> dict[str, Field]:
    """The fields of a call: what each points to, or its number as that of an int64 with the same bytes."""
    found: dict[str, Field] = {}
    for name, kind in call._fields_:  # type: ignore[misc] - there is no bit field
        value = getattr(call, name)
        if kind is ctypes.c_void_p:
            found[name] = ctypes.string_at(value, n_bytes[name]) if value and name in n_bytes else b""
        else:
            (found[name],) = struct.unpack("q", struct.pack("d" if kind is ctypes.c_double else "q", value))
    return found


def n_bytes_of(call: Any, dtype: Any) -> dict[str, int]:
    """How many bytes lie behind each pointer of a call."""
    if isinstance(call, Deform):
        n, height, width, bits = call.n, call.height, call.width, dtype.itemsize
        out, across = (
            ((n - 1) * call.out_row + height * width) * bits,
            -(-width // LANES) * LANES,
        )
        sizes = {"out": out, "images": out, "maps": 6 * n * bits, "widths": n * bits, "noise": 2 * height * n * width}
        return sizes | {"down": height * height * bits, "across": width * across * bits}
    arrays = {name: array for name, array in call.held.items() if array is not None}
    return {name: byte_bounds(array)[1] - array.ctypes.data for name, array in arrays.items() if name not in APART}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Recorded]:
    """All calls that are made, at first by two threads each."""
    if missing := [tool for tool in (COMPILER, EMULATOR) if not shutil.which(tool)]:
        pytest.skip(f"aarch64 needs {' and '.join(missing)}: apt-get install {PACKAGES}")
    calls: list[Recorded] = []

    def recording(name: str, dtype: Any) -> Any:
        found = loader.function(name, dtype)

        def call_and_record(pointer: Any) -> Any:
            call = pointer._obj
            sizes = n_bytes_of(call, np.dtype(dtype))
            before = contents(call, sizes)
            result = found(pointer)
            calls.append(Recorded(f"{name}_{np.dtype(dtype).name}", before, contents(call, sizes)))
            return result

        return call_and_record if name in ("run", "deform") else found

    monkeypatch.setattr(engine_call, "function", recording)
    monkeypatch.setattr(loader, "FLOPS_A_THREAD", 1.0)
    monkeypatch.setenv("DELTARULE_THREADS", "2")
    return calls


def replay(calls: list[Recorded], folder: Path) -> list[dict[str, Field]]:
    """What each call comes to under qemu, as Recorded.after has it."""
    words = [struct.pack("q", len(calls))]
    for call in calls:
        words.append(struct.pack("2q", FUNCTIONS.index(call.function), len(call.before)))
        words += [
            struct.pack("2q", -1, field) if isinstance(field, int) else struct.pack("q", len(field)) + field
            for field in call.before.values()
        ]
    (folder / "calls").write_bytes(b"".join(words))
    common = [COMPILER, *build.FLAGS, *build.INSTRUCTIONS["neon"], f"-I{build.HERE}", "-static"]
    objects = [f"{folder}/{kind}.o" for kind in build.NUMBERS]
    commands = [
        [*common, f"-DREAL_BITS={bits}", f"-DSUFFIX={kind}_neon", "-c", f"{build.HERE}/native.c", "-o", made]
        for (kind, bits), made in zip(build.NUMBERS.items(), objects, strict=True)
    ]
    with ThreadPoolExecutor() as pool:
        list(pool.map(build.run, commands))
    build.run([*common, f"{Path(__file__).with_name('replay.c')}", *objects, "-o", f"{folder}/replay"])
    subprocess.run([EMULATOR, folder / "replay", folder / "calls", folder / "results"], check=True, timeout=300)
    with (folder / "results").open("rb") as results:
        found = [{name: read_like(field, results) for name, field in call.before.items()} for call in calls]
        assert results.read() == b""
    return found


def read_like(field: Field, results: BinaryIO) -> Field:
    """The next field, of the kind and length that it had before the call."""
    return results.read(len(field)) if isinstance(field, bytes) else struct.unpack("q", results.read(8))[0]


def take_three_steps(dtype: Any) -> None:
    """Each activation, loss, optimizer, penalty, clip and average; dropout; and every kind of inputs."""
    rng = np.random.default_rng(1)
    rows = zip(HIDDEN, cycle(ENDS), cycle(RULES), cycle((np.uint8, np.float32, np.float64)), strict=False)
    for number, (hidden, (output, loss, kind), (optimizer, penalty, clip), read_as) in enumerate(rows):
        task = "values" if kind == "counts" else kind
        made: dict[str, Any] = {"hidden": hidden, "output": output, "loss": loss, "task": task, "dtype": dtype}
        net = Network((12, 37, 5, 3), **made, dropout=0.2 if number % 2 else 0.0, rng=rng)
        net.parameters.vector[:] *= 0.3
        X = (rng.integers(256, size=(39, 12)) * (rng.random((39, 12)) < 0.3)).astype(read_as)
        X = X if read_as == np.uint8 else X / read_as(255)
        data = Dataset(X, targets(kind, 39, 3, rng), task, image_shape=(3, 4))
        more: dict[str, Any] = {"optimizer": deepcopy(optimizer), "penalty": penalty, "clip": clip}
        more["average"] = MovingAverage(0.9) if number % 3 else None
        more["augment"] = Deformation(rotation=9, elastic_alpha=3, stroke=1) if read_as == np.float32 else None
        Trainer(network=net, epochs=1, batch_size=13, engine="native", **more).fit(data)


def test_aarch64_comes_to_the_bits_of_x86(
    recorded: list[Recorded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for dtype in (np.float32, np.float64):
        take_three_steps(dtype)
    monkeypatch.setenv("DELTARULE_THREADS", "1")  # under qemu threads wait for one another much longer
    for name, data in RECIPES.items():
        job = build_job(read(name), data(), engine="native")
        job.trainer.fit(job.train, job.validation)
    for call, found in zip(recorded, replay(recorded, tmp_path), strict=True):
        call.after.pop("images", None)  # which may be `out`, here and not there
        assert [name for name in call.after if found[name] != call.after[name]] == []
    assert len(recorded) > 800
