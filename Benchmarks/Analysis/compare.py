"""Times relevance by Filigree and JAX by turns, and paths of a large network, and prints tables.

    python compare.py --tools FOLDER --dense MODEL.onnx --towers MODEL.onnx --data TEST.nc
        [--large MODEL.onnx] [--rounds 5] [--output results.json] [--without jax]
    python compare.py --make-large MODEL.onnx
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from common import machine, make_network, publish, whole_process  # noqa: E402

PEER = Path(__file__).with_name("jax_peer.py")
SIZES = [784, 4096, 4096, 4096, 10]


def command(arguments, model):
    return [
        f"{arguments.tools}/filigree-sensitivity", model, "--data", arguments.data, "--threads", "1", "--format", "json"]


def ours(arguments, model):
    """Seconds of the Jacobians alone, as the tool says them."""
    run = subprocess.run(command(arguments, model), capture_output=True, text=True, check=True)
    return float(re.search(r" samples in ([0-9.]+) s", run.stderr).group(1))


def peer(arguments, model, mode):
    run = subprocess.run(
        [sys.executable, str(PEER), model, arguments.data, mode], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ["--tools", "--dense", "--towers", "--data", "--large", "--output", "--make-large"]:
        parser.add_argument(name)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without", default="")
    arguments, _ = parser.parse_known_args()
    if arguments.make_large:
        return make_network(arguments.make_large, SIZES)
    models = {
        "dense: 13-20-20-20-20-8, ReLU": arguments.dense, "the default: 8 towers 13-20-1, SiLU": arguments.towers,
    }
    times = {}
    for number in range(arguments.rounds):
        for title, model in models.items():
            measures = {
                "Filigree": lambda: ours(arguments, model),
                "Filigree, whole process": lambda: whole_process(command(arguments, model))[0],
            }
            if "jax" not in arguments.without:
                measures["JAX, jacrev"] = lambda: peer(arguments, model, "plain")
                measures["JAX, jacrev by chunks"] = lambda: peer(arguments, model, "jacrev")
                measures["JAX, jacfwd by chunks"] = lambda: peer(arguments, model, "jacfwd")
            for name, measure in measures.items():
                print(f"round {number + 1} of {arguments.rounds}: {title}, {name}", file=sys.stderr)
                times.setdefault((title, name), []).append(measure())
    lines = ["| model | program | seconds | of Filigree's time |", "|:--|:--|--:|--:|"]
    for (title, name), values in times.items():
        first = statistics.median(times[(title, "Filigree")])
        value = statistics.median(values)
        lines.append(f"| {title} | {name} | {value:.3f} | {value / first:.1f} × |")
    lines += [
        "",
        "Mean |J| over 200,000 samples on one core, Filigree in double, JAX in single, warm and jitted (`vmap` of "
        "the derivative, of all samples at once or by chunks of 4000); the whole process reads "
        "21 MB of data first and prints a table. "
        f"{machine()}; medians of {arguments.rounds} rounds by turns.",
    ]
    if arguments.large:
        paths = [f"{arguments.tools}/filigree-paths", arguments.large, "--strongest", "100", "--format", "json"]
        runs = [whole_process(paths) for _ in range(arguments.rounds)]
        small = [
            whole_process([f"{arguments.tools}/filigree-paths", arguments.dense, "--strongest", "100"])[0]
            for _ in range(arguments.rounds)]
        lines += [
            "",
            f"Counts, strengths, bounds and the 100 strongest paths of a network "
            f"{'-'.join(map(str, SIZES))} with 5 % of its weights (a file of 147 MB): "
            f"{statistics.median(r[0] for r in runs):.2f} s and {max(r[1] for r in runs) / 1e6:.0f} MB, of the dense "
            f"13-20-20-20-20-8: {1000 * statistics.median(small):.0f} ms; whole processes.",
        ]
    results = [{"model": title, "program": name, "seconds": values} for (title, name), values in times.items()]
    publish(lines, results, arguments.output)


main()
