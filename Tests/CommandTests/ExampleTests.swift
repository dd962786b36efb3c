import Foundation
import TestSupport
import Testing

/// The programs of the package in Examples, as the build of this package makes them of the same sources.
/// `Scripts/test` builds the package itself.
@Suite struct ExampleTests {
  @Test func aForeignModelIsDrawn() async throws {
    let shell = try Shell()
    let model = Fixture.path("foreign/two_towers.onnx")
    let result = try await shell.bash("example-draw-model '\(model)' model.svg")
    #expect(result.code == 0, "\(result.error)")
    let rows = result.output.split(separator: "\n").map { $0.split(separator: "\t") }
    #expect(!rows.isEmpty && rows.allSatisfy { $0.count == 3 && (Double($0[2]) ?? 0) > 0 })
    #expect(XMLDocumentCheck.isWellFormed(try shell.bytes("model.svg")))
  }

  @Test func anEnsembleIsTrainedAndScored() async throws {
    let result = try await Shell().bash("example-train-and-score")
    #expect(result.code == 0, "\(result.error)")
    #expect(result.output.contains("6 found, 0 missed, 0 spurious"), "\(result.output)")
    let error = try #require(result.output.firstMatch(of: /samples: ([0-9.e-]+)/)).1
    #expect(try #require(Double(error)) < 0.05)
  }

  /// The pendulum's speed depends on everything, its angle on the torque through the speed only; the trajectories
  /// are read by the tools.
  @Test func aPlantOfOnesOwnIsSimulated() async throws {
    let shell = try Shell()
    let result = try await shell.bash(
      "example-own-plant own.csv && filigree-train own.csv --recipe linear --output own")
    #expect(result.code == 0, "\(result.error)")
    let rows = result.output.split(separator: "\n").prefix(2).map { line in
      line.matches(of: /[0-9.]+(?=[,\]])/).compactMap { Double($0.0) }
    }
    #expect(rows.count == 2 && rows.allSatisfy { $0.count == 3 })
    #expect(rows[0][1] > 0.9 && rows[0][2] < 0.05)
    #expect(rows[1].allSatisfy { $0 > 0.1 })
    #expect(shell.exists("own/member-00.onnx"))
  }

  /// Two towers of 20 units each are trained; a penalty on the number of weights leaves a part of them.
  @Test func aPenaltyOfOnesOwnIsTrainedWith() async throws {
    let result = try await Shell().bash("example-own-penalty")
    #expect(result.code == 0, "\(result.error)")
    let counts = result.output.matches(of: /(\d+) weights of (\d+)/)
      .compactMap { match in Int(match.1).flatMap { left in Int(match.2).map { (left, $0) } } }
    #expect(counts.count == 2, "\(result.output)")
    for (left, all) in counts { #expect(left > 4 && left < all / 2) }
  }

  @Test func theExamplesAreShortAndListedInBothPackages() throws {
    let root = Fixture.packageFolder
    func list(_ package: String) throws -> [Substring] {
      let text = try String(contentsOf: root.appendingPathComponent(package), encoding: .utf8)
      return text.matches(of: /"(draw-model|train-and-score|own-plant|own-penalty)": (\[[^\]]+\])/)
        .map(\.0)
    }
    #expect(try list("Package.swift") == list("Examples/Package.swift"))
    let sources = root.appendingPathComponent("Examples/Sources")
    let names = try FileManager.default.contentsOfDirectory(atPath: sources.path)
    #expect(try list("Package.swift").count == names.count)
    for name in names {
      let text = try String(
        contentsOf: sources.appendingPathComponent("\(name)/main.swift"), encoding: .utf8)
      let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      let code = lines.filter {
        !$0.hasPrefix("//") && !$0.hasPrefix("import ") && $0.contains(where: \.isLetter)
      }
      #expect(code.count < 20, "\(name): \(code.count) lines")
    }
  }
}
