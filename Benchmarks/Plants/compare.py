"""Which pairs of rate and input are found in simulated plants, by Filigree's defaults and by others.

    python compare.py --tools .build/release [--plants stirred-tank,kuramoto] [--noise 0,0.001,0.01] [--seeds 1]
                      [--members 5] [--trajectories 12] [--samples 1500] [--without pcmci] [--output results.json]

Truth is the effect R = mean |dF/dz| sd(z)/sd(F) of the plant's own one-step map F on data without noise; pairs with R
above 0.012 are true, at most 0.001 false, others count neither way.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from common import machine, publish
from world import NONE, PLANTS, SURE, World, score, truth, verdicts


def ours(world, members):
    report, seconds, wall = world.learn(members)
    true = truth(report)
    verdict, *_ = verdicts(report)
    sure, counted = true > SURE, (true > SURE) | (true <= NONE)
    result = score(verdict == "present", true)
    relevant = report["ensembles"][0]
    result |= {
        "pairs": int(sure.sum()), "counted": int(counted.sum()),
        "absent": int(((verdict == "absent") & sure).sum()),
        "undecided": int(((verdict == "undecided") & counted).sum()),
        "jacobian": relevant.get("jacobianError"), "seconds": seconds, "wall": wall}
    return result, true


def measure(world, members, without):
    found, true = ours(world, members)
    results = {"Filigree": found}
    results["everything connected"] = score(np.ones(true.shape, bool), true)
    values, _, states, _ = world.arrays()
    import peers
    for name, method in peers.ALL.items():
        if any(part and part in name.lower() for part in without):
            continue
        begin = time.perf_counter()
        results[name] = score(method(values, states, world.seed), true)
        results[name]["wall"] = time.perf_counter() - begin
    return results


def lines(results):
    methods = list(dict.fromkeys(name for entry in results for name in entry["results"]))
    others = [name for name in methods if name != "Filigree"]
    yield ("| plant | noise | F1 of present | precision | true called absent | undecided | error of \\|J\\| | s per member | "
           + " | ".join(f"F1 {name} (s)" for name in others) + " |")
    yield "|:--|--:" + "|--:" * (6 + len(others)) + "|"
    for entry in results:
        ours = entry["results"]["Filigree"]
        cells = [entry["plant"], f"{entry['noise']:g}", f"{ours['f1']:.3f}", f"{ours['precision']:.3f}",
                 f"{ours['absent']} of {ours['pairs']}", f"{ours['undecided']} of {ours['counted']}",
                 "–" if ours["jacobian"] is None else f"{ours['jacobian']:.3f}", f"{ours['seconds']:.1f}"]
        for name in others:
            other = entry["results"].get(name)
            wall = other and other.get("wall")
            cells.append("–" if other is None else f"{other['f1']:.3f}" + (f" ({wall:.0f})" if wall else ""))
        yield "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", required=True)
    parser.add_argument("--plants", default=",".join(PLANTS))
    parser.add_argument("--noise", default="0,0.001,0.01")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--trajectories", type=int, default=12)
    parser.add_argument("--samples", type=int, default=1500)
    parser.add_argument("--without", default="")
    parser.add_argument("--output")
    options = parser.parse_args()
    results = []
    for plant in options.plants.split(","):
        for noise in map(float, options.noise.split(",")):
            for seed in map(int, options.seeds.split(",")):
                with tempfile.TemporaryDirectory() as folder:
                    world = World(options.tools, folder, plant, noise, seed, options.trajectories, options.samples)
                    found = measure(world, options.members, options.without.lower().split(","))
                results.append({"plant": plant, "noise": noise, "seed": seed, "results": found})
                print(list(lines(results))[-1], file=sys.stderr, flush=True)
    publish(list(lines(results)), {"machine": machine(), "results": results}, options.output)


main()
