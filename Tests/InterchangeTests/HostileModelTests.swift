import Foundation
import Interchange
import Networks
import TestSupport
import Testing

@Suite("Hostile ONNX files")
struct HostileModelTests {
  @Test("Each is refused, naming what is wrong where", arguments: refusals)
  func refused(name: String, words: String) throws {
    let bytes = try Fixture.bytes("hostile/\(name).onnx")
    let problem = try problem { try Model(onnx: bytes, path: "a.onnx") }
    #expect(problem.kind == .malformed)
    #expect(problem.description.hasPrefix("a.onnx: \(words)"))
  }

  @Test("None of the files is forgotten here")
  func complete() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Fixture.path("hostile"))
    #expect(Set(files) == Set(refusals.map { "\($0.0).onnx" }))
  }

  @Test("Damaged, they still do not crash")
  func damage() throws {
    // A million names take their time.
    for (name, _) in refusals where name != "wide_input" {
      let bytes = try Fixture.bytes("hostile/\(name).onnx")
      for seed in 0..<40 as Range<UInt64> {
        do {
          _ = try Model(onnx: damaged(bytes, seed: seed), path: "")
        } catch {
          #expect(error.kind == .malformed)
        }
      }
    }
  }

  @Test(
    "What is no model at all is refused",
    arguments: ["", "hello", "\u{0}", "{\"members\": []}", "\u{89}PNG\r\n", "\u{8}\u{8}"])
  func noModel(text: String) throws {
    let problem = try problem { try Model(onnx: Array(text.utf8), path: "a.onnx") }
    #expect(problem.words.hasPrefix("not an ONNX model"))
  }

  @Test("Deeply nested messages are refused")
  func nested() throws {
    // A graph that holds a node that holds an attribute that holds a graph, ten thousand times.
    var bytes: [UInt8] = []
    for level in 0..<30_000 {
      let tag: UInt8 = [0x32, 0x2A, 0x0A][level % 3]
      bytes = [tag] + varint(bytes.count) + bytes
      if bytes.count > 60_000 { break }
    }
    bytes = [0x3A] + varint(bytes.count) + bytes
    #expect(try problem { try Model(onnx: bytes, path: "") }.kind == .malformed)
  }
}

// MARK: Values

private func varint(_ value: Int) -> [UInt8] {
  value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + varint(value >> 7)
}

private let refusals = [
  ("nan_weight", "tensor \"w\": it holds nan"),
  ("infinite_bias", "tensor \"b\": it holds inf"),
  ("nan_constant", "node \"odd\" (Constant): its numbers overflow, or are not finite"),
  ("nan_alpha", "node \"first\" (Gemm): its numbers overflow, or are not finite"),
  ("infinite_beta", "node \"first\" (Gemm): its numbers overflow, or are not finite"),
  ("zero_over_zero", "node \"ratio\" (Div): its numbers overflow, or are not finite"),
  ("overflow", "node \"square\" (Mul): its numbers overflow, or are not finite"),
  ("scaled_overflow", "node \"again\" (Mul): its numbers overflow, or are not finite"),
  ("scaled_by_zero", "node \"ratio\" (Div): it scales by zero"),
  ("huge_shape", "tensor \"w\": its shape [1099511627776, 1099511627776] is empty or impossible"),
  ("overflowing_shape", "tensor \"w\": its shape [4611686018427387904, "),
  ("negative_shape", "tensor \"w\": its shape [-2, -2] is empty or impossible"),
  ("zero_columns", "tensor \"w\": its shape [2, 0] is empty or impossible"),
  ("zero_rows", "tensor \"w\": its shape [0, 4611686018427387904] is empty or impossible"),
  ("too_few_numbers", "tensor \"w\": it holds 3 numbers where its shape [2, 2] needs 4"),
  ("half_a_number", "tensor \"w\": it holds 0 numbers where its shape [2, 2] needs 4"),
  ("wrong_width", "node \"first\" (Gemm): its weights have 3 columns, but it reads 2 values"),
  ("wrong_bias", "node \"first\" (Gemm): a constant of shape [3] does not fit 2 features"),
  ("different_widths", "node \"sum\" (Add): shapes [1, 2] and [1, 3] do not go together"),
  ("wide_input", "layer \"\": it reads 1000000 values without weights"),
  ("doubling", "node \"double18\" (Concat): it joins no values, or more than 1000000"),
  ("no_features", "input \"x\": its shape must be [n, features]"),
  (
    "external_data",
    "tensor \"w\": its numbers lie in \"weights.bin\", which is not beside the model"
  ),
  (
    "outside_data",
    "tensor \"w\": its numbers lie in \"../weights.bin\", outside the model's folder"
  ),
  ("text_weights", "tensor \"w\": its element type, text, is not supported"),
  ("cycle", "node \"loop\" (Add): it reads \"y\", which no earlier node makes"),
  ("undefined_tensor", "node \"first\" (Gemm): it reads \"nowhere\", which no earlier node makes"),
  ("undefined_output", "output \"nothing\": no node makes it"),
  ("lost_constants", "graph: besides \"x\" it wants \"mean\", of one row each"),
  ("two_outputs", "graph: it has 2 outputs"),
  ("no_nodes", "not an ONNX model: it has no graph"),
  ("returns_its_input", "node \"y\" (output): the network returns its input"),
  ("own_norm", "node \"norm\" (LayerNormalization): it divides every sample by its own deviation"),
  ("quantised_values", "node \"round\" (QuantizeLinear): it rounds computed values to integers"),
  ("lacking_operand", "node \"sum\" (Add): it lacks operand 2"),
  ("computed_weights", "node \"attention\" (MatMul): one operand must be a constant matrix"),
  ("transposed_input", "node \"first\" (Gemm): transA = 1 is not supported"),
  ("joined_samples", "node \"stack\" (Concat): axis 0"),
  ("foreign_domain", "node \"odd\" (com.example.Relu): operators of domain \"com.example\""),
  ("calling_itself", "node \"again\" (own.call): functions call each other without end"),
]
