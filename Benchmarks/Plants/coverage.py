"""How often the 95 % intervals of effects hold the truth.

    python coverage.py --tools .build/release [--plants quadruple-tank,stirred-tank,van-de-vusse] [--noise 0,0.001,0.01]
                       [--sets 20] [--members 5] [--trajectories 12] [--samples 1500] [--output coverage.json]

For every plant and level of noise, over data sets of other seeds: of the pairs whose true R, of the plant's own
one-step map on data without noise, is above 0.01, the share whose interval holds it, the share of those whose interval
lies above and below it, and the median width of the intervals beside the median R.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from common import machine, publish
from world import THRESHOLD, World, truth, verdicts


def measure(options, plant, noise):
    held, above, below, widths, effects = [], [], [], [], []
    for seed in range(1, options.sets + 1):
        with tempfile.TemporaryDirectory() as folder:
            world = World(options.tools, folder, plant, noise, seed, options.trajectories, options.samples)
            report, *_ = world.learn(options.members, ["--threads", "2"])
        true = truth(report)
        _, _, low, high = verdicts(report)
        wanted = true > THRESHOLD
        held.append(((low <= true) & (true <= high))[wanted])
        above.append((low > true)[wanted])
        below.append((high < true)[wanted])
        widths.append((high - low)[wanted])
        effects.append(true[wanted])
    join = lambda parts: np.concatenate(parts)
    return {
        "plant": plant, "noise": noise, "pairs": int(join(held).size), "held": float(join(held).mean()),
        "above": float(join(above).mean()), "below": float(join(below).mean()),
        "width": float(np.median(join(widths))), "effect": float(np.median(join(effects)))}


def lines(results):
    yield "| plant | noise | intervals | hold the truth | lie above it | lie below it | median width | median R |"
    yield "|:--|--:|--:|--:|--:|--:|--:|--:|"
    for r in results:
        yield (f"| {r['plant']} | {r['noise']:g} | {r['pairs']} | {100 * r['held']:.1f} % | {100 * r['above']:.1f} % | "
               f"{100 * r['below']:.1f} % | {r['width']:.4f} | {r['effect']:.3f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", required=True)
    parser.add_argument("--plants", default="quadruple-tank,stirred-tank,van-de-vusse")
    parser.add_argument("--noise", default="0,0.001,0.01")
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--trajectories", type=int, default=12)
    parser.add_argument("--samples", type=int, default=1500)
    parser.add_argument("--output")
    options = parser.parse_args()
    results = []
    for plant in options.plants.split(","):
        for noise in map(float, options.noise.split(",")):
            results.append(measure(options, plant, noise))
            print(list(lines(results))[-1], file=sys.stderr, flush=True)
    publish(list(lines(results)), {"machine": machine(), "sets": options.sets, "results": results}, options.output)


main()
