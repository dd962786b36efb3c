"""Rolling forecasts with JAX on one core: one compiled `lax.scan` over the samples, members and
trajectories batched, float32; absolute errors are summed up in the scan. Prints one line of JSON.

    python jax_peer.py MODELS TEST.nc [plain|feature-major]

plain: trajectories x features, as most people write it; feature-major: the long axis last.
"""

import glob
import json
import os
import sys
import time

os.environ["XLA_FLAGS"] = (
    "--xla_cpu_prefer_vector_width=512 --xla_cpu_multi_thread_eigen=false "
    "intra_op_parallelism_threads=1"
)
os.environ["JAX_PLATFORMS"] = "cpu"
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})

import jax
import jax.numpy as jnp
import netCDF4
import numpy as np
import onnx
from onnx import numpy_helper


def read_data(path):
    """samples x variables x trajectories, the number of states, the time step."""
    with netCDF4.Dataset(path) as file:
        found = [v for v in file.variables.values() if getattr(v, "role", "") in ("state", "input")]
        found.sort(key=lambda v: v.position)
        data = np.stack([v[:].filled(np.nan).T for v in found], axis=1)
        step = float(file["time"][1] - file["time"][0])
        return data, sum(v.role == "state" for v in found), step


def read_models(folder):
    """Chains as Filigree writes them: every initializer of all members, stacked."""
    members = []
    for path in sorted(glob.glob(folder + "/*.onnx")):
        graph = onnx.load(path).graph
        members.append({t.name: numpy_helper.to_array(t) for t in graph.initializer})
    return {name: np.stack([member[name] for member in members]) for name in members[0]}


def program(layers, states, step, feature_major):
    # Rows of a member's table are features, or trajectories.
    def column(v):
        return v[:, :, None] if feature_major else v[:, None, :]

    product = "moi,mit->mot" if feature_major else "moi,mti->mto"
    axis = 1 if feature_major else 2

    @jax.jit
    def forecast(models, truth, controls):
        members = models["input_mean"].shape[0]
        scale = column(models["input_deviation"][:, :states])

        def advance(carry, sample):
            x, total = carry
            true, u = sample
            total = total + jnp.abs((x - true) / scale)
            z = jnp.concatenate([x, jnp.broadcast_to(u, (members, *u.shape))], axis)
            h = (z - column(models["input_mean"])) / column(models["input_deviation"])
            for layer in range(layers):
                h = jnp.einsum(product, models[f"layer{layer}_weight0"], h)
                h = h + column(models[f"layer{layer}_bias"])
                if layer < layers - 1:
                    h = jax.nn.relu(h)
            rate = column(models["output_mean"]) + column(models["output_deviation"]) * h
            return (x + step * rate, total), None

        x = jnp.broadcast_to(truth[0], (members, *truth.shape[1:]))
        return jax.lax.scan(advance, (x, jnp.zeros_like(x)), (truth, controls))[0][1]

    return forecast


def main():
    models, data = read_models(sys.argv[1]), sys.argv[2]
    feature_major = sys.argv[3:] == ["feature-major"]
    samples, states, step = read_data(data)
    layers = sum(name.endswith("_bias") for name in models)
    if not feature_major:
        samples = samples.transpose(0, 2, 1)
    cut = (slice(None), slice(states)) if feature_major else (slice(None), slice(None), slice(states))
    rest = (slice(None), slice(states, None)) if feature_major else (..., slice(states, None))
    arguments = (
        {name: jnp.asarray(value, jnp.float32) for name, value in models.items()},
        jnp.asarray(samples[cut], jnp.float32),
        jnp.asarray(samples[rest], jnp.float32),
    )
    forecast = program(layers, states, step, feature_major)
    total = forecast(*arguments).block_until_ready()
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        total = forecast(*arguments).block_until_ready()
        times.append(time.perf_counter() - begin)
    error = float(np.nanmedian(np.asarray(total)) / len(samples))
    print(json.dumps({"seconds": min(times), "medianError": error, "jax": jax.__version__}))


main()
