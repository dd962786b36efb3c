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
}
