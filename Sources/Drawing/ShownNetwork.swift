import LinearAlgebra
import Networks
import Structure

/// What of a network is drawn: by its weights, or as it acts over data.
struct ShownNetwork {
  /// What edges show instead of weights.
  struct Effects {
    /// By layer and connection, as its weights.
    var byWeight: [[Matrix]]
    /// Edges that stand for several paths which cancel, and for how many.
    var sums: [DrawingFocus.Edge: String] = [:]
    var meanJacobian: Matrix
    var meanMagnitude: Matrix
  }

  private(set) var model: Model
  /// The weights that stand out; nil for all.
  private(set) var inFocus: Set<DrawingFocus.Edge>?
  private(set) var effects: Effects?

  /// All of a model by its weights.
  init(_ model: Model) { self.model = model }

  /// - Parameters:
  ///   - acting: the model over data; nil for its weights.
  ///   - crops: whether what is not in focus is left out.
  init(
    _ model: Model, acting: ActingNetwork?, focus: DrawingFocus = DrawingFocus(),
    crops: Bool = false
  ) {
    self.model = model
    if let acting {
      self.model.network = acting.network
      effects = Effects(
        byWeight: acting.effects(on: focus.outputs), meanJacobian: acting.meanJacobian,
        meanMagnitude: acting.meanMagnitude)
    } else if crops {
      self.model.network = LiveStructure(model.network).network
    }
    guard !focus.isEverything else { return }
    if let acting, let count = focus.strongest {
      bringOut(acting.strongestRoutes(count, to: focus.outputs, from: focus.inputs))
    } else {
      inFocus = focus.edges(of: LiveStructure(self.model.network).network)
    }
    if crops { crop() }
  }

  /// Each edge then shows what the routes over it carry together.
  private mutating func bringOut(_ routes: [ActingNetwork.Route]) {
    var carried: [DrawingFocus.Edge: Double] = [:]
    for route in routes {
      let along = DrawingFocus.edges(along: route.nodes)
      for edge in along { carried[edge, default: 0] += route.effect }
      if case .sum(let count) = route.kind, let edge = along.first {
        draw(route.effect, as: edge, sumOf: count.map(DrawingStyle.grouped) ?? "more than 2⁶⁴")
      }
    }
    inFocus = Set(carried.keys)
    for layer in model.network.layers.indices {
      for (number, connection) in model.network.layers[layer].connections.enumerated() {
        for unit in 0..<connection.weight.rows {
          let target = PathNode.unit(layer: layer, index: unit)
          for column in 0..<connection.weight.columns {
            let edge = DrawingFocus.Edge(
              source: PathNode(connection.source, column), target: target)
            if let effect = carried[edge] {
              effects?.byWeight[layer][number][unit, column] = effect
            }
          }
        }
      }
    }
  }

  /// A straight edge from an input to an output, which may have been connected by a weight of their own.
  private mutating func draw(_ effect: Double, as edge: DrawingFocus.Edge, sumOf count: String) {
    guard case .input(let input) = edge.source, case .unit(let layer, let unit) = edge.target else {
      return
    }
    func direct() -> Int? {
      model.network.layers[layer].connections.firstIndex { $0.source == .inputs && !$0.isCarry }
    }
    if direct().map({ model.network.layers[layer].connections[$0].weight[unit, input] == 0 })
      ?? true
    {
      model.network.add(effect, to: layer, .inputs, unit, input)
    }
    guard let number = direct() else { return }
    if effects?.byWeight[layer].indices.contains(number) == false {
      let weight = model.network.layers[layer].connections[number].weight
      effects?.byWeight[layer].append(Matrix(rows: weight.rows, columns: weight.columns))
    }
    effects?.byWeight[layer][number][unit, input] = effect
    effects?.sums[edge] = count
  }

  /// Leaves only the weights in focus.
  private mutating func crop() {
    guard let wanted = inFocus else { return }
    for layer in model.network.layers.indices {
      for number in model.network.layers[layer].connections.indices {
        let connection = model.network.layers[layer].connections[number]
        for unit in 0..<connection.weight.rows {
          let target = PathNode.unit(layer: layer, index: unit)
          for column in 0..<connection.weight.columns
          where !wanted.contains(.init(source: PathNode(connection.source, column), target: target))
          {
            model.network.layers[layer].connections[number].weight[unit, column] = 0
          }
        }
      }
    }
    inFocus = nil
  }
}
