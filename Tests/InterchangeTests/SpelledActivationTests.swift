import Interchange
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Activations spelled out in comparisons, choices, quotients and products (Fixtures/scripts/spelled_models.py), with
/// what onnxruntime answers.
@Suite("Spelled activations")
struct SpelledActivationTests {
  struct Expected: Decodable {
    struct Spelling: Decodable, Sendable, CustomTestStringConvertible {
      var name: String
      var activation: String
      var outputs: [[Double]]
      var testDescription: String { name }
    }
    var inputs: [[Double]]
    var spellings: [Spelling]
  }

  static let expected = try? Fixture.json("spelled/expected.json", as: Expected.self)

  private static func model(_ file: String, output: String) throws -> Model {
    try Model.read(
      onnx: try Fixture.bytes("spelled/\(file).onnx"), path: "a.onnx",
      told: ModelDescription(outputName: output)
    ).model
  }

  @Test("Each is read as the activation that it is", arguments: expected?.spellings ?? [])
  func recognised(spelling: Expected.Spelling) throws {
    let model = try Self.model("activations", output: spelling.name)
    let kinds = Set(model.network.layers.map(\.activation.rawValue)).subtracting(["identity"])
    #expect(kinds == [spelling.activation])
    for (input, outputs) in zip(try #require(Self.expected).inputs, spelling.outputs) {
      let rates = model.rates(input)
      try #require(rates.count == outputs.count)
      for (ours, theirs) in zip(rates, outputs) {
        #expect(abs(ours - theirs) <= 1e-5 * max(1, abs(theirs)))
      }
    }
  }

  @Test(
    "What only looks like an activation is refused by name",
    arguments: [
      ("hard_shrink", "Where", "chooses by a computed value"),
      ("jump_of_a_thousandth", "Where", "chooses by a computed value"),
      ("jump_far_out", "Where", "chooses by a computed value"),
      ("step", "Greater", "compares computed values"),
      ("choice_of_two", "Where", "chooses by a computed value"),
      ("not_quite_softplus", "Log", "takes the logarithm of a computed value"),
      ("not_quite_softsign", "Div", "divides by a computed value"),
      ("square_plus", "Sqrt", "takes a root or power of a computed value"),
      ("layer_normalisation", "Div", "as layer normalisation does"),
      ("softmax", "Div", "as softmax does"),
    ])
  func refused(output: String, operation: String, words: String) throws {
    let problem = try problem { try Self.model("others", output: output) }
    #expect(problem.kind == .malformed)
    #expect(problem.description.contains("(\(operation))"))
    #expect(problem.description.contains(words))
  }
}
