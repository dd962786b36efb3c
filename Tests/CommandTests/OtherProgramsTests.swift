import Foundation
import Interchange
import Networks
import TestSupport
import Testing

/// Our files in other programs' hands. These need Python with onnxruntime and xarray, which
/// Scripts/test provides and names in FILIGREE_PYTHON.
@Suite(.enabled(if: Shell.python != nil, "FILIGREE_PYTHON names no Python with onnxruntime"))
struct OtherProgramsTests {
  static let recipes: [String: String] = [
    "towers": "--recipe proximal --hidden 7 --strength 1e-2",
    "shared": "--recipe dense --hidden 9,8",
    "tanh": "--recipe l1 --hidden 6 --activation tanh --strength 1e-3",
    "default": "",
    "linear": "--hidden none --skip",
    "polynomial": "--recipe sindy",
    "joined":
      "--sparsifier group-lasso --hidden 7,6 --no-skip --input-skip --refine 0 --eliminate 0 "
      + "--thin 0 --finish 0",
  ]

  /// The same Float inputs in physical units: outputs differ by at most 1e-5 of each output's standard
  /// deviation. Levenberg-Marquardt leans on differences of large weights, which a runtime in single
  /// precision rounds more, and polynomials on differences of squares: 1e-3 there.
  @Test(arguments: recipes.keys.sorted())
  func onnxruntimeComputesTheSameRates(recipe: String) async throws {
    let shell = try Shell()
    let made = try await shell.bash(
      "filigree-simulate --trajectories 4 --samples 2500 --output data.nc && filigree-train data.nc "
        + "--members 1 --epochs 3 \(Self.recipes[recipe] ?? "") --output models")
    #expect(made.code == 0, "\(made.error)")
    let model = try EnsembleFolder.read(shell.path("models")).members[0]
    let data = try TrajectoryFile.read(shell.path("data.nc"))
    let rows = data.samples[0].rows
    let inputs = (0..<rows).map { data.samples[0].row($0).map { Double(Float($0)) } }
    try shell.write(
      inputs.map { $0.map { "\($0)" }.joined(separator: ",") + "\n" }.joined(), to: "inputs.csv")
    let check = try await shell.start(
      try #require(Shell.python),
      [
        Fixture.path("scripts/check_model.py"), "models/member-00.onnx", "inputs.csv",
        "outputs.csv",
      ])
    #expect(check.code == 0, "\(check.error)")
    let lines = try shell.text("outputs.csv").split(separator: "\n")
    #expect(lines.count == rows)
    let tolerance = ["default", "polynomial"].contains(recipe) ? 1e-3 : 1e-5
    for (line, input) in zip(lines, inputs) {
      let theirs = line.split(separator: ",").compactMap { Double($0) }
      for (index, (ours, other)) in zip(model.rates(input), theirs).enumerated() {
        #expect(abs(ours - other) <= tolerance * model.outputScaling.deviation[index])
      }
    }
  }

  /// networkx finds the pairs that the picture has, with numbers as numbers.
  @Test func networkxReadsGraphs() async throws {
    let shell = try await Workshop.shared.ready()
    for arguments in [
      ["sparse", "--kind", "dependency", "--data", "test.nc"], ["sparse", "--kind", "consensus"],
      ["sparse", "--member", "1"],
    ] {
      let drawn = try await shell.tool(
        "draw", arguments + ["--output", "graph.graphml", "--force"])
      #expect(drawn.code == 0, "\(drawn.error)")
      let check = try await shell.start(
        try #require(Shell.python),
        [
          "-c",
          """
          import json, networkx
          graph = networkx.read_graphml("graph.graphml")
          edges = [data for _, _, data in graph.edges(data=True)]
          print(json.dumps({
            "directed": graph.is_directed(), "nodes": len(graph), "edges": len(edges),
            "numbers": all(isinstance(edge["weight"], float) for edge in edges),
            "keys": sorted(set().union(*edges)),
            "names": sorted(data["name"] for _, data in graph.nodes(data=True)),
          }))
          """,
        ])
      #expect(check.code == 0, "\(check.error)")
      let found = try #require(
        try JSONSerialization.jsonObject(with: Data(check.output.utf8)) as? [String: Any])
      #expect(found["directed"] as? Bool == true && found["numbers"] as? Bool == true)
      #expect(found["edges"] as? Int ?? 0 > 0)
      let (keys, names) = (found["keys"] as? [String] ?? [], found["names"] as? [String] ?? [])
      #expect(names.contains("force") && !names.contains { $0.contains("title") })
      if arguments.contains("dependency") {
        #expect(Set(keys).isSuperset(of: ["effect", "sign", "verdict", "weight"]), "\(keys)")
      }
      if arguments.contains("--member") { #expect(Set(keys).isSuperset(of: ["layer", "sign"])) }
    }
  }

  @Test func xarrayOpensTrajectoriesAsTheyAre() async throws {
    let shell = try Shell()
    let made = try await shell.tool(
      "simulate", "--trajectories", "3", "--samples", "50", "--observables", "--output", "data.nc")
    #expect(made.code == 0)
    let check = try await shell.start(
      try #require(Shell.python), [Fixture.path("scripts/check_trajectories.py"), "data.nc"])
    #expect(check.code == 0, "\(check.error)")
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(check.output.utf8)) as? [String: Any])
    #expect(value["dims"] as? [String: Int] == ["trajectory": 3, "time": 50])
    let variables = try #require(value["variables"] as? [String: [String: Any]])
    #expect(variables["I_line"]?["units"] as? String == "A")
    #expect(variables["I_line"]?["role"] as? String == "input")
    #expect(variables["T_liq"]?["role"] as? String == "observable")
    let data = try TrajectoryFile.read(shell.path("data.nc"))
    // Variables in their own order, and nothing else among them.
    #expect(value["order"] as? [String] == data.variables.map(\.name))
    let coordinates = try #require(value["coordinates"] as? [String: [String: Any]])
    #expect(Set(coordinates.keys) == ["time", "length"])
    let bath = data.samples.flatMap { $0.column(5) }
    let mean = try #require(variables["T_bath"]?["mean"] as? Double)
    #expect(abs(mean / (bath.reduce(0, +) / 150) - 1) < 1e-12)
  }
}
