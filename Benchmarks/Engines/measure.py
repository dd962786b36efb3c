#!/usr/bin/env python3
"""What the engines cost beside the work: tiny units made by processes of their own, by one process, and by Slurm's
tasks, and the gathering of what they made.

    Scripts/bench engines [--quick]

A tiny unit is a linear model of a few rows, or its judgement. Times are those of processors, so that other work on the
machine counts little; those of Slurm's tasks are of the clock, from submission to the end of the last, divided by their
number. Slurm runs on this machine (Scripts/slurm-here); its own
share is that of the same array with `true` in place of filigree-study. Writes results.json and results.md beside this
file (not with --quick), which simulate.py and the guide read."""
import argparse, json, os, pathlib, platform, resource, shutil, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

PLAN = """plant: duffing
train: {{trajectories: {sizes}, samples: 100}}
test: {{trajectories: 2, samples: 20}}
sizes: [{list}]
members: {members}
horizons: [10]
relevance-samples: 10
recipes:
  linear: {{recipe: linear, validation: 0, smooth: false}}
"""


def tool(*words, cwd, **options):
    return subprocess.run(["filigree-study", *map(str, words)], cwd=cwd, check=True, capture_output=True, text=True,
                          **options)


def clock(body):
    """Seconds of processors that what a body starts uses: the machine may have other work."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    begin = used()
    body()
    return used() - begin


def plan(work, sizes, members):
    text = PLAN.format(sizes=sizes, list=", ".join(str(k + 1) for k in range(sizes)), members=members)
    path = work / f"plan-{sizes}-{members}.yaml"
    path.write_text(text)
    return path


def stages(work, path, folder):
    return json.loads(tool("stages", path, "--output", folder, "--format", "json", cwd=work).stdout)


def largest_folder(folder):
    return max(len(names) + len(folders) for _, folders, names in os.walk(folder))


def make_all(work, path, folder):
    """All units, stage by stage, by one process for each stage; seconds."""
    seconds = 0
    for stage in stages(work, path, folder):
        for first in range(stage["first"], stage["first"] + stage["units"], 2000):
            numbers = range(first, min(first + 2000, stage["first"] + stage["units"]))
            seconds += clock(lambda: tool("task", path, *numbers, "--output", folder, "-q", cwd=work))
    return seconds


def gathering(work, path, folder):
    return {name: clock(lambda: tool(*words, cwd=work)) for name, words in {
        "status": ["status", folder], "tables": ["tables", folder], "report": ["report", folder, "-q", "--threads", 1],
    }.items()}


def by_process(work, path, count):
    """Seconds for each unit that has a process of its own, one after the other; and of a process that finds its unit
    there."""
    folder = work / f"alone-{count}"
    numbers = [1 + k for k in range(count)]
    made = clock(lambda: [tool("task", path, n, "--output", folder, "-q", cwd=work) for n in numbers])
    there = clock(lambda: [tool("task", path, n, "--output", folder, "-q", cwd=work) for n in numbers])
    start = clock(lambda: [tool("--version", cwd=work) for _ in numbers])
    return made / count, there / count, start / count


def by_slurm(work, path, count):
    """Seconds for each task of an array of `count`: of filigree-study, and of `true`."""
    script = work / "array.sh"
    script.write_text(f"""#!/bin/bash
cd {work}
printf '#!/bin/sh\\nexec "$@"\\n' >start
mkdir -p logs
run() {{
  begin=$(date +%s%N)
  sbatch --wait --array=0-{count - 1} --output=logs/%a.log --chdir={work} start "$@" >/dev/null || echo failed >&2
  echo $(( $(date +%s%N) - begin ))
}}
filigree-study stages {path} --output {work}/slurm >/dev/null
for turn in 1 2; do
  run true
  rm -rf {work}/slurm/units
  run {work}/task
done
""")
    inner = work / "task"
    inner.write_text(f"#!/bin/sh\nexec filigree-study task {path} $((1 + SLURM_ARRAY_TASK_ID)) "
                     f"--output {work}/slurm -q\n")
    inner.chmod(0o755)
    result = subprocess.run([ROOT / "Scripts" / "slurm-here", "--cores", "2", "bash", script], capture_output=True,
                            text=True)
    if result.returncode != 0:
        print(result.stderr, file=sys.stderr)
        return None
    times = [int(word) * 1e-9 / count for word in result.stdout.split()]
    return min(times[1::2]), min(times[0::2])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    work = pathlib.Path(tempfile.mkdtemp(prefix="engines-"))
    results = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "units": {}}
    for sizes, members in [(1, 5), (10, 50)] + ([] if quick else [(50, 100)]):
        path, folder = plan(work, sizes, members), work / f"whole-{sizes}"
        units = sum(s["units"] for s in stages(work, path, folder))
        made = make_all(work, path, folder)
        tool("run", path, "--output", folder, "-q", cwd=work)
        results["units"][units] = {
            "made": made / units, "largest folder": largest_folder(folder),
            "files": sum(len(names) for _, _, names in os.walk(folder / "units")), **gathering(work, path, folder)}
    path = plan(work, 10, 50)
    results["process"], results["process there"], results["start"] = by_process(work, path, 40 if quick else 100)
    slurm = by_slurm(work, path, 20 if quick else 40)
    if slurm:
        results["slurm task"], results["slurm true"] = slurm
    shutil.rmtree(work)
    text = table(results)
    print(text)
    if not quick:
        (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n")
        (HERE / "results.md").write_text(text)


def table(results):
    lines = ["| units | files | largest folder | made by one process for each stage, ms each | status, s | tables, s | report, s |",
             "|--:|--:|--:|--:|--:|--:|--:|"]
    for units, row in results["units"].items():
        lines.append(f"| {units} | {row['files']} | {row['largest folder']} | {1000 * row['made']:.1f} | "
                     f"{row['status']:.2f} | {row['tables']:.2f} | {row['report']:.2f} |")
    lines += ["", "| one process for each unit | ms |", "|:--|--:|",
              f"| that only prints its version | {1000 * results['start']:.1f} |",
              f"| that makes it | {1000 * results['process']:.1f} |",
              f"| that finds it there | {1000 * results['process there']:.1f} |"]
    if "slurm task" in results:
        lines += [f"| a task of Slurm's that makes it, from start to end | {1000 * results['slurm task']:.1f} |",
                  f"| a task of Slurm's that runs `true`, from start to end | {1000 * results['slurm true']:.1f} |"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
