"""Tiny ONNX models in the styles of other exporters, and what onnxruntime answers on them.

Outputs are asserted against ONNX's own reference evaluator too.

    python -B foreign_models.py
"""

import numpy as np
import onnx
import onnxruntime
from fixture_json import FIXTURES, write
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

FOLDER = FIXTURES / "foreign"


def dyadic(rng, *shape):
    """Multiples of 1/1024: exact in float32 and short in the file."""
    return (np.round(rng.standard_normal(shape) * 1024) / 1024).astype(np.float32)


def raw(name, values):
    """An initialiser in raw_data, as torch.onnx writes it."""
    return numpy_helper.from_array(values, name)


def typed(name, values):
    """An initialiser in float_data, as many converters write it."""
    return helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.ravel().tolist())


def save(file, nodes, initialisers, inputs, outputs, producer):
    def batch(name, width):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
    graph = helper.make_graph(nodes, "main_graph", [batch(*inputs)], [batch(*outputs)], initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7,
                              producer_name=producer)
    onnx.checker.check_model(model, full_check=True)
    (FOLDER / file).write_bytes(model.SerializeToString(deterministic=True))
    return file


def matmul_relu(rng):
    node = helper.make_node
    return save("matmul_relu.onnx", [
        node("MatMul", ["input", "w1"], ["m1"]), node("Add", ["m1", "b1"], ["a1"]), node("Relu", ["a1"], ["h1"]),
        node("MatMul", ["h1", "w2"], ["m2"]), node("Add", ["b2", "m2"], ["a2"]), node("Relu", ["a2"], ["h2"]),
        node("MatMul", ["h2", "w3"], ["m3"]), node("Add", ["m3", "b3"], ["output"]),
    ], [raw("w1", dyadic(rng, 4, 6)), raw("b1", dyadic(rng, 6)), raw("w2", dyadic(rng, 6, 5)),
        raw("b2", dyadic(rng, 5)), raw("w3", dyadic(rng, 5, 2)), raw("b3", dyadic(rng, 2))],
        ("input", 4), ("output", 2), "pytorch")


def gemm_tanh(rng):
    """First layer: tanh(0.5 x W + 2 b) with W stored in x out. Second: Gemm as torch writes it."""
    return save("gemm_tanh.onnx", [
        helper.make_node("Gemm", ["x", "kernel", "bias"], ["z"], alpha=0.5, beta=2.0, transB=0),
        helper.make_node("Tanh", ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "fc.weight", "fc.bias"], ["y"], transB=1),
    ], [typed("kernel", dyadic(rng, 3, 5)), typed("bias", dyadic(rng, 5)),
        typed("fc.weight", dyadic(rng, 2, 5)), typed("fc.bias", dyadic(rng, 2))],
        ("x", 3), ("y", 2), "converter")


def silu_skip(rng):
    """y = mu_y + sigma_y * (W2 silu(W1 s + b1) + b2 + V s), s = (x - mu_x) / sigma_x."""
    node = helper.make_node
    return save("silu_skip_standardised.onnx", [
        node("Sub", ["x", "x_mean"], ["centred"]), node("Div", ["centred", "x_scale"], ["s"]),
        node("Gemm", ["s", "w1", "b1"], ["z"], transB=1),
        node("Sigmoid", ["z"], ["gate"]), node("Mul", ["z", "gate"], ["h"]),
        node("Gemm", ["h", "w2", "b2"], ["deep"], transB=1),
        node("MatMul", ["s", "skip"], ["shallow"]), node("Add", ["deep", "shallow"], ["sum"]),
        node("Mul", ["sum", "y_scale"], ["scaled"]), node("Add", ["scaled", "y_mean"], ["y"]),
    ], [raw("x_mean", dyadic(rng, 3)), raw("x_scale", np.array([0.5, 2.0, 3.0], np.float32)),
        raw("w1", dyadic(rng, 6, 3)), raw("b1", dyadic(rng, 6)),
        raw("w2", dyadic(rng, 2, 6)), raw("b2", dyadic(rng, 2)), raw("skip", dyadic(rng, 3, 2)),
        raw("y_scale", np.array([10.0, 0.25], np.float32)), raw("y_mean", np.array([100.0, -1.0], np.float32))],
        ("x", 3), ("y", 2), "pytorch")


def two_towers(rng):
    """Two networks 4-3-1 on the same inputs, joined by Concat."""
    nodes, initialisers = [], []
    for t in "ab":
        nodes += [helper.make_node("Gemm", ["x", t + ".w1", t + ".b1"], [t + ".z"], transB=1),
                  helper.make_node("Relu", [t + ".z"], [t + ".h"]),
                  helper.make_node("Gemm", [t + ".h", t + ".w2", t + ".b2"], [t + ".y"], transB=1)]
        initialisers += [raw(t + ".w1", dyadic(rng, 3, 4)), raw(t + ".b1", dyadic(rng, 3)),
                         raw(t + ".w2", dyadic(rng, 1, 3)), raw(t + ".b2", dyadic(rng, 1))]
    nodes.append(helper.make_node("Concat", ["a.y", "b.y"], ["y"], axis=1))
    return save("two_towers.onnx", nodes, initialisers, ("x", 4), ("y", 2), "pytorch")


def softmax(rng):
    return save("unsupported_softmax.onnx", [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1),
        helper.make_node("Softmax", ["z"], ["y"], axis=1),
    ], [raw("w", dyadic(rng, 2, 3)), raw("b", dyadic(rng, 2))], ("x", 3), ("y", 2), "pytorch")


def truncated(source):
    content = (FOLDER / source).read_bytes()
    (FOLDER / "truncated.onnx").write_bytes(content[: len(content) * 3 // 5])
    try:
        onnx.load(FOLDER / "truncated.onnx")
    except Exception:
        return
    raise AssertionError("the truncated model still parses")


def answers(file, rng):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(FOLDER / file, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    x = dyadic(rng, 8, entry.shape[1])
    y = session.run(None, {entry.name: x})[0]
    reference = ReferenceEvaluator(str(FOLDER / file)).run(None, {entry.name: x})[0]
    assert np.allclose(y, reference, rtol=1e-5, atol=1e-6)
    return {"file": file, "inputs": x.astype(float).tolist(), "outputs": y.astype(float).tolist()}


def main():
    rng = np.random.default_rng(13)
    FOLDER.mkdir(exist_ok=True)
    files = [make(rng) for make in (matmul_relu, gemm_tanh, silu_skip, two_towers, softmax)]
    truncated(files[0])
    write("foreign/expected.json", {
        "models": [answers(file, rng) for file in files[:4]],
        "refused": [{"file": files[4], "reason": "operator Softmax"},
                    {"file": "truncated.onnx", "reason": "truncated"}],
    })


if __name__ == "__main__":
    main()
