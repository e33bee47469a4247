"""The same for whole processes: `deltarule train` stopped and killed, and programs that must give the same bytes."""

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from counting import Count, fresh_folder, newest_step

from deltarule.errors import DeltaruleError
from deltarule.files.model_file import load

TRAIN = [sys.executable, "-m", "deltarule", "train"]
RUN = ["quick", "--data", "digits", "--holdout", "200", "--epochs", "200", "--seed", "7", "--offline"]
SIGNALS = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}
ANSWER_SECONDS = 1.0

SAME = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import jobs
print(jobs.result(trainer := jobs.trainer(engine_name=sys.argv[2]), trainer.fit(*jobs.images())))
"""


def weights(path: Path) -> bytes | None:
    """The weights in a model file; None where there is no sound one."""
    try:
        return load(path).network.parameters.vector.tobytes()
    except DeltaruleError:
        return None


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`deltarule train` in a folder."""
    return subprocess.Popen(
        [*TRAIN, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def signals(n_runs: int, seed: int = 0) -> tuple[Count, Count]:
    """Runs of the command get SIGTERM, Ctrl-C or SIGKILL: they go on to the same weights; the answer takes a second."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have made this process, and its own, deaf
    rng, went_on, answered = random.Random(seed), Count(), Count()
    with fresh_folder() as folder:
        started(folder, *RUN).communicate()
        outcome = weights(folder / "model.safetensors")
    for number in range(n_runs):
        which, code = list(SIGNALS.items())[number % len(SIGNALS)]
        with fresh_folder() as folder, started(folder, *RUN, "--checkpoint", "kept", "--every-seconds", "0.2") as run:
            assert run.stderr is not None
            any(re.search(r"^ +[1-9]\d*/200 ", line) for line in run.stderr)
            time.sleep(rng.uniform(0.0, 0.5))  # long before its end, on a machine thrice as fast as ours, too
            sent = time.perf_counter()
            run.send_signal(which)
            said = run.communicate()[1]
            took = time.perf_counter() - sent
            if which != signal.SIGKILL:
                promised = re.search(r"goes on after\s+step ([\d,]+)", said)
                step = int(promised[1].replace(",", "")) if promised else None
                kept = run.returncode == code and step == newest_step(folder / "kept")
                answered.check(kept and took < ANSWER_SECONDS, f"{which}: {run.returncode}, step {step}, {took:.2f} s")
            (folder / "model.safetensors").unlink(missing_ok=True)
            started(folder, "--resume", "kept").communicate()
            went_on.check(weights(folder / "model.safetensors") == outcome, f"run {number}, {which}")
    return went_on, answered


def fresh_processes(n_processes: int, engine_name: str) -> Count:
    """Each of so many processes trains with the same seed, to the same bytes."""
    command = [sys.executable, "-c", SAME, str(Path(__file__).parent), engine_name]
    count, first = Count(), ""
    for number in range(n_processes):
        outcome = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        first = first or outcome
        count.check(outcome == first and len(outcome.strip()) == 64, f"process {number}")
    return count
