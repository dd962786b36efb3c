"""Whether Filigree reads models right: foreign_check.py TOOLS MODEL-OR-FOLDER… [--table FILE.md]

Of every model: is it read; does what `filigree-paths --output` writes answer as the original does in onnxruntime,
at random inputs (1e-5 of the largest output, 1e-2 in half precision); is the Jacobian of `filigree-sensitivity
--point` that of central differences of the same graph in double precision (1e-7 of its largest entry; onnx's
reference evaluator). A model that is refused is listed with the reason.
"""
import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, version_converter
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

onnxruntime.set_default_logger_severity(4)
POINTS = 3
INTRODUCTION = """# Exporters, kinds and operator sets that were tried

Every cell lists operator sets. A bare number: read, what is written again agrees with the original in onnxruntime (1e-5; 1e-2 in half precision), and the Jacobian agrees with central differences of the same graph in double precision (1e-7). Other words are explained below. `Scripts/foreign-models` makes the table; a cell that is empty was not tried, or the exporter had no file for it.

Made of PyTorch's files: `converted` by onnx's version converter, `external` with weights in a file beside, `bfloat-weights` and `weights-quantised` (int8) with such weights and Cast or DequantizeLinear; by onnxruntime `ort-extended` (its optimiser), `ort-half` and `ort-half-inside` (16-bit floats throughout, or between casts), `ort-four-bits` (weights), `ort-dynamic`, `ort-qdq` and `ort-qoperator` (values quantised, too). Files with DequantizeLinear are compared without onnxruntime's optimiser, which rounds what such weights are multiplied by. onnxruntime has no operators of set 6 and no Gemm of bfloat16: these are compared after conversion.

"""


def erf(x):
    return np.vectorize(math.erf, otypes=["d"])(x)


class Erf(OpRun):
    """onnx's own rounds to 32 bits."""
    def _run(self, x):
        return (erf(x),)


class Gelu(OpRun):
    """onnx's own rounds to 32 bits."""
    def _run(self, x, approximate=None):
        if approximate == "tanh":
            return (0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x ** 3))),)
        return (0.5 * x * (1 + erf(x / 2 ** 0.5)),)


class FusedGemm(OpRun):
    """One of onnxruntime's, which onnx does not have."""
    op_domain = "com.microsoft"
    def _run(self, a, b, c=None, activation=None, activation_alpha=None, alpha=None, beta=None, transA=None, transB=None):
        y = (1.0 if alpha is None else alpha) * (a.T if transA else a) @ (b.T if transB else b)
        y = y if c is None else y + (1.0 if beta is None else beta) * c
        functions = {
            "Relu": lambda z: np.maximum(z, 0), "Tanh": np.tanh, "Sigmoid": lambda z: 1 / (1 + np.exp(-z)),
            "LeakyRelu": lambda z: np.where(z > 0, z, activation_alpha * z),
            "Softsign": lambda z: z / (1 + np.abs(z)), "Softplus": lambda z: np.logaddexp(z, 0),
            "Elu": lambda z: np.where(z > 0, z, (1.0 if activation_alpha is None else activation_alpha) * np.expm1(np.minimum(z, 0)))}
        return (functions[activation](y),)


class RuntimeGelu(OpRun):
    op_domain = "com.microsoft"
    def _run(self, x, approximate=None):
        return (0.5 * x * (1 + erf(x / 2 ** 0.5)),)


RuntimeGelu.__name__ = "Gelu"


class QuickGelu(OpRun):
    op_domain = "com.microsoft"
    def _run(self, x, alpha=None):
        return (x / (1 + np.exp(-(1.702 if alpha is None else alpha) * x)),)


OPERATORS = [Erf, Gelu, FusedGemm, RuntimeGelu, QuickGelu]
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)


def sort(graph):
    """Nodes after those that they read; converters to half precision leave them otherwise."""
    made = {o for n in graph.node for o in n.output}
    nodes, rest = [], list(graph.node)
    while rest:
        ready = [n for n in rest if not any(i in made for i in n.input)]
        if not ready:
            raise ValueError("a circle of nodes")
        nodes += ready
        made -= {o for n in ready for o in n.output}
        rest = [n for n in rest if not any(n is r for r in ready)]
    del graph.node[:]
    graph.node.extend(nodes)


def with_floats(model, kind):
    """The same graph with floats of this kind throughout."""
    number = helper.tensor_dtype_to_np_dtype(kind)
    model = onnx.load_model_from_string(model.SerializeToString())
    def tensor(t):
        if t.data_type in FLOATS:
            t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(t).astype(number), t.name))
    graph = model.graph
    sort(graph)
    for t in graph.initializer:
        tensor(t)
    for node in graph.node:
        for a in node.attribute:
            if a.type == onnx.AttributeProto.TENSOR:
                tensor(a.t)
            if node.op_type == "Cast" and a.name == "to" and a.i in FLOATS:
                a.i = kind
    for v in list(graph.input) + list(graph.output) + list(graph.value_info):
        if v.type.tensor_type.elem_type in FLOATS:
            v.type.tensor_type.elem_type = kind
    return model


def replaced(model, operators):
    """The model with its nodes of some operators replaced by others, and their constants; whether it had any."""
    constants = {t.name: t for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ("Identity", "Cast") and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = node.attribute[0].t
    nodes = []
    for node in model.graph.node:
        made = operators[node.op_type](node, constants) if node.op_type in operators else None
        if made is None:
            nodes.append(node)
            continue
        nodes += made[0]
        model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in made[1].items())
    changed = len(nodes) != len(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return changed


def erfc(node, constants):
    """tf2onnx writes it, and ONNX does not have it."""
    name = node.output[0]
    return [helper.make_node("Erf", node.input, [name + "/erf"]),
            helper.make_node("Sub", [name + "/one", name + "/erf"], [name])], {name + "/one": np.float32(1)}


def expm1(node, constants):
    """The same."""
    name = node.output[0]
    return [helper.make_node("Exp", node.input, [name + "/exp"]),
            helper.make_node("Sub", [name + "/exp", name + "/one"], [name])], {name + "/one": np.float32(1)}


def dequantised(node, constants):
    """As a constant in double; the reference evaluator computes it in 32 bits."""
    if node.input[0] not in constants:
        return None
    q, scale, *zero = (numpy_helper.to_array(constants[n]).astype(np.float64) for n in node.input)
    zero = zero[0] if zero else np.zeros_like(scale)
    settings = {a.name: a.i for a in node.attribute}
    axis, block = settings.get("axis", 1), settings.get("block_size", 0)
    if block:
        scale, zero = (np.repeat(v, block, axis).take(range(q.shape[axis]), axis) for v in (scale, zero))
    elif scale.ndim == 1 and q.ndim > 1:
        shape = [-1 if a == axis % q.ndim else 1 for a in range(q.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return [], {node.output[0]: (q - zero) * scale}


def normalised(node, constants):
    """The reference evaluator's old ones take the batch's own mean."""
    name = node.output[0]
    epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
    scale, shift, mean, variance = (numpy_helper.to_array(constants[n]).astype(np.float64) for n in node.input[1:])
    factor = scale / np.sqrt(variance + epsilon)
    return [helper.make_node("Mul", [node.input[0], name + "/factor"], [name + "/scaled"]),
            helper.make_node("Add", [name + "/scaled", name + "/shift"], [name])], {
                name + "/factor": factor, name + "/shift": shift - mean * factor}


class Original:
    def __init__(self, path):
        self.path = path
        self.model = onnx.load(path)
        is_changed = replaced(self.model, {"Erfc": erfc, "Expm1": expm1})
        if self.model.opset_import[0].version < 7:
            # onnxruntime has no operators as old as these.
            self.model, is_changed = version_converter.convert_version(self.model, 9), True
        made = {t.name for t in self.model.graph.initializer}
        self.inputs = [i for i in self.model.graph.input if i.name not in made]
        self.shapes = []
        self.batch = 1
        for value in self.inputs:
            dims = [d.dim_value for d in value.type.tensor_type.shape.dim]
            if len(dims) != 1 or dims[0] == 0:
                self.batch = max(1, dims[0])
                dims = [1] + dims[1:]
            self.shapes.append(dims)
        self.widths = [int(np.prod(s)) for s in self.shapes]
        kinds = {i.type.tensor_type.elem_type for i in self.inputs} | {t.data_type for t in self.model.graph.initializer}
        self.is_half = bool(kinds & {TensorProto.FLOAT16, TensorProto.BFLOAT16})
        if TensorProto.BFLOAT16 in {i.type.tensor_type.elem_type for i in self.inputs}:
            # onnxruntime has no Gemm of such.
            self.model, is_changed = with_floats(self.model, TensorProto.FLOAT), True
        options = onnxruntime.SessionOptions()
        if any(n.op_type == "DequantizeLinear" for n in self.model.graph.node):
            # Its optimiser multiplies such weights by inputs that it rounds to integers, which is not what the file says.
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self.session = onnxruntime.InferenceSession(
            self.model.SerializeToString() if is_changed else path, options, providers=["CPUExecutionProvider"])

    def feeds(self, x, kind=None):
        parts, at = {}, 0
        for value, shape, width in zip(self.inputs, self.shapes, self.widths):
            half = value.type.tensor_type.elem_type == TensorProto.FLOAT16
            double = value.type.tensor_type.elem_type == TensorProto.DOUBLE
            use = kind or (np.float16 if half else np.float64 if double else np.float32)
            row = x[at:at + width].reshape(shape).astype(use)
            parts[value.name] = row if self.batch == 1 else np.repeat(row, self.batch, 0)
            at += width
        return parts

    def first(self, outputs):
        """Of the first output, the first sample."""
        output = np.asarray(outputs[0], np.float64)
        return output.ravel() if self.batch == 1 else output.reshape(self.batch, -1)[0]

    def answer(self, x):
        return self.first(self.session.run(None, self.feeds(x)))

    def jacobian(self, x, step=1e-5):
        double = with_floats(self.model, TensorProto.DOUBLE)
        replaced(double, {"DequantizeLinear": dequantised, "BatchNormalization": normalised})
        reference = ReferenceEvaluator(double, new_ops=OPERATORS)
        def f(z):
            return self.first(reference.run(None, self.feeds(z, np.float64)))
        columns = []
        for i in range(len(x)):
            h = step * max(1.0, abs(x[i]))
            e = np.zeros(len(x))
            e[i] = h
            # Fourth order.
            columns.append((8 * (f(x + e) - f(x - e)) - (f(x + 2 * e) - f(x - 2 * e))) / (12 * h))
        return np.array(columns).T


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def check(tools, path, extra=()):
    code, out, err = run(os.path.join(tools, "filigree-paths"), path, "--describe", "--format", "json", *extra)
    if code not in (0, 65):
        return "crashed", f"exit {code} {err[:200]}"
    if code:
        return "refused", err.strip().split("\n")[-1].split(".onnx: ", 1)[-1]
    names = [v["name"] for v in json.loads(out)["inputs"]]
    original = Original(path)
    if len(names) != sum(original.widths):
        return "wrong", f"{len(names)} features"
    # About where the file's own means are.
    table = json.loads(run(os.path.join(tools, "filigree-paths"), path, "--describe", "--format", "json", *extra)[1])
    random = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as folder:
        again = os.path.join(folder, "again.onnx")
        code, out, err = run(os.path.join(tools, "filigree-paths"), path, "--output", again, "--format", "json", *extra)
        if code:
            return "wrong", "not written: " + err.strip()[-150:]
        ours = onnxruntime.InferenceSession(again, providers=["CPUExecutionProvider"])
        code, out, err = run(os.path.join(tools, "filigree-paths"), again, "--format", "json")
        if code:
            return "wrong", "not read again: " + err.strip()[-150:]
        worst = 0.0
        tolerance = 1e-2 if original.is_half else 1e-5
        for _ in range(20):
            x = random.normal(size=len(names)) * 2
            theirs = original.answer(x)
            mine = np.asarray(ours.run(None, {"inputs": x[None].astype(np.float32)})[0], np.float64).ravel()
            if mine.shape != theirs.shape:
                return "wrong", f"{mine.shape[0]} outputs where there are {theirs.shape[0]}"
            worst = max(worst, np.abs(mine - theirs).max() / max(1.0, np.abs(theirs).max()))
        if not worst <= tolerance:
            return "wrong", f"outputs differ by {worst:.1e}"
    slope = 0.0
    for _ in range(POINTS):
        x = random.normal(size=len(names))
        point = ",".join(f"{quoted(n)}={v!r}" for n, v in zip(names, x.tolist()))
        code, out, err = run(
            os.path.join(tools, "filigree-sensitivity"), path, f"--point={point}", "--units", "physical", "--format", "json", *extra)
        if code:
            return "wrong", "no Jacobian: " + err.strip()[-150:]
        mine = np.array(json.loads(out)["jacobian"])
        try:
            theirs = original.jacobian(x)
        except Exception as problem:
            return "read", f"{worst:.0e}, no reference in double ({type(problem).__name__})"
        slope = max(slope, np.abs(mine - theirs).max() / max(1e-3, np.abs(theirs).max()))
    if not slope <= (1e-6 if original.is_half else 1e-7):
        return "wrong", f"Jacobian differs by {slope:.1e}"
    return "right", f"{worst:.0e} {slope:.0e}"


def quoted(name):
    return f'"{name}"' if "," in name else name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tools")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--table")
    options = parser.parse_args()
    files = []
    for given in options.models:
        files += sorted(os.path.join(given, n) for n in os.listdir(given) if n.endswith(".onnx")) if os.path.isdir(given) else [given]
    results = {}
    for file in files:
        name = os.path.basename(file)[:-5]
        try:
            results[name] = check(options.tools, file)
        except Exception as problem:
            results[name] = ("unchecked", f"{type(problem).__name__}: {str(problem)[:150]}")
        print(f"{results[name][0]:9} {name:40} {results[name][1]}", flush=True)
    counts = {}
    for result, _ in results.values():
        counts[result] = counts.get(result, 0) + 1
    print(counts, file=sys.stderr)
    if options.table:
        write_table(results, counts, options.table)
    sys.exit(1 if any(r in ("wrong", "crashed") for r, _ in results.values()) else 0)


def write_table(results, counts, path):
    exporters, cells = [], {}
    for name, (result, reason) in results.items():
        found = re.fullmatch(r"(.+?)-((?:act-)?[a-z0-9_]+)-(\d+)", name)
        if not found:
            continue
        exporter, kind, opset = found.groups()
        if exporter not in exporters:
            exporters.append(exporter)
        cells.setdefault(kind, {}).setdefault(exporter, []).append((int(opset), result))
    with open(path, "w") as file:
        file.write(INTRODUCTION)
        file.write("| kind | " + " | ".join(exporters) + " |\n| :-- |" + " :-- |" * len(exporters) + "\n")
        for kind, row in cells.items():
            texts = []
            for exporter in exporters:
                texts.append(", ".join(
                    str(o) + ("" if r == "right" else f" {r}") for o, r in sorted(row.get(exporter, []))))
            file.write(f"| {kind} | " + " | ".join(texts) + " |\n")
        file.write("\n" + ", ".join(f"{n} {r}" for r, n in sorted(counts.items())) + ".\n\n")
        reasons = {}
        for name, (result, reason) in results.items():
            if result != "right":
                reasons.setdefault((result, reason), []).append(name)
        for (result, reason), names in reasons.items():
            file.write(f"- {', '.join(names)}: {result}; {reason}\n")


if __name__ == "__main__":
    main()
