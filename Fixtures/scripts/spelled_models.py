"""Activations as exporters spell them in comparisons, choices, quotients and products, and what only looks like one.

    python -B spelled_models.py

`spelled/activations.onnx` has one output for each spelling; `expected.json` says which activation each is, and
what onnxruntime answers. Every output of `spelled/others.onnx` is no activation and must be refused.
"""
import numpy as np
import onnx
import onnxruntime
from fixture_json import FIXTURES, write
from onnx import TensorProto, helper, numpy_helper

FOLDER = FIXTURES / "spelled"


class Graph:
    """Operators by name: g.Exp(x). Numbers become constants."""

    def __init__(self):
        self.nodes, self.tensors, self.outputs, self.count = [], [], [], 0
        random = np.random.default_rng(3)
        self.weight = self.constant(random.normal(size=(2, 3)) * 1.5)
        self.bias = self.constant(random.normal(size=3))
        self.z = self.again()

    def again(self):
        return self.Gemm("x", self.weight, self.bias)

    def constant(self, value, dtype=np.float32):
        self.count += 1
        self.tensors.append(numpy_helper.from_array(np.asarray(value, dtype), f"c{self.count}"))
        return f"c{self.count}"

    def __getattr__(self, operator):
        def node(*operands, **attributes):
            names = [o if isinstance(o, str) else self.constant(o) for o in operands]
            self.count += 1
            self.nodes.append(helper.make_node(operator, names, [f"v{self.count}"], f"{operator}{self.count}", **attributes))
            return f"v{self.count}"
        return node

    def output(self, name, value, width=3):
        self.nodes.append(helper.make_node("Identity", [value], [name], name))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]))

    def save(self, file):
        graph = helper.make_graph(
            self.nodes, "spelled", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])], self.outputs,
            self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        data = model.SerializeToString(deterministic=True)
        (FOLDER / file).write_bytes(data)
        return data


def expm1(g, z):
    return g.Sub(g.Exp(z), 1)


def elu(g, z, scale=1):
    # The guard keeps e^z finite where it is not used.
    below = g.Mul(expm1(g, g.Where(g.Greater(z, 0), g.constant(0), z)), scale)
    return g.Where(g.Greater(z, 0), z, below)


def log_add_exp(g, z):
    """As jax.numpy.logaddexp(z, 0)."""
    most, rest = g.Max(z, 0), g.Sub(z, 0)
    usual = g.Add(most, g.Log(g.Add(g.Exp(g.Neg(g.Abs(rest))), 1)))
    return g.Where(g.Not(g.Equal(rest, rest)), g.Add(z, 0), usual)


def relu6(g, z):
    return g.Min(g.Max(z, 0), 6)


def activations():
    g = Graph()
    z = g.z
    known = {
        "leaky": (g.Where(g.Greater(z, 0), z, g.Mul(z, 0.1)), "leaky-relu(0.1)"),
        "leaky_or_equal": (g.Where(g.GreaterOrEqual(z, 0), z, g.Mul(0.3, z)), "leaky-relu(0.3)"),
        "leaky_turned": (g.Where(g.Less(z, 0), g.Mul(z, 0.1), z), "leaky-relu(0.1)"),
        "leaky_by_max": (g.Max(z, g.Mul(z, 0.2)), "leaky-relu(0.2)"),
        "leaky_of_scaled": (g.Where(g.Greater(g.Add(g.Mul(z, -2), 1), 0), g.Add(g.Mul(z, -2), 1),
                                    g.Mul(g.Add(g.Mul(z, -2), 1), 0.1)), "leaky-relu(0.1)"),
        "leaky_computed_thrice": (g.Where(g.Greater(g.again(), 0), g.again(), g.Mul(g.again(), 0.2)), "leaky-relu(0.2)"),
        "relu": (g.Where(g.Greater(z, 0), z, g.constant(0)), "relu"),
        "relu_by_mask": (g.Mul(z, g.Cast(g.Greater(z, 0), to=1)), "relu"),
        "relu_turned": (g.Where(g.Greater(z, 0.5), g.constant(0.5), z), "relu"),
        "by_channel": (g.Where(g.Greater(z, 0), z, g.Mul(z, [0.1, 0.2, 0.3])), "relu"),
        "absolute": (g.Where(g.Less(z, 0), g.Neg(z), z), "leaky-relu(-1.0)"),
        "absolute_by_root": (g.Sqrt(g.Mul(z, z)), "leaky-relu(-1.0)"),
        "absolute_by_sign": (g.Mul(z, g.Sign(z)), "leaky-relu(-1.0)"),
        "soft_shrink": (g.Where(g.Greater(z, 0.5), g.Sub(z, 0.5), g.Where(g.Less(z, -0.5), g.Add(z, 0.5), g.constant(0))),
                        "relu"),
        "hard_tanh": (g.Where(g.Greater(z, 1), g.constant(1), g.Where(g.Less(z, -1), g.constant(-1), z)), "clip"),
        "relu6": (relu6(g, z), "clip"),
        "elu": (elu(g, z), "elu(1.0)"),
        "elu_scaled": (elu(g, z, 0.4), "elu(0.4)"),
        "celu": (g.Where(g.Greater(z, 0), z, g.Mul(expm1(g, g.Div(g.Min(z, 0), 0.7)), 0.7)), "elu(1.0)"),
        "elu_steeper_below": (g.Where(g.Greater(z, 0), z, expm1(g, g.Mul(z, 1.25))), "elu(1.25)"),
        "selu": (g.Mul(elu(g, z, 1.6732632423543772), 1.0507009873554805), "selu"),
        "softplus": (log_add_exp(g, z), "softplus"),
        "softplus_plain": (g.Log(g.Add(g.Exp(z), 1)), "softplus"),
        "log_sigmoid": (g.Log(g.Sigmoid(z)), "softplus"),
        "log_sigmoid_by_softplus": (g.Neg(log_add_exp(g, g.Neg(z))), "softplus"),
        "sigmoid": (g.Div(1, g.Add(g.Exp(g.Neg(z)), 1)), "sigmoid"),
        "sigmoid_by_reciprocal": (g.Reciprocal(g.Add(g.Exp(g.Neg(z)), 1)), "sigmoid"),
        "silu": (g.Div(z, g.Add(g.Exp(g.Neg(z)), 1)), "silu"),
        "silu_beta": (g.Mul(z, g.Sigmoid(g.Mul(z, 1.702))), "silu"),
        "tanh": (g.Div(g.Sub(1, g.Exp(g.Mul(z, -2))), g.Add(1, g.Exp(g.Mul(z, -2)))), "sigmoid"),
        "softsign": (g.Div(z, g.Add(g.Abs(z), 1)), "softsign"),
        "gelu": (g.Mul(g.Mul(z, 0.5), g.Add(g.Erf(g.Div(z, 2 ** 0.5)), 1)), "gelu"),
        "gelu_tanh": (g.Mul(g.Mul(z, 0.5), g.Add(g.Tanh(g.Mul(g.Add(z, g.Mul(g.Pow(z, 3), 0.044715)), (2 / np.pi) ** 0.5)), 1)),
                      "gelu-tanh"),
        "hard_swish": (g.Div(g.Mul(z, relu6(g, g.Add(z, 3))), 6), "hard-swish"),
        "mish": (g.Mul(z, g.Tanh(log_add_exp(g, z))), "mish"),
    }
    for name, (value, _) in known.items():
        g.output(name, value)
    session = onnxruntime.InferenceSession(g.save("activations.onnx"), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(4).normal(size=(12, 2)).astype(np.float32) * np.float32(0.5)
    answers = dict(zip(known, session.run(None, {"x": x})))
    write("spelled/expected.json", {"inputs": x.astype(float).tolist(), "spellings": [
        {"name": n, "activation": a, "outputs": answers[n].astype(float).tolist()} for n, (_, a) in known.items()]})


def others():
    g = Graph()
    z = g.z
    mean = g.ReduceMean(z, axes=[-1])
    centred = g.Sub(z, mean)
    deviation = g.Sqrt(g.Add(g.ReduceMean(g.Mul(centred, centred), axes=[-1]), 1e-5))
    for name, value in {
        "hard_shrink": g.Where(g.Greater(g.Abs(z), 0.5), z, g.constant(0)),
        "jump_of_a_thousandth": g.Where(g.Greater(z, 1e-3), z, g.Mul(z, 0.1)),
        "jump_far_out": g.Where(g.Greater(z, 200), g.Mul(z, 2), z),
        "step": g.Cast(g.Greater(z, 0), to=1),
        "choice_of_two": g.Where(g.Greater(z, g.Neg(mean)), z, g.Mul(z, 0.1)),
        "not_quite_softplus": g.Log(g.Add(g.Exp(z), 1.001)),
        "not_quite_softsign": g.Div(z, g.Add(g.Abs(z), 1.001)),
        "square_plus": g.Mul(g.Add(z, g.Sqrt(g.Add(g.Mul(z, z), 4))), 0.5),
        "layer_normalisation": g.Div(centred, deviation),
        "softmax": g.Div(g.Exp(z), g.ReduceSum(g.Exp(z), g.constant([-1], np.int64))),
    }.items():
        g.output(name, value)
    g.save("others.onnx")


FOLDER.mkdir(exist_ok=True)
activations()
others()
