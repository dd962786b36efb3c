import Foundation
import Interchange
import TestSupport
import Testing

/// Records of plants of which not all states are measured, through the tools.
@Suite struct LagCommandTests {
  /// x(t+1) = 0.8 x(t) + 0.5 u(t−3) with a ripple, as a table.
  private static func record(rows: Int, seed: Int) -> String {
    var x = 0.0
    var controls: [Double] = []
    var lines = ["time,x [K],u"]
    for t in 0..<rows {
      controls.append(Double(((t / 5) * 7919 + seed * 31) % 13) / 6 - 1)
      lines.append("\(2 * t),\(x + 0.002 * Double((t * 37) % 11 - 5)),\(controls[t])")
      x = 0.8 * x + 0.5 * (t >= 3 ? controls[t - 3] : 0)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test func aRecordGoesThroughAllTools() async throws {
    let shell = try Shell()
    try shell.write(Self.record(rows: 300, seed: 1), to: "train.csv")
    try shell.write(Self.record(rows: 200, seed: 2), to: "test.csv")
    let train = try await shell.tool(
      "train", "train.csv", "--inputs", "u", "--lags", "auto", "--members", "2", "--output", "m")
    #expect(train.code == 0, "\(train.error)")
    #expect(train.error.contains("line"), "\(train.error)")
    #expect(
      try shell.files(in: "m") == [
        "candidates.csv", "ensemble.json", "lags.csv", "manifest.json", "member-00.onnx",
        "member-01.onnx",
      ])
    #expect(try shell.text("m/candidates.csv").contains("persistence"))
    let model = try EnsembleFolder.read(shell.path("m")).members[0]
    #expect(model.inputs.contains { $0.name == "u(t−3)" && $0.lag?.of == "u" && $0.lag?.by == 3 })

    let inputs = ["--inputs", "u"]
    let forecast = try await shell.tool(
      "forecast",
      ["m", "--data", "test.csv", "--training", "train.csv", "--arx", "4", "--horizons", "200"]
        + inputs)
    #expect(forecast.code == 0, "\(forecast.error)")
    for words in ["ARX 4", "root mean square error in K", "fit"] {
      #expect(forecast.output.contains(words), "\(forecast.output)")
    }
    let relevance = try await shell.tool("sensitivity", ["m", "--data", "test.csv"] + inputs)
    #expect(
      relevance.code == 0 && relevance.output.contains("by lag")
        && relevance.output.contains("all their moments"), "\(relevance.output)\(relevance.error)")
    for (tool, arguments) in [
      ("sensitivity", ["m", "--data", "test.csv", "--stability"] + inputs),
      ("agreement", ["m", "--data", "test.csv"] + inputs), ("paths", ["m"]),
      ("draw", ["m", "--kind", "dependency", "--data", "test.csv", "--output", "m.svg"] + inputs),
    ] {
      let result = try await shell.tool(tool, arguments)
      #expect(result.code == 0, "\(tool): \(result.error)")
    }
    #expect(try shell.text("m.svg").contains("u(t−3)"))
  }

  @Test func aRecipeTakesTheLagsThatAreGiven() async throws {
    let shell = try Shell()
    try shell.write(Self.record(rows: 300, seed: 1), to: "train.csv")
    let train = try await shell.tool(
      "train", "train.csv", "--inputs", "u", "--lags", "1", "--delay", "u=3", "--recipe", "lasso",
      "--no-smooth", "--members", "1", "--output", "m")
    #expect(train.code == 0, "\(train.error)")
    let model = try EnsembleFolder.read(shell.path("m")).members[0]
    #expect(model.inputs.map(\.name) == ["x", "x(t−1)", "u(t−3)", "u(t−4)"])
  }

  @Test func partsAndOriginsOfOneRecord() async throws {
    let shell = try Shell()
    try shell.write(Self.record(rows: 300, seed: 1), to: "train.csv")
    _ = try await shell.tool(
      "train", "train.csv", "--inputs", "u", "--lags", "0", "--delay", "u=3", "--members", "1",
      "--output", "m")
    let split = try await shell.tool(
      "forecast", "m", "--data", "train.csv", "--inputs", "u", "--split", "0.7", "--horizons",
      "40", "--origins", "10", "--format", "csv")
    #expect(split.code == 0, "\(split.error)")
    // Of 90 samples six times 40.
    let row = try #require(split.output.split(separator: "\n").first { $0.hasPrefix("m,") })
    #expect(row.hasPrefix("m,all,40,6,"), "\(split.output)")
    let same = try await shell.tool(
      "forecast", "m", "--data", "train.csv", "--training", "train.csv", "--inputs", "u",
      "--horizons", "40")
    #expect(same.error.contains("forecasts of what was learnt"))
  }

  @Test func wrongLagsAreSaid() async throws {
    let shell = try Shell()
    try shell.write(Self.record(rows: 60, seed: 1), to: "train.csv")
    for (arguments, words) in [
      (["--lags", "-1"], "--lags -1"), (["--delay", "u"], "name=samples"),
      (["--delay", "v=1"], "no such input"), (["--delay", "u=-2"], "-1 to"),
    ] {
      let result = try await shell.tool(
        "train", ["train.csv", "--inputs", "u", "--output", "m"] + arguments)
      #expect(result.code == 64 && result.error.contains(words), "\(result.error)")
    }
  }
}
