import Dynamics
import Foundation
import LinearAlgebra
import Networks
import SwiftProtobuf

/// Names and versions of the ONNX files that Filigree writes.
enum ONNX {
  static let irVersion: Int64 = 8
  static let operatorSet: Int64 = 17
  static let producer = "filigree"
  static let floatType: Int32 = 1
  static let int64Type: Int32 = 7
  static let doubleType: Int32 = 11
  static let input = "inputs"
  static let output = "rates"

  /// Keys of `metadata_props`.
  enum Key {
    static let inputs = "filigree.inputs"
    static let outputs = "filigree.outputs"
    static let timeStep = "filigree.time_step_s"
    static let recipe = "filigree.recipe"
    /// Least and largest value of each input in the training data: a list of pairs.
    static let inputRanges = "filigree.input_ranges"
  }
}

extension Model {
  /// The model as an ONNX file: physical units in, physical rates out, in any runtime. Weights,
  /// means and deviations are stored as `Float`.
  ///
  /// - Throws: `FileProblem.cannotCreate` if a number does not fit a `Float`.
  public func onnx(path: String) throws(FileProblem) -> [UInt8] {
    do {
      var builder = GraphBuilder()
      try builder.add(self)
      var file = Filigree_Onnx_ModelProto()
      file.irVersion = ONNX.irVersion
      file.producerName = ONNX.producer
      file.graph = builder.graph
      var operators = Filigree_Onnx_OperatorSetIdProto()
      operators.domain = ""
      operators.version = ONNX.operatorSet
      file.opsetImport = [operators]
      file.metadataProps = try metadata.sorted { $0.key < $1.key }.map { key, value in
        var entry = Filigree_Onnx_StringStringEntryProto()
        entry.key = key
        entry.value = value
        return entry
      }
      return Array(try file.serializedData() as Data)
    } catch {
      throw .cannotCreate(path: path, reason: "\(error)")
    }
  }

  private var metadata: [String: String] {
    get throws {
      var result = [
        ONNX.Key.inputs: try JSON.text(inputs), ONNX.Key.outputs: try JSON.text(outputs),
        ONNX.Key.recipe: try JSON.text(recipe),
      ]
      if let inputRanges {
        result[ONNX.Key.inputRanges] = try JSON.text(
          inputRanges.map { [$0.lowerBound, $0.upperBound] })
      }
      if let timeStep { result[ONNX.Key.timeStep] = "\(timeStep)" }
      return result
    }
  }
}

/// A number that a `Float` cannot hold.
private struct NotAFloat: Error, CustomStringConvertible {
  let tensor: String
  let value: Double
  var description: String { "\(tensor) holds \(value), which a 32-bit float cannot" }
}

private struct GraphBuilder {
  var graph = Filigree_Onnx_GraphProto()

  mutating func add(_ model: Model) throws {
    graph.name = "filigree"
    graph.input = [value(ONNX.input, width: model.inputs.count)]
    graph.output = [value(ONNX.output, width: model.outputs.count)]

    try tensor("input_mean", [model.inputScaling.count], model.inputScaling.mean)
    try tensor("input_deviation", [model.inputScaling.count], model.inputScaling.deviation)
    node("Sub", [ONNX.input, "input_mean"], "centred")
    node("Div", ["centred", "input_deviation"], "standardised")

    var values: [String] = []
    for (index, layer) in model.network.layers.enumerated() {
      values.append(try add(layer, index: index, values: values))
    }
    var output = model.network.outputLayers.map { values[$0] }
    if output.count > 1 {
      node("Concat", output, "standardised_rates", attributes: [attribute("axis", 1)])
      output = ["standardised_rates"]
    }
    try tensor("output_deviation", [model.outputScaling.count], model.outputScaling.deviation)
    try tensor("output_mean", [model.outputScaling.count], model.outputScaling.mean)
    node("Mul", [output[0], "output_deviation"], "scaled_rates")
    node("Add", ["scaled_rates", "output_mean"], ONNX.output)
  }

  /// One Gemm per connection, the first with the bias, then the activation; returns the layer's value.
  private mutating func add(_ layer: Network.Layer, index: Int, values: [String]) throws -> String {
    let prefix = "layer\(index)"
    try tensor("\(prefix)_bias", [layer.unitCount], layer.bias)
    var sum = ""
    for (number, connection) in layer.connections.enumerated() {
      let weight = "\(prefix)_weight\(number)"
      try tensor(
        weight, [connection.weight.rows, connection.weight.columns], connection.weight.elements)
      let source =
        switch connection.source {
        case .inputs: "standardised"
        case .layer(let source): values[source]
        }
      let product = "\(prefix)_product\(number)"
      node(
        "Gemm", [source, weight] + (number == 0 ? ["\(prefix)_bias"] : []), product,
        name: number == 0 ? layer.name : "", attributes: [attribute("transB", 1)])
      if number == 0 {
        sum = product
      } else {
        node("Add", [sum, product], "\(prefix)_sum\(number)")
        sum = "\(prefix)_sum\(number)"
      }
    }
    let value = "\(prefix)_value"
    switch layer.activation {
    case .identity: return sum
    case .relu: node("Relu", [sum], value)
    case .tanh: node("Tanh", [sum], value)
    case .silu:
      node("Sigmoid", [sum], "\(prefix)_sigmoid")
      node("Mul", [sum, "\(prefix)_sigmoid"], value)
    case .square: node("Mul", [sum, sum], value)
    }
    return value
  }

  private mutating func node(
    _ operation: String, _ inputs: [String], _ output: String, name: String = "",
    attributes: [Filigree_Onnx_AttributeProto] = []
  ) {
    var node = Filigree_Onnx_NodeProto()
    node.opType = operation
    node.input = inputs
    node.output = [output]
    if !name.isEmpty { node.name = name }
    node.attribute = attributes
    graph.node.append(node)
  }

  private func attribute(_ name: String, _ value: Int64) -> Filigree_Onnx_AttributeProto {
    var attribute = Filigree_Onnx_AttributeProto()
    attribute.name = name
    attribute.i = value
    attribute.type = 2
    return attribute
  }

  private mutating func tensor(_ name: String, _ shape: [Int], _ values: [Double]) throws {
    var tensor = Filigree_Onnx_TensorProto()
    tensor.name = name
    tensor.dims = shape.map { Int64($0) }
    tensor.dataType = ONNX.floatType
    var bytes = Data(capacity: values.count * 4)
    for value in values {
      let number = Float(value)
      guard number.isFinite else { throw NotAFloat(tensor: name, value: value) }
      withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    tensor.rawData = bytes
    graph.initializer.append(tensor)
  }

  private func value(_ name: String, width: Int) -> Filigree_Onnx_ValueInfoProto {
    var samples = Filigree_Onnx_TensorShapeProto.Dimension()
    samples.dimParam = "n"
    var features = Filigree_Onnx_TensorShapeProto.Dimension()
    features.dimValue = Int64(width)
    var info = Filigree_Onnx_ValueInfoProto()
    info.name = name
    info.type.tensorType.elemType = ONNX.floatType
    info.type.tensorType.shape.dim = [samples, features]
    return info
  }
}

/// JSON with keys in order, so that equal values give equal text.
enum JSON {
  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func value<Value: Decodable>(_ type: Value.Type, from text: String) -> Value? {
    try? JSONDecoder().decode(type, from: Data(text.utf8))
  }
}
