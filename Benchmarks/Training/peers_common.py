"""What both peers share: command line, workloads, data, initial weights, measurement, report."""

import argparse
import dataclasses
import json
import os
import time

BATCH = 128
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclasses.dataclass(frozen=True)
class Workload:
    """One network per target if `towers`, else one for all targets."""

    hidden: tuple
    activation: str
    skip: bool = False
    towers: bool = False
    penalty: float = 0.0  # lambda of the proximal step, 0 for none
    rate: float = 1e-3


WORKLOADS = {
    "dense": Workload((20,) * 4, "relu"),
    "dense-silu": Workload((20,) * 4, "silu", skip=True),
    "dense-tanh": Workload((20,) * 4, "tanh", skip=True),
    "sparse-trunk": Workload((20,) * 4, "relu", penalty=1e-3),
    "sparse-towers": Workload((20,) * 4, "relu", towers=True, penalty=1e-2),
    "silu-towers": Workload((20,), "silu", skip=True, towers=True, penalty=1e-3),
}


def parse_arguments(variants, default_variant, description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, help="trajectories, NetCDF-4")
    parser.add_argument("--workload", required=True, choices=WORKLOADS)
    parser.add_argument("--variant", choices=variants, default=default_variant)
    parser.add_argument("--members", type=int, default=1, help="networks trained side by side")
    parser.add_argument("--seconds", type=float, default=3, help="time to measure, about")
    parser.add_argument("--epochs", type=int, help="measure so many epochs instead")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def limit_threads(threads):
    """Call this before numpy, JAX or PyTorch is imported: they size their pools when loaded."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
        os.environ[name] = str(threads)
    if hasattr(os, "sched_setaffinity"):
        # Within the cores that we were given, so that taskset has the last word.
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[-threads:])


def read_rows(path):
    """Features (states and inputs at sample k) and targets (rates of the states), standardised in
    double precision, as float32: rows x 13 and rows x 8 for the electrolysis plant."""
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(path) as data:
        variables = [v for v in data.variables.values() if getattr(v, "role", "") in ("state", "input")]
        variables.sort(key=lambda v: (v.role != "state", int(v.position)))
        states = sum(v.role == "state" for v in variables)
        samples = np.stack([np.ma.filled(v[:].astype(np.float64), np.nan) for v in variables], -1)
        times = np.asarray(data["time"][:], np.float64)
    features = samples[:, :-1]
    targets = np.diff(samples[:, :, :states], axis=1) / (times[1] - times[0])
    complete = np.isfinite(samples[:, 1:]).all(-1)  # shorter trajectories are padded with NaN

    def standardised(values):
        values = values[complete]
        return ((values - values.mean(0)) / values.std(0)).astype(np.float32)

    return standardised(features), standardised(targets)


@dataclasses.dataclass
class Layer:
    """The same layer of all networks of all members; an array's leading axes are member and tower
    (one tower if shared)."""

    weight: object  # [members, towers, out, in]
    bias: object  # [members, towers, out]


def initial_weights(workload, members, features, targets, seed):
    """All layers and the skip ([members, towers, out, features] or None).

    He-normal weights (variance 1/fan-in for tanh), biases zero. With a skip the last layer starts at
    0.3 of that and the skip at zero, so that the linear part is found first."""
    import numpy as np

    random = np.random.default_rng(seed)
    towers, outputs = (targets, 1) if workload.towers else (1, targets)
    gain = 1 if workload.activation == "tanh" else 2
    sizes = (features, *workload.hidden, outputs)
    layers = []
    for index, (inputs, units) in enumerate(zip(sizes, sizes[1:])):
        last = index == len(workload.hidden)
        deviation = np.sqrt(gain / inputs) * (0.3 if last and workload.skip else 1)
        weight = random.normal(0, deviation, (members, towers, units, inputs))
        bias = np.zeros((members, towers, units), np.float32)
        layers.append(Layer(weight.astype(np.float32), bias))
    skip = np.zeros((members, towers, outputs, features), np.float32) if workload.skip else None
    return layers, skip


def measure(run_epoch, arguments, steps_per_epoch):
    """Runs whole epochs until the time is used up. `run_epoch` draws the order of the rows, trains
    and returns the epoch's mean loss as a number.

    Returns steps, seconds and the loss of the last epoch."""
    epochs = 0
    start = time.perf_counter()
    while True:
        loss = run_epoch()
        epochs += 1
        seconds = time.perf_counter() - start
        if epochs == arguments.epochs or arguments.epochs is None and seconds >= arguments.seconds:
            return epochs * steps_per_epoch, seconds, loss


def report(program, version, arguments, steps, seconds, compile_seconds, loss, surviving):
    print(
        json.dumps(
            {
                "program": program,
                "version": version,
                "workload": arguments.workload,
                "variant": arguments.variant,
                "members": arguments.members,
                "steps": steps,
                "microseconds_per_step_and_member": round(seconds / steps / arguments.members * 1e6, 3),
                "compile_seconds": round(compile_seconds, 3),
                "final_loss": loss,
                "surviving_weights": round(surviving, 1),
            }
        )
    )
