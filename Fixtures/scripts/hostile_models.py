"""ONNX files that must be refused: broken, forged, or beyond what a feed-forward network is.

    python -B hostile_models.py
"""

import numpy as np
import onnx
from fixture_json import FIXTURES
from onnx import TensorProto, helper, numpy_helper

FOLDER = FIXTURES / "hostile"
node = helper.make_node


def matrix(name, *shape, value=0.5):
    return numpy_helper.from_array(np.full(shape, value, np.float32), name)


def value(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, ["n", *shape])


def save(file, nodes, initialisers=(), inputs=None, outputs=None):
    graph = helper.make_graph(nodes, "hostile", inputs or [value("x", 2)], outputs or [value("y", 2)], initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (FOLDER / (file + ".onnx")).write_bytes(model.SerializeToString(deterministic=True))


def linear(weight="w", bias="b"):
    return node("Gemm", ["x", weight, bias], ["y"], name="first", transB=1)


def forged(name, dims, data=b""):
    """A tensor of float32 that claims to have the shape `dims`."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, raw_data=data)
    tensor.dims.extend(dims)
    return tensor


def numbers():
    w, b = matrix("w", 2, 2), matrix("b", 2)
    save("nan_weight", [linear()], [matrix("w", 2, 2, value=np.nan), b])
    save("infinite_bias", [linear()], [w, matrix("b", 2, value=np.inf)])
    save("nan_constant", [node("Constant", [], ["c"], name="odd", value_float=float("nan")),
                          node("Add", ["x", "c"], ["z"]), node("Relu", ["z"], ["y"])])
    save("nan_alpha", [node("Gemm", ["x", "w", "b"], ["y"], name="first", alpha=float("nan"), transB=1)], [w, b])
    save("infinite_beta", [node("Gemm", ["x", "w", "b"], ["y"], name="first", beta=float("inf"), transB=1)], [w, b])
    save("zero_over_zero", [node("Div", ["o", "o"], ["c"], name="ratio"), node("Add", ["x", "c"], ["z"]),
                            node("Relu", ["z"], ["y"])], [matrix("o", 2, value=0)])
    huge = helper.make_tensor("h", TensorProto.DOUBLE, [2], [1e200, 1e200])
    save("overflow", [node("Mul", ["h", "h"], ["c"], name="square"), node("Add", ["x", "c"], ["z"]),
                      node("Relu", ["z"], ["y"])], [huge])
    save("scaled_overflow", [node("Mul", ["x", "h"], ["a"]), node("Mul", ["a", "h"], ["b"], name="again"),
                             node("Relu", ["b"], ["y"])], [huge])
    save("scaled_by_zero", [node("Div", ["x", "o"], ["z"], name="ratio"), node("Relu", ["z"], ["y"])],
         [matrix("o", 2, value=0)])


def shapes():
    b = matrix("b", 2)
    save("huge_shape", [linear()], [forged("w", [2**40, 2**40]), b])
    save("overflowing_shape", [linear()], [forged("w", [2**62, 2**62, 2**62]), b])
    save("negative_shape", [linear()], [forged("w", [-2, -2], bytes(16)), b])
    save("zero_columns", [node("MatMul", ["x", "w"], ["y"], name="first")], [forged("w", [2, 0])])
    save("zero_rows", [node("MatMul", ["x", "w"], ["y"], name="first")], [forged("w", [0, 2**62])])
    save("too_few_numbers", [linear()], [forged("w", [2, 2], bytes(12)), b])
    save("half_a_number", [linear()], [forged("w", [2, 2], bytes(15)), b])
    save("wrong_width", [linear()], [matrix("w", 2, 3), b])
    save("wrong_bias", [linear()], [matrix("w", 2, 2), matrix("b", 3)])
    save("different_widths", [node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["x", "v"], ["b"]),
                              node("Add", ["a", "b"], ["y"], name="sum")], [matrix("w", 2, 2), matrix("v", 2, 3)])
    save("wide_input", [node("Relu", ["x"], ["y"], name="all")], inputs=[value("x", 10**6)])
    doubling = [node("Concat", [f"c{i}", f"c{i}"], [f"c{i + 1}"], name=f"double{i}", axis=1) for i in range(48)]
    save("doubling", [node("Relu", ["x"], ["c0"]), *doubling, node("Relu", ["c48"], ["y"])])
    save("no_features", [node("Relu", ["x"], ["y"])], inputs=[value("x", 0)])


def structure():
    w, b = matrix("w", 2, 2), matrix("b", 2)
    external = matrix("w", 2, 2)
    external.ClearField("raw_data")
    external.data_location = TensorProto.EXTERNAL
    external.external_data.add(key="location", value="weights.bin")
    save("external_data", [linear()], [external, b])
    outside = matrix("w", 2, 2)
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../weights.bin")
    save("outside_data", [linear()], [outside, b])
    save("text_weights", [linear()], [helper.make_tensor("w", TensorProto.STRING, [2, 2], [b"a"] * 4), b])
    save("cycle", [node("Add", ["x", "y"], ["z"], name="loop"), node("Relu", ["z"], ["y"])])
    save("undefined_tensor", [linear("nowhere")], [b])
    save("undefined_output", [linear()], [w, b], outputs=[value("nothing", 2)])
    save("lost_constants", [node("Sub", ["x", "mean"], ["z"]), node("Relu", ["z"], ["y"])],
         inputs=[value("x", 2), helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 2])])
    save("two_outputs", [linear()], [w, b], outputs=[value("y", 2), value("x", 2)])
    save("no_nodes", [])
    save("returns_its_input", [node("Identity", ["x"], ["y"])])
    save("own_norm", [node("LayerNormalization", ["x", "b"], ["y"], name="norm")], [b])
    save("quantised_values", [node("QuantizeLinear", ["x", "s"], ["q"], name="round"),
                              node("DequantizeLinear", ["q", "s"], ["y"])], [matrix("s", 1)])
    save("lacking_operand", [node("Add", ["x"], ["y"], name="sum")])
    save("computed_weights", [node("Relu", ["x"], ["a"]), node("MatMul", ["x", "a"], ["y"], name="attention")])
    save("transposed_input", [node("Gemm", ["x", "w", "b"], ["y"], name="first", transA=1)], [w, b])
    save("joined_samples", [node("Relu", ["x"], ["a"]), node("Concat", ["a", "a"], ["y"], name="stack", axis=0)])
    save("foreign_domain", [node("Relu", ["x"], ["y"], name="odd", domain="com.example")])
    # A function that calls itself.
    call = node("call", ["x"], ["y"], name="again", domain="own")
    graph = helper.make_graph([call], "hostile", [value("x", 2)], [value("y", 2)])
    function = helper.make_function("own", "call", ["x"], ["y"], [call], [helper.make_opsetid("own", 1)])
    model = helper.make_model(graph, functions=[function], ir_version=8,
                              opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("own", 1)])
    (FOLDER / "calling_itself.onnx").write_bytes(model.SerializeToString(deterministic=True))


def main():
    FOLDER.mkdir(exist_ok=True)
    for make in (numbers, shapes, structure):
        make()
    for file in sorted(FOLDER.glob("*.onnx")):
        print(f"{file.name}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
