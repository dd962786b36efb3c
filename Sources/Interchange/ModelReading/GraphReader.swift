import LinearAlgebra
import Networks

/// Reads an ONNX graph by symbolic execution: every number of a tensor is an affine map of one unit, which is an
/// input, a sum or an activated value.
///
/// Operators that move, repeat or scale numbers (reshapes, slices, joins, normalisations, masks) are arithmetic on
/// those maps and leave no trace; a sum that is read twice is one node. Samples lie along one axis, which has
/// length 1 here. `NetworkBuilder` makes layers of the nodes.
struct GraphReader {
  var values: [String: GraphValue] = [:]
  var nodes: [GraphNode] = []
  let tensors: TensorReader
  let functions: [String: Filigree_Onnx_FunctionProto]
  /// By domain.
  let operatorSets: [String: Int64]
  /// What was left out, folded or assumed, for people.
  var remarks: Remarks
  /// Whether products of computed values were read as differences of squares.
  var hasProducts = false
  /// The node being read.
  var node = Filigree_Onnx_NodeProto()
  /// What attributes that refer to the caller's are called there, within a function.
  var callerAttributes: [Filigree_Onnx_AttributeProto]?
  /// For how many samples the model was exported, if for a fixed number of several.
  var fixedBatch: Int?
  /// What functions of one value were recognised as; nil for those that are no activation.
  var matches: [ScalarFunction: ScalarMatch?] = [:]
  /// What the outputs of a node are called that does the same with the same operands.
  private var known: [NodeKey: [String]] = [:]
  /// The first name of a value that has several.
  private var firstNames: [String: String] = [:]
  private var numbers: [String: String] = [:]
  private var depth = 0
  private var calls = 0
  /// The number of numbers that may still be made: a small file could ask for any number of them.
  private var budget: Int

  static let largestWidth = 1_000_000
  static let supported =
    "affine maps (Gemm, MatMul, Add, Sub, Mul, Div, Sum, BatchNormalization …), activations (Relu, Tanh, "
    + "Sigmoid, Gelu, LeakyRelu …), and whatever moves values about (Reshape, Slice, Concat …)"

  init(
    functions: [Filigree_Onnx_FunctionProto], operatorSets: [String: Int64], path: String,
    size: Int
  ) {
    tensors = TensorReader(path: path)
    self.functions = Dictionary(
      functions.map { ("\($0.domain)\u{1F}\($0.name)\u{1F}\($0.overload)", $0) }
    ) { first, _ in first }
    self.operatorSets = operatorSets
    remarks = Remarks()
    budget = 1 << 24 + 16 * size
  }

  // MARK: The graph

  mutating func read(_ graph: Filigree_Onnx_GraphProto) throws(GraphProblem) -> [GraphInput] {
    readInitialisers(graph)
    var inputs: [GraphInput] = []
    var width = 0
    for input in graph.input where values[input.name] == nil {
      let read = try GraphInput(input)
      width += read.width
      guard width <= Self.largestWidth else { throw read.problem("it is too wide") }
      inputs.append(read)
      fixedBatch = fixedBatch ?? read.fixedBatch
    }
    guard !inputs.isEmpty else {
      throw GraphProblem(place: "graph", reason: "it has no input")
    }
    nodes.append(GraphNode(kind: .inputs, width: width, name: ""))
    var first: Int32 = 0
    for input in inputs {
      let units = first..<(first + Int32(input.width))
      values[input.name] = .features(
        Features(
          shape: input.shape, elements: units.map { Element(node: 0, unit: $0) },
          batchAxis: input.batchAxis))
      first = units.upperBound
    }
    for node in Self.inOrder(graph.node) { read(node) }
    return inputs
  }

  /// The nodes, each after those whose outputs it reads: some converters append nodes to a graph that they belong
  /// to the beginning of. Where there is a circle they stay as they are.
  private static func inOrder(_ nodes: [Filigree_Onnx_NodeProto]) -> [Filigree_Onnx_NodeProto] {
    var maker: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.output where !output.isEmpty && maker[output] == nil {
        maker[output] = index
      }
    }
    let sources = nodes.map { node in node.input.compactMap { maker[$0] } }
    guard sources.enumerated().contains(where: { index, list in list.contains { $0 >= index } })
    else { return nodes }
    var order: [Int] = []
    var (isOpened, isDone) = (nodes.map { _ in false }, nodes.map { _ in false })
    for start in nodes.indices {
      var waiting = [start]
      while let top = waiting.last {
        if isDone[top] {
          waiting.removeLast()
        } else if isOpened[top] {
          guard sources[top].allSatisfy({ isDone[$0] }) else { return nodes }
          waiting.removeLast()
          isDone[top] = true
          order.append(top)
        } else {
          isOpened[top] = true
          waiting += sources[top].reversed().filter { !isOpened[$0] }
        }
      }
    }
    return order.map { nodes[$0] }
  }

  private mutating func readInitialisers(_ graph: Filigree_Onnx_GraphProto) {
    for tensor in graph.initializer {
      let read = value { () throws(GraphProblem) in try tensors.read(tensor) }
      values[tensor.name] = read
      nameNumber(read, tensor.name)
    }
    for tensor in graph.sparseInitializer {
      values[tensor.values.name] = value { () throws(GraphProblem) in try tensors.read(tensor) }
    }
    func value(_ read: () throws(GraphProblem) -> Tensor) -> GraphValue {
      do {
        return .constant(try read())
      } catch {
        return .unreadable(error)
      }
    }
  }

  /// Single numbers that are equal have one name, so that what is done with them is recognised as the same.
  private mutating func nameNumber(_ value: GraphValue, _ name: String) {
    guard case .constant(let tensor) = value, tensor.shape.isEmpty else { return }
    let key = "\(tensor.values) \(tensor.type)"
    if let first = numbers[key] { firstNames[name] = first } else { numbers[key] = name }
  }

  /// Reads a node; a fault in it matters only where its output is needed.
  mutating func read(_ node: Filigree_Onnx_NodeProto) {
    self.node = node
    guard !isRepetition() else { return }
    var results: [GraphValue]
    do throws(GraphProblem) {
      results = try outputs()
      for (number, result) in results.enumerated() {
        guard isFinite(result) else { throw fail("its numbers overflow, or are not finite") }
        try spend(Shape.count(result.shape))
        if number >= node.output.count { break }
      }
    } catch {
      let problem = error
      results = node.output.map { _ in .unreadable(problem) }
    }
    for (name, result) in zip(node.output, results) where !name.isEmpty {
      values[name] = result
      if node.opType == "Constant" { nameNumber(result, name) }
    }
    for name in node.output.dropFirst(results.count) where !name.isEmpty {
      values[name] = .unreadable(fail("its output \"\(name)\" has no place in a network"))
    }
  }

  /// Whether an earlier node does the same with the same operands; its outputs are this one's then. Exporters that
  /// write out what a program computes twice would else make two layers of it.
  private mutating func isRepetition() -> Bool {
    guard !node.input.isEmpty else { return false }
    let key = NodeKey(node, operands: node.input.map { firstNames[$0] ?? $0 })
    guard let first = known[key], first.count == node.output.count else {
      known[key] = node.output
      return false
    }
    for (name, other) in zip(node.output, first) where !name.isEmpty {
      values[name] = values[other]
      firstNames[name] = firstNames[other] ?? other
    }
    return true
  }

  mutating func spend(_ numbers: Int) throws(GraphProblem) {
    guard numbers <= budget else {
      throw fail("it makes more values than a file of this size can be about")
    }
    budget -= numbers
  }

  private mutating func outputs() throws(GraphProblem) -> [GraphValue] {
    guard !node.output.isEmpty else { throw fail("it has no output") }
    // What it needs comes first: an error there is the one to tell.
    for name in node.input where !name.isEmpty {
      if case .unreadable(let problem) = values[name] { throw problem }
    }
    if let function = functions["\(node.domain)\u{1F}\(node.opType)\u{1F}\(node.overload)"] {
      return try call(function)
    }
    switch node.domain {
    case "", "ai.onnx":
      if let constants = constantOperands, let folded = try foldedConstant(constants) {
        return [folded]
      }
      return try standardOperator()
    case "ai.onnx.ml": return [try machineLearningOperator()]
    case "com.microsoft": return [try runtimeOperator()]
    default:
      throw fail("operators of domain \"\(node.domain)\" are not supported")
    }
  }

  /// The operands where all of them are constants, and there are any.
  private var constantOperands: [Tensor?]? {
    guard !node.input.isEmpty else { return nil }
    var result: [Tensor?] = []
    for name in node.input {
      if name.isEmpty {
        result.append(nil)
      } else if case .constant(let tensor) = values[name] {
        result.append(tensor)
      } else {
        return nil
      }
    }
    return result
  }

  /// A function defined in the file: its nodes, under names of their own.
  private mutating func call(_ function: Filigree_Onnx_FunctionProto) throws(GraphProblem)
    -> [GraphValue]
  {
    calls += 1
    guard depth < 50, calls < 10_000 else {
      throw fail("functions call each other without end")
    }
    let caller = node
    let outer = (values, callerAttributes, known, firstNames, numbers)
    var inner: [String: GraphValue] = [:]
    for (name, argument) in zip(function.input, caller.input) { inner[name] = values[argument] }
    (values, known, firstNames, numbers) = (inner, [:], [:], [:])
    callerAttributes = caller.attribute.map(resolved) + function.attributeProto
    depth += 1
    for inner in Self.inOrder(function.node) { read(inner) }
    depth -= 1
    let results = function.output.map { values[$0] }
    (values, callerAttributes, known, firstNames, numbers) = outer
    node = caller
    var found: [GraphValue] = []
    for (name, result) in zip(function.output, results) {
      guard let result else { throw fail("its function makes no \"\(name)\"") }
      if case .unreadable(let problem) = result { throw problem }
      found.append(result)
    }
    return found
  }

  // MARK: The node

  var place: String {
    let output = node.output.first ?? ""
    let name = node.name.isEmpty ? output : node.name
    return "node \"\(name)\" (\(node.domain.isEmpty ? "" : node.domain + ".")\(node.opType))"
  }

  func fail(_ reason: String) -> GraphProblem { GraphProblem(place: place, reason: reason) }

  func has(_ index: Int) -> Bool { index < node.input.count && !node.input[index].isEmpty }

  func operand(_ index: Int) throws(GraphProblem) -> GraphValue {
    guard has(index) else { throw fail("it lacks operand \(index + 1)") }
    guard let value = values[node.input[index]] else {
      throw fail(
        "it reads \"\(node.input[index])\", which no earlier node makes (a cycle, or a cut-off file)"
      )
    }
    if case .unreadable(let problem) = value { throw problem }
    return value
  }

  /// Operand `index` as a constant; `what` it is, for the message.
  func constant(_ index: Int, _ what: String) throws(GraphProblem) -> Tensor {
    guard case .constant(let tensor) = try operand(index) else {
      throw fail("\(what) must be constant")
    }
    return tensor
  }

  func features(_ index: Int) throws(GraphProblem) -> Features {
    switch try operand(index) {
    case .features(let features): return features
    case .constant(let tensor):
      return Features(shape: tensor.shape, elements: tensor.values.map(Element.constant))
    case .unreadable(let problem): throw problem
    }
  }

  func attribute(_ name: String) -> Filigree_Onnx_AttributeProto? {
    node.attribute.first { $0.name == name }.map(resolved).flatMap { $0.name.isEmpty ? nil : $0 }
  }

  private func resolved(_ attribute: Filigree_Onnx_AttributeProto) -> Filigree_Onnx_AttributeProto {
    guard attribute.hasRefAttrName, let callerAttributes else { return attribute }
    guard var found = callerAttributes.first(where: { $0.name == attribute.refAttrName }) else {
      return Filigree_Onnx_AttributeProto()
    }
    found.name = attribute.name
    return found
  }

  func number(_ name: String, _ usual: Double) -> Double {
    attribute(name).map { Double($0.f) } ?? usual
  }

  func integer(_ name: String, _ usual: Int) -> Int {
    attribute(name).flatMap { Int(exactly: $0.i) } ?? usual
  }

  func text(_ name: String) -> String? {
    attribute(name).map { String(decoding: $0.s, as: UTF8.self) }
  }

  var operatorSet: Int64 { operatorSets[""] ?? operatorSets["ai.onnx"] ?? 17 }

  func isFinite(_ value: GraphValue) -> Bool {
    switch value {
    // Infinite bounds of a Clip are scalars.
    case .constant(let tensor):
      return tensor.isScalar
        ? !tensor.values[0].isNaN && (tensor.values[0].isFinite || node.opType == "Constant")
        : tensor.values.allSatisfy(\.isFinite)
    case .features(let features): return features.elements.allSatisfy(\.isFinite)
    case .unreadable: return true
    }
  }

  // MARK: Nodes of the network

  /// A new node; its units as elements.
  mutating func add(_ kind: GraphNode.Kind, width: Int, name: String? = nil) -> [Element] {
    nodes.append(GraphNode(kind: kind, width: width, name: name ?? node.name))
    let number = Int32(nodes.count - 1)
    return (0..<Int32(width)).map { Element(node: number, unit: $0) }
  }
}

/// What a node does, whatever it is called.
private struct NodeKey: Hashable {
  let operation: [String]
  let operands: [String]
  let attributes: [Filigree_Onnx_AttributeProto]

  init(_ node: Filigree_Onnx_NodeProto, operands: [String]) {
    operation = [node.domain, node.opType, node.overload]
    self.operands = operands
    attributes = node.attribute
  }
}

/// An input of the graph.
struct GraphInput {
  var name: String
  /// With the samples' axis 1 long.
  var shape: [Int]
  var batchAxis: Int?
  var fixedBatch: Int?
  var width: Int { Shape.count(shape) }

  init(_ input: Filigree_Onnx_ValueInfoProto) throws(GraphProblem) {
    name = input.name
    let place = "input \"\(input.name)\""
    let tensor = input.type.tensorType
    let type = ElementType(rawValue: tensor.elemType)
    guard tensor.elemType == 0 || type?.isFloat == true else {
      throw GraphProblem(
        place: place,
        reason: "its element type is \(ElementType.words(of: tensor.elemType)); floats are needed")
    }
    let dims = tensor.shape.dim
    guard tensor.hasShape else {
      throw GraphProblem(
        place: place, reason: "it has no shape; export it with a fixed number of features")
    }
    // A single axis of unknown length holds samples, one of known length features.
    let isBatched = dims.count > 1 || dims.first.map { $0.dimValue <= 0 } ?? false
    batchAxis = isBatched && dims[0].dimValue != 1 ? 0 : nil
    fixedBatch = isBatched && dims[0].dimValue > 1 ? Int(clamping: dims[0].dimValue) : nil
    shape = []
    for (axis, dim) in dims.enumerated() {
      if isBatched && axis == 0 {
        shape.append(1)
        continue
      }
      guard (1...Int64(GraphReader.largestWidth)).contains(dim.dimValue),
        Shape.count(shape) * Int(dim.dimValue) <= GraphReader.largestWidth
      else {
        throw GraphProblem(
          place: place,
          reason:
            "its shape must be [n, features] with a fixed number of features; axis \(axis) is "
            + (dim.dimParam.isEmpty ? "\(dim.dimValue)" : "\"\(dim.dimParam)\"")
            + ", so export it with that length fixed")
      }
      shape.append(Int(dim.dimValue))
    }
  }

  func problem(_ reason: String) -> GraphProblem {
    GraphProblem(place: "input \"\(name)\"", reason: reason)
  }
}

/// What was done while reading a model, besides reading it.
struct Remarks {
  private(set) var lines: [String] = []

  mutating func add(_ line: String) {
    if !lines.contains(line) { lines.append(line) }
  }
}
