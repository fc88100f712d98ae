"""Trials that go wrong on a cluster.

python -m support.ray_trials OPENER ADDRESS OPTIONS
"""

import json
import os
import signal
import sys
import warnings

from dlreg.errors import DlregError
from dlreg.search.trials import Trial, TrialResult


def kills_its_worker():
    return lambda _: os.kill(os.getpid(), signal.SIGKILL)


def has_a_bug():
    def run(trial):
        raise ZeroDivisionError("a bug")

    return run


def fits():
    return lambda trial: TrialResult(trial.number, "complete", 1.0)


def main() -> None:
    warnings.simplefilter("ignore")
    opener, address, options = sys.argv[1].rpartition(".")[2], sys.argv[2], json.loads(sys.argv[3])
    from dlreg.search import ray_engine

    if "versions" in options:
        ray_engine.__version__ = options.pop("versions")
    # By its module's name: workers import it.
    from support import ray_trials

    try:
        with ray_engine.ray_engine(getattr(ray_trials, opener), address=address, **options) as engine:
            engine.submit(Trial(0, {}))
            while not (results := engine.wait(0.2)):
                pass
            print(json.dumps({"state": results[0].state, "message": results[0].message}))
    except (ArithmeticError, DlregError) as error:
        names = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in ("ZeroDivisionError", "ClusterError", "UsageError")]  # fmt: skip
        print(json.dumps({names[0]: str(error).strip().splitlines()[-1].removeprefix("ZeroDivisionError: ")}))


if __name__ == "__main__":
    main()
