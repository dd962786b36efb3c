import Dynamics
import LinearAlgebra
import Networks

/// Models of recorded plants whose states are not all measured: lags and dead times, the kind of function and its
/// parts are chosen by the errors of free runs on held-out stretches, and the parameters are fitted to free runs.
///
/// The simplest candidate that is not significantly worse than the best is delivered: a line if that does as well.
public struct MeasuredTraining: Sendable {
  public var request: LagRequest
  public var members: Int
  public var seed: UInt64
  public var threads: Int

  public init(request: LagRequest, members: Int, seed: UInt64, threads: Int) {
    self.request = request
    self.members = members
    self.seed = seed
    self.threads = threads
  }

  /// A candidate, with its error where it was held out.
  public struct Candidate: Sendable {
    public var name: String
    /// nil for persistence.
    public var orders: LagOrders?
    /// Length of the fitted runs, in steps.
    public var horizon: Int?
    /// The number of remaining parameters, constants included; the mean over the folds.
    public var parameters: Double
    /// Root mean square error of the free runs in the states' standard deviations, mean over the held-out
    /// stretches.
    public var error: Double
    /// Root mean square error in units, one for each state.
    public var errorByState: [Double]
    /// Its errors less those of the best, mean and standard error over the held-out stretches.
    public var excess: Double = 0
    public var excessError: Double = 0
    public var isDelivered = false
    var blocks: [Double]
    var choice: Choice?
  }

  /// What members are made of.
  struct Choice: Sendable {
    var shape: FreeRunShape
    var stage: Int
    /// The number of removals along the `StructurePath`.
    var position: Int
  }

  public struct Outcome: Sendable {
    public var models: [Model]
    public var orders: LagOrders
    public var candidates: [Candidate]
    /// Every choice of orders that was tried, with its error.
    public var tried: [(kind: FreeRunKind, orders: LagOrders, error: Double)]
    public var delivered: Candidate
    public var best: Candidate
  }

  static let folds = 5

  /// The orders at which a line is best: those with which a single recipe is trained.
  /// - Throws: `DataProblem`; `CancellationError`.
  public func orders(on data: Trajectories) async throws -> LagOrders {
    let record = try MeasuredRecord(data, folds: Self.folds)
    let search = OrderSearch(record, request, seed: seed, threads: threads)
    return try await search.run(.line).best.orders
  }

  /// - Parameters:
  ///   - data: recorded trajectories.
  ///   - report: called with what is being done, in words.
  /// - Throws: `DataProblem`; `CancellationError`.
  public func run(
    on data: Trajectories, report: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws -> Outcome {
    let record = try MeasuredRecord(data, folds: Self.folds)
    let search = OrderSearch(record, request, seed: seed, threads: threads)
    var tried: [OrderSearch.Step] = []
    var candidates = [persistence(record)]
    report("lags of a line")
    let line = try await search.run(.line)
    tried += line.tried
    candidates += try await judge(FreeRunShape(.line, line.best.orders, data), record)
    var starts = starts(search, line.best.orders)
    for kind in [FreeRunKind.quadratic, .cubic, .units(4)] {
      report("lags of a \(kind.name)")
      let found = try await search.run(kind, from: starts)
      tried += found.tried
      guard found.best.error.isFinite else { continue }
      starts = [found.best.orders] + starts
      let shape = FreeRunShape(kind, found.best.orders, data)
      guard !shape.isTooLarge(data) else { continue }
      report("judging a \(kind.name)")
      candidates += try await judge(shape, record)
    }
    return try await outcome(record, candidates, tried, report)
  }

  /// Where the search for anything but a line begins: at the line's orders, which may be many, and at few.
  private func starts(_ search: OrderSearch, _ line: LagOrders) -> [LagOrders] {
    func bounded(_ orders: LagOrders, states: Int, count: Int) -> LagOrders {
      var orders = orders
      orders.stateLags = request.stateLags ?? min(max(orders.stateLags, states), 3)
      for index in orders.controls.indices {
        let now = orders.controls[index].count
        orders.controls[index].count = request.inputCount ?? min(max(now, count), 8)
      }
      return orders
    }
    // A bent plant's orders are often not those of the line that fits it best.
    func plain(delay: Int) -> LagOrders {
      var orders = line
      orders.stateLags = request.stateLags ?? 2
      for (index, control) in search.record.data.controls.enumerated() {
        orders.controls[index] = .init(
          delay: request.delays[control.name] ?? delay, count: request.inputCount ?? 3)
      }
      return orders
    }
    return [plain(delay: 0), plain(delay: -1), bounded(line, states: 1, count: 2)]
  }

  // MARK: Judging

  private func persistence(_ record: MeasuredRecord) -> Candidate {
    let states = record.data.states
    let features = states
    let shape = FreeRunShape(
      .line,
      LagOrders(
        stateLags: 0,
        controls: record.data.controls.map { _ in .init(delay: 0, count: 0) }), record.data)
    let maps = states.indices.map {
      RecursiveMap(features: features.count, products: [[$0]])
    }
    let one = [Double](repeating: 1, count: states.count)
    var held = record.heldOut(shape, maps, one, on: record.folds[0])
    for fold in record.folds.dropFirst() {
      held.join(record.heldOut(shape, maps, one, on: fold))
    }
    return candidate("persistence", nil, nil, 0, held, record, nil)
  }

  private func candidate(
    _ name: String, _ orders: LagOrders?, _ horizon: Int?, _ parameters: Double,
    _ held: MeasuredRecord.HeldOut, _ record: MeasuredRecord, _ choice: Choice?
  ) -> Candidate {
    Candidate(
      name: name, orders: orders, horizon: horizon, parameters: parameters,
      error: held.error,
      errorByState: zip(held.byState, record.scaling.deviation).map { $0 * $1 },
      blocks: held.blocks, choice: choice)
  }

  /// A shape with its best horizon, and the sparsest on its path that is not worse.
  private func judge(_ shape: FreeRunShape, _ record: MeasuredRecord) async throws -> [Candidate] {
    let folds = record.folds
    let fits = try await concurrentMap(folds.count, threads: threads) { fold in
      try Task.checkCancellation()
      return record.fit(
        shape, without: folds[fold], effort: .judged,
        stream: RandomStream(seed: seed, path: [8, UInt64(fold)]))
    }
    let byStage = fits[0].stages.indices.map { stage in
      pooled(
        folds.indices.map { fold in
          record.heldOut(shape, fits[fold].maps, fits[fold].stages[stage], on: folds[fold])
        })
    }
    let stage = byStage.indices.min { byStage[$0].error < byStage[$1].error } ?? 0
    let horizon = StagedFit.horizons[stage]
    let count = Double(fits[0].stages[0].count)
    let whole = candidate(
      shape.kind.name, shape.orders, horizon, count, byStage[stage], record,
      Choice(shape: shape, stage: stage, position: 0))
    let path = path(record, shape, stage, parameters: Int(count))
    let sparse = try await concurrentMap(folds.count, threads: threads) { fold in
      try Task.checkCancellation()
      return path.run(
        SparseFit(maps: fits[fold].maps, parameters: fits[fold].stages[stage]),
        without: folds[fold])
    }
    let positions = sparse.map(\.count).min() ?? 0
    let judged = (0..<positions).map { position in
      pooled(
        folds.indices.map { fold in
          record.heldOut(
            shape, sparse[fold][position].maps, sparse[fold][position].parameters,
            on: folds[fold])
        })
    }
    guard positions > 1, let best = judged.min(by: { $0.error < $1.error }) else { return [whole] }
    let position =
      judged.indices.last { Self.isAsGood(judged[$0].blocks, best.blocks) } ?? 0
    let left = sparse.map { Double($0[position].parameters.count) }.mean
    let sparsest = candidate(
      "sparse \(shape.kind.name)", shape.orders, horizon, left, judged[position], record,
      Choice(shape: shape, stage: stage, position: position))
    return position == 0 ? [whole] : [sparsest, whole]
  }

  private func path(
    _ record: MeasuredRecord, _ shape: FreeRunShape, _ stage: Int, parameters: Int
  ) -> StructurePath {
    StructurePath(
      record: record, shape: shape, horizon: StagedFit.horizons[stage],
      limit: MeasuredRecord.Effort.judged.limit(parameters: parameters))
  }

  private func pooled(_ parts: [MeasuredRecord.HeldOut]) -> MeasuredRecord.HeldOut {
    parts.dropFirst().reduce(into: parts[0]) { $0.join($1) }
  }

  /// Within 2 % of the best error, or within 5 % and no further than one standard error of the paired differences.
  private static func isAsGood(_ blocks: [Double], _ best: [Double]) -> Bool {
    let (error, least) = (blocks.mean, best.mean)
    guard error <= 1.05 * least else { return false }
    let (excess, deviation) = difference(blocks, best)
    return error <= 1.02 * least || excess <= deviation
  }

  /// Mean and standard error of paired differences.
  private static func difference(_ a: [Double], _ b: [Double]) -> (mean: Double, error: Double) {
    let differences = zip(a, b).map { $0 - $1 }
    guard differences.count > 1 else { return (differences.first ?? 0, 0) }
    return (
      differences.mean, differences.standardDeviation / Double(differences.count).squareRoot()
    )
  }

  // MARK: Delivering

  private func outcome(
    _ record: MeasuredRecord, _ judged: [Candidate], _ tried: [OrderSearch.Step],
    _ report: @Sendable (String) -> Void
  ) async throws -> Outcome {
    var candidates = judged
    let most = candidates.indices.min { candidates[$0].error < candidates[$1].error } ?? 0
    let best = candidates[most]
    for index in candidates.indices {
      (candidates[index].excess, candidates[index].excessError) = Self.difference(
        candidates[index].blocks, best.blocks)
    }
    // In the order from simple to complex; what stays as it is says nothing of a plant.
    let chosen =
      candidates.indices.first {
        candidates[$0].choice != nil
          && Self.isAsGood(candidates[$0].blocks, best.blocks)
      } ?? (best.choice == nil ? candidates.indices.first { candidates[$0].choice != nil } : most)
      ?? most
    candidates[chosen].isDelivered = true
    let delivered = candidates[chosen]
    guard let choice = delivered.choice else { throw DataProblem.tooShort }
    report("fitting \(delivered.name)")
    let recipe = [
      "model": delivered.name, "lags": choice.shape.orders.description,
      "fitted": "free runs of \(StagedFit.horizons[choice.stage]) steps", "seed": "\(seed)",
    ]
    let members = try await concurrentMap(members, threads: threads) { member in
      try Task.checkCancellation()
      return record.model(
        choice.shape, fitted(member, choice, record, delivered.error), recipe: recipe)
    }
    return Outcome(
      models: members, orders: choice.shape.orders, candidates: candidates,
      tried: tried.map { ($0.kind, $0.orders, $0.error) }, delivered: delivered, best: best)
  }

  /// A member's structure is the one found with a fold held out; its parameters are fitted to everything.
  private func fitted(
    _ member: Int, _ choice: Choice, _ record: MeasuredRecord, _ error: Double
  ) -> SparseFit {
    let (shape, stage) = (choice.shape, choice.stage)
    let fold = record.folds[member % record.folds.count]
    let held = shape.kind.isRandom ? [] : fold
    let fit = record.fit(
      shape, without: held, effort: shape.kind.isRandom ? .final : .judged,
      stream: RandomStream(seed: seed, path: [9, UInt64(member)]), horizons: stage + 1)
    let start = SparseFit(maps: fit.maps, parameters: fit.stages[stage])
    let path = path(record, shape, stage, parameters: start.parameters.count)
      .run(start, without: held, positions: choice.position)
    let sparse = path[min(choice.position, path.count - 1)]
    let last = refitted(sparse, choice, record)
    // What goes astray over the whole record, though its parts were foretold, is not delivered.
    func overall(_ fit: SparseFit) -> Double {
      record.heldOut(shape, fit.maps, fit.parameters, on: record.whole).error
    }
    let (before, after) = (overall(sparse), overall(last))
    return after <= max(before, 2 * error) ? last : sparse
  }

  private func refitted(_ sparse: SparseFit, _ choice: Choice, _ record: MeasuredRecord)
    -> SparseFit
  {
    let free = record.freeRun(choice.shape.features)
    let fit = FreeRunFit(free, sparse.maps, ridge: choice.shape.kind.ridge)
    let effort = MeasuredRecord.Effort.final
    let windows = record.windows(
      free, length: StagedFit.horizons[choice.stage],
      limit: effort.limit(parameters: sparse.parameters.count))
    let parameters =
      choice.stage == 0 && !choice.shape.kind.isRandom
      ? fit.oneStep(windows)
      : fit.minimise(sparse.parameters, windows, attempts: effort.attempts).parameters
    return SparseFit(maps: sparse.maps, parameters: parameters)
  }
}

extension MeasuredTraining.Outcome {
  /// The result of the comparison, in a sentence.
  public var verdict: String {
    func said(_ candidate: MeasuredTraining.Candidate) -> String {
      let rounded = (candidate.error * 1000).rounded() / 1000
      return "\(candidate.name) (\(rounded))"
    }
    let line = candidates.filter { $0.name.hasSuffix("line") }.min { $0.error < $1.error }
    let unit = "; errors of held-out free runs in deviations"
    if best.choice == nil {
      return "nothing is better than that nothing changes, \(said(best)); delivered all the same: "
        + "\(said(delivered))\(unit)"
    }
    if delivered.name.hasSuffix("line") {
      return delivered.name == best.name
        ? "nothing is better than a line: \(said(delivered))\(unit)"
        : "a line does as well: \(said(delivered)), the best is \(said(best))\(unit)"
    }
    let other = line.map { "; the best line: \(said($0))" } ?? ""
    return "delivered: \(said(delivered))\(other)\(unit)"
  }
}
