import Dynamics
import Networks
import SwiftProtobuf

extension Model {
  /// Reads a model from an ONNX file: our own, or any feed-forward network made of affine maps and activations,
  /// whatever nodes its exporter chose.
  ///
  /// The graph is executed symbolically (`GraphReader`) and rewritten as layers (`NetworkBuilder`): scaling of the
  /// input becomes the input's standardisation, scaling of the result the output's, all other scaling is folded
  /// into weights, and a sum that is used twice is one layer.
  ///
  /// - Throws: `FileProblem.malformed` with the node, for a file that is not an ONNX model, needs an operator that
  ///   has no place in such a network, or contains numbers that are not finite.
  public init(onnx bytes: [UInt8], path: String) throws(FileProblem) {
    self = try Self.read(onnx: bytes, path: path, told: ModelDescription()).model
  }

  /// Reads a model with names and meanings from elsewhere, and reports what was found.
  ///
  /// - Parameters:
  ///   - bytes: of the file.
  ///   - path: of the file, for messages and for numbers that lie in files beside it; empty for none.
  ///   - told: what the user states about it, which takes precedence over the file.
  public static func read(onnx bytes: [UInt8], path: String, told: ModelDescription)
    throws(FileProblem) -> (model: Model, report: ReadingReport)
  {
    let file: Filigree_Onnx_ModelProto
    do {
      file = try Filigree_Onnx_ModelProto(serializedBytes: bytes)
    } catch {
      throw .malformed(
        path: path, place: "", reason: "not an ONNX model, or cut off (\(error))")
    }
    guard file.hasGraph, !file.graph.node.isEmpty else {
      throw .malformed(path: path, place: "", reason: "not an ONNX model: it has no graph")
    }
    do {
      return try ModelAssembly(file, path: path, size: bytes.count, told: told).model()
    } catch {
      throw .malformed(path: path, place: error.place, reason: error.reason)
    }
  }
}
