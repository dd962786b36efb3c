import Foundation
import Interchange
import TestSupport
import Testing

@Suite struct WorkflowTests {
  @Test(arguments: [
    "simulate", "train", "paths", "sensitivity", "agreement", "laws", "certify", "draw", "forecast",
    "study",
  ])
  func everyToolExplainsItselfWithExamples(name: String) async throws {
    let shell = try Shell()
    let help = try await shell.tool(name, "--help")
    #expect(help.code == 0 && help.error.isEmpty)
    #expect(help.output.contains("EXAMPLES") && help.output.contains("filigree-\(name) "))
    // A word that means two things is an option of which one is never heard.
    let options = help.output.matches(of: /\n  (?:-\w, )?(--[\w-]+)/).map(\.output.1)
    #expect(!options.isEmpty && Set(options).count == options.count)
    #expect(try await shell.tool(name, "--version").output.hasPrefix("0."))
  }

  @Test func trainingMakesAWholeFolder() async throws {
    let shell = try await Workshop.shared.ready()
    #expect(
      try shell.files(in: "sparse") == [
        "candidates.csv", "ensemble.json", "manifest.json", "member-00.onnx", "member-01.onnx",
        "member-02.onnx",
        "refinement.csv", "training.csv",
      ])
    let lines = try shell.text("sparse/training.csv").split(separator: "\n")
    #expect(lines.count == 1 + 3 * 2 * 5)
    #expect(lines[0].hasPrefix("member,tower,epoch,learning_rate,training_loss"))
    let manifest = try shell.text("sparse/manifest.json")
    #expect(manifest.contains("sha256") && manifest.contains("instructionSet"))
    #expect(try shell.files(in: ".").allSatisfy { !$0.contains("partial") })
  }

  @Test func modelsAndRecordsAreTheSameBytesForAnyNumberOfThreads() async throws {
    let shell = try await Workshop.shared.ready()
    let command = ["--members", "3", "--epochs", "2", "--hidden", "5"]
    for threads in ["1", "3"] {
      let result = try await shell.tool(
        "train", ["train.nc"] + command + ["--threads", threads, "--output", "t\(threads)"])
      #expect(result.code == 0, "\(result.error)")
    }
    for file in try shell.files(in: "t1") where file != "manifest.json" {
      #expect(try shell.bytes("t1/\(file)") == shell.bytes("t3/\(file)"), "\(file)")
    }
  }

  /// The strength that is chosen is the one that the ensemble is trained with.
  @Test func aPathOfStrengthsChoosesOne() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.tool(
      "train",
      [
        "train.nc", "--recipe", "proximal", "--path", "--members", "1", "--epochs", "4", "--hidden",
        "6", "--output", "path",
      ])
    #expect(result.code == 0, "\(result.error)")
    let rows = try shell.text("path/path.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    #expect(rows.count == 14 && rows[0].last == "choice")
    let chosen = try #require(rows.first { $0.last?.contains("chosen") == true })
    let folder = try #require(
      try JSONSerialization.jsonObject(with: Data(shell.bytes("path/ensemble.json")))
        as? [String: Any])
    let recipe = try #require(folder["recipe"] as? [String: Any])
    #expect(recipe["strength"] as? Double == Double(chosen[0]))
    let picture = try shell.text("path/path.svg")
    #expect(picture.contains("<svg") && picture.contains("connected pairs"))
    let refused = try await shell.tool(
      "train", ["train.nc", "--sparsifier", "rigl", "--path", "--output", "no"])
    #expect(refused.code == 64 && refused.error.contains("--path"))
  }

  /// Gaps in states are left out of exact data and filled in noisy data; both are said.
  @Test func gapsAreTrainedOn() async throws {
    let shell = try Shell()
    let made = try await shell.bash(
      """
      filigree-simulate --plant duffing --trajectories 4 --samples 500 --missing 0.1 --noise 0.02 \\
        --output gaps.csv &&
      filigree-train gaps.csv --inputs force --members 1 --epochs 2 --output models &&
      filigree-train gaps.csv --inputs force --members 1 --epochs 2 --no-smooth --output rough
      """)
    #expect(made.code == 0, "\(made.error)")
    #expect(made.error.contains("missing values filled in"))
    #expect(made.error.contains("steps from or to them are left out"))
    #expect(try shell.text("models/noise.csv").contains("missing_samples"))
    // What is forecast may have gaps too.
    let forecast = try await shell.tool("forecast", ["models", "--data", "gaps.csv"])
    #expect(forecast.code == 0, "\(forecast.error)")
  }

  /// Whole rows are rare where a third of each state is missing; once the gaps are filled all count.
  @Test func manyGapsInManyStatesAreFilledBeforeTheDataAreJudged() async throws {
    let shell = try Shell()
    let made = try await shell.bash(
      """
      filigree-simulate --trajectories 3 --samples 2000 --missing 0.3 --noise 0.01 --seed 3 \\
        --output gaps.nc &&
      filigree-train gaps.nc --members 1 --steps 20 --recipe proximal --smooth \\
        --output models
      """)
    #expect(made.code == 0 && made.error.contains("missing values filled in"), "\(made.error)")
  }

  @Test func optionsWithoutEffectAreNamed() async throws {
    let shell = try await Workshop.shared.ready()
    func warnings(_ options: String) async throws -> [Substring] {
      let result = try await shell.bash(
        "filigree-train train.nc --members 1 --output none --force \(options)")
      #expect(result.code == 0)
      return result.error.split(separator: "\n").filter { $0.contains("no effect") }
    }
    let about = try await warnings("--steps 20 --degree 3 --density 0.5 --finish 0 --resmooth 1")
    for option in ["--degree", "--density", "--resmooth"] {
      #expect(about.contains { $0.contains("no effect: \(option)") })
    }
    #expect(about.count == 3)
    #expect(try await warnings("--recipe sindy --hidden 5").count == 1)
    #expect(try await warnings("--sparsifier rigl --density 0.5 --steps 20 --finish 4").isEmpty)
  }

  @Test func theInstructionSetCanBeForcedAndIsRecorded() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(
      "FILIGREE_INSTRUCTION_SET=baseline filigree-train train.nc --members 1 --epochs 1 "
        + "--output baseline")
    #expect(result.code == 0)
    #expect(
      try shell.text("baseline/manifest.json").contains(#""instructionSet" : "baseline""#))
  }

  @Test(arguments: [40, 80])
  func tablesFitTheTerminal(columns: Int) async throws {
    let shell = try await Workshop.shared.ready()
    for arguments in [
      ["sensitivity", "sparse", "--data", "test.nc"], ["paths", "sparse/member-00.onnx"],
    ] {
      let result = try await shell.tool(
        arguments[0], Array(arguments.dropFirst()), columns: columns)
      let widest = result.output.split(separator: "\n").map(\.count).max() ?? 0
      // A path's own names may be longer than a narrow terminal.
      let limit = arguments[0] == "paths" ? max(columns, 60) : columns
      #expect(result.code == 0 && widest <= limit, "\(result.output)")
    }
  }

  @Test func agreementScoresAgainstThePlant() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.tool(
      "agreement", "dense", "sparse", "--plant", "duffing", "--data", "test.nc", "--format", "json")
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let plant = try #require(value["plant"] as? [String: Any])
    #expect(plant["realPairs"] as? Int == 6 && plant["samples"] as? Int == 400)
    let ensembles = try #require(value["ensembles"] as? [[String: Any]])
    let selections = try #require(ensembles[0]["selections"] as? [[String: Any]])
    // All pairs selected by all: Φ is undefined and says so, never 1.
    #expect(selections[0]["allAgree"] as? Bool == true && selections[0]["stability"] == nil)
    // With an upper threshold nothing is relevant: each of the six real pairs is missed and says how large it is.
    #expect(ensembles[0]["averagePrecision"] as? Double == 1)
    #expect((ensembles[0]["concordance"] as? Double).map { $0 > 0 && $0 <= 1 } == true)
    let missed = try await shell.tool(
      "agreement", "sparse", "--plant", "duffing", "--data", "test.nc", "--threshold", "100",
      "--pairwise", "--interval", "bootstrap")
    #expect(missed.output.components(separatedBy: " missed ").count >= 7, "\(missed.output)")
    #expect(missed.output.contains("Jaccard index"))
    let table = try await shell.tool("agreement", "dense")
    #expect(table.output.contains("undefined") && table.output.contains("all members agree"))
  }

  @Test(
    arguments: ["svg", "png", "pdf", "dot"], ["network", "gallery", "dependency", "consensus"])
  func drawingsComeInEveryFormat(format: String, kind: String) async throws {
    let shell = try await Workshop.shared.ready()
    let file = "picture-\(kind).\(format)"
    let result = try await shell.tool(
      "draw", "sparse", "--kind", kind, "--data", "test.nc", "--output", file)
    #expect(result.code == 0, "\(result.error)")
    let bytes = try shell.bytes(file)
    let start = ["svg": "<?xml", "png": "\u{89}PNG", "pdf": "%PDF", "dot": "digraph"][format]
    #expect(
      String(decoding: bytes.prefix(8), as: UTF8.self).hasPrefix(
        start == "\u{89}PNG" ? "\u{FFFD}PNG" : start ?? "?"))
  }

  /// With everything cut away there is nothing left to select, and nothing crashes on it.
  @Test func anEmptyNetworkIsAnsweredWithDots() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(
      "filigree-paths sparse --cut 1e9 && filigree-sensitivity sparse --cut 1e9 --data test.nc && "
        + "filigree-agreement sparse --cut 1e9 --data test.nc && "
        + "filigree-draw sparse --cut 1e9 --output empty.svg && "
        + "filigree-draw sparse --kind dependency --data test.nc --cut 1e9 --output none.svg")
    #expect(result.code == 0, "\(result.error)")
    #expect(result.output.contains("·") && result.output.contains("undefined"))
    #expect(XMLDocumentCheck.isWellFormed(try shell.bytes("empty.svg")))
  }

  @Test func aPictureIsTheSameBytesEveryTime() async throws {
    let shell = try await Workshop.shared.ready()
    for name in ["a.svg", "b.svg"] {
      _ = try await shell.tool("draw", "sparse", "--output", name)
    }
    #expect(try shell.bytes("a.svg") == shell.bytes("b.svg"))
  }

  @Test func oneTrajectoryIsEnough() async throws {
    let shell = try Shell()
    let result = try await shell.bash(
      "filigree-simulate --plant duffing --trajectories 1 --samples 300 --output one.csv && "
        + "filigree-train one.csv --members 1 --epochs 2 --output one")
    #expect(result.code == 0 && result.error.contains("its last 60 samples validate"))
  }

  @Test func aTableFromElsewhereNeedsOnlyTheNamesOfItsInputs() async throws {
    let shell = try Shell()
    var csv = "time,level,valve\n"
    for sample in 0..<200 {
      let t = Double(sample)
      csv += "\(t),\(10 + 3 * sin(0.1 * t)),\(0.5 + 0.4 * cos(0.37 * t))\n"
    }
    try shell.write(csv, to: "tank's data.csv")
    let result = try await shell.tool(
      "train", "tank's data.csv", "--inputs", "valve", "--members", "5", "--epochs", "2",
      "--threads", "16", "--output", "my \"models\"")
    #expect(result.code == 0, "\(result.error)")
    let table = try await shell.tool(
      "sensitivity", "my \"models\"", "--data", "tank's data.csv")
    #expect(table.code == 0 && table.output.contains("valve"))
    let none = try await shell.tool(
      "train", "tank's data.csv", "--members", "1", "--epochs", "1", "--output", "no inputs")
    #expect(none.code == 0, "all columns are states when none is an input")
  }

  @Test func namesOfAnyKindSurviveFromDataToDrawing() async throws {
    let shell = try Shell()
    let names = ["T \"quoted\"", "a<b>&c", "back\\slash\\", "日本 [x]", "", "time/rate"]
    var csv =
      "trajectory,time,"
      + names.map { "\"\($0.replacing("\"", with: "\"\"")) [kg]\"" }
      .joined(separator: ",") + "\n"
    for sample in 0..<120 {
      let values = names.indices.map { "\(sin(0.05 * Double(sample * ($0 + 1)) + Double($0)))" }
      csv += "0,\(sample)," + values.joined(separator: ",") + "\n"
    }
    try shell.write(csv, to: "odd.csv")
    let result = try await shell.bash(
      "filigree-train odd.csv --members 1 --epochs 2 --hidden 4 --output odd && "
        + "filigree-draw odd --output odd.svg && filigree-draw odd --kind dependency --data odd.csv "
        + "--threshold 0 --output odd-dependency.svg && filigree-paths odd && "
        + "filigree-sensitivity odd --data odd.csv --format markdown")
    #expect(result.code == 0, "\(result.error)")
    #expect(XMLDocumentCheck.isWellFormed(try shell.bytes("odd.svg")))
    #expect(try shell.text("odd.svg").contains("a&lt;b&gt;&amp;c"))
  }
}

/// The commands of guides, in order, in one folder each. Those of the README and of the guides that show what their
/// commands print or draw are run by `Scripts/pictures`, which `Scripts/test` calls.
@Suite struct DocumentationTests {
  private static let runHere = ["Documentation/performance.md", "Documentation/many-machines.md"]

  /// No guide with commands is left out by both.
  @Test func everyGuideWithCommandsIsRun() throws {
    let script = try String(
      contentsOf: Fixture.packageFolder.appendingPathComponent("Scripts/pictures"), encoding: .utf8)
    let list = try #require(script.firstMatch(of: /DOCUMENTS = \[([^\]]*)\]/)).output.1
    let documents = Fixture.packageFolder.appendingPathComponent("Documentation")
    let guides = try FileManager.default.contentsOfDirectory(atPath: documents.path)
      .filter { $0.hasSuffix(".md") }.map { "Documentation/\($0)" }
    #expect(guides.count > 10)
    for guide in guides + ["README.md"] {
      let text = try String(
        contentsOf: Fixture.packageFolder.appendingPathComponent(guide), encoding: .utf8)
      guard text.contains("```sh\n") else { continue }
      let isRun = list.contains("\"\(guide)\"") || Self.runHere.contains(guide)
      #expect(isRun, "\(guide)")
    }
    let test = try String(
      contentsOf: Fixture.packageFolder.appendingPathComponent("Scripts/test"), encoding: .utf8)
    #expect(test.contains("\nScripts/pictures") || test.contains("\n  Scripts/pictures"))
  }

  @Test(arguments: runHere)
  func everyCommandWorks(file: String) async throws {
    let readme = try String(
      contentsOf: Fixture.packageFolder.appendingPathComponent(file), encoding: .utf8)
    let shell = try Shell()
    try FileManager.default.createSymbolicLink(
      atPath: shell.path("Fixtures"), withDestinationPath: Fixture.path(""))
    let commands = readme.components(separatedBy: "```sh\n").dropFirst()
      .flatMap { ($0.components(separatedBy: "```").first ?? "").split(separator: "\n") }
    #expect(commands.count >= 4)
    for command in commands {
      if command.hasPrefix("Scripts/") {
        // Scripts/test runs this test, and the quickstart and a short benchmark after it.
        let name = command.prefix { $0 != " " }
        let script = Fixture.packageFolder.appendingPathComponent(String(name)).path
        #expect(FileManager.default.isExecutableFile(atPath: script))
      } else {
        let result = try await shell.bash(String(command))
        #expect(result.code == 0, "\(command): \(result.error)")
      }
    }
  }

  /// The figures on speed are those that the benchmark printed, letter by letter.
  @Test(arguments: ["Training", "Forecast", "Analysis", "Drawing"])
  func theDocumentsQuoteTheBenchmark(subject: String) throws {
    func text(_ name: String) throws -> String {
      try String(
        contentsOf: Fixture.packageFolder.appendingPathComponent(name), encoding: .utf8)
    }
    let results = try text("Benchmarks/\(subject)/results.md")
    #expect(results.split(separator: "\n").count > 5)
    #expect(try text("Documentation/performance.md").contains(results))
  }

  /// So are the claims of the study.
  @Test func theReadmeQuotesTheStudy() throws {
    func text(_ name: String) throws -> String {
      try String(
        contentsOf: Fixture.packageFolder.appendingPathComponent(name), encoding: .utf8)
    }
    let report = try text("Reports/paper/report.md")
    let begin = try #require(report.range(of: "| claim | recipe")).lowerBound
    let end = try #require(report[begin...].range(of: "\n\n")).lowerBound
    #expect(report[begin..<end].split(separator: "\n").count > 10)
    #expect(try text("README.md").contains(report[begin..<end]))
  }

  @Test func everyFileThatTheReadmeLinksToIsThere() throws {
    let readme = try String(
      contentsOf: Fixture.packageFolder.appendingPathComponent("README.md"), encoding: .utf8)
    for part in readme.components(separatedBy: "](").dropFirst() {
      let target = part.prefix { $0 != ")" }
      if target.hasPrefix("http") { continue }
      let path = Fixture.packageFolder.appendingPathComponent(String(target)).path
      #expect(FileManager.default.fileExists(atPath: path), "\(target)")
    }
  }
}

/// What people read, letter by letter, on models whose numbers do not depend on the machine.
@Suite struct GoldenTests {
  @Test(arguments: ["table", "markdown", "csv", "json"])
  func thePathsOfAForeignModel(format: String) async throws {
    let shell = try Shell()
    let result = try await shell.tool(
      "paths", [Fixture.path("foreign/two_towers.onnx"), "--strongest", "3", "--format", format],
      columns: 60)
    #expect(try Golden.matches(result.output, "paths.\(format)"))
  }

  @Test func theJacobianOfAForeignModel() async throws {
    let shell = try Shell()
    let result = try await shell.tool(
      "sensitivity", [Fixture.path("foreign/two_towers.onnx"), "--point", "x1=0.5"], columns: 60)
    #expect(try Golden.matches(result.output, "jacobian.table"))
  }
}
