import Foundation
import Interchange
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

/// Models as PyTorch, scikit-learn, Keras, JAX and optimisers wrote them (Fixtures/scripts/exporters.py), with what
/// onnxruntime answers and central differences of the same graph in double precision.
@Suite("Models of other programs")
struct ExporterTests {
  struct Expected: Decodable {
    struct Entry: Decodable, Sendable, CustomTestStringConvertible {
      var file: String
      var inputs: [[Double]]
      var outputs: [[Double]]
      /// outputs × inputs, row by row; empty where there is no reference
      var jacobians: [[Double]]
      var half: Bool
      var testDescription: String { file }
    }
    var models: [Entry]
  }

  static let expected =
    (try? Fixture.json("exporters/expected.json", as: Expected.self).models) ?? []

  @Test("There are models")
  func complete() { #expect(Self.expected.count > 20) }

  @Test(
    "Outputs are onnxruntime's, Jacobians those of differences, also as our own file",
    arguments: expected)
  func right(entry: Expected.Entry) throws {
    let path = Fixture.path("exporters/\(entry.file)")
    let model = try EnsembleFolder.read(path).members[0]
    try check(model, entry, jacobianTolerance: entry.half ? 1e-6 : 1e-7)
    let ours = try Model(onnx: try model.onnx(path: ""), path: "")
    // Weights are rounded to 32 bits.
    try check(ours, entry, jacobianTolerance: 1e-5)
    #expect(ours.network.survivingWeightCount == model.network.survivingWeightCount)
  }

  private func check(_ model: Model, _ entry: Expected.Entry, jacobianTolerance: Double) throws {
    let tolerance = entry.half ? 1e-2 : 1e-5
    for (index, input) in entry.inputs.enumerated() {
      let outputs = model.rates(input)
      try #require(outputs.count == entry.outputs[index].count)
      let scale = max(1, entry.outputs[index].map(abs).max() ?? 0)
      for (ours, theirs) in zip(outputs, entry.outputs[index]) {
        #expect(abs(ours - theirs) <= tolerance * scale)
      }
      let jacobian = model.physicalJacobian(input).elements
      guard !entry.jacobians[index].isEmpty else { continue }
      let size = max(1e-3, entry.jacobians[index].map(abs).max() ?? 0)
      for (ours, theirs) in zip(jacobian, entry.jacobians[index]) {
        #expect(abs(ours - theirs) <= jacobianTolerance * size)
      }
    }
  }

  @Test("Signs that are claimed hold at random points, whatever the scales at both ends")
  func signs() throws {
    for entry in Self.expected {
      let model = try EnsembleFolder.read(Fixture.path("exporters/\(entry.file)")).members[0]
      #expect(model.inputScaling.deviation.allSatisfy { $0 > 0 })
      #expect(model.outputScaling.deviation.allSatisfy { $0 > 0 })
      let analysis = PathAnalysis(LiveStructure(model.network).network)
      for input in entry.inputs {
        let jacobian = model.physicalJacobian(input)
        for output in 0..<jacobian.rows {
          for column in 0..<jacobian.columns {
            switch analysis.monotony(output: output, input: column) {
            case .increasing: #expect(jacobian[output, column] >= 0)
            case .decreasing: #expect(jacobian[output, column] <= 0)
            case nil: break
            }
          }
        }
      }
    }
  }

  @Test("Spliced and damaged files never crash, hang or ask for more memory than they may")
  func damaged() throws {
    let count = ProcessInfo.processInfo.environment["FILIGREE_FUZZ"].flatMap(Int.init) ?? 300
    let files = try Self.expected.map { try Fixture.bytes("exporters/\($0.file)") }
    try #require(!files.isEmpty)
    var stream = RandomStream(seed: 11)
    for _ in 0..<count {
      let first = files[stream.integer(in: 0...(files.count - 1))]
      var bytes = first
      if stream.integer(in: 0...2) == 0 {
        let second = files[stream.integer(in: 0...(files.count - 1))]
        bytes = Array(first.prefix(stream.integer(in: 0...first.count)))
        bytes += second.suffix(stream.integer(in: 0...second.count))
      }
      if !bytes.isEmpty { bytes = InterchangeTests.damaged(bytes, seed: stream.next()) }
      do { _ = try Model(onnx: bytes, path: "") } catch { #expect(error.kind == .malformed) }
    }
  }
}
