"""Draws networks by Filigree and by Graphviz's dot by turns; prints times and crossings.

    python compare.py --tools FOLDER --towers MODEL.onnx --dense MODEL.onnx --large MODEL.onnx
        [--rounds 5] [--output results.json]
    python compare.py --make-large MODEL.onnx
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from common import machine, make_network, publish, whole_process  # noqa: E402

SIZES = [784, 300, 100, 10]
EDGE = re.compile(r'^  "([^"]+)" -> "([^"]+)"')


def edges_of(dot):
    found = (EDGE.match(line) for line in Path(dot).read_text().splitlines())
    return [match.groups() for match in found if match]


def columns(edges):
    """The column of each node: inputs, hidden units by the longest way to them, outputs."""
    before = {}
    for source, target in edges:
        before.setdefault(target, []).append(source)
    depth = {}

    def find(node):
        if node not in depth:
            depth[node] = 0 if node.startswith("input") else 1 + max(map(find, before.get(node, [])), default=0)
        return depth[node]

    sys.setrecursionlimit(10000)
    for source, target in edges:
        find(target)
        find(source)
    last = 1 + max(place for node, place in depth.items() if node.startswith("unit"))
    return {node: last if node.startswith("output") else place for node, place in depth.items()}


def crossings(edges, height):
    """Pairs of edges between neighbouring columns whose ends stand in opposite orders: what filigree-draw counts."""
    column = columns(edges)
    total = 0
    for gap in set(column.values()):
        ends = sorted(
            (-height[source], -height[target]) for source, target in edges
            if column[source] == gap and column[target] == gap + 1)
        places = {y: index + 1 for index, y in enumerate(sorted({end[1] for end in ends}))}
        tree = [0] * (len(places) + 1)
        seen, row = 0, 0
        while row < len(ends):
            # Edges that leave one node do not cross.
            same = [end for end in ends[row:row + len(places)] if end[0] == ends[row][0]]
            for _, y in same:
                index, above = places[y], 0
                while index:
                    above += tree[index]
                    index &= index - 1
                total += seen - above
            for _, y in same:
                index = places[y]
                while index < len(tree):
                    tree[index] += 1
                    index += index & -index
            seen += len(same)
            row += len(same)
    return total


def by_filigree(arguments, model, folder, layout):
    command = [f"{arguments.tools}/filigree-draw", model, "--output", f"{folder}/ours.svg", "--force"]
    if layout:
        command += layout.split()
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    count = int(re.search(r"([0-9 ]+) crossings?$", said.splitlines()[-1]).group(1).replace(" ", ""))
    return [whole_process(command)[0] for _ in range(arguments.rounds)], count


def by_dot(arguments, model, folder, rounds):
    graph = f"{folder}/graph.dot"
    subprocess.run(
        [f"{arguments.tools}/filigree-draw", model, "--layout", "dot", "--output", graph, "--force"],
        check=True, capture_output=True)
    times = [
        whole_process(["dot", "-Tsvg", graph, "-o", f"{folder}/dot.svg"])[0] for _ in range(rounds - 1)]
    # The last run gives the places as well.
    command = ["dot", "-Tsvg", "-o", f"{folder}/dot.svg", "-Tplain", "-o", f"{folder}/plain", graph]
    times.append(whole_process(command)[0])
    height = {}
    for line in Path(f"{folder}/plain").read_text().splitlines():
        parts = line.split()
        if parts[0] == "node":
            height[parts[1].strip('"')] = float(parts[3])
    return times, crossings(edges_of(graph), height)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ["--tools", "--towers", "--dense", "--large", "--output", "--make-large"]:
        parser.add_argument(name)
    parser.add_argument("--rounds", type=int, default=5)
    arguments, _ = parser.parse_known_args()
    if arguments.make_large:
        return make_network(arguments.make_large, SIZES)
    networks = [
        ("the default, 8 towers 13-20-1", arguments.towers, True),
        ("dense 13-20-20-20-20-8", arguments.dense, False)]
    if arguments.large:
        networks.append(("784-300-100-10, 5 % of its weights", arguments.large, False))
    lines = ["| network | edges | program | seconds | crossings |", "|:--|--:|:--|--:|--:|"]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for title, model, has_towers in networks:
            is_large = model == arguments.large
            measures = {"Filigree": lambda: by_filigree(arguments, model, folder, "--layout layers")}
            if has_towers:
                measures["Filigree, tower by tower"] = lambda: by_filigree(arguments, model, folder, None)
            if is_large:
                measures["Filigree, free order"] = lambda: by_filigree(arguments, model, folder, "--free-order")
            measures["dot"] = lambda: by_dot(arguments, model, folder, 1 if is_large else arguments.rounds)
            for name, measure in measures.items():
                print(f"{title}: {name}", file=sys.stderr)
                times, count = measure()
                results.append({"network": title, "program": name, "seconds": times, "crossings": count})
            edges = len(edges_of(f"{folder}/graph.dot"))
            for result in results[-len(measures):]:
                seconds = statistics.median(result["seconds"])
                lines.append(
                    f"| {title} | {edges} | {result['program']} | {seconds:.{1 if seconds > 10 else 3}f} "
                    f"| {format(result['crossings'], ',').replace(',', ' ')} |")
    lines += [
        "",
        "Whole processes, from the model or the graph to an SVG; pairs of edges between neighbouring columns that "
        f"cross. `dot` orders inputs and outputs as well, Filigree only with `--free-order`. {machine()}; "
        f"{subprocess.run(['dot', '-V'], capture_output=True, text=True).stderr.strip()}; "
        f"medians of {arguments.rounds} runs (of the large network by dot, one).",
    ]
    publish(lines, results, arguments.output)


main()
