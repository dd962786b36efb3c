"""The models in Fixtures/exporters and what they answer: exporter_fixtures.py FOLDER-OF-exporters.py

Copies one file of each exporter and kind and writes expected.json: random inputs, outputs by onnxruntime, Jacobians
by central differences in double precision.
"""
import json
import os
import shutil
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(__file__))
from foreign_check import Original

source = sys.argv[1]
target = os.path.join(os.path.dirname(__file__), "..", "exporters")
os.makedirs(target, exist_ok=True)
chosen = {}
for name in sorted(os.listdir(source)):
    if not name.endswith(".onnx"):
        continue
    exporter, rest = name[:-5].rsplit("-", 1)[0], name
    # The newest operator set of each exporter and kind.
    chosen[exporter] = rest if exporter not in chosen or len(rest) >= len(chosen[exporter]) else chosen[exporter]
wanted = ("torch-legacy", "torch-dynamo-batchnorm", "torch-dynamo-residual", "torch-dynamo-mlp", "torch-dynamo-slices",
          "torch-dynamo-bfloat", "torch-fixed-step", "skl2onnx", "tf2onnx-batchnorm", "tf2onnx-residual", "tf2onnx-skip",
          "tf2onnx-slices", "tf2onnx-scaled", "tf2onnx-inputs", "tf2onnx-concatenate", "jax2onnx", "ort-extended-residual",
          "ort-extended-slices", "onnxsim-batchnorm", "onnxoptimizer-residual", "weights-quantised-mlp", "bfloat-weights-skip",
          "ort-half-skip", "ort-half-inside-skip", "ort-four-bits-inputs", "external-mlp")
chosen = {k: v for k, v in chosen.items() if not k.startswith("converted")}
for name in ("converted-batchnorm-6.onnx", "converted-skip-6.onnx", "converted-step-6.onnx"):
    chosen[name[:-5]] = name
unreadable = ("layernorm", "normalised", "torch-legacy-slices", "forest", "softmax", "squareplus")
models = []
for exporter, name in sorted(chosen.items()):
    if not exporter.startswith(wanted + ("converted-",)) or any(w in exporter for w in unreadable):
        continue
    if os.path.getsize(os.path.join(source, name)) > 20_000:
        continue
    try:
        original = Original(os.path.join(source, name))
    except Exception as problem:  # files that onnxruntime does not take either
        print(name, type(problem).__name__)
        continue
    random = np.random.default_rng(7)
    count = sum(original.widths)
    entry = {"file": name, "inputs": [], "outputs": [], "jacobians": [], "half": original.is_half}
    for _ in range(3):
        x = random.normal(size=count).astype(np.float16 if original.is_half else np.float32).astype(float)
        entry["inputs"].append(x.tolist())
        entry["outputs"].append(original.answer(x).tolist())
        try:
            entry["jacobians"].append(original.jacobian(x).ravel().tolist())
        except Exception:
            entry["jacobians"].append([])
    models.append(entry)
    shutil.copy(os.path.join(source, name), target)
    data = os.path.join(source, name + ".data")
    if os.path.exists(data):
        shutil.copy(data, target)
with open(os.path.join(target, "expected.json"), "w") as file:
    json.dump({"models": models}, file, indent=0)
    file.write("\n")
print(len(models), "models")
