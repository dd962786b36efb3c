import Dynamics
import Foundation
import LinearAlgebra
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

private struct GraphProblem: Error {
  var place: String
  var reason: String
}

private struct Tensor {
  var shape: [Int]
  var values: [Double]

  var isScalar: Bool { values.count == 1 }
}

/// What a name in the graph stands for.
private enum Value {
  case constant(Tensor)
  /// The graph's input, possibly centred and scaled element by element.
  case input(Standardisation)
  /// Units that other layers may read: standardised inputs or activated layers, side by side.
  case sources([Network.Source])
  /// Σ W x + b, not yet a layer.
  case affine(Affine)
  /// σ(z) of the named affine value: half of a SiLU.
  case sigmoid(of: String)
  /// Layers side by side, scaled element by element: mean + deviation · value.
  case scaled(layers: [Int], Standardisation)
}

private struct Affine {
  var connections: [Network.Connection]
  var bias: [Double]
  var name: String
  /// The number of the node that computes it; nil where none does.
  var node: Int?
}

private struct GraphReader {
  let graph: Filigree_Onnx_GraphProto
  /// Whether layers without a name are meant to have none.
  let isOurs: Bool
  var values: [String: Value] = [:]
  var layers: [Network.Layer] = []
  /// For each layer the number of the node that computes its sum.
  var nodeOfLayer: [Int] = []
  var inputCount = 0
  /// What the first reader of the input subtracts and divides by; all others must do the same.
  var inputScaling: Standardisation?
  /// The layers without activation by the number of the node, so that each becomes only one however
  /// often it is read.
  var linearLayers: [Int: Int] = [:]
  var node = Filigree_Onnx_NodeProto()
  var nodeNumber = 0

  static let largestWidth = 1_000_000
  static let supported =
    "Gemm, MatMul, Add, Sub, Mul, Div, Concat, Relu, Sigmoid (as SiLU: z · Sigmoid(z)), Tanh, "
    + "Identity, Constant, Dropout, Flatten"

  init(_ graph: Filigree_Onnx_GraphProto, isOurs: Bool) {
    self.graph = graph
    self.isOurs = isOurs
  }

  // MARK: The graph

  mutating func readAll() throws(GraphProblem) {
    for tensor in graph.initializer {
      values[tensor.name] = .constant(try read(tensor))
    }
    let inputs = graph.input.filter { values[$0.name] == nil }
    guard let input = inputs.first, inputs.count == 1 else {
      throw GraphProblem(
        place: "graph", reason: "it has \(inputs.count) inputs; one matrix [n, features] is needed")
    }
    inputCount = try inputWidth(input)
    values[input.name] = .input(.identity(inputCount))
    for (number, node) in graph.node.enumerated() {
      self.node = node
      nodeNumber = number
      try readNode()
    }
  }

  private func inputWidth(_ input: Filigree_Onnx_ValueInfoProto) throws(GraphProblem) -> Int {
    let shape = input.type.tensorType.shape.dim
    guard shape.count == 2, (1...Int64(Self.largestWidth)).contains(shape[1].dimValue) else {
      throw GraphProblem(
        place: "input \"\(input.name)\"",
        reason: "its shape must be [n, features] with a fixed number of features")
    }
    return Int(shape[1].dimValue)
  }

  private var place: String {
    let output = node.output.first ?? ""
    return "node \"\(node.name.isEmpty ? output : node.name)\" (\(node.opType))"
  }

  private func fail(_ reason: String) -> GraphProblem { GraphProblem(place: place, reason: reason) }

  private func operand(_ index: Int) throws(GraphProblem) -> Value {
    guard index < node.input.count else { throw fail("it lacks operand \(index + 1)") }
    guard let value = values[node.input[index]] else {
      throw fail(
        "it reads \"\(node.input[index])\", which no earlier node makes (a cycle, or a cut-off file)"
      )
    }
    return value
  }

  private func attribute(_ name: String) -> Filigree_Onnx_AttributeProto? {
    node.attribute.first { $0.name == name }
  }

  private mutating func readNode() throws(GraphProblem) {
    guard let output = node.output.first else { throw fail("it has no output") }
    guard node.domain.isEmpty || node.domain == "ai.onnx" else {
      throw fail("operators of domain \"\(node.domain)\" are not supported")
    }
    var result: Value
    switch node.opType {
    case "Constant": result = .constant(try constant())
    case "Identity", "Dropout", "Flatten": result = try operand(0)
    case "Gemm": result = try gemm()
    case "MatMul": result = try matMul()
    case "Add": result = try add(sign: 1)
    case "Sub": result = try add(sign: -1)
    case "Mul": result = try multiply()
    case "Div": result = try divide()
    case "Concat": result = try concatenate()
    case "Relu": result = .sources([.layer(try activated(.relu))])
    case "Tanh": result = .sources([.layer(try activated(.tanh))])
    case "Sigmoid":
      _ = try affine(try operand(0))
      result = .sigmoid(of: node.input[0])
    default:
      throw fail(
        "this operator is not supported; Filigree reads networks made of \(Self.supported)")
    }
    if case .affine(var affine) = result, affine.node == nil {
      affine.node = nodeNumber
      result = .affine(affine)
    }
    guard isFinite(result) else { throw fail("its numbers overflow, or are not finite") }
    values[output] = result
  }

  /// Whether all numbers of a value are finite, and nothing is divided by zero.
  private func isFinite(_ value: Value) -> Bool {
    switch value {
    case .constant(let tensor): return tensor.values.allSatisfy(\.isFinite)
    case .affine(let affine):
      return affine.bias.allSatisfy(\.isFinite)
        && affine.connections.allSatisfy { $0.weight.elements.allSatisfy(\.isFinite) }
    case .input(let scaling), .scaled(_, let scaling):
      return scaling.mean.allSatisfy(\.isFinite)
        && scaling.deviation.allSatisfy { $0.isFinite && $0 != 0 }
    case .sources, .sigmoid: return true
    }
  }

  // MARK: Values

  /// A value as Σ W x + b; identity weights where it is already a source.
  private mutating func affine(_ value: Value) throws(GraphProblem) -> Affine {
    switch value {
    case .affine(let affine): return affine
    case .scaled(let layers, let scaling):
      let count = scaling.count
      var column = 0
      var connections: [Network.Connection] = []
      for layer in layers {
        let width = self.layers[layer].unitCount
        let offset = column
        connections.append(
          Network.Connection(
            source: .layer(layer),
            weight: Matrix(rows: count, columns: width) {
              $0 == offset + $1 ? scaling.deviation[$0] : 0
            }))
        column += width
      }
      return Affine(connections: connections, bias: scaling.mean, name: "")
    case .input, .sources:
      let sources = try self.sources(value)
      let count = sources.reduce(0) { $0 + width($1) }
      // An identity matrix is squared that large; a file that needs more of them is forged.
      guard count <= 4096 else {
        throw fail("it reads \(count) values without weights; up to 4096 are supported")
      }
      return try product(sources, Matrix.identity(count), bias: Array(repeating: 0, count: count))
    case .sigmoid:
      throw fail("a Sigmoid is supported only as part of SiLU: z · Sigmoid(z)")
    case .constant:
      throw fail("a constant is where a computed value is needed")
    }
  }

  private func width(_ source: Network.Source) -> Int {
    switch source {
    case .inputs: inputCount
    case .layer(let index): layers[index].unitCount
    }
  }

  /// A value as units that a layer can read.
  private mutating func sources(_ value: Value) throws(GraphProblem) -> [Network.Source] {
    switch value {
    case .sources(let sources): return sources
    case .input(let scaling):
      if let first = inputScaling, first != scaling {
        throw fail("the input is scaled in two different ways, which is not supported")
      }
      inputScaling = scaling
      return [.inputs]
    case .affine(let affine): return [.layer(linearLayer(affine))]
    case .scaled: return [.layer(layer(try affine(value), activation: .identity))]
    case .sigmoid, .constant: return try sources(.affine(try affine(value)))
    }
  }

  private mutating func layer(_ affine: Affine, activation: Activation) -> Int {
    layers.append(
      Network.Layer(
        name: affine.name, activation: activation, bias: affine.bias,
        connections: affine.connections))
    nodeOfLayer.append(affine.node ?? nodeNumber)
    return layers.count - 1
  }

  private mutating func linearLayer(_ affine: Affine) -> Int {
    if let number = affine.node, let known = linearLayers[number] { return known }
    let result = layer(affine, activation: .identity)
    if let number = affine.node { linearLayers[number] = result }
    return result
  }

  /// W applied to sources side by side: W's columns are dealt out to them.
  private func product(_ sources: [Network.Source], _ weight: Matrix, bias: [Double])
    throws(GraphProblem) -> Affine
  {
    guard sources.reduce(0, { $0 + width($1) }) == weight.columns else {
      throw fail(
        "its weights have \(weight.columns) columns, but it reads "
          + "\(sources.reduce(0) { $0 + width($1) }) values")
    }
    var connections: [Network.Connection] = []
    var column = 0
    for source in sources {
      let columns = column..<(column + width(source))
      let part =
        sources.count == 1
        ? weight : weight.submatrix(rows: Array(0..<weight.rows), columns: Array(columns))
      connections = merged(connections, [Network.Connection(source: source, weight: part)])
      column = columns.upperBound
    }
    return Affine(connections: connections, bias: bias, name: node.name)
  }

  /// Connections of a sum: those from the same source become one.
  private func merged(_ a: [Network.Connection], _ b: [Network.Connection]) -> [Network.Connection]
  {
    var result = a
    for connection in b {
      if let index = result.firstIndex(where: { $0.source == connection.source }) {
        result[index].weight += connection.weight
      } else {
        result.append(connection)
      }
    }
    return result
  }

  private mutating func activated(_ activation: Activation) throws(GraphProblem) -> Int {
    layer(try affine(try operand(0)), activation: activation)
  }

  // MARK: Operators

  private mutating func gemm() throws(GraphProblem) -> Value {
    guard case .constant(let tensor) = try operand(1), tensor.shape.count == 2 else {
      throw fail("its second operand must be a constant matrix")
    }
    guard attribute("transA")?.i ?? 0 == 0 else { throw fail("transA = 1 is not supported") }
    let alpha = attribute("alpha").map { Double($0.f) } ?? 1
    let beta = attribute("beta").map { Double($0.f) } ?? 1
    var weight = Matrix(rows: tensor.shape[0], columns: tensor.shape[1], elements: tensor.values)
    if attribute("transB")?.i ?? 0 == 0 { weight = weight.transposed }
    if alpha != 1 { weight = weight.map { alpha * $0 } }
    var bias = [Double](repeating: 0, count: weight.rows)
    let hasBias = node.input.count > 2 && !node.input[2].isEmpty
    if hasBias {
      guard case .constant(let tensor) = try operand(2) else {
        throw fail("its third operand must be constant")
      }
      bias = try vector(tensor, width: weight.rows).map { beta * $0 }
    }
    // First, because it may add a layer of which `product` must know.
    let sources = try sources(try operand(0))
    return .affine(try product(sources, weight, bias: bias))
  }

  private mutating func matMul() throws(GraphProblem) -> Value {
    guard case .constant(let tensor) = try operand(1), tensor.shape.count == 2 else {
      throw fail("its second operand must be a constant matrix")
    }
    let weight = Matrix(rows: tensor.shape[0], columns: tensor.shape[1], elements: tensor.values)
      .transposed
    let bias = [Double](repeating: 0, count: weight.rows)
    // First, because it may add a layer of which `product` must know.
    let sources = try sources(try operand(0))
    return .affine(try product(sources, weight, bias: bias))
  }

  private mutating func add(sign: Double) throws(GraphProblem) -> Value {
    let (a, b) = (try operand(0), try operand(1))
    switch (a, b) {
    case (.constant(let x), .constant(let y)):
      return .constant(try combine(x, y) { $0 + sign * $1 })
    case (_, .constant(let c)): return try shift(a, by: c, sign: sign)
    case (.constant(let c), _):
      return sign == 1 ? try shift(b, by: c, sign: 1) : try shift(try negated(b), by: c, sign: 1)
    default:
      let left = try affine(a)
      var right = try affine(b)
      guard left.bias.count == right.bias.count else {
        throw fail("it adds \(left.bias.count) and \(right.bias.count) values")
      }
      if sign < 0 {
        for index in right.connections.indices {
          right.connections[index].weight = right.connections[index].weight.map { -$0 }
        }
        right.bias = right.bias.map { -$0 }
      }
      return .affine(
        Affine(
          connections: merged(left.connections, right.connections),
          bias: zip(left.bias, right.bias).map { $0 + $1 },
          name: left.name.isEmpty ? right.name : left.name))
    }
  }

  private mutating func negated(_ value: Value) throws(GraphProblem) -> Value {
    try scale(value, by: Tensor(shape: [], values: [-1]), divide: false)
  }

  private mutating func shift(_ value: Value, by tensor: Tensor, sign: Double)
    throws(GraphProblem) -> Value
  {
    switch value {
    case .input(let scaling):
      // (x − μ)/σ + c = (x − (μ − σ c))/σ
      let c = try vector(tensor, width: scaling.count)
      let mean = zip(scaling.mean, zip(scaling.deviation, c)).map { $0 - sign * $1.0 * $1.1 }
      return .input(Standardisation(mean: mean, deviation: scaling.deviation))
    case .scaled(let layers, let scaling):
      let c = try vector(tensor, width: scaling.count)
      return .scaled(
        layers: layers,
        Standardisation(
          mean: zip(scaling.mean, c).map { $0 + sign * $1 }, deviation: scaling.deviation))
    default:
      var result = try affine(value)
      let c = try vector(tensor, width: result.bias.count)
      result.bias = zip(result.bias, c).map { $0 + sign * $1 }
      result.node = nil
      return .affine(result)
    }
  }

  private mutating func multiply() throws(GraphProblem) -> Value {
    let (a, b) = (try operand(0), try operand(1))
    switch (a, b) {
    case (.constant(let x), .constant(let y)): return .constant(try combine(x, y) { $0 * $1 })
    case (_, .constant(let c)): return try scale(a, by: c, divide: false)
    case (.constant(let c), _): return try scale(b, by: c, divide: false)
    case (_, .sigmoid(let name)) where name == node.input[0]:
      return .sources([.layer(layer(try affine(a), activation: .silu))])
    case (.sigmoid(let name), _) where name == node.input[1]:
      return .sources([.layer(layer(try affine(b), activation: .silu))])
    default: throw fail("a product of two computed values is supported only as SiLU")
    }
  }

  private mutating func divide() throws(GraphProblem) -> Value {
    let (a, b) = (try operand(0), try operand(1))
    guard case .constant(let c) = b else { throw fail("only division by a constant is supported") }
    if case .constant(let x) = a { return .constant(try combine(x, c) { $0 / $1 }) }
    return try scale(a, by: c, divide: true)
  }

  private mutating func scale(_ value: Value, by tensor: Tensor, divide: Bool)
    throws(GraphProblem) -> Value
  {
    guard tensor.values.allSatisfy({ $0 != 0 }) else { throw fail("it scales by zero") }
    switch value {
    case .input(let scaling):
      let c = try vector(tensor, width: scaling.count)
      let deviation = zip(scaling.deviation, c).map { divide ? $0 * $1 : $0 / $1 }
      return .input(Standardisation(mean: scaling.mean, deviation: deviation))
    case .scaled(let layers, let scaling):
      let c = try vector(tensor, width: scaling.count).map { divide ? 1 / $0 : $0 }
      return .scaled(
        layers: layers,
        Standardisation(
          mean: zip(scaling.mean, c).map { $0 * $1 },
          deviation: zip(scaling.deviation, c).map { $0 * $1 }))
    default:
      var layers: [Int] = []
      for source in try sources(value) {
        guard case .layer(let index) = source else {
          throw fail("the input is scaled in two different ways, which is not supported")
        }
        layers.append(index)
      }
      let count = layers.reduce(0) { $0 + self.layers[$1].unitCount }
      let c = try vector(tensor, width: count).map { divide ? 1 / $0 : $0 }
      return .scaled(
        layers: layers,
        Standardisation(mean: Array(repeating: 0, count: count), deviation: c))
    }
  }

  private mutating func concatenate() throws(GraphProblem) -> Value {
    let axis = attribute("axis")?.i ?? 1
    guard axis == 1 || axis == -1 else { throw fail("axis \(axis): only features can be joined") }
    var joined: [Network.Source] = []
    for index in node.input.indices { joined += try sources(try operand(index)) }
    guard (1...Self.largestWidth).contains(joined.reduce(0) { $0 + width($1) }) else {
      throw fail("it joins no values, or more than \(Self.largestWidth)")
    }
    return .sources(joined)
  }

  // MARK: Constants

  private func constant() throws(GraphProblem) -> Tensor {
    if let tensor = attribute("value"), tensor.hasT { return try read(tensor.t) }
    if let number = attribute("value_float") {
      return Tensor(shape: [], values: [Double(number.f)])
    }
    if let list = attribute("value_floats") {
      return Tensor(shape: [list.floats.count], values: list.floats.map { Double($0) })
    }
    throw fail("its value is not a tensor of numbers")
  }

  /// A constant as one number per feature: a scalar is repeated, a leading dimension of one dropped.
  private func vector(_ tensor: Tensor, width: Int) throws(GraphProblem) -> [Double] {
    if tensor.isScalar { return Array(repeating: tensor.values[0], count: width) }
    guard tensor.values.count == width, tensor.shape.last == width else {
      throw fail("a constant of shape \(tensor.shape) does not fit \(width) features")
    }
    return tensor.values
  }

  private func combine(_ a: Tensor, _ b: Tensor, _ operation: (Double, Double) -> Double)
    throws(GraphProblem) -> Tensor
  {
    if b.isScalar {
      return Tensor(shape: a.shape, values: a.values.map { operation($0, b.values[0]) })
    }
    if a.isScalar {
      return Tensor(shape: b.shape, values: b.values.map { operation(a.values[0], $0) })
    }
    guard a.shape == b.shape else { throw fail("constants of different shapes are combined") }
    return Tensor(shape: a.shape, values: zip(a.values, b.values).map(operation))
  }

  private func read(_ tensor: Filigree_Onnx_TensorProto) throws(GraphProblem) -> Tensor {
    let place = "tensor \"\(tensor.name)\""
    func problem(_ reason: String) -> GraphProblem { GraphProblem(place: place, reason: reason) }
    guard tensor.dataLocation == 0 else {
      throw problem("its numbers lie in another file; save the model as one file")
    }
    var count = 1
    for dimension in tensor.dims {
      let (next, overflow) = count.multipliedReportingOverflow(by: Int(dimension))
      guard dimension > 0, !overflow, next <= 1 << 30 else {
        throw problem("its shape \(tensor.dims) is empty or impossible")
      }
      count = next
    }
    let raw = tensor.rawData
    let values: [Double]
    switch tensor.dataType {
    case ONNX.floatType:
      values =
        tensor.hasRawData
        ? numbers(raw, as: UInt32.self) { Double(Float(bitPattern: $0)) }
        : tensor.floatData.map { Double($0) }
    case ONNX.doubleType:
      values =
        tensor.hasRawData
        ? numbers(raw, as: UInt64.self) { Double(bitPattern: $0) } : tensor.doubleData
    case ONNX.int64Type:
      values =
        tensor.hasRawData
        ? numbers(raw, as: UInt64.self) { Double(Int64(bitPattern: $0)) }
        : tensor.int64Data.map { Double($0) }
    default:
      throw problem("its element type \(tensor.dataType) is not supported; float is needed")
    }
    guard values.count == count else {
      throw problem(
        "it holds \(values.count) numbers where its shape \(tensor.dims) needs \(count)")
    }
    if let bad = values.first(where: { !$0.isFinite }) { throw problem("it holds \(bad)") }
    return Tensor(shape: tensor.dims.map { Int($0) }, values: values)
  }

  private func numbers<Bits: FixedWidthInteger>(
    _ data: Data, as: Bits.Type, _ convert: (Bits) -> Double
  ) -> [Double] {
    let size = Bits.bitWidth / 8
    guard data.count % size == 0 else { return [] }
    return data.withUnsafeBytes { buffer in
      stride(from: 0, to: buffer.count, by: size).map {
        convert(Bits(littleEndian: buffer.loadUnaligned(fromByteOffset: $0, as: Bits.self)))
      }
    }
  }

  // MARK: The model

  mutating func model(metadata: [Filigree_Onnx_StringStringEntryProto]) throws(GraphProblem)
    -> Model
  {
    guard let name = graph.output.first?.name, graph.output.count == 1 else {
      throw GraphProblem(
        place: "graph", reason: "it has \(graph.output.count) outputs; one matrix is needed")
    }
    guard let output = values[name] else {
      throw GraphProblem(place: "output \"\(name)\"", reason: "no node makes it")
    }
    node = Filigree_Onnx_NodeProto()
    node.opType = "output"
    node.output = [name]
    nodeNumber = graph.node.count
    let (outputLayers, scaling) = try outputs(output)
    let network = orderedNetwork(outputLayers)
    let entries = Dictionary(metadata.map { ($0.key, $0.value) }) { first, _ in first }
    func variables(_ key: String, count: Int) -> [Variable]? {
      let list = entries[key].flatMap { JSON.value([Variable].self, from: $0) }
      return list?.count == count ? list : nil
    }
    let inputs = variables(ONNX.Key.inputs, count: inputCount)
    let rates = variables(ONNX.Key.outputs, count: network.outputCount)
    let names = (1...inputCount).map {
      Variable("x\($0)", role: $0 <= network.outputCount ? .state : .control)
    }
    let made = inputs ?? names
    let madeOutputs =
      (0..<network.outputCount).map { index in
        index < made.count ? made[index].rate : Variable("y\(index + 1)", role: .state)
      }
    var model = Model(
      network: network, inputs: made, outputs: rates ?? madeOutputs,
      inputScaling: inputScaling ?? .identity(inputCount), outputScaling: scaling,
      timeStep: entries[ONNX.Key.timeStep].flatMap(Double.init)
        .flatMap { $0.isFinite && $0 > 0 ? $0 : nil },
      recipe: entries[ONNX.Key.recipe].flatMap { JSON.value([String: String].self, from: $0) }
        ?? [:])
    model.hasMadeUpNames = inputs == nil || rates == nil
    return model
  }

  /// The layers in the order of the nodes that compute their sums. They were made in the order in which
  /// they were first read, which for those without activation is later.
  private func orderedNetwork(_ outputLayers: [Int]) -> Network {
    let order = layers.indices.sorted { (nodeOfLayer[$0], $0) < (nodeOfLayer[$1], $1) }
    var place = order
    for (new, old) in order.enumerated() { place[old] = new }
    let ordered = order.enumerated().map { new, old in
      var layer = layers[old]
      if layer.name.isEmpty && !isOurs { layer.name = "layer \(new + 1)" }
      for index in layer.connections.indices {
        if case .layer(let source) = layer.connections[index].source {
          layer.connections[index].source = .layer(place[source])
        }
      }
      return layer
    }
    return Network(
      inputCount: inputCount, layers: ordered, outputLayers: outputLayers.map { place[$0] })
  }

  private mutating func outputs(_ value: Value) throws(GraphProblem) -> ([Int], Standardisation) {
    if case .scaled(let layers, let scaling) = value { return (layers, scaling) }
    var layers: [Int] = []
    for source in try sources(value) {
      guard case .layer(let index) = source else { throw fail("the network returns its input") }
      layers.append(index)
    }
    return (layers, .identity(layers.reduce(0) { $0 + self.layers[$1].unitCount }))
  }
}
