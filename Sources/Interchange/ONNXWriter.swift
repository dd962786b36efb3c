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
  static let input = "inputs"
  static let output = "rates"

  /// Keys of `metadata_props`.
  enum Key {
    static let inputs = "filigree.inputs"
    static let outputs = "filigree.outputs"
    static let timeStep = "filigree.time_step_s"
    static let recipe = "filigree.recipe"
    /// "next" or "value" where the outputs are not rates.
    static let predicts = "filigree.predicts"
    /// Least and largest value of each input in the training data: a list of pairs.
    static let inputRanges = "filigree.input_ranges"
  }
}

extension Model {
  /// The model as an ONNX file: physical units in, physical rates out, in any runtime. Weights, means and standard
  /// deviations are stored as `Float`.
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
      if predicts != .rate { result[ONNX.Key.predicts] = predicts.rawValue }
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
  private var nodeNames: Set<String> = []
  private var scalars: Set<String> = []

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

  /// One Gemm per connection, the first with the bias, then the activation; returns the layer's value. Connections
  /// that only pass values on are written as Gather and Mul instead.
  private mutating func add(_ layer: Network.Layer, index: Int, values: [String]) throws -> String {
    let prefix = "layer\(index)"
    try tensor("\(prefix)_bias", [layer.unitCount], layer.bias)
    var sum = ""
    var hasBias = false
    for (number, connection) in layer.connections.enumerated() {
      let source =
        switch connection.source {
        case .inputs: "standardised"
        case .layer(let source): values[source]
        }
      let product: String
      if connection.isCarry {
        product = try carry(connection, from: source, "\(prefix)_carried\(number)", index: index)
      } else {
        product = "\(prefix)_product\(number)"
        let weight = "\(prefix)_weight\(number)"
        try tensor(
          weight, [connection.weight.rows, connection.weight.columns], connection.weight.elements)
        node(
          "Gemm", [source, weight] + (hasBias ? [] : ["\(prefix)_bias"]), product,
          name: hasBias ? "" : unique(layer.name), attributes: [attribute("transB", 1)])
        hasBias = true
      }
      if number == 0 {
        sum = product
      } else {
        node("Add", [sum, product], "\(prefix)_sum\(number)")
        sum = "\(prefix)_sum\(number)"
      }
    }
    if !hasBias {
      node("Add", [sum, "\(prefix)_bias"], "\(prefix)_shifted", name: unique(layer.name))
      sum = "\(prefix)_shifted"
    }
    return activate(sum, layer.activation, prefix)
  }

  /// One value of the source for each unit, times a number.
  private mutating func carry(
    _ connection: Network.Connection, from source: String, _ name: String, index: Int
  ) throws -> String {
    let places = (0..<connection.weight.rows).map { row in
      connection.weight.row(row).firstIndex { $0 != 0 }.map {
        $0 - connection.weight.row(row).startIndex
      }
    }
    let factors = places.enumerated().map { row, place in
      place.map { connection.weight[row, $0] } ?? 0
    }
    var value = source
    if places.map({ $0 ?? -1 }) != Array(0..<connection.weight.columns) {
      integers("\(name)_places", places.map { Int64($0 ?? 0) })
      node(
        "Gather", [value, "\(name)_places"], "\(name)_taken", attributes: [attribute("axis", 1)])
      value = "\(name)_taken"
    }
    if factors.contains(where: { $0 != 1 }) {
      try tensor("\(name)_factors", [factors.count], factors)
      node("Mul", [value, "\(name)_factors"], "\(name)_scaled")
      value = "\(name)_scaled"
    }
    return value
  }

  private mutating func activate(_ sum: String, _ activation: Activation, _ prefix: String)
    -> String
  {
    let value = "\(prefix)_value"
    func float(_ name: String, _ value: Double) -> Filigree_Onnx_AttributeProto {
      var attribute = Filigree_Onnx_AttributeProto()
      attribute.name = name
      attribute.f = Float(value)
      attribute.type = 1
      return attribute
    }
    switch activation {
    case .identity: return sum
    case .relu: node("Relu", [sum], value)
    case .tanh: node("Tanh", [sum], value)
    case .silu:
      node("Sigmoid", [sum], "\(prefix)_sigmoid")
      node("Mul", [sum, "\(prefix)_sigmoid"], value)
    case .square: node("Mul", [sum, sum], value)
    case .sigmoid: node("Sigmoid", [sum], value)
    case .softplus: node("Softplus", [sum], value)
    case .softsign: node("Softsign", [sum], value)
    case .selu: node("Selu", [sum], value)
    case .hardSwish: node("HardSwish", [sum], value)
    case .errorFunction: node("Erf", [sum], value)
    case .exponential: node("Exp", [sum], value)
    case .sine: node("Sin", [sum], value)
    case .cosine: node("Cos", [sum], value)
    case .leakyRelu(let slope): node("LeakyRelu", [sum], value, attributes: [float("alpha", slope)])
    case .elu(let scale): node("Elu", [sum], value, attributes: [float("alpha", scale)])
    case .clip:
      scalar("clip_low", 0)
      scalar("clip_high", 1)
      node("Clip", [sum, "clip_low", "clip_high"], value)
    case .mish:
      node("Softplus", [sum], "\(prefix)_softplus")
      node("Tanh", ["\(prefix)_softplus"], "\(prefix)_gate")
      node("Mul", [sum, "\(prefix)_gate"], value)
    case .gelu:
      // ½ z (1 + erf z/√2)
      scalar("root_half", 0.5.squareRoot())
      node("Mul", [sum, "root_half"], "\(prefix)_argument")
      node("Erf", ["\(prefix)_argument"], "\(prefix)_erf")
      gate("\(prefix)_erf", sum, prefix, value)
    case .geluByTanh:
      // ½ z (1 + tanh √(2/π)(z + 0.044715 z³))
      scalar("three", 3)
      scalar("cubic", 0.044715)
      scalar("root_two_over_pi", (2 / Double.pi).squareRoot())
      node("Pow", [sum, "three"], "\(prefix)_cube")
      node("Mul", ["\(prefix)_cube", "cubic"], "\(prefix)_bend")
      node("Add", [sum, "\(prefix)_bend"], "\(prefix)_bent")
      node("Mul", ["\(prefix)_bent", "root_two_over_pi"], "\(prefix)_argument")
      node("Tanh", ["\(prefix)_argument"], "\(prefix)_tanh")
      gate("\(prefix)_tanh", sum, prefix, value)
    }
    return value
  }

  /// ½ z (1 + function)
  private mutating func gate(_ function: String, _ sum: String, _ prefix: String, _ value: String) {
    scalar("one", 1)
    scalar("half", 0.5)
    node("Add", [function, "one"], "\(prefix)_gate")
    node("Mul", [sum, "\(prefix)_gate"], "\(prefix)_doubled")
    node("Mul", ["\(prefix)_doubled", "half"], value)
  }

  /// A name that no other node has: runtimes refuse files with two.
  private mutating func unique(_ name: String) -> String {
    guard !name.isEmpty else { return "" }
    var result = name
    var number = 2
    while !nodeNames.insert(result).inserted {
      result = "\(name) (\(number))"
      number += 1
    }
    return result
  }

  private mutating func scalar(_ name: String, _ value: Double) {
    guard scalars.insert(name).inserted else { return }
    var tensor = Filigree_Onnx_TensorProto()
    tensor.name = name
    tensor.dataType = ElementType.float.rawValue
    tensor.floatData = [Float(value)]
    graph.initializer.append(tensor)
  }

  private mutating func integers(_ name: String, _ values: [Int64]) {
    var tensor = Filigree_Onnx_TensorProto()
    tensor.name = name
    tensor.dims = [Int64(values.count)]
    tensor.dataType = ElementType.int64.rawValue
    tensor.int64Data = values
    graph.initializer.append(tensor)
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
    tensor.dataType = ElementType.float.rawValue
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
    info.type.tensorType.elemType = ElementType.float.rawValue
    info.type.tensorType.shape.dim = [samples, features]
    return info
  }
}

/// JSON with sorted keys, so that equal values give equal text.
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
