"""Markdown tables of a study's recipes.csv and timings.csv, one for each level of noise.

    python3 Benchmarks/Baselines/recipe_table.py STUDY-FOLDER [name=other-study ...]

Further studies give their rows a name of their own in a table that compares them.
"""
import csv
import sys
from pathlib import Path

COLUMNS = [
    ("recipe", "trajectories", "weights", "Φ", "F1", "error of \\|J\\|", "error at 1000",
     "error at 5000", "diverged by 5000", "s per member")
]


def rows(folder):
    seconds = {}
    with open(Path(folder, "timings.csv"), newline="") as file:
        for row in csv.DictReader(file):
            seconds[row["recipe"], row["trajectories"], row["noise"]] = row["seconds_per_member"]
    with open(Path(folder, "recipes.csv"), newline="") as file:
        for row in csv.DictReader(file):
            row["seconds"] = seconds.get((row["recipe"], row["trajectories"], row["noise"]), "")
            yield row


def number(text, pattern="{:.3f}", missing="–"):
    return pattern.format(float(text)) if text not in ("", "nan") else missing


def interval(row, name):
    value = number(row[name])
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low == "" or value == "–" or float(high) - float(low) < 1e-6:
        return value
    return f"{value} ({max(0, float(low)):.3f} to {float(high):.3f})"


def cells(row):
    name = row["recipe"]
    if float(row["cut"] or 0) > 0:
        name += f", cut {float(row['cut']):g}"
    diverged = number(row["diverged_5000"], "{:.4f}")
    return [
        name, row["trajectories"], number(row["weights"], "{:.0f}"),
        number(row["relevant_stability"], "{:.2f}"), number(row["relevant_f1"], "{:.2f}"),
        number(row["jacobian_error"]), number(row["absolute_1000"]),
        interval(row, "absolute_5000"),
        f"{100 * float(diverged):.1f} %" if diverged != "–" else "–",
        number(row["seconds"], "{:.1f}"),
    ]


def table(title, lines, corner=None):
    head = list(COLUMNS[0])
    if corner:
        head.insert(0, corner)
    print(f"### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join([":--"] * (2 if corner else 1) + ["--:"] * (len(head) - (2 if corner else 1))) + "|")
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


def title(noise):
    return "Exact data" if noise == 0 else f"Noise of {100 * noise:g} %"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    named = [argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument]
    plain = [argument for argument in sys.argv[1:] if "=" not in argument]
    for folder in plain:
        all_rows = list(rows(folder))
        for noise in sorted({float(row["noise"]) for row in all_rows}):
            table(title(noise), [cells(row) for row in all_rows if float(row["noise"]) == noise])
    if named:
        loaded = [(name, list(rows(folder))) for name, folder in named]
        for noise in sorted({float(row["noise"]) for _, found in loaded for row in found}):
            table(title(noise), [
                [name] + cells(row) for name, found in loaded for row in found
                if float(row["noise"]) == noise
            ], corner="plant")


if __name__ == "__main__":
    main()
