import Dynamics
import LinearAlgebra
import Networks

/// Makes layers from the nodes of a graph that lead to chosen outputs.
///
/// Every activation is a layer. A sum becomes a part of the only thing that reads it, number by number; if a matrix
/// reads it, or more than one thing does, it is a layer without activation, so that it exists once.
struct NetworkBuilder {
  let nodes: [GraphNode]
  /// Whether layers without a name are meant to have none.
  let isOurs: Bool
  private var isReached: [Bool]
  /// Sums that are layers of their own.
  private var isKept: [Bool]
  /// How the inputs are standardised.
  private(set) var inputScaling: Standardisation
  private(set) var outputScaling = Standardisation.identity(0)
  /// By node.
  private var layerOfNode: [Int: Int] = [:]
  private var layers: [(key: (Int, Int), layer: Network.Layer)] = []
  private var outputLayers: [Int] = []
  /// Elements of matrices that may still be made for what has no weights.
  private var budget: Int

  init(_ nodes: [GraphNode], outputs: [Element], isOurs: Bool, size: Int) throws(GraphProblem) {
    self.nodes = nodes
    self.isOurs = isOurs
    budget = 1 << 24 + 16 * size
    isReached = Array(repeating: false, count: nodes.count)
    isKept = isReached
    inputScaling = .identity(nodes[0].width)
    findUses(outputs)
    try refuseOpenFunctions(outputs)
    inputScaling = standardisation()
    try makeLayers()
    try makeOutputs(outputs)
  }

  // MARK: Who reads what

  /// What a node reads: lists of elements, and whether through a matrix.
  private func reads(_ node: Int) -> [(elements: [Element], isProduct: Bool)] {
    switch nodes[node].kind {
    case .inputs: []
    case .activation(_, let elements): [(elements, false)]
    case .function(_, let lists, _): lists.map { ($0, false) }
    case .sum(let terms, _):
      terms.map {
        switch $0 {
        case .product(_, let elements): (elements, true)
        case .each(let elements): (elements, false)
        }
      }
    }
  }

  private mutating func findUses(_ outputs: [Element]) {
    var uses = nodes.map { _ in [UInt8]() }
    func use(_ element: Element, _ isProduct: Bool) {
      let node = Int(element.node)
      if uses[node].isEmpty { uses[node] = Array(repeating: 0, count: nodes[node].width) }
      let unit = Int(element.unit)
      uses[node][unit] = min(2, uses[node][unit] + 1)
      if isProduct { isKept[node] = true }
      isReached[node] = true
    }
    for element in outputs where !element.isConstant { use(element, false) }
    for node in nodes.indices.reversed() where isReached[node] {
      for (elements, isProduct) in reads(node) {
        for element in elements where !element.isConstant { use(element, isProduct) }
      }
      if uses[node].contains(2) { isKept[node] = true }
    }
    keepSomeOfChains()
  }

  /// Refuses operators that are parts of no activation, the first that something else reads.
  private func refuseOpenFunctions(_ outputs: [Element]) throws(GraphProblem) {
    for node in nodes.indices where isReached[node] {
      guard case .function = nodes[node].kind else {
        for (elements, _) in reads(node) { try refuseOpenFunction(in: elements) }
        continue
      }
    }
    try refuseOpenFunction(in: outputs)
  }

  private func refuseOpenFunction(in elements: [Element]) throws(GraphProblem) {
    for element in elements where !element.isConstant {
      if case .function(_, _, let problem) = nodes[Int(element.node)].kind { throw problem }
    }
  }

  /// Makes layers of some sums in long chains of sums, because substituting one into the next recurses.
  private mutating func keepSomeOfChains() {
    var depth = [Int](repeating: 0, count: nodes.count)
    for node in nodes.indices where isReached[node] && isInlined(node) {
      for (elements, _) in reads(node) {
        for element in elements where !element.isConstant {
          depth[node] = max(depth[node], depth[Int(element.node)] + 1)
        }
      }
      if depth[node] > 300 {
        isKept[node] = true
        depth[node] = 0
      }
    }
  }

  /// How the file scales each input where it first does, with a positive deviation.
  private func standardisation() -> Standardisation {
    let width = nodes[0].width
    var mean = [Double](repeating: 0, count: width)
    var deviation = [Double](repeating: 1, count: width)
    var isKnown = [Bool](repeating: false, count: width)
    for isProduct in [true, false] {
      for node in nodes.indices where isReached[node] {
        for (elements, products) in reads(node) where products == isProduct {
          for element in elements where element.isInput && !isKnown[Int(element.unit)] {
            guard !element.isBare else { continue }
            let unit = Int(element.unit)
            let scaling = Standardisation(mean: [element.b], deviation: [abs(element.a)])
            // A 32-bit float must hold them.
            guard scaling.mean[0].isFinite, scaling.deviation[0].isFinite, scaling.deviation[0] > 0
            else { continue }
            (mean[unit], deviation[unit]) = (scaling.mean[0], scaling.deviation[0])
            isKnown[unit] = true
          }
        }
      }
    }
    return Standardisation(mean: mean, deviation: deviation)
  }

  // MARK: Affine maps of layers

  /// An element as scale · (unit of a layer or standardised input) + shift.
  private func affine(_ element: Element) -> (scale: Double, shift: Double) {
    guard element.isInput else { return (element.scale, element.shift) }
    let unit = Int(element.unit)
    let (mean, deviation) = (inputScaling.mean[unit], inputScaling.deviation[unit])
    // (u − b)/a with u = mean + deviation · z
    return (deviation / element.a, (mean - element.b) / element.a)
  }

  /// The rows of a layer as they are gathered.
  private struct Rows {
    var bias: [Double]
    var connections: [Network.Connection] = []
    var place: [Network.Source: Int] = [:]
    var name = ""
    /// The last node whose sum is in it.
    var key = 0
  }

  /// One row of a layer: factor times a unit of a sum, or an element.
  private mutating func layerRows(of elements: [Element]) throws(GraphProblem) -> Rows {
    var rows = Rows(bias: Array(repeating: 0, count: elements.count))
    try gather(elements.enumerated().map { ($0.offset, $0.element, 1) }, into: &rows)
    return rows
  }

  private func isInlined(_ node: Int) -> Bool {
    if case .sum = nodes[node].kind { return !isKept[node] }
    return false
  }

  /// Adds factor · element to each of these rows.
  private mutating func gather(
    _ wanted: [(row: Int, element: Element, factor: Double)], into rows: inout Rows
  ) throws(GraphProblem) {
    var carried: [(row: Int, element: Element, factor: Double)] = []
    var sums: [Int: [(row: Int, unit: Int, factor: Double)]] = [:]
    var order: [Int] = []
    for item in wanted {
      let element = item.element
      if element.isConstant {
        rows.bias[item.row] += item.factor * element.b
      } else if isInlined(Int(element.node)) {
        let node = Int(element.node)
        if sums[node] == nil { order.append(node) }
        rows.bias[item.row] += element.b == 0 ? 0 : item.factor * element.b
        sums[node, default: []].append((item.row, Int(element.unit), item.factor * element.a))
      } else {
        carried.append(item)
      }
    }
    if !carried.isEmpty { try carry(carried, into: &rows) }
    for node in order {
      guard let parts = sums[node] else { continue }
      try expand(node, parts, into: &rows)
    }
  }

  private mutating func expand(
    _ node: Int, _ parts: [(row: Int, unit: Int, factor: Double)], into rows: inout Rows
  ) throws(GraphProblem) {
    guard case .sum(let terms, let bias) = nodes[node].kind else { return }
    rows.key = max(rows.key, node)
    for part in parts { rows.bias[part.row] += part.factor * bias[part.unit] }
    for term in terms {
      switch term {
      case .each(let elements):
        try gather(parts.map { ($0.row, elements[$0.unit], $0.factor) }, into: &rows)
      case .product(let weight, let elements):
        if rows.name.isEmpty { rows.name = nodes[node].name }
        try multiply(weight, elements, parts, into: &rows)
      }
    }
    if rows.name.isEmpty { rows.name = nodes[node].name }
  }

  private func source(_ element: Element) -> Network.Source? {
    element.isInput ? .inputs : layerOfNode[Int(element.node)].map { .layer($0) }
  }

  private func width(_ source: Network.Source) -> Int {
    switch source {
    case .inputs: nodes[0].width
    case .layer(let index): layers[index].layer.unitCount
    }
  }

  /// The place among the connections of that to this source, made where there is none.
  private mutating func connection(
    to source: Network.Source, isCarry: Bool, _ rows: inout Rows
  ) throws(GraphProblem) -> Int {
    if let place = rows.place[source] {
      if !isCarry { rows.connections[place].isCarry = false }
      return place
    }
    let count = rows.bias.count * width(source)
    guard rows.bias.count <= 1 << 20, count <= budget else {
      throw GraphProblem(
        place: "layer \"\(rows.name)\"",
        reason:
          "it reads \(width(source)) values without weights in \(rows.bias.count) units, which "
          + "needs more memory than a file of this size may ask for")
    }
    budget -= count
    rows.place[source] = rows.connections.count
    rows.connections.append(
      Network.Connection(
        source: source, weight: Matrix(rows: rows.bias.count, columns: width(source)),
        isCarry: isCarry, weightCount: 0))
    return rows.connections.count - 1
  }

  /// Adds values that are read one by one.
  private mutating func carry(
    _ items: [(row: Int, element: Element, factor: Double)], into rows: inout Rows
  ) throws(GraphProblem) {
    for item in items {
      guard let source = source(item.element) else { continue }
      let place = try connection(to: source, isCarry: true, &rows)
      let (scale, shift) = affine(item.element)
      let unit = Int(item.element.unit)
      // Two values of one source in a row are a sum, which a carry is not.
      if rows.connections[place].isCarry,
        rows.connections[place].weight.row(item.row).contains(where: { $0 != 0 })
      {
        rows.connections[place].isCarry = false
      }
      rows.connections[place].weight[item.row, unit] += item.factor * scale
      if shift != 0 { rows.bias[item.row] += item.factor * shift }
    }
  }

  /// Rows of a matrix.
  private mutating func multiply(
    _ weight: Matrix, _ elements: [Element], _ parts: [(row: Int, unit: Int, factor: Double)],
    into rows: inout Rows
  ) throws(GraphProblem) {
    if rows.connections.isEmpty, let whole = whole(weight, elements, parts, rows.bias.count) {
      rows.place[whole.source] = 0
      rows.connections = [whole]
      return
    }
    // By source: which columns of W go where, and how they are scaled.
    var columns: [Network.Source: [(column: Int, unit: Int, scale: Double)]] = [:]
    var order: [Network.Source] = []
    for (column, element) in elements.enumerated() {
      guard let source = source(element) else {
        for part in parts {
          rows.bias[part.row] += part.factor * weight[part.unit, column] * element.b
        }
        continue
      }
      let (scale, shift) = affine(element)
      if columns[source] == nil { order.append(source) }
      columns[source, default: []].append((column, Int(element.unit), scale))
      if shift != 0 {
        for part in parts { rows.bias[part.row] += part.factor * weight[part.unit, column] * shift }
      }
    }
    for source in order {
      guard let list = columns[source] else { continue }
      let place = try connection(to: source, isCarry: false, &rows)
      rows.connections[place].weightCount += parts.count * list.count
      add(weight, parts, list, to: &rows.connections[place].weight)
    }
  }

  /// Adds scaled rows of a matrix to others; the loop in which the time of wide networks goes.
  private func add(
    _ weight: Matrix, _ parts: [(row: Int, unit: Int, factor: Double)],
    _ list: [(column: Int, unit: Int, scale: Double)], to sum: inout Matrix
  ) {
    let (width, count) = (sum.columns, weight.columns)
    sum.elements.withUnsafeMutableBufferPointer { target in
      weight.elements.withUnsafeBufferPointer { source in
        for part in parts {
          let (row, from) = (part.row * width, part.unit * count)
          for (column, unit, scale) in list {
            target[row + unit] += part.factor * (source[from + column] * scale)
          }
        }
      }
    }
  }

  /// The usual case, a matrix that is read as it stands from one source, without a copy.
  private func whole(
    _ weight: Matrix, _ elements: [Element], _ parts: [(row: Int, unit: Int, factor: Double)],
    _ count: Int
  ) -> Network.Connection? {
    guard let first = elements.first, let source = source(first), width(source) == elements.count,
      count == weight.rows, parts.count == count
    else { return nil }
    for (index, part) in parts.enumerated() {
      guard part.row == index, part.unit == index, part.factor == 1 else { return nil }
    }
    for (index, element) in elements.enumerated() {
      guard element.node == first.node, Int(element.unit) == index else { return nil }
      let (scale, shift) = affine(element)
      guard scale == 1, shift == 0 else { return nil }
    }
    return Network.Connection(source: source, weight: weight)
  }

  // MARK: Layers

  private mutating func makeLayers() throws(GraphProblem) {
    for node in nodes.indices.dropFirst() where isReached[node] {
      switch nodes[node].kind {
      // Open functions have been refused.
      case .inputs, .function: continue
      case .activation(let activation, let elements):
        var rows = try layerRows(of: elements)
        if rows.key == 0 { rows.key = node }
        if rows.name.isEmpty { rows.name = nodes[node].name }
        layerOfNode[node] = append(rows, activation)
      case .sum(_, let bias):
        guard isKept[node] else { continue }
        var rows = Rows(bias: Array(repeating: 0, count: bias.count))
        try expand(node, bias.indices.map { ($0, $0, 1) }, into: &rows)
        layerOfNode[node] = append(rows, .identity)
      }
    }
  }

  private mutating func append(_ rows: Rows, _ activation: Activation) -> Int {
    var connections = rows.connections
    if connections.isEmpty {
      // A layer reads something, be it with zero weights.
      connections = [
        Network.Connection(
          source: .inputs, weight: Matrix(rows: rows.bias.count, columns: nodes[0].width),
          weightCount: 0)
      ]
    }
    for index in connections.indices where connections[index].isCarry {
      connections[index].weightCount = 0
    }
    layers.append(
      (
        (rows.key, layers.count),
        Network.Layer(
          name: unusedName(rows.name), activation: activation, bias: rows.bias,
          connections: connections)
      ))
    return layers.count - 1
  }

  /// Runtimes require the names of nodes to be unique, so those of layers must be.
  private func unusedName(_ name: String) -> String {
    guard !name.isEmpty else { return "" }
    let taken = Set(layers.map(\.layer.name))
    let numbered = (2...(layers.count + 2)).lazy.map { "\(name) (\($0))" }
    return taken.contains(name) ? numbered.first { !taken.contains($0) } ?? name : name
  }

  /// Runs of outputs of one node each become layers that nothing else reads.
  private mutating func makeOutputs(_ outputs: [Element]) throws(GraphProblem) {
    let exact = outputs.map {
      $0.isConstant || $0.isInput ? (mean: 0.0, deviation: 1.0) : (mean: $0.b, deviation: abs($0.a))
    }
    outputScaling = Standardisation(mean: exact.map(\.mean), deviation: exact.map(\.deviation))
    for (index, element) in outputs.enumerated() {
      let isHeld =
        outputScaling.mean[index].isFinite && outputScaling.deviation[index].isFinite
        && outputScaling.deviation[index] > 0
      guard isHeld else {
        throw GraphProblem(
          place: "output \(index + 1)",
          reason: "its scaling (\(element.a), \(element.b)) is out of range")
      }
    }
    var first = 0
    while first < outputs.count {
      var last = first + 1
      while last < outputs.count && outputs[last].node == outputs[first].node { last += 1 }
      try makeOutput(Array(outputs[first..<last]), from: first)
      first = last
    }
  }

  private mutating func makeOutput(_ elements: [Element], from first: Int) throws(GraphProblem) {
    // What is left of each after the output's scaling: ±1, unless rounding or the input is in it.
    let standardised = elements.enumerated().map { index, element in
      let (mean, deviation) = (
        outputScaling.mean[first + index], outputScaling.deviation[first + index]
      )
      return mean == 0 && deviation == 1 ? element : element.plus(-mean).dividedBy(deviation)
    }
    let node = Int(elements[0].node)
    // A layer of which this is all that is read, and in order.
    if node > 0, !isInlined(node), let layer = layerOfNode[node],
      isOnlyOutput(layer, node, standardised)
    {
      outputLayers.append(layer)
      return
    }
    var rows = try layerRows(of: standardised)
    if rows.key == 0 { rows.key = max(node, 0) }
    if node > 0 && rows.name.isEmpty { rows.name = nodes[node].name }
    outputLayers.append(append(rows, .identity))
  }

  private func isOnlyOutput(_ layer: Int, _ node: Int, _ elements: [Element]) -> Bool {
    guard elements.count == nodes[node].width, !outputLayers.contains(layer) else { return false }
    for (index, element) in elements.enumerated() {
      guard Int(element.unit) == index, element.isBare else { return false }
    }
    return !layers.contains { entry in
      entry.layer.connections.contains { $0.source == .layer(layer) }
    }
  }

  /// The layers in the order of the nodes that compute their sums.
  var network: Network {
    let order = layers.indices.sorted { layers[$0].key < layers[$1].key }
    var place = order
    for (new, old) in order.enumerated() { place[old] = new }
    var names: Set<String> = []
    let ordered = order.enumerated().map { new, old in
      var layer = layers[old].layer
      if !isOurs {
        if layer.name.isEmpty { layer.name = "layer \(new + 1)" }
        let name = layer.name
        var number = 2
        while names.contains(layer.name) {
          layer.name = "\(name) (\(number))"
          number += 1
        }
        names.insert(layer.name)
      }
      for index in layer.connections.indices {
        if case .layer(let source) = layer.connections[index].source {
          layer.connections[index].source = .layer(place[source])
        }
      }
      return layer
    }
    return Network(
      inputCount: nodes[0].width, layers: ordered, outputLayers: outputLayers.map { place[$0] })
  }
}
