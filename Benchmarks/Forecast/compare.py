"""Times rolling forecasts of an ensemble by Filigree and JAX by turns and prints a table.

    python compare.py --models FOLDER --data TEST.nc --ours filigree-forecast [--rounds 5] [--output results.json]
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from common import machine, publish  # noqa: E402

PEER = Path(__file__).with_name("jax_peer.py")


def ours(arguments, threads, precision):
    """Seconds of the forecasts alone, as the tool says them, and the median error."""
    command = [
        arguments.ours, arguments.models, "--data", arguments.data, "--threads", str(threads),
        "--horizons", "5000", "--precision", precision, "--format", "json",
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(re.search(r" in ([0-9.]+) s", run.stderr).group(1))


def peer(arguments, variant):
    command = [sys.executable, str(PEER), arguments.models, arguments.data, variant]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output")
    parser.add_argument("--without", default="")
    arguments, _ = parser.parse_known_args()
    measures = {
        "Filigree": lambda: ours(arguments, 1, "single"),
        "Filigree, network in double": lambda: ours(arguments, 1, "double"),
        "Filigree, two threads": lambda: ours(arguments, 2, "single"),
    }
    if "jax" not in arguments.without:
        measures["JAX, plain"] = lambda: peer(arguments, "plain")
        measures["JAX, features × trajectories"] = lambda: peer(arguments, "feature-major")
    times = {name: [] for name in measures}
    for number in range(arguments.rounds):
        for name, measure in measures.items():
            print(f"round {number + 1} of {arguments.rounds}: {name}", file=sys.stderr)
            times[name].append(measure())
    medians = {name: statistics.median(values) for name, values in times.items()}
    first = medians["Filigree"]
    lines = ["| program | seconds | of Filigree's time |", "|:--|--:|--:|"]
    lines += [f"| {name} | {value:.3f} | {value / first:.1f} × |" for name, value in medians.items()]
    lines += [
        "",
        "Twenty dense members (13-20-20-20-20-8, ReLU) over 40 trajectories of 5000 samples, on one core "
        "unless said; Filigree also finds divergences, squared errors, the members' mean and its band, JAX "
        f"sums up absolute errors. {machine()}; medians of "
        f"{arguments.rounds} rounds by turns.",
    ]
    publish(lines, times, arguments.output)


main()
