import Dynamics
import LinearAlgebra
import Networks
import Structure

/// A network too large to be drawn weight by weight, drawn by groups: neighbouring inputs, and units that read
/// similar inputs, become one node; all weights between two groups become one edge. The edge's weight is the root
/// of the sum of their squares, its sign that of their sum.
struct CoarseModel {
  struct Groups {
    /// Per group of hidden units.
    var units: [PathNode: Int] = [:]
    /// How many weights each edge stands for.
    var weights: [DrawingFocus.Edge: Int] = [:]
    /// The variables of each group of inputs and of outputs.
    var inputs: [[Int]] = []
    var outputs: [[Int]] = []
  }

  /// Most groups per layer.
  static let mostGroups = 16

  let model: Model
  let groups: Groups

  /// - Parameter structure: the model's live part.
  init(_ original: Model, _ structure: LiveStructure) {
    let network = structure.network
    let inputs = Grouping(
      runsOf: Array(original.inputs.indices), among: network.inputCount,
      breakingAt: original.inputs.indices.dropFirst().filter {
        original.inputs[$0].role != original.inputs[$0 - 1].role
      })
    var groups = Groups()
    var groupings: [Grouping] = []
    var layers: [Network.Layer] = []
    for (number, layer) in network.layers.enumerated() {
      func grouping(_ source: Network.Source) -> Grouping {
        switch source {
        case .inputs: inputs
        case .layer(let index): groupings[index]
        }
      }
      let isOutput = network.outputLayers.contains(number)
      let own = Grouping(
        runsOf: isOutput
          ? Array(0..<layer.unitCount)
          : Self.byBarycentre(structure.liveUnits(number), layer, grouping),
        among: layer.unitCount)
      if !isOutput {
        for (index, units) in own.members.enumerated() {
          groups.units[.unit(layer: number, index: index)] = units.count
        }
      }
      layers.append(
        Network.Layer(
          name: layer.name, activation: layer.activation,
          bias: [Double](repeating: 0, count: own.members.count),
          connections: layer.connections.map {
            Self.gather(
              $0, of: number, from: grouping($0.source), to: own, counting: &groups.weights)
          }))
      groupings.append(own)
    }
    var outputs: [Variable] = []
    for layer in network.outputLayers {
      let first = network.outputUnits.firstIndex { $0.layer == layer } ?? 0
      groups.outputs += groupings[layer].members.map { units in units.map { first + $0 } }
      outputs += groupings[layer].members.map { units in
        Self.named(units.map { original.outputs[first + $0] })
      }
    }
    groups.inputs = inputs.members
    let names = inputs.members.map { Self.named($0.map { original.inputs[$0] }) }
    self.groups = groups
    model = Model(
      network: Network(
        inputCount: names.count, layers: layers, outputLayers: network.outputLayers),
      inputs: names, outputs: outputs, inputScaling: .identity(names.count),
      outputScaling: .identity(outputs.count), timeStep: original.timeStep, recipe: original.recipe)
  }

  /// The members of each group, and the group of each item; nil where it is in none.
  private struct Grouping {
    let members: [[Int]]
    let group: [Int?]

    /// At most `mostGroups` runs of nearly equal length for each stretch between breaks.
    init(runsOf items: [Int], among count: Int, breakingAt breaks: [Int] = []) {
      let size = max(1, (items.count + mostGroups - 1) / mostGroups)
      let bounds = [0] + breaks + [items.count]
      var members: [[Int]] = []
      for (lower, upper) in zip(bounds, bounds.dropFirst()) {
        let length = upper - lower
        let runs = (length + size - 1) / size
        for run in 0..<runs {
          let (begin, end) = (lower + length * run / runs, lower + length * (run + 1) / runs)
          members.append(Array(items[begin..<end]))
        }
      }
      self.members = members
      var group = [Int?](repeating: nil, count: count)
      for (number, items) in members.enumerated() { for item in items { group[item] = number } }
      self.group = group
    }
  }

  /// Units by the mean number of the groups that they read, weighted by their weights.
  private static func byBarycentre(
    _ units: [Int], _ layer: Network.Layer, _ grouping: (Network.Source) -> Grouping
  ) -> [Int] {
    let centres = units.map { unit in
      var sum = 0.0
      var total = 0.0
      for connection in layer.connections {
        let group = grouping(connection.source).group
        for (column, weight) in connection.weight.row(unit).enumerated() where weight != 0 {
          sum += abs(weight) * Double(group[column] ?? 0)
          total += abs(weight)
        }
      }
      return (unit: unit, centre: total > 0 ? sum / total : 0)
    }
    return centres.sorted { ($0.centre, $0.unit) < ($1.centre, $1.unit) }.map(\.unit)
  }

  private static func gather(
    _ connection: Network.Connection, of layer: Int, from sources: Grouping, to targets: Grouping,
    counting weights: inout [DrawingFocus.Edge: Int]
  ) -> Network.Connection {
    let (rows, columns) = (targets.members.count, sources.members.count)
    var squares = Matrix(rows: rows, columns: columns)
    var sums = Matrix(rows: rows, columns: columns)
    for unit in 0..<connection.weight.rows {
      guard let row = targets.group[unit] else { continue }
      let target = PathNode.unit(layer: layer, index: row)
      var counts = [Int](repeating: 0, count: columns)
      for (item, value) in connection.weight.row(unit).enumerated() where value != 0 {
        guard let column = sources.group[item] else { continue }
        squares[row, column] += value * value
        sums[row, column] += value
        counts[column] += 1
      }
      for (column, count) in counts.enumerated() where count > 0 {
        weights[.init(source: PathNode(connection.source, column), target: target), default: 0] +=
          count
      }
    }
    return Network.Connection(
      source: connection.source,
      weight: Matrix(rows: rows, columns: columns) {
        squares[$0, $1].squareRoot() * (sums[$0, $1] < 0 ? -1 : 1)
      })
  }

  /// One variable as it is, several as the first and the last of them.
  private static func named(_ variables: [Variable]) -> Variable {
    guard let first = variables.first, let last = variables.last, variables.count > 1 else {
      return variables.first ?? Variable("", role: .state)
    }
    return Variable("\(first.name) … \(last.name)", role: first.role)
  }
}
