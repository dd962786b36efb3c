import Dynamics
import LinearAlgebra
import Networks

/// Which of the orders are given, and which are to be found.
public struct LagRequest: Equatable, Sendable {
  /// n; nil to be found.
  public var stateLags: Int?
  /// m + 1; nil to be found.
  public var inputCount: Int?
  /// By control; delays that are missing here are to be found.
  public var delays: [String: Int]
  /// The largest that are tried.
  public var mostStateLags = 6
  public var mostInputMoments = 24
  public var mostDelay = 20

  public init(stateLags: Int? = nil, inputCount: Int? = nil, delays: [String: Int] = [:]) {
    self.stateLags = stateLags
    self.inputCount = inputCount
    self.delays = delays
  }
}

/// Finds orders and dead times by the free-run error on held-out stretches, moving from a start to neighbours while
/// that helps.
struct OrderSearch: Sendable {
  /// What was tried.
  struct Step: Sendable {
    var kind: FreeRunKind
    var orders: LagOrders
    var error: Double
  }

  let record: MeasuredRecord
  let request: LagRequest
  let seed: UInt64
  let threads: Int
  /// The stretches that are held out in turn during the search.
  let folds: [[MeasuredRecord.Stretch]]

  init(_ record: MeasuredRecord, _ request: LagRequest, seed: UInt64, threads: Int) {
    self.record = record
    self.request = request
    self.seed = seed
    self.threads = threads
    let samples = record.series.reduce(0) { $0 + $1.rows }
    folds = samples > 1500 ? Array(record.folds.prefix(2)) : record.folds
  }

  private var names: [String] { record.data.controls.map(\.name) }

  /// The free-run errors of shapes, each with its best horizon.
  private func errors(_ shapes: [FreeRunShape]) async throws -> [Double] {
    let count = folds.count
    let parts = try await concurrentMap(shapes.count * count, threads: threads) { index in
      try Task.checkCancellation()
      let (shape, fold) = (shapes[index / count], folds[index % count])
      let fit = record.fit(
        shape, without: fold, effort: .search,
        stream: RandomStream(seed: seed, path: [7, UInt64(index % count)]))
      // Of single steps, of some and of many: what lies between is judged later.
      return [0, fit.stages.count / 2, fit.stages.count - 1].map {
        record.heldOut(shape, fit.maps, fit.stages[$0], on: fold)
      }
    }
    return shapes.indices.map { shape in
      let folds = parts[(shape * count)..<((shape + 1) * count)]
      let stages = folds.first?.count ?? 0
      return (0..<stages).map { stage -> Double in
        var pooled: MeasuredRecord.HeldOut?
        for fold in folds {
          if pooled == nil { pooled = fold[stage] } else { pooled?.join(fold[stage]) }
        }
        return pooled?.error ?? .infinity
      }.min() ?? .infinity
    }
  }

  /// - Parameter starts: by default the states alone and few lags, inputs at every delay.
  func run(_ kind: FreeRunKind, from starts: [LagOrders]? = nil) async throws -> (
    best: Step, tried: [Step]
  ) {
    var tried: [Step] = []
    func judge(_ orders: [LagOrders]) async throws {
      var shapes: [FreeRunShape] = []
      for candidate in orders {
        let shape = FreeRunShape(kind, candidate, record.data)
        let isKnown =
          tried.contains { $0.orders == candidate } || shapes.contains { $0.orders == candidate }
        if !isKnown && !shape.isTooLarge(record.data) { shapes.append(shape) }
      }
      let errors = try await errors(shapes)
      tried += zip(shapes, errors).map { Step(kind: kind, orders: $0.orders, error: $1) }
    }
    func best() -> Step {
      tried.min { cost($0) < cost($1) } ?? Step(kind: kind, orders: plain, error: .infinity)
    }
    try await judge(starts ?? [plain, usual])
    if starts == nil {
      for control in names.indices {
        try await judge(delays(of: control, from: usual))
      }
    }
    // With random starts chance would choose among neighbours.
    for _ in 0..<(kind.isRandom ? 0 : 8) {
      let before = best()
      try await judge(neighbours(of: before.orders))
      guard cost(best()) < cost(before) else { break }
    }
    return (best(), tried)
  }

  /// A further lag must lower the error by half a per cent, and an unnecessary dead time counts as none: otherwise
  /// chance would decide among dozens of similar candidates.
  private func cost(_ step: Step) -> Double {
    let moments = (step.orders.stateLags + 1) * record.data.states.count
    return step.error
      * step.orders.controls.reduce(1 + 0.005 * Double(moments)) { sum, control in
        sum + 0.005 * Double(control.count) + (control.delay == 0 ? 0 : 0.01)
          + 0.001 * Double(max(0, control.delay))
      }
  }

  /// The smallest orders that the request allows.
  var plain: LagOrders {
    LagOrders(
      stateLags: request.stateLags ?? 0,
      controls: names.map {
        .init(delay: request.delays[$0] ?? 0, count: request.inputCount ?? 1)
      })
  }

  /// Orders at which dead times show: with few lags the slowness of a plant looks like one.
  private var usual: LagOrders {
    var orders = plain
    orders.stateLags = request.stateLags ?? 2
    for index in orders.controls.indices { orders.controls[index].count = request.inputCount ?? 2 }
    return orders
  }

  private func delays(of control: Int, from orders: LagOrders) -> [LagOrders] {
    guard request.delays[names[control]] == nil else { return [orders] }
    return (-1...request.mostDelay).map { delay in
      var moved = orders
      moved.controls[control].delay = delay
      return moved
    }
  }

  private func neighbours(of orders: LagOrders) -> [LagOrders] {
    var result: [LagOrders] = []
    if request.stateLags == nil {
      for change in [-1, 1, 2] where (0...request.mostStateLags) ~= orders.stateLags + change {
        var moved = orders
        moved.stateLags += change
        result.append(moved)
        // A state's past often takes the place of an input's, and the other way round.
        guard request.inputCount == nil else { continue }
        for control in names.indices {
          var both = moved
          both.controls[control].count = max(1, both.controls[control].count + change)
          result.append(both)
        }
      }
    }
    for (control, name) in names.enumerated() {
      let now = orders.controls[control]
      var moves: [LagOrders.Control] = []
      if request.inputCount == nil {
        moves += [now.count - 1, now.count + 1, now.count + 3, 2 * now.count].map {
          .init(delay: now.delay, count: $0)
        }
      }
      if request.delays[name] == nil {
        for delay in [now.delay - 1, now.delay + 1] {
          moves.append(.init(delay: delay, count: now.count))
          guard request.inputCount == nil else { continue }
          // The same end.
          moves.append(.init(delay: delay, count: now.count + now.delay - delay))
        }
      }
      for move in moves
      where (1...request.mostInputMoments) ~= move.count && (-1...request.mostDelay) ~= move.delay {
        var moved = orders
        moved.controls[control] = move
        result.append(moved)
      }
    }
    return result
  }
}
