"""Runs an ONNX model in onnxruntime on one CPU thread.

    python check_model.py MODEL.onnx INPUTS.csv OUTPUTS.csv

INPUTS.csv has one row per sample and no header; it is read as float64 and cast to float32.
OUTPUTS.csv gets the model's first output with 9 significant digits.
"""

import sys

import numpy as np
import onnxruntime


def main(model, inputs, outputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    x = np.loadtxt(inputs, delimiter=",", ndmin=2).astype(np.float32)
    y = session.run(None, {session.get_inputs()[0].name: x})[0]
    np.savetxt(outputs, y, fmt="%.9g", delimiter=",")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
