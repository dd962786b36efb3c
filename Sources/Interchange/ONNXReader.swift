import Networks
import SwiftProtobuf

extension Model {
  /// Reads a model from an ONNX file: our own, or any feed-forward network made of affine maps and
  /// ReLU, SiLU or tanh, in whatever nodes its exporter chose for them.
  ///
  /// The graph is not run but rewritten as a `Network`: elementwise scaling of the input becomes the
  /// input's standardisation, scaling of the result the output's, MatMul, Gemm, Add and Concat become
  /// connections. Without our metadata the variables are named x1…, outputs being the rates of the
  /// first of them, and `hasMadeUpNames` is set.
  ///
  /// - Throws: `FileProblem.malformed` with the node, for a file that is no ONNX model, uses an
  ///   operator that has no place in such a network, or holds numbers that are not finite.
  public init(onnx bytes: [UInt8], path: String) throws(FileProblem) {
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
      var reader = GraphReader(file.graph, isOurs: file.producerName == ONNX.producer)
      try reader.readAll()
      self = try reader.model(metadata: file.metadataProps)
    } catch {
      throw .malformed(path: path, place: error.place, reason: error.reason)
    }
  }
}
