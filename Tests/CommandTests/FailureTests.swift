import Foundation
import TestSupport
import Testing

/// Bad input: a message with the place and a remedy, the right exit code, nothing lost.
@Suite struct FailureTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var command: String
    var code: Int32
    var says: [String]
    var testDescription: String { command }

    init(_ command: String, _ code: Int32, _ says: String...) {
      self.command = command
      self.code = code
      self.says = says
    }
  }

  static let usage: [Case] = [
    Case("filigree-train train.nc --hidden 0 --output x", 64, "--hidden 0"),
    Case("filigree-train train.nc --hidden 20,a --output x", 64, "--hidden 20,a", "20,20"),
    Case("filigree-train train.nc --strength=-1 --output x", 64, "--strength -1"),
    Case("filigree-train train.nc --members 0 --output x", 64, "--members 0"),
    Case("filigree-train train.nc --sparsifier magic --output x", 64, "sparsifier", "proximal"),
    Case("filigree-train train.nc", 64, "--output"),
    Case("filigree-simulate --plant mill --output x.nc", 64, "--plant mill", "electrolysis"),
    Case("filigree-simulate --samples 1 --output x.nc", 64, "--samples 1"),
    Case("filigree-sensitivity sparse", 64, "--data", "--point"),
    Case("filigree-sensitivity sparse --point nonsense", 64, "nonsense", "name=number"),
    Case("filigree-sensitivity sparse --point mass=3", 64, "mass", "position"),
    Case("filigree-agreement sparse --plant duffing", 64, "--data"),
    Case("filigree-agreement sparse dense sparse", 64, "one or two"),
    Case("filigree-sensitivity sparse --data test.nc --statistics --by force", 64, "give one"),
    Case("filigree-sensitivity sparse --data test.nc --output j.csv", 64, "j.csv", ".nc"),
    Case("filigree-sensitivity sparse --data test.nc --output j.nc", 64, "--trajectory"),
    Case("filigree-sensitivity sparse --data test.nc --plot p.png", 64, ".svg"),
    Case("filigree-sensitivity sparse --data test.nc --plant duffing", 64, "--stability"),
    Case("filigree-sensitivity sparse --data test.nc --stability --plant mill", 64, "electrolysis"),
    Case("filigree-sensitivity sparse --point force=1 --trajectory 0", 64, "--data"),
    Case("filigree-sensitivity sparse --data test.nc --plot test.nc", 64, ".svg"),
    Case("filigree-paths sparse/member-00.onnx --output live.txt", 64, ".onnx"),
    Case("filigree-agreement sparse dense --consensus c.onnx", 64, "one ensemble"),
    Case("filigree-agreement sparse --share 0.5", 64, "--share 0.5"),
    Case("filigree-draw sparse --output x.gif", 64, ".svg"),
    Case("filigree-draw sparse --focus-output mass --output focus-1.svg", 64, "mass", "position"),
    Case("filigree-draw sparse --strongest 0 --output focus-2.svg", 64, "--strongest 0"),
    Case(
      "filigree-draw sparse --kind dependency --data test.nc --focus-input force --output focus-3.svg",
      64,
      "--kind network"),
    Case("filigree-draw sparse --kind dependency --output x.svg", 64, "--data"),
    Case("filigree-draw sparse --crop --output f-1.svg", 64, "--crop", "--focus-output"),
    Case("filigree-draw sparse --kind difference --output f-2.svg", 64, "1 models", "draws 2"),
    Case("filigree-draw sparse dense --output f-3.svg", 64, "2 models", "draws 1"),
    Case(
      "filigree-draw sparse --layout circle --output f-4.svg", 64, "--layout circle",
      "towers, layers, dot"
    ),
    Case("filigree-draw sparse --kind gallery --layout dot --output f-5.svg", 64, "one layout"),
    Case(
      "filigree-draw sparse --kind consensus --plant duffing --data test.nc --output f-6.svg", 64,
      "--plant is for --kind dependency"),
    Case(
      "filigree-draw sparse --kind dependency --plant electrolysis --data test.nc --output f-7.svg",
      65, "does not model the plant electrolysis"),
    Case(
      "filigree-draw sparse dense --kind difference --change -1 --output f-8.svg", 64, "--change"),
    Case(
      "filigree-draw sparse --most-edges 3 --strongest 2 --output f-9.svg", 64, "groups of units",
      "--most-edges"),
    Case(
      "filigree-draw sparse --cut 1e9 --focus-output position --output f-11.svg", 64,
      "no path leads from any input to position"),
    Case(
      "filigree-draw sparse --kind consensus --free-order --output f-10.svg", 64, "--free-order"),
    Case("filigree-draw sparse --member 7 --output x.svg", 64, "--member 7", "0 to 2"),
    Case("filigree-paths sparse --cut=-1", 64, "--cut"),
    Case("filigree-forecast sparse --data test.nc --horizons 0", 64, "--horizons 0", "100,1000"),
    Case("filigree-forecast sparse --data test.nc --horizons 5,x", 64, "5,x"),
    Case("filigree-forecast sparse --data test.nc --plot x.png", 64, ".svg"),
    Case("filigree-forecast sparse --data test.nc --plot p.svg --trajectory 9", 64, "0 to 1"),
    Case("filigree-forecast sparse --data test.nc --plot p.svg --states mass", 64, "velocity"),
    Case("filigree-forecast sparse --data test.nc --states mass", 64, "--plot"),
    Case("filigree-forecast --data test.nc", 64, "ensembles"),
    Case("filigree-simulate --noise=-1 --output x.nc", 64, "--noise -1"),
    Case("filigree-paths sparse --threads 0", 64, "threads"),
    Case("FILIGREE_INSTRUCTION_SET=mmx filigree-paths sparse", 64, "mmx", "baseline"),
  ]

  static let files: [Case] = [
    Case("filigree-train missing.nc --output x", 66, "missing.nc", "no such file"),
    Case("filigree-train sparse --output x", 66, "sparse", "folder"),
    Case("filigree-paths missing", 66, "missing"),
    Case("filigree-sensitivity sparse --data test.nc --by speed", 65, "speed", "velocity"),
    Case(
      "filigree-sensitivity sparse --data test.nc --trajectory 9", 65, "--trajectory 9",
      "2 trajectories"),
    Case("filigree-agreement sparse --error-bound", 65, "sparse", "--bootstrap"),
    Case(
      "cp sparse/member-00.onnx there.onnx; filigree-agreement sparse --consensus there.onnx", 73,
      "there.onnx",
      "--force"),
    Case(
      "filigree-simulate --plant duffing --trajectories 3 --samples 50 --output three.nc && "
        + "filigree-train three.nc --bootstrap --output x3", 65, "three.nc", "at least 4"),
    Case("filigree-forecast sparse --data missing.nc", 66, "missing.nc"),
    Case("filigree-forecast sparse --data test.nc --output train.nc", 73, "train.nc", "--force"),
    Case(
      "PATH=${PATH%%:*} filigree-forecast sparse --data test.nc --plot p.svg", 69, "gnuplot",
      "apt-get install"),
    Case("filigree-train train.nc --output sparse", 73, "sparse", "--force"),
    Case("filigree-train train.nc --output train.nc --force", 73, "train.nc"),
    Case("filigree-train train.nc --output . --force", 73),
    Case("filigree-simulate --output test.nc", 73, "test.nc", "--force"),
    Case("filigree-simulate --output data.txt", 73, ".nc", ".csv"),
    Case("filigree-simulate --output nowhere/data.nc", 73, "nowhere"),
    Case("filigree-draw sparse --output /proc/x.svg", 73, "/proc"),
    Case("filigree-train train.nc --output train.nc/models", 73, "train.nc"),
  ]

  static let data: [Case] = [
    Case(
      "head -c 3000 train.nc > cut.nc; filigree-train cut.nc --output x", 65, "cut.nc", "cut off"),
    Case("echo hello > text.nc; filigree-train text.nc --output x", 65, "text.nc", "NetCDF"),
    Case(
      "printf 'time,x\\n0,1\\n1,2,3\\n' > a.csv; filigree-train a.csv --output x", 65, "line 3",
      "3 fields"),
    Case(
      "printf 'time,x\\n0,1\\n1,two\\n' > b.csv; filigree-train b.csv --output x", 65, "line 3",
      "column 2 (x)", "two"),
    Case(
      "printf 'time,x\\n0,1\\n1,nan\\n2,3\\n' > c.csv; filigree-train c.csv --no-smooth --output x",
      65,
      "no trajectory has two samples", "gaps"),
    Case(
      "printf 'time,x\\n0,1\\n1,inf\\n2,3\\n' > inf.csv; filigree-train inf.csv --output x", 65,
      "line 3",
      "not a finite number"),
    Case(
      "printf 'time,x,u\\n0,1,1\\n1,2,1\\n5.5,3,2\\n' > odd.csv; filigree-train odd.csv --output x",
      65,
      "time step", "--every"),
    Case(
      "printf 'time,x\\n01/02/2024 1:00,1\\n02/02/2024 1:00,2\\n' > day.csv; "
        + "filigree-data prepare day.csv --output x.nc", 65, "--date-order dmy"),
    Case("filigree-data prepare test.nc --every never --output x.nc", 64, "--every never", "5s"),
    Case("filigree-data prepare test.nc --test 0.5 --output x.nc", 64, "--test-output"),
    Case(
      "echo 'tme: t' > s.yaml; filigree-data prepare test.nc --settings s.yaml --output x.nc", 65,
      "s.yaml", "line 1", "tme"),
    Case(
      "printf 'PK\\003\\004abc' > a.xlsx; filigree-data check a.xlsx", 65, "save the sheet as CSV"),
    Case("filigree-simulate --noise-correlation 0.5 --output x.nc", 64, "--noise", "0"),
    Case("filigree-train train.nc --average --output x", 64, "--average", "--freeze"),
    Case(
      "filigree-train train.nc --patience 3 --validation 0 --output x", 64, "--patience", "held-out"
    ),
    Case(
      "filigree-train train.nc --recipe sindy --degree 4 --output x", 64, "--degree", "1, 2 or 3"),
    Case(
      "filigree-train train.nc --sparsifier rigl --density 0 --output x", 64, "--density", "above 0"
    ),
    Case(
      "printf 'time,x,u\\n0,1,5\\n1,2,5\\n2,4,5\\n3,7,5\\n' > d.csv; filigree-train d.csv --inputs u "
        + "--validation 0 --output x", 65, "input \"u\" is constant", "--exclude u"),
    Case("filigree-train train.nc --trajectories 99 --output x", 65, "99", "only 4"),
    Case("filigree-train train.nc --exclude mass --output x", 65, "mass", "position"),
    Case(
      "filigree-train train.nc --exclude position --exclude velocity --output x", 65, "no state"),
    Case("echo hello > m.onnx; filigree-paths m.onnx", 65, "m.onnx", "not an ONNX model"),
    Case(
      "filigree-agreement sparse --plant electrolysis --data test.nc", 65, "electrolysis", "m_sl"),
    Case(
      "filigree-simulate --samples 20 --trajectories 1 --output cell.nc -q; "
        + "filigree-sensitivity sparse --data cell.nc", 65, "cell.nc", "position", "m_sl"),
    Case(
      "filigree-simulate --samples 20 --trajectories 1 --output cell2.nc -q; "
        + "filigree-forecast sparse --data cell2.nc", 65, "cell2.nc", "position"),
    Case("filigree-forecast sparse --data test.nc --plant electrolysis", 65, "electrolysis"),
    Case("mkdir -p empty; filigree-paths empty", 65, "empty", "no models"),
  ]

  /// What was misspelt is said before anything else that is wrong.
  static let misspelt: [Case] = [
    Case(
      "filigree-draw sparse --tresholds 3 --output x.svg", 64, "--tresholds", "mean --threshold?"),
    Case("filigree-draw --tresholds 3", 64, "--tresholds", "mean --threshold?"),
    Case("filigree-draw sparse --kind=networks --ouput x.svg", 64, "--ouput", "mean --output?"),
    Case("filigree-train --mebmers 3", 64, "--mebmers", "mean --members?"),
    Case("filigree-train train.nc --no-smoth --output x", 64, "--no-smoth", "mean --no-smooth?"),
    Case("filigree-study rum plan.yaml", 64, "rum", "mean run?", "status"),
    Case("filigree-study run --outptu S", 64, "--outptu", "mean --output?"),
    Case("filigree-paths sparse --zzz", 64, "there is no option --zzz"),
    Case("filigree tran", 64, "there is no tool tran", "mean train?"),
    Case("filigree --verson", 64, "there is no option --verson"),
  ]

  @Test(arguments: usage + misspelt + [Case("filigree-draw", 64, "filigree-draw")])
  func usageErrorsAreThreeLinesWithOnePrefix(failure: Case) async throws {
    guard failure.code == 64, failure.command.hasPrefix("filigree") else { return }
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(failure.command)
    #expect(result.code == 64 && result.output.isEmpty)
    let tool = failure.command.prefix { $0 != " " }
    // Notes on what was read come before.
    let lines = result.error.split(separator: "\n").drop { !$0.hasPrefix("error: ") }
    #expect(lines.first?.hasPrefix("error: \(tool): ") == true, "\(result.error)")
    #expect(lines.count <= 3 && !result.error.contains("Error:"), "\(result.error)")
    #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("usage: ") || $0.hasPrefix("see ") })
  }

  @Test(arguments: usage + misspelt + files + data)
  func badInputFailsWell(failure: Case) async throws {
    let shell = try await Workshop.shared.ready()
    let before = try shell.files(in: "sparse")
    let model = try shell.bytes("sparse/member-00.onnx")
    let result = try await shell.bash(failure.command)
    #expect(result.code == failure.code, "\(result.error)")
    #expect(result.output.isEmpty)
    for text in failure.says { #expect(result.error.contains(text), "\(result.error)") }
    #expect(!result.error.contains("Fatal error") && !shell.exists("x"))
    #expect(try shell.files(in: "sparse") == before)
    #expect(try shell.bytes("sparse/member-00.onnx") == model)
  }

  @Test func anUnsupportedOperatorIsNamedWithItsNode() async throws {
    let shell = try Shell()
    let result = try await shell.tool("paths", Fixture.path("foreign/unsupported_softmax.onnx"))
    #expect(result.code == 65)
    #expect(result.error.contains("Softmax"))
  }

  @Test func modelsWithoutNamesGetSomeAndItIsSaid() async throws {
    let shell = try Shell()
    let result = try await shell.tool("paths", Fixture.path("foreign/matmul_relu.onnx"))
    #expect(result.code == 0 && result.output.contains("x1"))
    #expect(result.error.contains("does not name all of its variables"))
  }

  @Test func aClosedPipeStopsSilently() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(
      "for i in 1 2 3; do filigree-paths sparse --strongest 100 --format json | head -n 1; done")
    #expect(result.error.isEmpty && result.output == "[\n[\n[\n")
  }

  @Test func forceReplacesOurFoldersAndNoOthers() async throws {
    let shell = try await Workshop.shared.ready()
    let train = "filigree-train train.nc --members 1 --epochs 1 -q --output"
    #expect(try await shell.bash("\(train) own && \(train) own --force").code == 0)
    let result = try await shell.bash(
      "mkdir -p precious && echo thesis > precious/thesis.txt && \(train) precious --force")
    #expect(result.code == 73 && result.error.contains("did not make"))
    #expect(try shell.text("precious/thesis.txt") == "thesis\n")
  }

  @Test func aKilledTrainingLeavesWhatWasThere() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(
      """
      filigree-train train.nc --members 1 --epochs 1 -q --output kept
      before=$(cat kept/*.onnx | sha256sum)
      for pause in 0.05 0.1 0.2 0.4; do
        filigree-train train.nc --members 50 --epochs 2000 -q --output kept --force & child=$!
        sleep $pause; kill -9 $child; wait $child 2>/dev/null
      done
      [ "$before" = "$(cat kept/*.onnx | sha256sum)" ] && ls kept | wc -l
      """)
    #expect(result.output.trimmingCharacters(in: .whitespacesAndNewlines) == "6")
    #expect(try shell.files(in: ".").allSatisfy { !$0.hasPrefix(".kept") })
  }

  @Test func aFullDiskIsAnErrorThatNamesTheTarget() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash("filigree-paths sparse --format json > /dev/full")
    #expect(result.code == 74 && result.error.contains("standard output"))
  }
}
