#!/usr/bin/env python3
"""A study on many nodes, simulated: the paper's plan and one of ten times as many members, by the rules of the engine,
with what was measured of units, of processes and of Slurm. Prints the table that stands in
Documentation/many-machines.md.

    python3 Benchmarks/Engines/simulate.py

Measured: seconds of a member's training (Reports/paper/timings.csv), what a process costs that finds its unit there
(results.json of measure.py).
Assumed: see ASSUMED. Two assumptions are the worst: every part smooths or simulates its data anew, and all parts wait
for the last one of the stage before."""
import csv, heapq, json, pathlib, random

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

ASSUMED = {
    "starts a second": 30,         # that Slurm's controller makes (sites report 10 to 100)
    "wait for a round": 10.0,      # seconds from the end of a stage to the first start of the next
    "data": 1.5,                   # seconds that a part takes to make and smooth its data
    "file operations": 12,         # of a unit on the shared file system
    "seconds a file operation": 0.005,
    "failures a node and day": 0.01,
    "judgement": 1.0,              # seconds; a member's forecasts of 100 trajectories of 5000 samples
    "share of a fit": 0.55,        # of a member's training before the common decision; the rest is after it
    "share of a decision": 0.1,    # of all members' training, in one unit
    "chunk": 60.0,                 # seconds of work wanted in a part
    "most parts": 1000,
}
CUTS = {"l1": 4}


def members(times):
    """[(seconds, is joint, cuts)] for each ensemble."""
    rows = list(csv.DictReader((ROOT / "Reports" / "paper" / "timings.csv").open()))
    return [(float(r["seconds_per_member"]), r["recipe"] == "filigree", CUTS.get(r["recipe"], 1)) for r in rows]


def parts(units, chunk, most):
    """Units grouped as Parts.ranges does, the longest first."""
    units = sorted(units, reverse=True)
    limit = max(chunk, sum(units) / most)
    while True:
        groups, total = [], 0.0
        for unit in units:
            if groups and total + unit <= limit:
                groups[-1].append(unit)
                total += unit
            else:
                groups.append([unit])
                total = unit
        if len(groups) <= most:
            return groups
        limit *= 1.25


def stage(groups, nodes, process, stream):
    """Seconds of a stage, and of work that was lost with nodes. What is lost is submitted again in a further round."""
    assumed, clock, lost = ASSUMED, 0.0, 0.0
    while groups:
        clock += assumed["wait for a round"]
        free, started, end, again = [clock] * nodes, clock, clock, []
        heapq.heapify(free)
        for group in groups:
            started = max(started + 1 / assumed["starts a second"], heapq.heappop(free))
            time = started + process + assumed["data"]
            kept = 0
            for unit in group:
                cost = unit + assumed["file operations"] * assumed["seconds a file operation"]
                if stream.random() < cost / 86400 * assumed["failures a node and day"]:
                    lost += cost * stream.random()
                    break
                time += cost
                kept += 1
            if kept < len(group):
                again.append(group[kept:])
            heapq.heappush(free, time)
            end = max(end, time)
        clock, groups = end, again
    return clock, lost


def simulate(ensembles, count, nodes, chunk, process, seed=1):
    stream, assumed = random.Random(seed), ASSUMED
    fits, decisions, refits, judgements, forecasts = [], [], [], [], []
    for seconds, joint, cuts in ensembles:
        judgements += [assumed["judgement"]] * (count * cuts)
        forecasts += [0.5 * count * assumed["judgement"] / 10] * cuts
        if not joint:
            fits += [seconds] * count
            continue
        after = 1 - assumed["share of a fit"] - assumed["share of a decision"]
        fits += [seconds * assumed["share of a fit"]] * count
        decisions.append(seconds * assumed["share of a decision"] * count)
        refits += [seconds * after] * count
    stages = [fits, decisions, refits, judgements, forecasts]
    work = sum(map(sum, stages))
    total = lost = 0.0
    for units in stages:
        took, gone = stage(parts(units, chunk, assumed["most parts"]), nodes, process, stream)
        total, lost = total + took, lost + gone
    return work, total, lost


def main():
    results = json.loads((HERE / "results.json").read_text())
    ensembles = members(results)
    print("| plan | units' work | nodes | chunk, s | time | of the work's share |")
    print("|:--|--:|--:|--:|--:|--:|")
    for name, count in [("paper, 10 members", 10), ("paper, 100 members", 100), ("paper, 1000 members", 1000)]:
        for nodes, chunk in [(1, 60), (10, 60), (100, 60), (1000, 60), (1000, 10)]:
            work, total, _ = simulate(ensembles, count, nodes, chunk, results["process there"])
            print(f"| {name} | {work / 3600:.1f} h | {nodes} | {chunk} | {words(total)} | "
                  f"{100 * work / nodes / total:.0f} % |")


def words(seconds):
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 36000 else f"{seconds / 3600:.0f} h"


if __name__ == "__main__":
    main()
