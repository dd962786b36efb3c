"""Models as PyTorch, scikit-learn, Keras, JAX, onnxsim and onnxruntime's optimiser write them.

    exporters.py FOLDER [torch|sklearn|keras|jax]…

One file for each exporter, kind and operator set: FOLDER/exporter-kind-opset.onnx. The weights are random
from fixed seeds. Versions are pinned in exporters-requirements.txt (Keras and tf2onnx in a second environment,
exporters-keras-requirements.txt). What fails to export is said and left out.
"""
import os
import sys
import warnings

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")
import numpy as np

FOLDER = sys.argv[1]
WANTED = sys.argv[2:] or ["torch", "sklearn", "keras", "jax"]
NEWEST = 26  # what onnxruntime 1.32 runs
os.makedirs(FOLDER, exist_ok=True)


def save(model, file):
    """An empty file would be left of a model that is not made."""
    data = model.SerializeToString()
    with open(file, "wb") as out:
        out.write(data)


def path(exporter, kind, opset):
    return os.path.join(FOLDER, f"{exporter}-{kind}-{opset}.onnx")


def tried(what, make):
    try:
        make()
    except Exception as problem:  # an exporter that cannot is no fault of the reader
        print(f"not exported: {what}: {type(problem).__name__} {str(problem).splitlines()[0][:100] if str(problem) else ''}")


# --- PyTorch -------------------------------------------------------------------------------------------------
def torch_models():
    import torch
    from torch import nn

    torch.manual_seed(1)

    def mlp(n, m, act=nn.Tanh, width=6):
        return nn.Sequential(nn.Linear(n, width), act(), nn.Linear(width, width), act(), nn.Linear(width, m))

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(4, 6), nn.Linear(6, 2)
            self.blocks = nn.ModuleList([mlp(6, 6, nn.ReLU) for _ in range(2)])
        def forward(self, x):
            h = self.first(x)
            for block in self.blocks:
                h = h + 0.1 * block(h)
            return self.last(torch.relu(h))

    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.a = mlp(4, 2, nn.SiLU), nn.Linear(4, 2)
        def forward(self, x):
            return self.f(x) + self.a((x - 2.0) / 3.0)

    class Several(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = mlp(5, 3, nn.ELU)
            self.a, self.b = nn.Linear(3, 3, bias=False), nn.Linear(2, 3, bias=False)
        def forward(self, x, u):
            return self.a(x) + self.b(u) + self.f(torch.cat([x, u], dim=-1))

    class Slices(nn.Module):
        def __init__(self):
            super().__init__()
            self.towers = nn.ModuleList([mlp(1, 2, nn.GELU) for _ in range(3)])
            self.pair = mlp(2, 2, nn.Softplus)
        def forward(self, x):
            total = self.pair(x[:, [0, 3]])
            for i, tower in enumerate(self.towers):
                total = total + tower(x[:, i:i + 1])
            return total

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = mlp(4, 2, lambda: nn.LeakyReLU(0.1))
            self.register_buffer("m", torch.tensor([5.0, -300.0, 0.01, 2.0]))
            self.register_buffer("s", torch.tensor([-2.0, 40.0, 1e-3, 0.5]))
        def forward(self, x):
            return -2.5 * self.f((self.m - x) / self.s) + torch.tensor([100.0, -1.0])

    class Step(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = mlp(4, 3, nn.Sigmoid)
            self.register_buffer("m", torch.tensor([1.0, 2.0, 3.0, 4.0]))
        def forward(self, x):
            return x[:, :3] + 0.1 * self.f((x - self.m) / 2.0)

    class Split(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.g = nn.Linear(4, 12), nn.Linear(6, 2)
        def forward(self, x):
            a, b = self.f(x).chunk(2, dim=-1)
            return self.g(torch.tanh(a) * torch.sigmoid(b))

    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = mlp(4, 2, nn.Hardswish)
            self.register_buffer("mask", torch.tensor([1.0, 0.0, 1.0, 1.0]))
        def forward(self, x):
            return self.f(x * self.mask)

    class Members(nn.Module):
        """An ensemble in one graph: its members' weights in one tensor."""
        def __init__(self):
            super().__init__()
            self.w, self.v = nn.Parameter(torch.randn(3, 4, 6) / 2), nn.Parameter(torch.randn(3, 6, 2) / 2)
        def forward(self, x):
            return torch.einsum("bkh,kho->bko", torch.tanh(torch.einsum("bi,kih->bkh", x, self.w)), self.v).mean(1)

    class Stacked(nn.Module):
        def __init__(self):
            super().__init__()
            self.members = nn.ModuleList([mlp(4, 2, nn.ReLU) for _ in range(3)])
        def forward(self, x):
            return torch.stack([m(x) for m in self.members]).mean(0)

    norm = nn.Sequential(
        nn.BatchNorm1d(4), nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 6),
        nn.Mish(), nn.BatchNorm1d(6), nn.Linear(6, 2))
    for _ in range(20):
        norm.train()(torch.randn(64, 4) * 2 + 1)
    kinds = {
        "mlp": (mlp(4, 2, nn.ReLU), [4]), "batchnorm": (norm, [4]), "residual": (Residual(), [4]),
        "skip": (Skip(), [4]), "inputs": (Several(), [3, 2]), "slices": (Slices(), [4]),
        "scaled": (Scaled(), [4]), "step": (Step(), [4]), "gates": (Split(), [4]), "mask": (Masked(), [4]),
        "layernorm": (nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 2)), [4]),
        "half": (mlp(4, 2, nn.ReLU).half(), [4]), "double": (mlp(4, 2, nn.Tanh).double(), [4]),
        "bfloat": (mlp(4, 2, nn.ReLU).bfloat16(), [4]),
    }
    for name, act in {"selu": nn.SELU, "celu": lambda: nn.CELU(0.7), "softsign": nn.Softsign, "relu6": nn.ReLU6,
                      "hardsigmoid": nn.Hardsigmoid, "hardtanh": nn.Hardtanh, "prelu": lambda: nn.PReLU(6),
                      "gelutanh": lambda: nn.GELU(approximate="tanh"), "logsigmoid": nn.LogSigmoid,
                      "softplus5": lambda: nn.Softplus(beta=5)}.items():
        kinds["act-" + name] = (mlp(4, 2, act), [4])
    kinds |= {"members": (Members(), [4]), "stacked": (Stacked(), [4])}
    def arguments(kind, widths):
        dtype = {"half": torch.float16, "double": torch.float64, "bfloat": torch.bfloat16}.get(kind, torch.float32)
        return tuple(torch.randn(3, w, dtype=dtype) for w in widths)
    for kind, (model, widths) in kinds.items():
        model.eval()
        names = ["x", "u"][:len(widths)]
        for opset in (7, 17, 20):
            file = path("torch-legacy", kind, opset)
            tried(file, lambda: torch.onnx.export(
                model, arguments(kind, widths), file, dynamo=False, opset_version=opset, input_names=names,
                output_names=["y"], dynamic_axes={n: {0: "batch"} for n in names + ["y"]}))
    for kind, (model, widths) in kinds.items():
        args, names = arguments(kind, widths), ["x", "u"][:len(widths)]
        for opset in (18, 23, 24):
            if kind.startswith("act-") and opset == 23:
                continue
            file = path("torch-dynamo", kind, opset)
            batch = torch.export.Dim("batch")
            tried(file, lambda: torch.onnx.export(
                model, args, file, dynamo=True, opset_version=opset, input_names=names, verbose=False,
                external_data=kind not in ("mask", "gates"), dynamic_shapes=tuple({0: batch} for _ in widths)))
    for kind in ("mlp", "step"):
        model, widths = kinds[kind]
        args = arguments(kind, widths)
        file = path("torch-fixed", kind, 18)
        tried(file, lambda: torch.onnx.export(
            model, tuple(a[:1] for a in args), file, dynamo=True, input_names=["x"], verbose=False))


def made_of_others():
    """What optimisers and quantisers make of PyTorch's files."""
    import onnx
    import onnx.version_converter
    from onnx import helper, numpy_helper
    kinds = ["mlp", "batchnorm", "residual", "skip", "inputs", "slices", "scaled", "step", "gates"]
    for kind in kinds:
        source = path("torch-legacy", kind, 17)
        if not os.path.exists(source):
            continue
        def simplify():
            import onnxsim
            simple, _ = onnxsim.simplify(onnx.load(source))
            onnx.save(simple, path("onnxsim", kind, 17))
        tried("onnxsim " + kind, simplify)
        def fuse():
            import onnxoptimizer
            passes = onnxoptimizer.get_fuse_and_elimination_passes()
            onnx.save(onnxoptimizer.optimize(onnx.load(source), passes), path("onnxoptimizer", kind, 17))
        tried("onnxoptimizer " + kind, fuse)
        def apart():
            data = path("external", kind, 17) + ".data"
            if os.path.exists(data):  # it would be added to
                os.remove(data)
            onnx.save(onnx.load(source), path("external", kind, 17), save_as_external_data=True, size_threshold=0,
                      location=f"external-{kind}-17.onnx.data")
        tried("external data " + kind, apart)
        def optimise():
            import onnxruntime
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
            options.optimized_model_filepath = path("ort-extended", kind, 17)
            onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        tried("onnxruntime " + kind, optimise)
        def quantise():
            model = onnx.load(source)
            graph = model.graph
            extra, kept = [], []
            for tensor in graph.initializer:
                w = numpy_helper.to_array(tensor)
                if w.ndim != 2:
                    kept.append(tensor)
                    continue
                scale = (np.abs(w).max() / 127).astype(np.float32)
                q = np.clip(np.round(w / scale), -127, 127).astype(np.int8)
                kept += [numpy_helper.from_array(q, tensor.name + "_q"),
                         numpy_helper.from_array(scale, tensor.name + "_s"),
                         numpy_helper.from_array(np.int8(0), tensor.name + "_z")]
                extra.append(helper.make_node(
                    "DequantizeLinear", [tensor.name + "_q", tensor.name + "_s", tensor.name + "_z"], [tensor.name]))
            del graph.initializer[:]
            graph.initializer.extend(kept)
            nodes = list(graph.node)
            del graph.node[:]
            graph.node.extend(extra + nodes)
            onnx.save(model, path("weights-quantised", kind, 17))
        tried("quantised " + kind, quantise)
        def dynamic():
            from onnxruntime.quantization import quantize_dynamic
            quantize_dynamic(source, path("ort-dynamic", kind, 17))
        def static(form):
            from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
            class Samples(CalibrationDataReader):
                def __init__(self):
                    random = np.random.default_rng(1)
                    self.rows = iter([{"x": random.normal(size=(1, 4)).astype(np.float32)} for _ in range(8)])
                def get_next(self):
                    return next(self.rows, None)
            quantize_static(source, path("ort-" + form.lower(), kind, 17), Samples(), quant_format=QuantFormat[form])
        if kind == "mlp":
            tried("dynamically quantised " + kind, dynamic)
            tried("quantised in pairs " + kind, lambda: static("QDQ"))
            tried("quantised operators " + kind, lambda: static("QOperator"))
        def bfloat():
            model = onnx.load(source)
            for tensor in model.graph.initializer:
                if tensor.data_type != onnx.TensorProto.FLOAT:
                    continue
                name = tensor.name
                values = numpy_helper.to_array(tensor)
                short = helper.make_tensor(
                    name + "_short", onnx.TensorProto.BFLOAT16, values.shape,
                    ((values.view(np.uint32) + 0x8000) >> 16).astype(np.uint16).tobytes(), raw=True)
                model.graph.node.insert(0, helper.make_node(
                    "Cast", [name + "_short"], [name], to=onnx.TensorProto.FLOAT))
                tensor.CopyFrom(short)
            onnx.save(model, path("bfloat-weights", kind, 17))
        tried("bfloat " + kind, bfloat)
        def halved():
            from onnxruntime.transformers.float16 import convert_float_to_float16
            onnx.save(convert_float_to_float16(onnx.load(source)), path("ort-half", kind, 17))
            onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), path("ort-half-inside", kind, 17))
        tried("half " + kind, halved)
        def convert(opset, base):
            model = onnx.load(path("torch-legacy", kind, base))
            if opset < 7:  # the converter wants to know all lengths then
                for value in list(model.graph.input) + list(model.graph.output) + list(model.graph.value_info):
                    if value.type.tensor_type.shape.dim[0].dim_param:
                        value.type.tensor_type.shape.dim[0].dim_value = 1
            onnx.save(onnx.version_converter.convert_version(model, opset), path("converted", kind, opset))
        # There is no way from 17 to before 8.
        for opset, base in ((6, 7), (21, 17), (NEWEST, 17)):
            tried(f"version {opset} of {kind}", lambda: convert(opset, base))
        def four_bits():
            from onnxruntime.quantization import QuantFormat
            from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
            quantiser = MatMulNBitsQuantizer(onnx.load(path("converted", kind, 21)), algo_config=DefaultWeightOnlyQuantConfig(
                block_size=16, is_symmetric=False, quant_format=QuantFormat.QDQ))
            quantiser.process()
            onnx.save(quantiser.model.model, path("ort-four-bits", kind, 21))
        if kind == "inputs":  # the one with MatMul
            tried("four bits " + kind, four_bits)


# --- scikit-learn --------------------------------------------------------------------------------------------
def sklearn_models():
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.linear_model import Lasso, LinearRegression, Ridge
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.decomposition import PCA
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PolynomialFeatures, StandardScaler
    random = np.random.default_rng(2)
    x = random.normal(size=(200, 4)) * [1, 20, 0.1, 3] + [0, 300, 0, -5]
    z = (x - x.mean(0)) / x.std(0)
    y = np.stack([np.sin(z[:, 0]) + z[:, 1], z[:, 2] * z[:, 3]], 1)
    def net(activation):
        return MLPRegressor(hidden_layer_sizes=(6, 5), activation=activation, max_iter=200, random_state=1)
    models = {
        "linear": LinearRegression(), "ridge": make_pipeline(StandardScaler(), Ridge()),
        "lasso": Lasso(0.01), "mlp": net("relu"),
        "scaled": make_pipeline(StandardScaler(), net("tanh")),
        "minmax": make_pipeline(MinMaxScaler(), net("logistic")),
        "identity": make_pipeline(MaxAbsScaler(), net("identity")),
        "columns": make_pipeline(
            ColumnTransformer([("a", StandardScaler(), [0, 2]), ("b", MinMaxScaler(), [1, 3])]), net("relu")),
        "one": make_pipeline(StandardScaler(), net("relu")),
        "pca": make_pipeline(StandardScaler(), PCA(3), net("tanh")),
        "target": TransformedTargetRegressor(make_pipeline(StandardScaler(), net("relu")), transformer=StandardScaler()),
        "polynomial": make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge()),
        "forest": RandomForestRegressor(5, max_depth=3, random_state=1),
    }
    for kind, model in models.items():
        target = y[:, 0] if kind in ("lasso", "one") else y
        model.fit(x, target)
        for opset in (9, 17, 21):
            tried(f"skl2onnx {kind} {opset}", lambda: save(
                to_onnx(model, x[:1].astype(np.float32), target_opset={"": opset, "ai.onnx.ml": 1 if opset < 17 else 3}),
                path("skl2onnx", kind, opset)))
    tried("skl2onnx double", lambda: save(to_onnx(models["scaled"], x[:1], target_opset=17), path("skl2onnx", "double", 17)))
    named = make_pipeline(
        ColumnTransformer([("s", StandardScaler(), ["T", "p"]), ("m", MinMaxScaler(), ["flow", "valve"])]), net("relu"))
    import importlib.util
    if importlib.util.find_spec("pandas"):
        import pandas
        table = pandas.DataFrame(x, columns=["T", "p", "flow", "valve"])
        named.fit(table, y)
        tried("skl2onnx inputs", lambda: open(path("skl2onnx", "inputs", 17), "wb").write(
            to_onnx(named, initial_types=[(n, FloatTensorType([None, 1])) for n in table.columns], target_opset=17).SerializeToString()))


# --- Keras ---------------------------------------------------------------------------------------------------
def keras_models():
    import keras
    import tensorflow as tf
    import tf2onnx
    from keras import layers
    keras.utils.set_random_seed(3)
    def mlp(act, x, m):
        for _ in range(2):
            x = layers.Dense(6, activation=act)(x)
        return layers.Dense(m)(x)
    x = keras.Input((4,), name="features")
    u = keras.Input((2,), name="controls")
    h = layers.Dense(6)(x)
    for _ in range(2):
        h = layers.Add()([h, layers.Dense(6)(layers.Dense(6, activation="relu")(h))])
    norm = layers.Dense(6, activation="tanh")(layers.BatchNormalization()(x))
    norm = layers.Dense(2)(layers.BatchNormalization()(norm))
    models = {
        "mlp": keras.Model(x, mlp("relu", x, 2)), "batchnorm": keras.Model(x, norm),
        "residual": keras.Model(x, layers.Dense(2)(layers.ReLU()(h))),
        "skip": keras.Model(x, layers.Add()([mlp("silu", x, 2), layers.Dense(2)(x)])),
        "inputs": keras.Model([x, u], mlp("elu", layers.Concatenate()([x, u]), 2)),
        "slices": keras.Model(x, layers.Add()([mlp("gelu", x[:, i:i + 1], 2) for i in range(2)])),
        "scaled": keras.Model(x, layers.Rescaling(-3.0, 7.0)(mlp("softplus", layers.Rescaling(0.1, -2.0)(x), 2))),
        "normalised": keras.Model(x, mlp("relu", layers.Normalization(
            mean=[1.0, 2.0, 3.0, 4.0], variance=[4.0, 1.0, 9.0, 16.0])(x), 2)),
    }
    models["sequential"] = keras.Sequential([
        keras.Input((4,)), layers.Dense(6, activation="gelu"), layers.Dropout(0.1), layers.LayerNormalization(),
        layers.Dense(2)])
    models["concatenate"] = keras.Model([x, u], layers.Dense(2)(layers.Concatenate()([
        mlp("tanh", layers.Concatenate()([x, u]), 3), x, layers.Rescaling(0.2)(u)])))
    for act in ["sigmoid", "selu", "softsign", "leaky_relu", "relu6", "hard_sigmoid", "mish", "exponential"]:
        models["act-" + act] = keras.Model(x, mlp(act, x, 2))
    for kind, model in models.items():
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                size = layer.moving_mean.shape[0]
                layer.moving_mean.assign(np.linspace(-1, 1, size))
                layer.moving_variance.assign(np.linspace(0.5, 2, size))
        specs = [tf.TensorSpec((None, i.shape[1]), tf.float32, name=i.name.split(":")[0]) for i in model.inputs]
        call = tf.function(lambda *args: model(list(args) if len(args) > 1 else args[0], training=False), input_signature=specs)
        for opset in (9, 15, 17, 18):
            tried(f"tf2onnx {kind} {opset}", lambda: tf2onnx.convert.from_function(
                call, specs, opset=opset, output_path=path("tf2onnx", kind, opset)))


# --- JAX -----------------------------------------------------------------------------------------------------
def jax_models():
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    from jax2onnx import to_onnx
    key = jax.random.PRNGKey(4)
    def mlp(n, m, act, seed):
        return eqx.nn.MLP(n, m, 6, 2, activation=act, key=jax.random.PRNGKey(seed))
    def weights(n, m, seed):
        return jax.random.normal(jax.random.PRNGKey(seed), (n, m)) / n ** 0.5
    def plain(act, n, seed):
        ws = [weights(n, 6, seed), weights(6, 6, seed + 1), weights(6, 2, seed + 2)]
        def f(x):
            for w in ws[:-1]:
                x = act(x @ w + 0.1)
            return x @ ws[-1] - 0.3
        return f
    r1, r2, r0, r3 = weights(6, 6, 11), weights(6, 6, 12), weights(4, 6, 13), weights(6, 2, 14)
    def residual(x):
        h = x @ r0
        h = h + jnp.tanh(h @ r1)
        h = h + 0.1 * jax.nn.relu(h @ r2)
        return h @ r3
    f, g = plain(jax.nn.silu, 4, 20), plain(jax.nn.elu, 5, 30)
    skip = weights(4, 2, 40)
    t1, t2 = plain(jax.nn.gelu, 1, 50), plain(jnp.tanh, 2, 60)
    models = {
        "mlp": (plain(jax.nn.relu, 4, 70), [4]), "residual": (residual, [4]),
        "skip": (lambda x: f(x) + x @ skip, [4]),
        "inputs": (lambda x, u: g(jnp.concatenate([x, u], -1)), [3, 2]),
        "slices": (lambda x: t1(x[:, :1]) + t2(x[:, 2:]), [4]),
        "scaled": (lambda x: -2 * f((5 - x) / 2) + 3, [4]),
        "step": (lambda x: x[:, :2] + 0.1 * f(x), [4]),
    }
    for name in ["sigmoid", "softplus", "leaky_relu", "selu", "soft_sign", "hard_tanh", "relu6", "swish", "elu",
                 "celu", "gelu", "mish", "log_sigmoid", "hard_sigmoid", "hard_swish", "squareplus", "tanh"]:
        models["act-" + name] = (plain(getattr(jax.nn, name), 4, 80), [4])
    models["batchnorm"] = (lambda x: jax.nn.elu((f(x) - 0.3) / jnp.sqrt(2.0 + 1e-5) * 1.5 + 0.2), [4])
    models["softmax"] = (lambda x: jax.nn.softmax(f(x)), [4])
    for kind, (model, widths) in models.items():
        for opset in (21, 23, 24):
            file = path("jax2onnx", kind, opset)
            def export():
                import onnx
                made = to_onnx(model, [("B", w) for w in widths], opset=opset)
                if made is not None and not isinstance(made, str):
                    onnx.save(made, file)
            tried(f"jax2onnx {kind} {opset}", export)
    def export_equinox():
        import onnx
        onnx.save(to_onnx(jax.vmap(mlp(4, 2, jax.nn.tanh, 5)), [("B", 4)]), path("jax2onnx", "equinox", 21))
    tried("equinox", export_equinox)


if "torch" in WANTED:
    torch_models()
if "torch" in WANTED or "others" in WANTED:
    made_of_others()
if "sklearn" in WANTED:
    sklearn_models()
if "keras" in WANTED:
    keras_models()
if "jax" in WANTED:
    jax_models()
