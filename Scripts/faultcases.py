"""What goes wrong around a program: it is killed, the disk is full, a file call fails, files vanish, the clock jumps.

Each case is tried some number of times, each time by a seed of its own, and lost where the result is not, bit by bit, that
of an undisturbed run, where an error has no exit code of ours or no message, or where half a result is left behind.
Used by Scripts/faults.
"""
import hashlib, os, pathlib, random, re, shutil, signal, subprocess, sys, time

TRAINING = ["--recipe", "proximal", "--members", "2", "--steps", "6000", "--checkpoint-interval", "0.05", "--threads", "1"]
# What differs between equal runs; units of a study also keep how long they took, and a digest of all they keep.
VARYING = {"manifest.json", "timings.csv", "provenance.md", "lock"}
TIMES = re.compile(rb'"(?:seconds|digest)"\s*:\s*(?:[0-9.e+-]+|"[0-9a-f]*"),?')
CODES = {64, 65, 66, 69, 73, 74}
STUDY = """plant: duffing
train: {trajectories: 3, samples: 200}
test: {trajectories: 2, samples: 100}
sizes: [2, 3]
members: 2
horizons: [10, 60]
relevance-samples: 60
recipes:
  sparse: {recipe: proximal, steps: 1500}
  linear: {recipe: linear}
"""


class Lost(Exception):
    """How a trial was lost."""


def digest(folder):
    """Of all files of a folder but those that may differ."""
    total = hashlib.sha256()
    for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file() and p.name not in VARYING):
        data = path.read_bytes()
        if path.parent.name == "units" and path.suffix == ".json": data = TIMES.sub(b"", data)
        total.update(str(path.relative_to(folder)).encode() + b"\0" + hashlib.sha256(data).digest())
    return total.hexdigest()


def expect(condition, text):
    if not condition: raise Lost(text)


class Bench:
    """A folder with data, a plan, and what undisturbed runs make of them."""

    def __init__(self, work, binaries):
        self.work, self.binaries = work, binaries
        self.call("simulate", "--plant", "duffing", "--trajectories", "3", "--samples", "300", "--output", "data.nc")
        (work / "plan.yaml").write_text(STUDY)
        begin = time.monotonic()
        self.call("train", "data.nc", *TRAINING, "--output", "reference")
        self.seconds = time.monotonic() - begin
        begin = time.monotonic()
        self.call("study", "run", "plan.yaml", "--output", "reference-study")
        self.study_seconds = time.monotonic() - begin
        self.model, self.study = digest(work / "reference"), digest(work / "reference-study")

    def words(self, tool, *words): return [str(self.binaries / f"filigree-{tool}"), *map(str, words)]

    def start(self, tool, *words, **options):
        return subprocess.Popen(self.words(tool, *words), cwd=self.work, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                text=True, errors="replace", **options)

    def call(self, tool, *words, code=0, before=(), **options):
        """Runs a tool, behind other words where given; what it said on standard error."""
        options.setdefault("cwd", self.work)
        done = subprocess.run([*before, *self.words(tool, *words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              errors="replace", timeout=300, **options)
        expect(code is None or done.returncode == code, f"ended with {done.returncode}, not {code}: {done.stderr[-300:]}")
        return (done.returncode, done.stderr) if code is None else done.stderr

    def train(self, output, *words, **options): return self.call("train", "data.nc", *TRAINING, "--output", output, *words, **options)

    def same_model(self, folder): expect(digest(folder) == self.model, "the model has other bits")

    def same_study(self, folder): expect(digest(folder) == self.study, "the study has other bits")


def failed_well(code, said):
    """An error of ours: its code, its message, and no trace of a crash."""
    expect(code in CODES, f"ended with {code}: {said[-300:]}")
    expect("error: " in said, f"no message: {said[-300:]}")


# Cases: each gets the bench, a stream of random numbers and an empty folder.


def kill_of_a_training(bench, rng, folder):
    child = bench.start("train", "data.nc", *TRAINING, "--output", folder / "m")
    time.sleep(rng.uniform(0, bench.seconds * 1.1))
    child.kill()
    child.communicate()
    if not (folder / "m").exists(): bench.train(folder / "m", "--resume")
    bench.same_model(folder / "m")


def kill_of_a_study(bench, rng, folder):
    for _ in range(rng.randint(1, 3)):
        child = bench.start("study", "run", "plan.yaml", "--output", folder / "s")
        time.sleep(rng.uniform(0, bench.study_seconds))
        child.kill()
        child.communicate()
    bench.call("study", "run", "plan.yaml", "--output", folder / "s")
    bench.same_study(folder / "s")


def full_disk_in_a_training(bench, rng, folder):
    """A file system of so many KiB; when there is room again, the training goes on."""
    if os.geteuid(): raise PermissionError("mounting needs root's rights")
    size = rng.randrange(4, 400, 4)
    train = " ".join(f"'{word}'" for word in bench.words("train", "data.nc", *TRAINING, "--output", folder / "m"))
    script = f"mount -t tmpfs -o size={size}k none '{folder}' || exit 99; {train} 2>'{folder}.said'; code=$?; " \
        f"[ $code = 0 ] || [ ! -e '{folder}/m' ] || exit 98; mount -o remount,size=50m '{folder}'; " \
        f"[ -e '{folder}/m' ] || {train} --resume 2>>'{folder}.said' || exit 97; cp -r '{folder}/m' '{folder}.kept'; exit $code"
    done = subprocess.run(["unshare", "-m", "bash", "-c", script], cwd=bench.work)
    said = pathlib.Path(f"{folder}.said").read_text(errors="replace")
    if done.returncode: failed_well(done.returncode, said)
    bench.same_model(f"{folder}.kept")
    return done.returncode != 0


def full_disk_in_a_study(bench, rng, folder):
    if os.geteuid(): raise PermissionError("mounting needs root's rights")
    size = rng.randrange(4, 700, 4)
    run = " ".join(f"'{word}'" for word in bench.words("study", "run", "plan.yaml", "--output", folder / "s"))
    script = f"mount -t tmpfs -o size={size}k none '{folder}' || exit 99; {run} 2>'{folder}.said' >/dev/null; code=$?; " \
        f"mount -o remount,size=50m '{folder}'; {run} 2>>'{folder}.said' >/dev/null || exit 97; cp -r '{folder}/s' '{folder}.kept'; exit $code"
    done = subprocess.run(["unshare", "-m", "bash", "-c", script], cwd=bench.work)
    said = pathlib.Path(f"{folder}.said").read_text(errors="replace")
    if done.returncode: failed_well(done.returncode, said)
    bench.same_study(f"{folder}.kept")
    return done.returncode != 0


def failing_file_call(bench, rng, folder):
    """The n-th call of a kind fails, or all from it on. (Writes fail on a full disk: here they would also be those by which
    threads wake each other.)"""
    if not shutil.which("strace"): raise PermissionError("strace is not installed")
    call, error = rng.choice([("fsync", "EIO"), ("rename,renameat,renameat2", "EIO"), ("mkdir,mkdirat", "EACCES"),
                              ("unlink,unlinkat", "EIO"), ("ftruncate", "EIO"), ("flock", "ENOLCK")])  # fmt: skip
    fault = f"inject={call}:error={error}:when={rng.randint(1, 12)}" + ("+" if rng.random() < 0.3 else "")
    code, said = bench.train(folder / "m", code=None, before=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", fault])
    if code:
        failed_well(code, f"{fault}: {said}")
        if not (folder / "m").exists(): bench.train(folder / "m", "--resume")
    if call.startswith("unlink"):  # what could not be removed is left, under a hidden name
        for rest in (folder / "m").glob(".*.partial-*"): rest.unlink()
    bench.same_model(folder / "m")
    return code != 0


def slow_file_calls(bench, rng, folder):
    if not shutil.which("strace"): raise PermissionError("strace is not installed")
    delay = rng.randint(1000, 20000)
    bench.train(folder / "m", before=["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write,fsync,rename,openat", "-e",
                                      f"inject=write,fsync,rename,openat:delay_enter={delay}:when=1+{rng.randint(1, 5)}"])
    bench.same_model(folder / "m")


def permission_lost(bench, rng, folder):
    """A user who is not root loses the right to write while a training runs, and gets it again."""
    if os.geteuid(): raise PermissionError("becoming another user needs root's rights")
    os.chmod(bench.work.parent, 0o755)
    place = folder / "place"
    place.mkdir()
    os.chown(place, 65534, 65534)
    user = dict(user=65534, group=65534, extra_groups=[])
    child = bench.start("train", "data.nc", *TRAINING, "--output", place / "m", **user)
    time.sleep(rng.uniform(0, bench.seconds))
    for path in [place, *place.glob("m.training")]: path.chmod(0o555)
    said = child.communicate()[1]
    if child.returncode: failed_well(child.returncode, said)
    for path in [place, *place.glob("m.training")]: path.chmod(0o755)
    if not (place / "m").exists(): bench.train(place / "m", "--resume", **user)
    bench.same_model(place / "m")
    return child.returncode != 0


def damage_between_runs(bench, rng, folder):
    """A file of a finished study vanishes, is cut, or has one bit flipped; another run makes it whole, and names it if it
    was a part that later ones are made of."""
    study = folder / "s"
    shutil.copytree(bench.work / "reference-study", study)
    path = rng.choice(sorted(p for p in study.rglob("*") if p.is_file() and p.name not in VARYING and p.stat().st_size))
    data = bytearray(path.read_bytes())
    kind = rng.choice(["vanished", "cut", "flipped"])
    if kind == "vanished": path.unlink()
    elif kind == "cut": path.write_bytes(data[: rng.randrange(len(data))])
    else:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
    code, said = bench.call("study", "run", "plan.yaml", "--output", study, code=None)
    name = f"{path.relative_to(study)} {kind}"
    if code:  # refused, with a remedy that helps
        failed_well(code, said)
        expect(path.name in said, f"{name}: the message does not name it: {said[-300:]}")
        return True
    if path.parent.name == "units" and kind != "vanished": expect(path.name.split(".")[0][:8] in said, f"{name}: not reported: {said[-300:]}")
    expect(digest(study) == bench.study, f"{name}: the study has other bits")


def another_clock(bench, rng, folder):
    """A clock that stands in another year, runs fast, or goes backwards."""
    if not shutil.which("faketime"): raise PermissionError("faketime is not installed")
    clock = rng.choice(["-20y", "+30y", "@1970-01-02 00:00:00", "+0 x100", "-1d x0.01", "@2038-01-19 03:14:00 x50"])
    words = ["faketime", "-f", clock]
    child = subprocess.Popen([*words, *bench.words("train", "data.nc", *TRAINING, "--output", folder / "m")], cwd=bench.work,
                             stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(rng.uniform(0, bench.seconds))
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if not (folder / "m").exists(): bench.train(folder / "m", "--resume")
    bench.same_model(folder / "m")


def two_runs_in_one_folder(bench, rng, folder):
    """Both begin within a moment; one makes the result, the other says that it is in use or there, and changes nothing."""
    kind = rng.choice(["train", "study"])
    words = ["data.nc", *TRAINING] if kind == "train" else ["run", "plan.yaml"]
    first = bench.start(kind, *words, "--output", folder / "x")
    time.sleep(rng.uniform(0, 0.3 * bench.seconds))
    second = bench.start(kind, *words, "--output", folder / "x")
    said = [child.communicate()[1] for child in (first, second)]
    codes = [first.returncode, second.returncode]
    expect(0 in codes, f"neither finished: {codes} {said}")
    for code, text in zip(codes, said):
        if code: failed_well(code, text)
    (bench.same_model if kind == "train" else bench.same_study)(folder / "x")
    return any(codes)


def umask_and_odd_names(bench, rng, folder):
    letters = [" ", "\n", "'", '"', "$(touch x)", "\u00e4", "-", "--force", ";", "\\", "%s", "\u202e", "*"]
    name = "".join(rng.choice(letters) for _ in range(rng.randint(1, 6))) + "m"
    place = folder / (name + " folder")
    place.mkdir()
    shutil.copy(bench.work / "data.nc", place / f"{name}.nc")
    bench.call("train", f"./{name}.nc", *TRAINING, "--output", f"./{name}", cwd=place, preexec_fn=lambda: os.umask(0o077))
    expect(digest(place / name) == bench.model, f"{name!r}: the model has other bits")
    for path in [place / name, *(place / name).iterdir()]:
        expect(not path.stat().st_mode & 0o077, f"{name!r}: {path.name} is open to others")
    expect(not list(folder.rglob("x")), f"{name!r} was run by a shell")


CASES = {
    "kill -9 of a training, then --resume": (kill_of_a_training, 200),
    "kill -9 of a study, one to three times": (kill_of_a_study, 200),
    "full disk in a training, then room": (full_disk_in_a_training, 100),
    "full disk in a study, then room": (full_disk_in_a_study, 100),
    "a file call fails, then --resume": (failing_file_call, 200),
    "slow file calls": (slow_file_calls, 20),
    "right to write lost and given back": (permission_lost, 50),
    "file of a study vanished, cut, one bit flipped": (damage_between_runs, 200),
    "clock in another year, fast, slow": (another_clock, 50),
    "two runs, one folder": (two_runs_in_one_folder, 100),
    "umask 077, names with spaces, newlines, quotes": (umask_and_odd_names, 100),
}


def run(work, binaries, seed, scale, names):
    """Tries all cases; prints their table; returns how many trials were lost."""
    bench = Bench(work, binaries)
    print(f"A training takes {bench.seconds:.1f} s, a study {bench.study_seconds:.1f} s.", file=sys.stderr)
    rows, losses = [], 0
    for name, (case, count) in CASES.items():
        if names and not any(word in case.__name__ for word in names): continue
        tried = lost = stopped = 0
        note = ""
        for number in range(max(1, round(count * scale))):
            folder = work / "trial"
            folder.mkdir()
            try:
                tried += 1
                stopped += bool(case(bench, random.Random(f"{seed} {case.__name__} {number}"), folder))
            except PermissionError as reason:
                tried, note = 0, f"skipped: {reason}"
                break
            except (Lost, subprocess.TimeoutExpired) as error:
                lost += 1
                print(f"{case.__name__} {number}: {error}", file=sys.stderr)
            finally:
                for path in [folder, *work.glob("trial.*")]:
                    if path.is_dir(): shutil.rmtree(path, ignore_errors=True)
                    elif path.exists(): path.unlink()
        losses += lost
        rows.append((name, tried, stopped or "", lost, note))
        print(f"{name}: {tried} tried, {lost} lost {note}", file=sys.stderr)
    print("| case | tried | ended with an error that says so | lost |")
    print("|:--|--:|--:|--:|")
    for name, tried, stopped, lost, note in rows: print(f"| {name}{f' ({note})' if note else ''} | {tried} | {stopped} | {lost} |")
    return losses
