import Dynamics
import LinearAlgebra
import Networks

/// What is wrong with a graph, and at which node or tensor.
struct GraphProblem: Error {
  var place: String
  var reason: String
}

/// A constant of the graph, its elements row by row.
struct Tensor {
  var shape: [Int]
  var values: [Double]

  var isScalar: Bool { values.count == 1 }
}

/// What a name in the graph stands for.
enum GraphValue {
  case constant(Tensor)
  /// The graph's input, possibly centred and scaled element by element.
  case input(Standardisation)
  /// Units that other layers may read: standardised inputs or activated layers, side by side.
  case sources([Network.Source])
  /// Σ W x + b, not yet a layer.
  case affine(AffineValue)
  /// σ(z) of the named affine value: half of a SiLU.
  case sigmoid(of: String)
  /// Layers side by side, scaled element by element: mean + deviation · value.
  case scaled(layers: [Int], Standardisation)
}

/// Σ W x + b over the connections.
struct AffineValue {
  var connections: [Network.Connection]
  var bias: [Double]
  var name: String
  /// The number of the node that computes it; nil where none does.
  var node: Int?
}

/// Rewrites an ONNX graph as layers, node by node.
struct GraphReader {
  let graph: Filigree_Onnx_GraphProto
  /// Whether layers without a name are meant to have none.
  let isOurs: Bool
  var values: [String: GraphValue] = [:]
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

  func inputWidth(_ input: Filigree_Onnx_ValueInfoProto) throws(GraphProblem) -> Int {
    let shape = input.type.tensorType.shape.dim
    guard shape.count == 2, (1...Int64(Self.largestWidth)).contains(shape[1].dimValue) else {
      throw GraphProblem(
        place: "input \"\(input.name)\"",
        reason: "its shape must be [n, features] with a fixed number of features")
    }
    return Int(shape[1].dimValue)
  }

  var place: String {
    let output = node.output.first ?? ""
    return "node \"\(node.name.isEmpty ? output : node.name)\" (\(node.opType))"
  }

  func fail(_ reason: String) -> GraphProblem { GraphProblem(place: place, reason: reason) }

  func operand(_ index: Int) throws(GraphProblem) -> GraphValue {
    guard index < node.input.count else { throw fail("it lacks operand \(index + 1)") }
    guard let value = values[node.input[index]] else {
      throw fail(
        "it reads \"\(node.input[index])\", which no earlier node makes (a cycle, or a cut-off file)"
      )
    }
    return value
  }

  func attribute(_ name: String) -> Filigree_Onnx_AttributeProto? {
    node.attribute.first { $0.name == name }
  }

  mutating func readNode() throws(GraphProblem) {
    guard let output = node.output.first else { throw fail("it has no output") }
    guard node.domain.isEmpty || node.domain == "ai.onnx" else {
      throw fail("operators of domain \"\(node.domain)\" are not supported")
    }
    var result: GraphValue
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
  func isFinite(_ value: GraphValue) -> Bool {
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
  mutating func affine(_ value: GraphValue) throws(GraphProblem) -> AffineValue {
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
      return AffineValue(connections: connections, bias: scaling.mean, name: "")
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

  func width(_ source: Network.Source) -> Int {
    switch source {
    case .inputs: inputCount
    case .layer(let index): layers[index].unitCount
    }
  }

  /// A value as units that a layer can read.
  mutating func sources(_ value: GraphValue) throws(GraphProblem) -> [Network.Source] {
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

  mutating func layer(_ affine: AffineValue, activation: Activation) -> Int {
    layers.append(
      Network.Layer(
        name: affine.name, activation: activation, bias: affine.bias,
        connections: affine.connections))
    nodeOfLayer.append(affine.node ?? nodeNumber)
    return layers.count - 1
  }

  mutating func linearLayer(_ affine: AffineValue) -> Int {
    if let number = affine.node, let known = linearLayers[number] { return known }
    let result = layer(affine, activation: .identity)
    if let number = affine.node { linearLayers[number] = result }
    return result
  }

  /// W applied to sources side by side: W's columns are dealt out to them.
  func product(_ sources: [Network.Source], _ weight: Matrix, bias: [Double])
    throws(GraphProblem) -> AffineValue
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
    return AffineValue(connections: connections, bias: bias, name: node.name)
  }

  /// Connections of a sum: those from the same source become one.
  func merged(_ a: [Network.Connection], _ b: [Network.Connection]) -> [Network.Connection] {
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

  mutating func activated(_ activation: Activation) throws(GraphProblem) -> Int {
    layer(try affine(try operand(0)), activation: activation)
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
    if let pairs = entries[ONNX.Key.inputRanges].flatMap({ JSON.value([[Double]].self, from: $0) }),
      pairs.count == inputCount, pairs.allSatisfy({ $0.count == 2 && $0[0] <= $0[1] })
    {
      model.inputRanges = pairs.map { $0[0]...$0[1] }
    }
    model.hasMadeUpNames = inputs == nil || rates == nil
    return model
  }

  /// The layers in the order of the nodes that compute their sums. They were made in the order in which
  /// they were first read, which for those without activation is later.
  func orderedNetwork(_ outputLayers: [Int]) -> Network {
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

  mutating func outputs(_ value: GraphValue) throws(GraphProblem) -> ([Int], Standardisation) {
    if case .scaled(let layers, let scaling) = value { return (layers, scaling) }
    var layers: [Int] = []
    for source in try sources(value) {
      guard case .layer(let index) = source else { throw fail("the network returns its input") }
      layers.append(index)
    }
    return (layers, .identity(layers.reduce(0) { $0 + self.layers[$1].unitCount }))
  }
}
