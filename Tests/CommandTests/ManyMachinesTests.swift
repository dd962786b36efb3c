import Foundation
import TestSupport
import Testing

/// A study made by processes that know of each other only what is in its folder.
@Suite struct TaskTests {
  static let plan = """
    plant: duffing
    train: {trajectories: 4, samples: 300}
    test: {trajectories: 2, samples: 200}
    sizes: [3, 4]
    members: 3
    noise: [0, 0.01]
    horizons: [20, 200]
    relevance-samples: 100
    compare: {reference: plain, sparse: {joint: 0}}
    recipes:
      plain: {epochs: 20, hidden: [6], sparsifier: none, validation: 0, smooth: false, sizes: [4]}
      joint: {steps: 200, hidden: [6], cuts: [0, 0.1]}
    """

  private static let files =
    "members.csv recipes.csv summary.md report.html report.md models/joint/4-noise-0.01/member-01.onnx "
    + "models/joint/4-noise-0.01/ensemble.json"

  private func shell(_ plan: String = Self.plan) throws -> Shell {
    let shell = try Shell()
    try shell.write(plan, to: "plan.yaml")
    return shell
  }

  @Test func anySchedulerMakesTheSameStudy() async throws {
    let shell = try shell()
    let result = try await shell.bash(
      """
      filigree-study run plan.yaml --output whole -q >/dev/null || exit 1
      filigree-study stages plan.yaml --output S --format csv
      for pass in 1 2 3 4 5 6 7; do
        filigree-study stages plan.yaml --output S --ready | sort -R --random-source=plan.yaml >todo
        [ -s todo ] || break
        xargs -n 3 -P 3 filigree-study task plan.yaml --output S -q <todo || exit 1
      done
      echo "passes $pass"
      filigree-study stages plan.yaml --output S --format csv | cut -d , -f 4 | sort -u | tr '\\n' ' '
      find S/units -name 'fit-*' -o -name 'refit-*' -o -name 'decision-*' | wc -l
      filigree-study run plan.yaml --output S -q >/dev/null || exit 1
      for file in \(Self.files); do cmp whole/$file S/$file || echo different; done
      """)
    #expect(result.code == 0 && !result.output.contains("different"), "\(result.error)")
    // Fits, a decision, refits, members, judgements, forecasts.
    #expect(result.output.contains("passes 6\n0 missing"), "\(result.output)")
    for row in ["fits,0,19,19", "decisions,19,4,4", "refits,23,12,12", "members,35,4,4"] {
      #expect(result.output.contains(row), "\(row): \(result.output)")
    }
  }

  @Test func unitsThatCannotBeMadeSayWhy() async throws {
    let shell = try shell()
    let result = try await shell.bash(
      """
      filigree-study task plan.yaml 20 --output S; echo "waits $?"
      filigree-study task plan.yaml 1 100000 --output S; echo "number $?"
      filigree-study task plan.yaml --output S; echo "none $?"
      filigree-study task plan.yaml 1 1 --output S; echo "twice $?"
      mkdir mine; echo x >mine/x; filigree-study task plan.yaml 1 --output mine; echo "foreign $?"
      filigree-study run plan.yaml --output S --detach; echo "detach $?"
      filigree-study run plan.yaml --output S --engine moon; echo "engine $?"
      filigree-study run plan.yaml --output S --engine slurm --prune; echo "prune $?"
      PATH=\(Shell.binaries) filigree-study run plan.yaml --output T --engine slurm; echo "slurm $?"
      """)
    for words in [
      "waits 75", "number 64", "none 64", "twice 0", "foreign 73", "detach 64", "engine 64",
      "prune 64", "slurm 69",
    ] {
      #expect(result.output.contains(words), "\(words): \(result.output) \(result.error)")
    }
    for words in ["--ready", "the plan has", "scontrol", "local", "was there"] {
      #expect(result.error.contains(words), "\(words): \(result.error)")
    }
  }

  /// A study, tasks of it and a second run in the same folder, killed at seeded moments and gone on with.
  @Test func killedAnywhereTasksLoseNothing() async throws {
    let shell = try shell()
    let result = try await shell.bash(
      """
      filigree-study run plan.yaml --output whole -q >/dev/null || exit 1
      RANDOM=5; killed=0
      for trial in 1 2 3 4 5 6; do
        S="S $trial"
        for pass in 1 2 3 4 5 6 7; do
          filigree-study stages plan.yaml --output "$S" --ready >todo
          [ -s todo ] || break
          split -n l/3 todo part-
          children=
          for part in part-*; do
            xargs filigree-study task plan.yaml --output "$S" -q <$part >/dev/null 2>&1 & children="$children $!"
          done
          sleep 0.0$((RANDOM % 10))
          for child in $children; do
            inner=$(pgrep -P $child) && kill -9 $inner 2>/dev/null && killed=$((killed + 1))
          done
          wait
        done
        # Two at once: one is refused, or comes when the other has ended.
        filigree-study run plan.yaml --output "$S" -q >/dev/null 2>&1 & first=$!
        filigree-study run plan.yaml --output "$S" -q >/dev/null 2>&1 & second=$!
        wait $first; a=$?; wait $second; b=$?
        case "$a $b" in "0 0" | "0 73" | "73 0") ;; *) echo "codes $a $b" ;; esac
        for file in \(Self.files); do cmp "whole/$file" "$S/$file" || echo different; done
        [ -e "$S/claim" ] && echo claimed
      done
      echo "killed $killed"
      """)
    #expect(
      !result.output.contains("different") && !result.output.contains("codes"), "\(result.output)")
    #expect(!result.output.contains("claimed"))
    let killed = result.output.firstMatch(of: /killed (\d+)/).flatMap { Int($0.1) }
    #expect(killed ?? 0 >= 6)
  }

  @Test func aClaimHoldsForItsHolderAndNoLonger() async throws {
    let shell = try shell(
      Self.plan.replacing("epochs: 20", with: "epochs: 60000"))
    let result = try await shell.bash(
      """
      filigree-study run plan.yaml --output S -q >/dev/null 2>&1 & child=$!
      until [ -e S/claim ] && ls S/units >/dev/null 2>&1; do sleep 0.02; done
      filigree-study tables S; echo "held $?"
      kill -9 $child; wait $child 2>/dev/null
      [ -e S/claim ] && echo left
      filigree-study tables S >/dev/null; echo "void $?"
      # Of a machine that cannot be asked: it holds until nobody has touched it for three minutes.
      cat >forge.py <<'PY'
      import hashlib, json, sys
      head = json.dumps({"boot": "b", "host": "far away", "process": 7, "space": "s", "started": "1", "token": "t"},
        separators=(",", ":"), sort_keys=True)[:-1]
      sys.stdout.write(head + ',\\n  "digest" : "' + hashlib.sha256(head.encode()).hexdigest() + '"\\n}\\n')
      PY
      python3 forge.py >S/claim
      filigree-study tables S; echo "far $?"
      touch -d '-4 minutes' S/claim
      filigree-study tables S >/dev/null; echo "old $?"
      echo nonsense >S/claim; filigree-study tables S; echo "unread $?"
      touch -d '-4 minutes' S/claim; filigree-study tables S >/dev/null; echo "unread old $?"
      ls -a S | grep -c claim
      """)
    for words in [
      "held 73", "left", "void 0", "far 73", "old 0", "unread 73", "unread old 0", "\n0\n",
    ] {
      #expect(result.output.contains(words), "\(words): \(result.output) \(result.error)")
    }
    #expect(result.error.contains("process 7 on far away"))
  }
}

/// The guide says what its scripts print.
@Suite struct EngineFigureTests {
  @Test func theGuideQuotesItsScripts() async throws {
    func text(_ name: String) throws -> String {
      try String(
        contentsOf: Fixture.packageFolder.appendingPathComponent(name), encoding: .utf8)
    }
    let guide = try text("Documentation/many-machines.md")
    #expect(guide.contains(try text("Benchmarks/Engines/results.md")))
    let script = Fixture.packageFolder.appendingPathComponent("Benchmarks/Engines/simulate.py").path
    let table = try await Shell().start("/usr/bin/env", ["python3", script])
    #expect(table.code == 0 && table.output.count > 500 && guide.contains(table.output))
  }
}

enum Slurm {
  static let isThere =
    getuid() == 0
    && ["munged", "slurmctld", "slurmd"].allSatisfy {
      FileManager.default.isExecutableFile(atPath: "/usr/sbin/\($0)")
    } && FileManager.default.isExecutableFile(atPath: "/usr/bin/sbatch")
}

/// The same on a cluster: Slurm on this machine.
@Suite(
  .enabled(
    if: Slurm.isThere, "Slurm is not installed (Debian: slurm-wlm, munge), or this is not root"),
  .serialized)
struct SlurmTests {
  private static let files =
    "members.csv recipes.csv summary.md report.html report.md models/joint/4-noise-0.01/member-01.onnx "
    + "models/joint/4-noise-0.01/ensemble.json"

  private static let script = Fixture.packageFolder.appendingPathComponent("Scripts/slurm-here")
    .path

  /// Runs a script on a cluster of four cores.
  private func cluster(_ plan: String, _ commands: String) async throws -> Shell.Result {
    let shell = try Shell()
    try shell.write(plan, to: "plan.yaml")
    try shell.write(
      """
      wait_for() { for _ in $(seq 1800); do eval "$1" && return; sleep 0.1; done; echo "no $1"; }
      # Slurm lets two minutes pass before it starts again what was put back into the queue.
      hurry() {
        hurried=$(squeue --noheader --array --format="%i %r" | grep BeginTime | cut -d " " -f 1)
        for job in $hurried; do scontrol update jobid=$job starttime=now; done
      }
      compare() { for file in \(Self.files); do cmp "whole/$file" "$1/$file" || echo different; done; }
      \(commands)
      """, to: "commands.sh")
    return try await shell.bash("\(Self.script) --cores 4 bash commands.sh")
  }

  private static let slow =
    TaskTests.plan.replacing("steps: 200", with: "steps: 6000")
    + "\ncluster: {chunk: 1s, partition: low, cores: 1, memory: 200M, time: 10m, attempts: 3}\n"

  @Test func aClusterMakesTheSameStudyUnderAnyName() async throws {
    let result = try await cluster(
      TaskTests.plan + "\ncluster: {chunk: 1s}\n",
      """
      filigree-study run plan.yaml --output whole -q >/dev/null || exit 1
      odd=$'a folder; $(touch x)\\nof 100% "names"/S'
      mkdir -p "$(dirname "$odd")"
      filigree-study run plan.yaml --output "$odd" --engine slurm >/dev/null; echo "run $?"
      compare "$odd"
      ls | tr '\\n' ' '
      filigree-study status "$odd" --format json | grep -c '"waiting" : 0'
      filigree-study jobs "$odd" --format json | grep '"state"' | sort | uniq -c
      filigree-study jobs "$odd" --unit 3 --format json | grep -c '"log"'
      log=$(filigree-study jobs "$odd" --unit 3 --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["log"], end="")')
      grep -c '^3 .*made in' "$log"
      filigree-study run plan.yaml --output "$odd" --engine slurm >/dev/null 2>&1; echo "again $?"
      filigree-study cancel "$odd"; echo "cancel $?"
      """)
    #expect(result.output.contains("run 0") && result.output.contains("again 0"), "\(result.error)")
    #expect(
      !result.output.contains("different") && !result.output.contains("no "), "\(result.output)")
    // Nothing of a name was run.
    #expect(result.output.contains("a folder;") && !result.output.contains(" x "))
    #expect(result.output.contains("\"state\" : \"done\"") && !result.output.contains("failed"))
    #expect(result.output.contains(" 6\n") && result.error.contains("no job waits or runs"))
  }

  /// The guide's commands for Slurm, after those that any machine can run.
  @Test func everyCommandOfTheGuideWorks() async throws {
    let guide = try String(
      contentsOf: Fixture.packageFolder.appendingPathComponent("Documentation/many-machines.md"),
      encoding: .utf8)
    func commands(_ start: String) -> [Substring] {
      guide.components(separatedBy: start).dropFirst().flatMap {
        ($0.components(separatedBy: "```").first ?? "").split(separator: "\n")
      }
    }
    let slurm = commands("```sh slurm\n")
    #expect(slurm.count >= 6)
    let lines = commands("```sh\n").prefix(3) + slurm
    let result = try await cluster(
      "", lines.map { "{ \($0)\n} >/dev/null || echo failed" }.joined(separator: "\n"))
    #expect(result.code == 0 && result.output.isEmpty, "\(result.output) \(result.error)")
  }

  /// A node that dies, a task that is preempted, jobs that are cancelled.
  @Test func whatIsLostIsMadeAgain() async throws {
    let result = try await cluster(
      Self.slow,
      """
      filigree-study run plan.yaml --output whole -q >/dev/null || exit 1
      filigree-study run plan.yaml --output S --engine slurm --detach; echo "detached $?"
      wait_for '[ $(find S/units -name "fit-*" 2>/dev/null | wc -l) -ge 2 ]'
      # The node dies with everything on it, and comes back.
      "$SLURM_HERE/crash"
      filigree-study run plan.yaml --output S --engine slurm --detach; echo "second $?"
      sed 's/members: 3/members: 2/' plan.yaml >other.yaml
      filigree-study run other.yaml --output S --engine slurm --detach; echo "other $?"
      filigree-study status S --format json | grep -q '"waiting" : [1-9]' && echo counted
      "$SLURM_HERE/slurmd" 2>/dev/null &
      wait_for 'hurry; [ -e S/report.html ]'
      compare S; echo "node done"

      filigree-study run plan.yaml --output P --engine slurm --detach
      wait_for '[ $(find P/units -name "fit-*" 2>/dev/null | wc -l) -ge 1 ]'
      # Somebody who goes first: what runs is put back into the queue.
      sbatch --partition=high --ntasks=4 --output=/dev/null --wrap='sleep 3' >/dev/null
      wait_for 'squeue --noheader --format=%P,%T | grep -q high,RUNNING'
      wait_for 'hurry && [ -n "$hurried" ]'; echo "put back"
      wait_for 'hurry; [ -e P/report.html ]'
      compare P; echo "preemption done"

      filigree-study run plan.yaml --output C --engine slurm --detach
      wait_for '[ $(find C/units -name "fit-*" 2>/dev/null | wc -l) -ge 1 ]'
      filigree-study cancel C; echo "cancel $?"
      wait_for '[ -z "$(squeue --noheader --name=filigree-fits,filigree-follow)" ]'
      [ -e C/report.html ] && echo made
      filigree-study jobs C --state lost --format json | grep -c '"lost"'
      filigree-study run plan.yaml --output C --engine slurm >/dev/null 2>&1; echo "resumed $?"
      compare C
      """)
    let said = "\(result.output) \(result.error)"
    for words in [
      "detached 0", "second 0", "other 73", "counted", "node done", "put back", "preemption done",
      "cancel 0", "resumed 0",
    ] {
      #expect(result.output.contains(words), "\(words): \(said)")
    }
    #expect(!result.output.contains("different") && !result.output.contains("made"), "\(said)")
    #expect(!result.output.contains("no ["), "\(said)")
    #expect(result.error.contains("tasks cancelled") && result.error.contains("of another plan"))
  }

  /// What cannot be made is tried as often as the plan says, and then told.
  @Test func aPlanThatCannotBeMadeComesToAnEnd() async throws {
    let result = try await cluster(
      """
      train: {file: train.csv}
      test: {file: test.csv}
      inputs: [force]
      members: 2
      horizons: [20]
      recipes: {small: {recipe: linear}}
      cluster: {attempts: 2, chunk: 1s}
      """,
      """
      filigree-simulate --plant duffing --trajectories 3 --samples 50 --output train.csv -q
      filigree-simulate --plant duffing --trajectories 3 --samples 50 --output test.csv -q
      filigree-study run plan.yaml --output S --engine slurm >/dev/null 2>&1; echo "good $?"
      # The units lie where nothing can be written.
      mkdir T; filigree-study stages plan.yaml --output T >/dev/null; rm -rf T/units; echo x >T/units
      filigree-study run plan.yaml --output T --engine slurm >/dev/null; echo "bad $?"
      ls -d T/jobs/0*
      filigree-study jobs T --state failed --format csv | head -n 3
      filigree-study jobs T --state lost --format csv | head -n 3
      """)
    #expect(result.output.contains("good 0"), "\(result.output) \(result.error)")
    #expect(result.output.contains("bad 75"), "\(result.output) \(result.error)")
    #expect(result.error.contains("could not be made"))
  }
}
