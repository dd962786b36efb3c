"""Mean |J| over data with JAX on one core: jitted vmap(jacrev) or vmap(jacfwd) in float32. Prints one line of
JSON: the least of five warm runs, without reading the data and without compiling.

    python jax_peer.py MODEL.onnx TEST.nc plain|jacrev|jacfwd

plain: jacrev of all samples at once, as most people write it; jacrev, jacfwd: by chunks that stay in the cache.
"""

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

CHUNK = 4000


def read_data(path):
    """samples x variables"""
    with netCDF4.Dataset(path) as file:
        found = [v for v in file.variables.values() if getattr(v, "role", "") in ("state", "input")]
        found.sort(key=lambda v: v.position)
        return np.stack([v[:].filled(np.nan).reshape(-1) for v in found], axis=1)


def function(path):
    """The standardised network as its file describes it: sums of Gemms, activations and their joins."""
    graph = onnx.load(path).graph
    constants = {t.name: jnp.asarray(numpy_helper.to_array(t)) for t in graph.initializer}

    def f(x):
        values = dict(constants)
        values[graph.input[0].name] = x
        for node in graph.node:
            a = [values[name] for name in node.input]
            if node.op_type == "Gemm":
                weight = a[1].T if any(at.name == "transB" and at.i for at in node.attribute) else a[1]
                result = a[0] @ weight + (a[2] if len(a) > 2 else 0)
            else:
                result = {
                    "Relu": lambda: jax.nn.relu(a[0]), "Sigmoid": lambda: jax.nn.sigmoid(a[0]),
                    "Mul": lambda: a[0] * a[1], "Add": lambda: a[0] + a[1], "Sub": lambda: a[0] - a[1],
                    "Div": lambda: a[0] / a[1], "Concat": lambda: jnp.concatenate(a, axis=-1),
                }[node.op_type]()
            values[node.output[0]] = result
        return values[graph.output[0].name]

    return f


def main():
    path, data, mode = sys.argv[1:]
    f = function(path)
    points = jnp.asarray(read_data(data), jnp.float32)
    points = points.reshape(1 if mode == "plain" else -1, len(points) if mode == "plain" else CHUNK, points.shape[1])
    jacobian = jax.vmap((jax.jacfwd if mode == "jacfwd" else jax.jacrev)(f))

    @jax.jit
    def relevance(points):
        def step(total, chunk):
            return total + jnp.abs(jacobian(chunk)).sum(axis=0), None

        outputs = f(points[0, 0]).shape[-1]
        return jax.lax.scan(step, jnp.zeros((outputs, points.shape[-1])), points)[0] / points[:, :, 0].size

    result = relevance(points).block_until_ready()
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        result = relevance(points).block_until_ready()
        times.append(time.perf_counter() - begin)
    print(json.dumps({"seconds": min(times), "relevance": np.asarray(result).tolist(), "jax": jax.__version__}))


main()
