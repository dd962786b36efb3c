import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Structure
import Training

/// A unit of work of a study: a pure function of the plan, its data and the units that it stands on. What it makes is
/// kept under the hash of all that decides it, so that it does not matter which process makes it, nor how often.
struct StudyUnit: Hashable, Sendable {
  enum Kind: String, Sendable {
    /// The plant's own structure.
    case truth
    /// A member that is trained alone.
    case member
    /// A member of those that decide together: the networks with all inputs.
    case fit
    /// What the members of an ensemble say together; stands on all their fits.
    case decision
    /// A member thinned and fitted again as was decided.
    case refit
    /// The members of an ensemble and their evidence, of the decision and all refits.
    case joining
    /// A member judged at a cut.
    case judgement
    /// The common forecast of an ensemble at a cut.
    case forecast
  }

  var kind: Kind
  var cell: StudyPlan.Cell
  var member = 0
  var cut = 0.0
}

extension StudyRun {
  /// Units that stand only on those of earlier stages.
  public enum Stage: String, CaseIterable, Sendable {
    case fits, decisions, refits, members, judgements, forecasts
  }

  /// The units of a stage, ensemble by ensemble in the order of the plan.
  func units(_ stage: Stage) -> [StudyUnit] {
    let cells = plan.cells
    switch stage {
    case .fits:
      let truth = plan.plant == nil ? [] : cells.prefix(1).map { StudyUnit(kind: .truth, cell: $0) }
      return truth + cells.flatMap { each($0, isJoint($0) ? .fit : .member) }
    case .decisions: return cells.filter(isJoint).map { StudyUnit(kind: .decision, cell: $0) }
    case .refits: return cells.filter(isJoint).flatMap { each($0, .refit) }
    case .members: return cells.filter(isJoint).map { StudyUnit(kind: .joining, cell: $0) }
    case .judgements:
      return judgements.map {
        StudyUnit(kind: .judgement, cell: $0.cell, member: $0.member, cut: $0.cut)
      }
    case .forecasts:
      return cells.flatMap { cell in
        plan.recipes[cell.recipe].cuts.map { StudyUnit(kind: .forecast, cell: cell, cut: $0) }
      }
    }
  }

  /// All units, stage by stage; the number of one is its place here.
  var allUnits: [StudyUnit] { Stage.allCases.flatMap { units($0) } }

  private func each(_ cell: StudyPlan.Cell, _ kind: StudyUnit.Kind) -> [StudyUnit] {
    (0..<plan.members).map { StudyUnit(kind: kind, cell: cell, member: $0) }
  }

  private func isJoint(_ cell: StudyPlan.Cell) -> Bool {
    plan.recipes[cell.recipe].recipe.isCrossFitted
  }

  /// "fit: filigree, 10 trajectories, member 3"
  func name(_ unit: StudyUnit) -> String {
    let words =
      switch unit.kind {
      case .truth: [plan.plant ?? ""]
      case .member, .fit, .refit: [plan.name(unit.cell), "member \(unit.member)"]
      case .judgement: [plan.name(unit.cell), "member \(unit.member)", "cut \(unit.cut)"]
      case .forecast: [plan.name(unit.cell), "cut \(unit.cut)"]
      case .decision, .joining: [plan.name(unit.cell)]
      }
    return "\(unit.kind.rawValue): \(words.joined(separator: ", "))"
  }

  // MARK: What is there

  /// Which units are there. Files are read once, however many units ask for them; what is damaged counts as missing.
  struct Inventory {
    let run: StudyRun
    private var whole: [StudyPlan.Cell: Bool] = [:]
    private var records: [Work: MemberRecord?] = [:]
    private var done: [StudyUnit: Bool] = [:]

    init(_ run: StudyRun) { self.run = run }

    mutating func record(_ work: Work) -> MemberRecord? {
      if let known = records[work] { return known }
      let found = run.record(work)
      records[work] = found
      return found
    }

    /// Whether all members of an ensemble are there.
    mutating func hasAllMembers(_ cell: StudyPlan.Cell) -> Bool {
      if let known = whole[cell] { return known }
      let works = run.members(of: cell)
      let found = works.allSatisfy { record($0) != nil }
      whole[cell] = found
      return found
    }

    /// Whether nothing is left to do of a unit.
    mutating func isDone(_ unit: StudyUnit) -> Bool {
      if let known = done[unit] { return known }
      let found = isThere(unit)
      done[unit] = found
      return found
    }

    private mutating func isThere(_ unit: StudyUnit) -> Bool {
      let work = Work(cell: unit.cell, member: unit.member, cut: unit.cut)
      switch unit.kind {
      case .truth:
        return run.truthKey.map { run.store.value($0, as: TruthRecord.self, run.shape) != nil }
          ?? true
      case .member: return record(Work(cell: unit.cell, member: unit.member)) != nil
      case .fit: return hasAllMembers(unit.cell) || run.fit(work) != nil
      case .decision: return hasAllMembers(unit.cell) || run.decision(unit.cell) != nil
      case .refit: return hasAllMembers(unit.cell) || run.refit(work) != nil
      case .joining: return hasAllMembers(unit.cell)
      case .judgement:
        if record(Work(cell: unit.cell, member: unit.member))?.divergence != nil { return true }
        return run.judged(work) != nil
      case .forecast:
        if run.store.value(run.ensembleKey(work), as: EnsembleJudgement.self, run.shape) != nil {
          return true
        }
        let found = run.members(of: unit.cell).map { record($0) }
        return !found.contains { $0 == nil } && found.count { $0?.divergence == nil } < 2
      }
    }

    /// Whether everything that a unit stands on is there.
    mutating func isReady(_ unit: StudyUnit) -> Bool {
      switch unit.kind {
      case .truth, .member, .fit: true
      case .decision: run.units(of: .fit, unit.cell).allSatisfy { isDone($0) }
      case .refit:
        isDone(StudyUnit(kind: .fit, cell: unit.cell, member: unit.member))
          && isDone(StudyUnit(kind: .decision, cell: unit.cell))
      case .joining:
        isDone(StudyUnit(kind: .decision, cell: unit.cell))
          && run.units(of: .refit, unit.cell).allSatisfy { isDone($0) }
      case .judgement: record(Work(cell: unit.cell, member: unit.member)) != nil
      case .forecast: hasAllMembers(unit.cell)
      }
    }
  }

  private func units(of kind: StudyUnit.Kind, _ cell: StudyPlan.Cell) -> [StudyUnit] {
    each(cell, kind)
  }

  /// The numbers of the units that are missing and whose own units are there: they can be made at once, and in any
  /// order.
  public func readyUnits() -> [Int] {
    var inventory = Inventory(self)
    return allUnits.enumerated().compactMap { number, unit in
      !inventory.isDone(unit) && inventory.isReady(unit) ? number : nil
    }
  }

  /// How many units each stage has, and how many are missing.
  public func stages() -> [(stage: Stage, first: Int, count: Int, missing: Int)] {
    var inventory = Inventory(self)
    var first = 0
    return Stage.allCases.map { stage in
      let units = units(stage)
      defer { first += units.count }
      return (stage, first, units.count, units.count { !inventory.isDone($0) })
    }
  }

  // MARK: Making

  /// What became of a unit.
  public enum Made: Equatable, Sendable {
    case made(seconds: Double)
    /// It was there.
    case there
    /// What it stands on is missing.
    case waits
  }

  /// Makes units by their numbers, those that are not there yet. One that fails does not keep the others from being
  /// made.
  ///
  /// - Parameters:
  ///   - numbers: from 0 on, in the order of `stages`.
  ///   - report: called from any thread after each unit, with its number, its name and what became of it.
  /// - Throws: `NoSuchUnit`; `FileProblem` where the place for units cannot be made; `CancellationError`.
  public func make(
    _ numbers: [Int],
    report: @escaping @Sendable (_ number: Int, _ name: String, Result<Made, any Error>) -> Void
  ) async throws {
    let all = allUnits
    for number in numbers where !all.indices.contains(number) {
      throw NoSuchUnit(number: number, count: all.count)
    }
    try store.make()
    let truths = numbers.filter { all[$0].kind == .truth }
    for number in truths {
      do {
        report(number, name(all[number]), .success(try await makeAny(all[number])))
      } catch let error where !(error is CancellationError) {
        report(number, name(all[number]), .failure(error))
      }
    }
    let others = numbers.filter { all[$0].kind != .truth }
    _ = try await concurrentMap(others.count, threads: threads) { place in
      try Task.checkCancellation()
      let number = others[place]
      do {
        report(number, self.name(all[number]), .success(try self.make(all[number])))
      } catch let error where !(error is CancellationError) {
        report(number, self.name(all[number]), .failure(error))
      }
    }
  }

  /// A number that no unit of the plan has.
  public struct NoSuchUnit: Error, CustomStringConvertible {
    public let number: Int
    public let count: Int

    public var description: String {
      "unit \(number): the plan has \(count), from 0 to \(count - 1); filigree-study stages PLAN lists them"
    }
  }

  func makeAny(_ unit: StudyUnit) async throws -> Made {
    guard unit.kind == .truth, let key = truthKey else { return try make(unit) }
    var inventory = Inventory(self)
    if inventory.isDone(unit) { return .there }
    let begin = ContinuousClock.now
    try await makeTruth(key)
    return .made(seconds: Self.seconds(since: begin))
  }

  /// Makes any unit but the plant's truth on the calling thread.
  func make(
    _ unit: StudyUnit, report: @escaping @Sendable (Progress) -> Void = { _ in }
  ) throws -> Made {
    var inventory = Inventory(self)
    if inventory.isDone(unit) { return .there }
    guard inventory.isReady(unit) else { return .waits }
    let begin = ContinuousClock.now
    let work = Work(cell: unit.cell, member: unit.member, cut: unit.cut)
    switch unit.kind {
    case .truth: return .waits
    case .member: try trainAlone(work, report)
    case .fit: try makeFit(work, report)
    case .decision: try makeDecision(unit.cell)
    case .refit: try makeRefit(work)
    case .joining: try join(unit.cell)
    case .judgement: try judge(work)
    case .forecast: try judgeEnsemble(work)
    }
    return .made(seconds: Self.seconds(since: begin))
  }

  static func seconds(since begin: ContinuousClock.Instant) -> Double {
    let time = (ContinuousClock.now - begin).components
    return Double(time.seconds) + Double(time.attoseconds) * 1e-18
  }

  // MARK: Members that decide together

  /// A step of a training whose members decide together, with what it took.
  struct Step<Value: Codable & Sendable>: Codable, Sendable {
    var value: Value
    var seconds: Double
  }

  private func joint(_ cell: StudyPlan.Cell) throws -> JointTraining {
    let recipe = plan.recipes[cell.recipe].recipe
    return try data.joint(recipe, cell, training(recipe))
  }

  func training(_ recipe: Recipe) -> EnsembleTraining {
    EnsembleTraining(recipe: recipe, members: plan.members, seed: plan.seed, threads: 1)
  }

  private func stepKey(_ kind: StudyUnit.Kind, _ cell: StudyPlan.Cell, member: Int) -> UnitKey {
    UnitKey(kind.rawValue, ["of": memberKey(Work(cell: cell, member: member)).hash])
  }

  private func step<Value: Codable & Sendable>(
    _ kind: StudyUnit.Kind, _ work: Work, as type: Value.Type,
    fits: (JointTraining, Value) -> Bool
  ) -> Step<Value>? {
    let key = stepKey(kind, work.cell, member: work.member)
    guard let bytes = try? WholeFile.read(store.path(key, "json")) else { return nil }
    guard let step = try? SealedJSON.value(Step<Value>.self, from: bytes),
      let joint = try? joint(work.cell), fits(joint, step.value)
    else {
      store.damage.note("\(key.name).json")
      return nil
    }
    return step
  }

  fileprivate func fit(_ work: Work) -> Step<JointTraining.Fit>? {
    step(.fit, work, as: JointTraining.Fit.self) { $0.fits($1, of: work.member) }
  }

  fileprivate func decision(_ cell: StudyPlan.Cell) -> Step<JointTraining.Decision>? {
    step(.decision, Work(cell: cell, member: 0), as: JointTraining.Decision.self) { $0.fits($1) }
  }

  fileprivate func refit(_ work: Work) -> Step<JointTraining.Refit>? {
    step(.refit, work, as: JointTraining.Refit.self) { $0.fits($1, of: work.member) }
  }

  private func save(
    _ value: some Codable & Sendable, _ kind: StudyUnit.Kind, _ work: Work,
    _ begin: ContinuousClock.Instant
  ) throws {
    try store.save(
      Step(value: value, seconds: Self.seconds(since: begin)),
      as: stepKey(kind, work.cell, member: work.member))
  }

  private func makeFit(_ work: Work, _ report: @escaping @Sendable (Progress) -> Void) throws {
    let begin = ContinuousClock.now
    let fit = try joint(work.cell).fit(work.member, report: progress(work.cell, report))
    try save(fit, .fit, work, begin)
  }

  private func makeDecision(_ cell: StudyPlan.Cell) throws {
    let begin = ContinuousClock.now
    let fits = members(of: cell).compactMap { fit($0)?.value }
    guard fits.count == plan.members else { return }
    try save(try joint(cell).decide(fits), .decision, Work(cell: cell, member: 0), begin)
  }

  private func makeRefit(_ work: Work) throws {
    let begin = ContinuousClock.now
    guard let fit = fit(work)?.value, let decision = decision(work.cell)?.value else { return }
    try save(try joint(work.cell).refit(work.member, fit, decision), .refit, work, begin)
  }

  /// Makes the members' records and models, after which nothing needs the steps that led to them.
  private func join(_ cell: StudyPlan.Cell) throws {
    let works = members(of: cell)
    let (fits, refits) = (works.compactMap { fit($0) }, works.compactMap { refit($0) })
    guard let decision = decision(cell), fits.count == works.count, refits.count == works.count
    else { return }
    let joint = try joint(cell)
    var outcome: EnsembleTraining.Outcome?
    var failure: TrainingFailure?
    do {
      outcome = try joint.outcome(decision.value, refits.map(\.value))
    } catch let problem as TrainingFailure {
      failure = problem
    }
    for (place, work) in works.enumerated() {
      let seconds =
        fits[place].seconds + refits[place].seconds + decision.seconds / Double(works.count)
      try save(
        work, outcome, failure, warnings: failure == nil ? joint.warnings : [], seconds: seconds,
        evidence: place == 0 ? outcome?.evidence : nil)
    }
    for work in works {
      for kind in [StudyUnit.Kind.fit, .decision, .refit] {
        unlink(store.path(stepKey(kind, cell, member: work.member), "json"))
      }
    }
  }
}
