"""Runs the training engine and its peers by turns on the same data and core, and prints how they compare.

Started by Scripts/bench, which makes data, engine and a Python environment for the peers. Every program
is a process of its own that measures its own warm steps (no reading, no compiling); each is run in every
round, one after the other, and the medians count. The share of the limit is that of the fused
multiply-adds that a dense step needs, at the rate which the core reaches on registers alone, measured in
the same rounds.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Multiply-adds per sample of a dense step: forward, backward (not into the inputs), weight gradients.
def dense_work(widths, skip):
    weights = [a * b for a, b in zip(widths, widths[1:])]
    total = 3 * sum(weights) - weights[0]
    return total + 2 * skip * widths[0] * widths[-1]


WORKLOADS = {
    # name: (what it is, multiply-adds per sample)
    "dense": ("13-20-20-20-20-8, ReLU", dense_work([13, 20, 20, 20, 20, 8], False)),
    "dense-silu": ("the same, SiLU and linear skip", dense_work([13, 20, 20, 20, 20, 8], True)),
    "dense-tanh": ("the same, tanh and linear skip", dense_work([13, 20, 20, 20, 20, 8], True)),
    "sparse-trunk": ("as dense, proximal 1e-3, 100 epochs", dense_work([13, 20, 20, 20, 20, 8], False)),
    "sparse-towers": ("8 × 13-20-20-20-20-1, ReLU, proximal 1e-2, 60 epochs",
                      8 * dense_work([13, 20, 20, 20, 20, 1], False)),
    "silu-towers": ("8 × 13-20-1, SiLU and skip, proximal 1e-3, 60 epochs",
                    8 * dense_work([13, 20, 1], True)),
}
BATCH = 128
PEERS = {
    "jax": ("JAX", "jax_peer.py", ["plain", "flat", "manual"]),
    "pytorch": ("PyTorch", "pytorch_peer.py", ["eager", "batched"]),
}


def run(command, core):
    if core is not None and os.path.exists("/usr/bin/taskset"):
        command = ["taskset", "-c", str(core)] + command
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(arguments):
    """Figures by (workload, program): lists over rounds."""
    figures, versions, limits = {}, {}, []
    core = max(os.sched_getaffinity(0))
    ours = [arguments.ours, "--data", arguments.data]
    cores = os.cpu_count() or 1
    for round_number in range(arguments.rounds):
        limits.append(run(ours + ["--workload", "limit"], core))
        for workload in arguments.workloads:
            print(f"round {round_number + 1} of {arguments.rounds}: {workload}", file=sys.stderr)

            def note(program, result):
                figures.setdefault((workload, program), []).append(result["microseconds_per_step_and_member"])
                versions[program.split(",")[0]] = result["version"]

            epochs = ["--epochs", "2"] if arguments.quick else []
            note("Filigree", run(ours + ["--workload", workload] + epochs, core))
            if cores > 1 and workload in ("dense", "sparse-towers"):
                for threads in (1, 2):
                    many = ["--members", "4", "--threads", str(threads)]
                    note(f"Filigree, 4 members, {threads} threads",
                         run(ours + ["--workload", workload] + epochs + many, None))
            for name, (title, script, variants) in PEERS.items():
                if name in arguments.without:
                    continue
                for variant in variants:
                    seconds = "1.5" if name == "jax" else "1"
                    note(f"{title}, {variant}", run(
                        [sys.executable, str(HERE / script), "--data", arguments.data, "--workload", workload,
                         "--variant", variant, "--seconds", seconds], core))
    return figures, versions, limits


def median(results, workload, program):
    values = results["microseconds_per_step_and_member"][workload].get(program)
    return statistics.median(values) if values else None


def table(results):
    """The results in words: a row for each workload, the fastest JAX of those measured as the tuned one."""
    limits = results["limits"]
    limit = statistics.median(entry["gigaflops_per_second"] for entry in limits)
    lines = [
        "| workload | Filigree | JAX, plain | JAX, tuned | PyTorch, loop | PyTorch, batched "
        "| a dense step at the limit | two cores |",
        "|:--|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for workload, programs in results["microseconds_per_step_and_member"].items():
        text, work = WORKLOADS[workload]
        ours = median(results, workload, "Filigree")
        tuned = [median(results, workload, program) for program in programs if program.startswith("JAX")]
        peers = [
            median(results, workload, "JAX, plain"), min(tuned, default=None),
            median(results, workload, "PyTorch, eager"), median(results, workload, "PyTorch, batched"),
        ]
        cells = [f"{time:.0f} µs ({time / ours:.1f} ×)" if time else "" for time in peers]
        dense = 2 * work * BATCH / limit / 1e3
        one, two = (median(results, workload, f"Filigree, 4 members, {threads} threads") for threads in (1, 2))
        cells += [f"{dense:.1f} µs ({100 * dense / ours:.0f} %)", f"{one / two:.2f} ×" if one and two else ""]
        lines.append(f"| {workload}: {text} | {ours:.1f} µs | {' | '.join(cells)} |")
    programs = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines += [
        "",
        f"Per optimiser step of 128 samples and member, on one core; in brackets how many times Filigree's. "
        f"{results['machine']} ({limits[0]['instruction_set']}): {limit:.0f} GFLOP/s of Float multiply-adds on "
        f"registers alone. {programs}; medians of {results['rounds']} rounds by turns. The normal equations of "
        f"10,000 rows × 100 weights take "
        f"{statistics.median(entry['normal_equations_milliseconds'] for entry in limits):.2f} ms, "
        f"{100 * statistics.median(entry['normal_equations_share'] for entry in limits):.0f} % of the limit in "
        f"Float.",
    ]
    return lines


def machine():
    name = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                platform.processor())
    return f"{name}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--ours", help="the binary training-benchmark")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workloads", type=lambda text: text.split(","), default=list(WORKLOADS))
    parser.add_argument("--without", type=lambda text: text.split(","), default=[], help="jax,pytorch")
    parser.add_argument("--quick", action="store_true", help="two epochs, one round: does it run at all")
    parser.add_argument("--output", help="results as JSON and, beside it, as Markdown")
    parser.add_argument("--again", help="print the table of these results, JSON, and measure nothing")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.workloads if name not in WORKLOADS]:
        parser.error(f"unknown workloads {unknown}; there are {', '.join(WORKLOADS)}")
    if arguments.again:
        results = json.loads(Path(arguments.again).read_text())
    else:
        if arguments.quick:
            arguments.rounds = 1
        figures, versions, limits = measure(arguments)
        results = {
            "machine": machine(), "versions": versions, "rounds": arguments.rounds, "limits": limits,
            "microseconds_per_step_and_member": {
                workload: {program: values for (found, program), values in figures.items() if found == workload}
                for workload in arguments.workloads
            },
        }
    lines = table(results)
    print("\n".join(lines))
    if arguments.output:
        output = Path(arguments.output)
        output.write_text(json.dumps(results, indent=1) + "\n")
        output.with_suffix(".md").write_text("\n".join(lines) + "\n")


main()
