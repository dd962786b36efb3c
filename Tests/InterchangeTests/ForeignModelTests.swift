import Interchange
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Models in the styles of other exporters, with what onnxruntime answers on them.
@Suite("ONNX files of others")
struct ForeignModelTests {
  private struct Expectation: Decodable {
    struct Answers: Decodable {
      var file: String
      var inputs: [[Double]]
      var outputs: [[Double]]
    }
    struct Refused: Decodable { var file: String }
    var models: [Answers]
    var refused: [Refused]
  }

  private static let expectation = Result {
    try Fixture.json("foreign/expected.json", as: Expectation.self)
  }

  /// onnxruntime computes in 32 bits.
  private static let relativeTolerance = 1e-5
  private static let absoluteTolerance = 1e-6

  @Test("Rates are those of onnxruntime")
  func answers() throws {
    let models = try Self.expectation.get().models
    #expect(models.count == 4)
    for answers in models {
      let model = try read(answers.file)
      try check(model, answers)
      // As our own file with our own names, too.
      try check(try Model(onnx: try model.onnx(path: ""), path: ""), answers)
    }
  }

  private func check(_ model: Model, _ answers: Expectation.Answers) throws {
    for (input, output) in zip(answers.inputs, answers.outputs) {
      let rates = model.rates(input)
      try #require(rates.count == output.count)
      for (rate, expected) in zip(rates, output) {
        let tolerance = Self.absoluteTolerance + Self.relativeTolerance * abs(expected)
        #expect(abs(rate - expected) <= tolerance, "\(answers.file)")
      }
    }
  }

  @Test(
    "Layers, their sources and activations are recognised",
    arguments: [
      Shape("matmul_relu", [.relu, .relu, .identity], [[.inputs], [.layer(0)], [.layer(1)]], [2]),
      Shape("gemm_tanh", [.tanh, .identity], [[.inputs], [.layer(0)]], [1]),
      Shape(
        "silu_skip_standardised", [.silu, .identity], [[.inputs], [.layer(0), .inputs]], [1]),
      Shape(
        "two_towers", [.relu, .identity, .relu, .identity],
        [[.inputs], [.layer(0)], [.inputs], [.layer(2)]], [1, 3]),
    ])
  func structure(shape: Shape) throws {
    let network = try read(shape.file).network
    #expect(network.layers.map(\.activation) == shape.activations)
    #expect(network.layers.map { $0.connections.map(\.source) } == shape.sources)
    #expect(network.outputLayers == shape.outputs)
    #expect(network.layers.map(\.name) == (1...network.layers.count).map { "layer \($0)" })
  }

  @Test("Scaling around the network becomes standardisation")
  func scaling() throws {
    let model = try read("silu_skip_standardised.onnx")
    #expect(model.inputScaling.deviation == [0.5, 2, 3])
    #expect(model.outputScaling.deviation == [10, 0.25])
    #expect(model.outputScaling.mean == [100, -1])
  }

  @Test("Names are made up: inputs x1…, outputs y1…, or as is said")
  func names() throws {
    let model = try read("matmul_relu.onnx")
    #expect(model.hasMadeUpNames)
    #expect(model.inputs.map(\.name) == ["x1", "x2", "x3", "x4"])
    #expect(model.predicts == .value)
    #expect(model.inputs.allSatisfy { $0.role == .control })
    #expect(model.outputs.map(\.label) == ["y1", "y2"])
    #expect(model.timeStep == nil)
    let rates = try told(ModelDescription(predicts: .rate))
    #expect(rates.inputs.map(\.role) == [.state, .state, .control, .control])
    #expect(rates.outputs == [rates.inputs[0].rate, rates.inputs[1].rate])
    let named = try told(
      ModelDescription(
        inputs: ["T [K]", "p", "a", "b"], outputs: ["T [K]", "p"], predicts: .next, timeStep: 2))
    #expect(!named.hasMadeUpNames)
    #expect(named.inputs.map(\.label) == ["T [K]", "p", "a", "b"])
    #expect(named.inputs.map(\.role) == [.state, .state, .control, .control])
    #expect(named.timeStep == 2)
  }

  private func told(_ words: ModelDescription) throws -> Model {
    try Model.read(
      onnx: try Fixture.bytes("foreign/matmul_relu.onnx"), path: "a.onnx", told: words
    ).model
  }

  @Test("A map to the next state makes the same steps as its rates")
  func next() throws {
    let map = try told(ModelDescription(predicts: .next))
    let rates = try #require(map.asRates(timeStep: 0.3))
    let x = [0.3, -0.2, 0.9, 1.1]
    for (index, next) in map.rates(x).enumerated() {
      #expect(abs(x[index] + 0.3 * rates.rates(x)[index] - next) < 1e-9)
    }
    let points = Matrix([x, [1, 2, 3, 4], [-1, 0, 2, 0]])
    let scaled = map.standardised(by: points)
    for (a, b) in zip(scaled.rates(x), map.rates(x)) { #expect(abs(a - b) < 1e-6) }
  }

  @Test("Models beyond such networks, and parts of models, are refused")
  func refused() throws {
    let files = try Self.expectation.get().refused.map(\.file)
    #expect(files == ["unsupported_softmax.onnx", "truncated.onnx"])
    let softmax = try problem { try read(files[0]) }
    #expect(softmax.words.hasPrefix("node \"y\" (Softmax): this operator is not supported"))
    let truncated = try problem { try read(files[1]) }
    #expect(truncated.words.hasPrefix("not an ONNX model, or cut off"))
  }

  @Test(
    "Damaged files never crash",
    arguments: ["matmul_relu", "gemm_tanh", "silu_skip_standardised", "two_towers"])
  func damage(name: String) throws {
    let bytes = try Fixture.bytes("foreign/\(name).onnx")
    for length in bytes.indices { readsOrComplains(Array(bytes.prefix(length))) }
    for seed in 0..<500 as Range<UInt64> { readsOrComplains(damaged(bytes, seed: seed)) }
  }

  private func readsOrComplains(_ bytes: [UInt8]) {
    do { _ = try Model(onnx: bytes, path: "") } catch { #expect(error.kind == .malformed) }
  }

  private func read(_ file: String) throws -> Model {
    try Model(onnx: try Fixture.bytes("foreign/\(file)"), path: file)
  }

  struct Shape: Sendable, CustomTestStringConvertible {
    var file: String
    var activations: [Activation]
    var sources: [[Network.Source]]
    var outputs: [Int]
    var testDescription: String { file }

    init(
      _ name: String, _ activations: [Activation], _ sources: [[Network.Source]], _ outputs: [Int]
    ) {
      file = name + ".onnx"
      self.activations = activations
      self.sources = sources
      self.outputs = outputs
    }
  }
}
