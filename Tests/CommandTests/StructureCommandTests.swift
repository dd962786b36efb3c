import Foundation
import Interchange
import TestSupport
import Testing

/// filigree-paths, filigree-sensitivity and filigree-agreement on models that were trained here.
@Suite struct StructureCommandTests {
  @Test func pathsAreJSONForPrograms() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.tool("paths", "sparse", "--strongest", "2", "--format", "json")
    let members = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
    #expect(members.count == 3 && result.error.isEmpty)
    let strongest = try #require(members[0]["strongest"] as? [[String: Any]])
    #expect(strongest.count == 2)
    let nodes = try #require(strongest[0]["nodes"] as? [String])
    #expect(["position", "velocity", "force"].contains(nodes[0]))
    #expect(nodes.last?.hasPrefix("d/dt ") == true)
  }

  @Test func aPairIsExplained() async throws {
    let shell = try await Workshop.shared.ready()
    let told = try await shell.tool(
      "paths", "sparse", "--explain", "velocity", "force", "--data", "test.nc")
    #expect(told.code == 0 && told.output.contains("of 3 members."), "\(told.error)")
    #expect(told.output.contains("rises with it"))
    let result = try await shell.tool(
      "paths", "sparse", "--explain", "velocity", "force", "--data", "test.nc", "--format", "json")
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let members = try #require(value["members"] as? [[String: Any]])
    // What the sensitivities over the same data say.
    let table = try await shell.tool(
      "sensitivity", "sparse/member-00.onnx", "--data", "test.nc", "--format", "csv")
    let row = try #require(
      table.output.split(separator: "\n").first { $0.hasPrefix("velocity") })
    let expected = try #require(row.split(separator: ",").last.flatMap { Double($0) })
    let slope = try #require(members[0]["slope"] as? [String: Any])
    let magnitude = try #require(slope["meanMagnitude"] as? Double)
    #expect(abs(magnitude / expected - 1) < 1e-9)
    let low = try #require(members[0]["low"] as? Double)
    let high = try #require(members[0]["high"] as? Double)
    let (least, most) = (slope["quantile05"] as? Double, slope["quantile95"] as? Double)
    #expect(low <= least ?? -.infinity && most ?? .infinity <= high)
    for (arguments, code) in [(["velocity", "speed"], Int32(65)), (["velocity"], 64)] {
      let refused = try await shell.tool("paths", ["sparse", "--explain"] + arguments)
      #expect(refused.code == code && !refused.error.isEmpty)
    }
  }

  /// The command's Jacobian against differences of the model's own rates.
  @Test func sensitivityAtAPointIsTheSlopeOfTheRates() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.tool(
      "sensitivity", "sparse/member-00.onnx", "--point", "position=0.5,velocity=0.1,force=-0.25",
      "--units", "physical", "--format", "csv")
    #expect(result.code == 0)
    let lines = result.output.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(lines[0] == ["", "position [m]", "velocity [m/s]", "force [N/kg]"])
    let model = try EnsembleFolder.read(shell.path("sparse/member-00.onnx")).members[0]
    let point = [0.5, 0.1, -0.25]
    for column in 0..<3 {
      var (up, down) = (point, point)
      up[column] += 1e-5
      down[column] -= 1e-5
      for (row, pair) in zip(model.rates(up), model.rates(down)).enumerated() {
        let slope = try #require(Double(lines[row + 1][column + 1]))
        #expect(abs(slope - (pair.0 - pair.1) / 2e-5) < 1e-6 * max(1, abs(slope)))
      }
    }
  }

  /// For people R² beside each rate, for programs a key; the table of programs stays as it was.
  @Test func howMuchIsExplainedStandsBesideRelevance() async throws {
    let shell = try await Workshop.shared.ready()
    let table = try await shell.tool("sensitivity", "sparse", "--data", "test.nc")
    #expect(table.output.contains("R²") && table.output.contains("held out"), "\(table.output)")
    let csv = try await shell.tool("sensitivity", "sparse", "--data", "test.nc", "--format", "csv")
    #expect(csv.output.hasPrefix(",position,velocity,force\n"))
    let json = try await shell.tool(
      "sensitivity", "sparse", "--data", "test.nc", "--format", "json")
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect((value["explained"] as? [Double])?.count == 2)
    // A single file carries no evidence.
    let single = try await shell.tool(
      "sensitivity", "sparse/member-00.onnx", "--data", "test.nc", "--format", "json")
    #expect(single.code == 0 && !single.output.contains("explained"))
  }

  @Test func emptyModelsAreWarnedOfWhereverTheyAreRead() async throws {
    let shell = try Shell()
    let made = try await shell.bash(
      "filigree-simulate --plant duffing --trajectories 3 --samples 200 --output d.nc -q && "
        + "filigree-train d.nc --recipe proximal --strength 1e4 --refine 0 --eliminate 0 --thin 0 --finish 0 "
        + "--epochs 20 --members 2 --output empty")
    #expect(made.code == 0 && made.error.contains("all 2 models are empty"), "\(made.error)")
    for arguments in [
      ["paths", "empty"], ["sensitivity", "empty", "--data", "d.nc"], ["agreement", "empty"],
      ["forecast", "empty", "--data", "d.nc", "--horizons", "50"],
      ["draw", "empty", "--kind", "consensus", "--output", "c.svg"],
    ] {
      let told = try await shell.tool(arguments[0], Array(arguments.dropFirst()))
      #expect(told.code == 0 && told.error.contains("all 2 models are empty"), "\(arguments)")
      #expect(!told.output.contains("all members agree"))
    }
    let json = try await shell.tool("agreement", "empty", "--format", "json")
    #expect(json.output.contains("\"allAgree\" : false"), "\(json.output)")
  }

  /// The live part is a model like any other: the same rates, the same paths, fewer numbers.
  @Test func theLivePartIsWrittenAsASmallerModel() async throws {
    let shell = try await Workshop.shared.ready()
    let written = try await shell.tool(
      "paths", "sparse/member-00.onnx", "--data", "test.nc", "--output", "live.onnx", "--format",
      "json")
    #expect(written.code == 0 && written.error.contains("weights"), "\(written.error)")
    let (whole, part) = (
      try EnsembleFolder.read(shell.path("sparse/member-00.onnx")).members[0],
      try EnsembleFolder.read(shell.path("live.onnx")).members[0]
    )
    #expect(part.network.weightCount < whole.network.weightCount)
    #expect(written.output.contains("\"weights\" : \(part.network.survivingWeightCount)"))
    let data = try TrajectoryFile.read(shell.path("test.nc"))
    for row in 0..<200 {
      let point = data.samples[0].row(row)
      for (a, b) in zip(whole.rates(point), part.rates(point)) {
        // Biases are stored in single precision.
        #expect(abs(a - b) <= 1e-6 * whole.outputScaling.deviation.reduce(0, max))
      }
    }
    func pairs(_ text: String) throws -> NSArray {
      let value = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
      return try #require(value?.first?["connectedPairs"] as? NSArray)
    }
    let again = try await shell.tool("paths", "live.onnx", "--format", "json")
    #expect(try pairs(again.output) == pairs(written.output))
    #expect(written.output.contains("activeShare") && !again.output.contains("activeShare"))
    let refused = try await shell.tool("paths", "sparse/member-00.onnx", "--output", "live.onnx")
    #expect(refused.code == 73 && refused.error.contains("--force"))
    let several = try await shell.tool("paths", "sparse", "--output", "several.onnx")
    #expect(several.code == 64 && several.error.contains("3 members"))
  }

  private func value(_ shell: Shell, _ tool: String, _ arguments: [String]) async throws
    -> [String: Any]
  {
    let result = try await shell.tool(tool, arguments + ["--format", "json"])
    #expect(result.code == 0, "\(result.error)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  private func matrix(_ value: Any?) throws -> [[Double]] {
    try #require(value as? [[Double]])
  }

  /// Statistics hang together: regions make up the whole, quantiles lie within the global bounds, signs
  /// leave no more than zeros.
  @Test func relevanceBySignAndRegionAddsUp() async throws {
    let shell = try await Workshop.shared.ready()
    let whole = try await value(
      shell, "sensitivity", ["dense", "--data", "test.nc", "--statistics"])
    let statistics = try #require(whole["statistics"] as? [String: Any])
    let (positive, negative) = (
      try matrix(statistics["positiveShare"]), try matrix(statistics["negativeShare"])
    )
    let (low, median, high) = (
      try matrix(statistics["quantile05"]), try matrix(statistics["median"]),
      try matrix(statistics["quantile95"])
    )
    for (row, line) in positive.enumerated() {
      for column in line.indices {
        #expect((0...1.000001).contains(positive[row][column] + negative[row][column]))
        #expect(low[row][column] <= median[row][column])
        #expect(median[row][column] <= high[row][column])
      }
    }
    let parts = try await value(
      shell, "sensitivity", ["dense", "--data", "test.nc", "--by", "velocity"])
    let regions = try #require(parts["regions"] as? [[String: Any]])
    #expect(regions.count == 3)
    let all = try matrix(whole["relevance"])
    var sum = all.map { $0.map { _ in 0.0 } }
    var samples = 0.0
    for region in regions {
      let count = try #require(region["samples"] as? Double)
      samples += count
      for (row, line) in try matrix(region["relevance"]).enumerated() {
        for (column, entry) in line.enumerated() { sum[row][column] += count * entry }
      }
    }
    #expect(samples == 400)
    for (row, line) in all.enumerated() {
      for (column, entry) in line.enumerated() {
        #expect(abs(sum[row][column] / samples - entry) < 1e-9)
      }
    }
  }

  @Test(arguments: ["gradient-input", "integrated-gradients", "permutation"])
  func otherMeasuresSayWhatMisleads(measure: String) async throws {
    let shell = try await Workshop.shared.ready()
    let told = try await shell.tool(
      "sensitivity", "dense", "--data", "test.nc", "--measure", measure, "--samples", "100")
    #expect(
      told.code == 0 && told.output.replacing("\n", with: " ").contains("100 samples"),
      "\(told.error)")
    #expect(told.output.contains("never occur") || told.output.contains("bends"))
    let found = try await value(
      shell, "sensitivity", ["dense", "--data", "test.nc", "--measure", measure])
    #expect(try matrix(found["attribution"]).count == 2)
    let gap = found["completenessGap"] as? Double
    #expect((gap != nil) == (measure == "integrated-gradients") && gap ?? 0 < 1e-9)
  }

  /// The modes of a model that is nearly the plant are nearly the plant's.
  @Test func theModesStandBesideThePlants() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(
      "filigree-train train.nc --members 1 --quiet --output modes && "
        + "filigree-sensitivity modes --data test.nc --stability --plant duffing --format json")
    #expect(result.code == 0, "\(result.error)")
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    func magnitudes(_ entry: Any?) throws -> [Double] {
      let modes = try #require((entry as? [String: Any])?["modes"] as? [[String: Any]])
      return try modes.map { try #require(($0["magnitude"] as? [Double])?[1]) }
    }
    let model = try magnitudes((value["members"] as? [Any])?.first)
    let plant = try magnitudes(value["plant"])
    #expect(model.count == 2 && zip(model, plant).allSatisfy { abs($0 - $1) < 2e-3 })
  }

  @Test func coloursAreForTerminals() async throws {
    let shell = try await Workshop.shared.ready()
    let command = "filigree-sensitivity sparse --data test.nc -q"
    let plain = try await shell.bash(command)
    let coloured = try await shell.bash("unset NO_COLOR; CLICOLOR_FORCE=1 \(command)")
    let refused = try await shell.bash("NO_COLOR=1 CLICOLOR_FORCE=1 \(command)")
    #expect(!plain.output.contains("\u{1B}") && refused.output == plain.output)
    #expect(coloured.output.contains("\u{1B}[38;5;16;48;5;"))
    let stripped = coloured.output.replacing(#/\u{1B}\[[0-9;]*m/#, with: "")
    #expect(stripped == plain.output)
  }

  @Test func theHeatMapIsDrawn() async throws {
    let shell = try await Workshop.shared.ready()
    for model in ["sparse", "dense"] {
      let result = try await shell.tool(
        "sensitivity", model, "--data", "test.nc", "--plot", "heat-\(model).svg")
      #expect(result.code == 0, "\(result.error)")
      let svg = try shell.text("heat-\(model).svg")
      for name in ["d/dt velocity", "position", "force"] { #expect(svg.contains(name)) }
      #expect(!svg.contains("<script"))
    }
    // Nothing left to draw is a drawing as well.
    let empty = try await shell.tool(
      "sensitivity", "sparse", "--cut", "1e9", "--data", "test.nc", "--plot", "heat-empty.svg")
    #expect(empty.code == 0, "\(empty.error)")
  }

  /// A sample that is nowhere near the training data: a warning with the share, and the input that is off.
  @Test func dataFarFromTheTrainingAreNamed() async throws {
    let shell = try await Workshop.shared.ready()
    try shell.write(
      "trajectory,time,position,velocity,force\n0,0,0.1,0,0\n0,0.02,0.1,0,0\n0,0.04,90,0,0\n"
        + "0,0.06,0.1,0,0\n", to: "far.csv")
    for tool in ["sensitivity", "agreement", "paths"] {
      let result = try await shell.tool(
        tool, "sparse", "--data", "far.csv", "--inputs", "force")
      #expect(result.code == 0 && result.error.contains("25 %"), "\(result.error)")
      #expect(result.error.contains("position") && result.error.contains("extrapolation"))
    }
    let point = try await shell.tool("sensitivity", "sparse", "--point", "position=90")
    #expect(point.code == 0 && point.error.contains("extrapolation"))
  }

  /// The consensus is a model that filigree-agreement reads again.
  @Test func theConsensusIsAModel() async throws {
    let shell = try await Workshop.shared.ready()
    let written = try await shell.tool(
      "agreement", "sparse", "--data", "test.nc", "--consensus", "consensus.onnx")
    #expect(written.code == 0 && written.error.contains("agrees most"), "\(written.error)")
    let again = try await value(shell, "agreement", ["consensus.onnx", "--data", "test.nc"])
    let ensembles = try #require(again["ensembles"] as? [[String: Any]])
    #expect(ensembles[0]["members"] as? Int == 1)
  }

  @Test func ensemblesOfHalvesAreBounded() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash(
      "filigree-train train.nc --members 4 --epochs 5 --hidden 6 --bootstrap --output halves && "
        + "filigree-agreement halves sparse --data test.nc --format json && "
        + "filigree-agreement halves --data test.nc --error-bound --share 0.75")
    #expect(result.code == 0, "\(result.error)")
    #expect(result.error.contains("random half each: 1 trajectory"))
    #expect(result.output.contains("75 % of the members") && result.output.contains("By chance:"))
    #expect(result.output.contains("onlyFirst"))
    #expect(try shell.text("halves/ensemble.json").contains(#""resampling" : "halves""#))
  }

  /// What a cut changes is said, and the cut part is compared with what was cut.
  @Test func aCutThatIsWrittenIsOwnedUpTo() async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.tool(
      "paths", "dense/member-00.onnx", "--cut", "0.3", "--output", "cut.onnx")
    #expect(result.code == 0, "\(result.error)")
    let (whole, cut) = (
      try EnsembleFolder.read(shell.path("dense/member-00.onnx")).members[0],
      try EnsembleFolder.read(shell.path("cut.onnx")).members[0]
    )
    #expect(whole.network.evaluate([1, 1, 1]) != cut.network.evaluate([1, 1, 1]))
    #expect(result.error.contains("warning: --cut 0.3") && !result.error.contains("up to 0 %"))
  }

  @Test func nothingThatIsReadIsOverwritten() async throws {
    let shell = try await Workshop.shared.ready()
    for command in [
      "filigree-paths sparse/member-00.onnx --output sparse/member-00.onnx --force",
      "filigree-agreement sparse --consensus sparse/member-01.onnx --force",
      "filigree-sensitivity sparse --data test.nc --trajectory 0 --output test.nc --force",
    ] {
      let result = try await shell.bash(command)
      #expect(result.code == 64 && result.error.contains("which is read"), "\(result.error)")
    }
  }

  /// Half as many samples of the same motion: the model's step stays what it was.
  @Test func modesAreThoseOfTheModelsOwnStep() async throws {
    let shell = try await Workshop.shared.ready()
    let data = try TrajectoryFile.read(shell.path("test.nc"))
    let names = data.variables.map(\.name)
    let lines = (0..<100).map { row in
      (["0", "\(Double(2 * row) * data.timeStep)"] + data.samples[0].row(2 * row).map { "\($0)" })
        .joined(separator: ",") + "\n"
    }
    try shell.write(
      (["trajectory", "time"] + names).joined(separator: ",") + "\n" + lines.joined(),
      to: "coarse.csv")
    let coarse = try await shell.tool(
      "sensitivity", "sparse", "--data", "coarse.csv", "--inputs", "force", "--stability",
      "--plant", "duffing")
    #expect(coarse.code == 0 && coarse.error.contains("time step"), "\(coarse.error)")
    let point = ["--point", "position=0.3,velocity=0,force=0", "--stability", "--plant", "duffing"]
    let at = try await value(shell, "sensitivity", ["sparse"] + point)
    #expect(at["timeStep"] as? Double == data.timeStep)
    let plant = try #require(at["plant"] as? [String: Any])
    let eigenvalues = try #require(plant["eigenvalues"] as? [[Double]])
    #expect(eigenvalues.count == 2 && eigenvalues[0].count == 2)
    #expect(eigenvalues[0][1] == -eigenvalues[1][1])
  }

  @Test func otherUnitsAreSaidSo() async throws {
    let shell = try await Workshop.shared.ready()
    try shell.write(
      "trajectory,time,position [km],velocity [m/s],force [N/kg]\n0,0,0.1,0,0\n0,0.05,0.1,0.1,0.2\n",
      to: "units.csv")
    let result = try await shell.tool(
      "sensitivity", "sparse", "--data", "units.csv", "--inputs", "force")
    #expect(
      result.code == 0 && result.error.contains("position [km], [m] in sparse"), "\(result.error)")
  }

  /// CSV is one whole table, whatever was asked for.
  @Test(arguments: [
    ("sensitivity sparse --data test.nc --statistics", "output,input,mean_magnitude", 6),
    ("sensitivity sparse --data test.nc --by velocity", "output,above,at_most,samples", 6),
    ("agreement sparse dense --data test.nc --plant duffing", "ensemble,output,input,members", 12),
    ("paths dense", "member,output,input,paths", 18),
  ])
  func csvHoldsWhatWasAskedFor(command: String, header: String, rows: Int) async throws {
    let shell = try await Workshop.shared.ready()
    let result = try await shell.bash("filigree-\(command) --format csv")
    let lines = result.output.split(separator: "\n")
    #expect(
      result.code == 0 && lines.count == rows + 1 && lines[0].hasPrefix(header), "\(result.error)")
  }
}
