"""What several comparisons need."""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path


def machine():
    processor = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{processor}, {platform.system()} {platform.machine()}"


def publish(lines, results, output):
    """Prints a table, and keeps it beside the figures that it is made of where there is a place for them."""
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if output:
        Path(output).write_text(json.dumps(results, indent=1) + "\n")
        Path(output).with_suffix(".md").write_text(text)


def whole_process(command):
    """Seconds of a whole process on the wall, and the most memory it held, in bytes."""
    begin = time.perf_counter()
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(run.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    return time.perf_counter() - begin, usage.ru_maxrss * 1024


def make_network(path, sizes):
    """Random weights of which 5 % are not zero, ReLU."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    tensors, nodes, value = [], [], "x"
    for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        weight = (rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)).astype(np.float32)
        weight[rng.random(weight.shape) >= 0.05] = 0
        bias = rng.normal(size=outputs).astype(np.float32)
        tensors += [numpy_helper.from_array(weight, f"w{layer}"), numpy_helper.from_array(bias, f"b{layer}")]
        is_last = layer == len(sizes) - 2
        out = "y" if is_last else f"z{layer}"
        nodes.append(helper.make_node("Gemm", [value, f"w{layer}", f"b{layer}"], [out], transB=1))
        if not is_last:
            value = f"h{layer}"
            nodes.append(helper.make_node("Relu", [out], [value]))
    graph = helper.make_graph(
        nodes, "large", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", sizes[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", sizes[-1]])], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
