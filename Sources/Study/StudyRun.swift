import Dynamics
import Evidence
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Structure
import Synchronization
import SystemPackage
import Training

/// Carries out a plan in a folder. The unit of work is one member, a pure function of the plan, its number and the
/// data; each is kept under the hash of what it depends on, so a stopped study continues where it was, and a
/// changed plan repeats only what the change concerns.
public final class StudyRun: Sendable {
  /// Raised when the meaning of a part's content changes.
  private static let format = "2"

  public let plan: StudyPlan
  public let folder: String
  private let store: UnitStore
  private let version: String
  let data: StudyData
  private let threads: Int

  /// - Parameters:
  ///   - plan: what to do.
  ///   - path: of the plan, for messages.
  ///   - folder: of the study.
  ///   - version: of the program; parts made by another version are made again.
  ///   - threads: that may work at once.
  /// - Throws: `FileProblem`, `PlanProblems` for data that do not fit the plan.
  public init(_ plan: StudyPlan, path: String, folder: String, version: String, threads: Int)
    throws
  {
    var plan = plan
    data = try StudyData(&plan, path: path)
    self.plan = plan
    self.folder = folder
    self.version = version
    self.threads = threads
    store = UnitStore(FilePath(folder).appending("units").string)
  }

  /// A member of a cell, or one of its judgements.
  struct Work: Sendable {
    var cell: StudyPlan.Cell
    var member: Int
    var cut = 0.0
  }

  public struct Status: Sendable {
    public var name: String
    public var members: Int
    public var trained: Int
    public var diverged: Int
    public var judged: Int
    public var judgements: Int
  }

  public func status() -> [Status] {
    plan.cells.map { cell in
      let cuts = plan.recipes[cell.recipe].cuts
      let work = members(of: cell)
      let records = work.map { record($0) }
      let judged = work.reduce(0) { total, item in
        total
          + cuts.count {
            self.judged(Work(cell: item.cell, member: item.member, cut: $0)) != nil
          }
      }
      return Status(
        name: plan.name(cell), members: work.count, trained: records.count { $0 != nil },
        diverged: records.count { $0?.divergence != nil }, judged: judged,
        judgements: cuts.count * records.count { $0.map { $0.divergence == nil } ?? true })
    }
  }

  // MARK: Running

  public struct Progress: Sendable {
    public enum Stage: String, Sendable { case training, judging, ensembles }
    public var stage: Stage
    public var done: Double
    public var detail: String
  }

  /// The amount of work in each stage, in epochs × trajectories, judgements and ensembles.
  public struct Amount: Sendable {
    public var all = 0.0
    public var before = 0.0
  }

  /// Makes every part that does not exist yet.
  ///
  /// - Parameters:
  ///   - starting: called as a stage begins, with how much there is to do.
  ///   - report: called from any thread with the amount of work done since its last call.
  /// - Throws: what training and writing throw; `CancellationError` if the task is cancelled, after the finished
  ///   parts have been kept.
  public func run(
    starting: @escaping @Sendable (Progress.Stage, Amount) -> Void,
    report: @escaping @Sendable (Progress) -> Void
  ) async throws {
    try store.make()
    try await train(starting, report)
    try await judge(starting, report)
    try await judgeEnsembles(starting, report)
    try exportModels()
  }

  /// Parts found damaged when they were read; they count as missing.
  public var damagedParts: [String] { store.damage.names }

  /// What every part of this study has.
  private var shape: UnitShape {
    UnitShape(
      states: data.stateCount, inputs: data.inputCount, horizons: plan.horizons,
      lengths: data.testLengths)
  }

  /// Removes finished parts that the plan does not need.
  public func prune() { store.remove(keeping: Set(allKeys().map(\.name))) }

  private func members(of cell: StudyPlan.Cell) -> [Work] {
    (0..<plan.members).map { Work(cell: cell, member: $0) }
  }

  private func weight(_ cell: StudyPlan.Cell) -> Double {
    Double(plan.recipes[cell.recipe].recipe.epochs(rows: 5000 * cell.size) * cell.size)
  }

  private func train(
    _ starting: (Progress.Stage, Amount) -> Void,
    _ report: @escaping @Sendable (Progress) -> Void
  ) async throws {
    let all = plan.cells.flatMap { members(of: $0) }
    let missing = all.filter { record($0) == nil }
    // Members that decide together are trained together, all anew where one is missing.
    var jobs: [[Work]] = []
    for work in missing {
      guard plan.recipes[work.cell.recipe].recipe.isCrossFitted else {
        jobs.append([work])
        continue
      }
      if !jobs.contains(where: { $0[0].cell == work.cell }) { jobs.append(members(of: work.cell)) }
    }
    // The longest first, so that no core is left alone with one at the end.
    let order = jobs.enumerated().sorted {
      let (a, b) = (weight($0.element), weight($1.element))
      return a != b ? a > b : $0.offset < $1.offset
    }.map(\.element)
    starting(
      .training, Amount(all: weight(all), before: weight(all) - weight(order.flatMap { $0 })))
    _ = try await concurrentMap(order.count, threads: threads) { index in
      try Task.checkCancellation()
      try self.train(order[index], report)
    }
  }

  private func weight(_ works: [Work]) -> Double { works.reduce(0) { $0 + weight($1.cell) } }

  /// - Parameter works: one member, or all of a cell.
  private func train(_ works: [Work], _ report: @escaping @Sendable (Progress) -> Void) throws {
    let cell = works[0].cell
    let recipe = plan.recipes[cell.recipe].recipe
    let training = EnsembleTraining(
      recipe: recipe, members: plan.members, seed: plan.seed, threads: 1)
    let towers = Double(training.problems(targets: data.stateCount).count / plan.members)
    let perEpoch = Double(cell.size) / max(1, towers)
    let clock = ContinuousClock()
    let begin = clock.now
    let name = plan.name(cell)
    let progress: @Sendable (TrainingProgress) -> Void = { event in
      report(
        Progress(
          stage: .training, done: perEpoch * Double(1 + event.epochsLeftOut),
          detail: "\(name), member \(event.problem.member)"))
    }
    var outcome: EnsembleTraining.Outcome?
    var failure: TrainingFailure?
    var warnings: [String]
    do {
      if recipe.isCrossFitted {
        let smoothing = try data.smoothing(recipe, cell)
        warnings = smoothing.warnings
        outcome = try training.runAlone(on: smoothing, report: progress)
      } else {
        let material = try data.material(recipe, cell)
        warnings = material.warnings
        outcome = try training.run(member: works[0].member, on: material, report: progress)
      }
    } catch let problem as TrainingFailure {
      (failure, warnings) = (problem, [])
    }
    let time = (clock.now - begin).components
    let seconds = Double(time.seconds) + Double(time.attoseconds) * 1e-18
    for work in works {
      var record = MemberRecord(
        member: work.member, restarts: 0, warnings: warnings,
        seconds: seconds / Double(works.count))
      if let failure { record.divergence = "\(failure)" }
      if let outcome { try fill(&record, from: outcome, work) }
      if work.member == works[0].member { record.evidence = outcome?.evidence }
      try store.save(record, as: memberKey(work))
    }
  }

  private func fill(
    _ record: inout MemberRecord, from outcome: EnsembleTraining.Outcome, _ work: Work
  ) throws {
    let histories = outcome.histories.filter { $0.problem.member == work.member }
    let ends = histories.compactMap(\.epochs.last)
    record.restarts = histories.reduce(0) { $0 + $1.divergences.count }
    record.trainingLoss = ends.map(\.trainingLoss).mean
    let validation = ends.compactMap(\.validationLoss)
    record.validationLoss = validation.isEmpty ? nil : validation.mean
    guard let model = outcome.models.first(where: { $0.member == work.member })?.model else {
      record.divergence =
        histories.compactMap(\.divergences.last).first.map { "\($0)" } ?? "there is no model"
      return
    }
    let key = memberKey(work)
    let path = store.path(key, "onnx")
    try WholeFile.write(try model.onnx(path: path), to: path, force: true)
    record.model = store.digest(key, "onnx")
  }

  /// Of a member whose model is there as it was written; damaged parts count as missing.
  private func record(_ work: Work) -> MemberRecord? {
    let key = memberKey(work)
    guard let record = store.value(key, as: MemberRecord.self, shape) else { return nil }
    if record.divergence != nil { return record }
    let digest = store.digest(key, "onnx")
    if digest == nil { return nil }
    guard record.model == digest else {
      store.damage.note("\(key.name).onnx")
      return nil
    }
    return record
  }

  /// What the members of a cell together say of every pair; nil where they were trained one by one.
  private func evidence(_ cell: StudyPlan.Cell) -> EnsembleEvidence? {
    members(of: cell).lazy.compactMap { self.record($0)?.evidence }.first
  }

  private func judged(_ work: Work) -> Judgement? {
    store.value(judgementKey(work), as: Judgement.self, shape)
  }

  /// A member's model; nil where it diverged or is not trained yet.
  func model(_ work: Work) throws -> Model? {
    let key = memberKey(work)
    guard let record = record(work), record.divergence == nil else { return nil }
    let path = store.path(key, "onnx")
    return try Model(onnx: try WholeFile.read(path), path: path)
  }

  private var judgements: [Work] {
    plan.cells.flatMap { cell in
      plan.recipes[cell.recipe].cuts.flatMap { cut in
        (0..<plan.members).map { Work(cell: cell, member: $0, cut: cut) }
      }
    }
  }

  private func judge(
    _ starting: (Progress.Stage, Amount) -> Void,
    _ report: @escaping @Sendable (Progress) -> Void
  ) async throws {
    let all = judgements
    let missing = all.filter { judged($0) == nil }
    starting(
      .judging, Amount(all: Double(all.count), before: Double(all.count - missing.count)))
    if let key = truthKey, store.value(key, as: TruthRecord.self, shape) == nil {
      try await makeTruth(key)
    }
    _ = try await concurrentMap(missing.count, threads: threads) { index in
      try Task.checkCancellation()
      let work = missing[index]
      if let model = try self.model(work)?.cut(work.cut) {
        try self.store.save(try self.judgement(of: model), as: self.judgementKey(work))
      }
      report(
        Progress(
          stage: .judging, done: 1, detail: "\(self.plan.name(work.cell)), member \(work.member)"))
    }
  }

  private func judgement(of model: Model) throws -> Judgement {
    let structure = LiveStructure(model.network)
    let counts = PathAnalysis(structure.network).counts.flatMap { $0 }
    let relevance = Relevance(model, over: try data.points())
    let forecast = try data.forecast([.model(model)], model, plan.horizons)
    return Judgement(
      weights: structure.network.survivingWeightCount, neurons: structure.liveNeuronCount,
      connected: counts.map { $0 != 0 }, relevance: relevance.meanMagnitude.elements,
      physicalRelevance: model.physical(relevance.meanMagnitude).elements,
      errors: forecast.run()[0].members[0])
  }

  private func makeTruth(_ key: UnitKey) async throws {
    guard let plant = data.plant else { return }
    let truth = try await PlantTruth(plant, over: try data.samplesForTruth(), threads: threads)
    try store.save(
      TruthRecord(relevance: truth.relevance, physical: truth.physical, samples: truth.samples),
      as: key)
  }

  private func judgeEnsembles(
    _ starting: (Progress.Stage, Amount) -> Void,
    _ report: @escaping @Sendable (Progress) -> Void
  ) async throws {
    let all = plan.cells.flatMap { cell in
      plan.recipes[cell.recipe].cuts.map { Work(cell: cell, member: 0, cut: $0) }
    }
    let missing = all.filter {
      store.value(ensembleKey($0), as: EnsembleJudgement.self, shape) == nil
    }
    starting(
      .ensembles, Amount(all: Double(all.count), before: Double(all.count - missing.count)))
    _ = try await concurrentMap(missing.count, threads: threads) { index in
      try Task.checkCancellation()
      let work = missing[index]
      let models = try self.members(of: work.cell).compactMap { try self.model($0)?.cut(work.cut) }
      if let first = models.first, models.count > 1 {
        let forecast = try self.data.forecast(models.map { .model($0) }, first, self.plan.horizons)
        let outcome = forecast.run()[0]
        if let mean = outcome.mean {
          try self.store.save(
            EnsembleJudgement(
              errors: mean, inside: outcome.covered.map { $0.map(\.inside) },
              all: outcome.covered.map { $0.map(\.all) }), as: self.ensembleKey(work))
        }
      }
      report(Progress(stage: .ensembles, done: 1, detail: self.plan.name(work.cell)))
    }
  }

  /// The models under names: models/RECIPE/SIZE[-NOISE], folders that every tool reads.
  private func exportModels() throws {
    for cell in plan.cells {
      let name = plan.recipes[cell.recipe].name
      let size = "\(cell.size)" + (plan.noise.count > 1 ? "-noise-\(cell.noise)" : "")
      let target = FilePath(folder).appending("models").appending(name).appending(size)
      var files: [String] = []
      var digests: [String: String] = [:]
      try FileManager.default.createDirectory(
        atPath: target.string, withIntermediateDirectories: true)
      for work in members(of: cell) {
        let file = EnsembleFolder.memberName(work.member)
        let path = target.appending(file).string
        guard try model(work) != nil else {
          unlink(path)
          continue
        }
        let bytes = try WholeFile.read(store.path(memberKey(work), "onnx"))
        if (try? WholeFile.read(path)) != bytes {
          try WholeFile.write(bytes, to: path, force: true)
        }
        files.append(file)
        digests[file] = ContentDigest.hex(bytes)
      }
      guard !files.isEmpty else { continue }
      let recipe = plan.recipes[cell.recipe].recipe
      let validation = data.validationTrajectories(recipe, cell)
      var leftOut: [String: String] = [:]
      for work in members(of: cell) {
        let record = record(work)
        if let reason = record?.divergence { leftOut[String(work.member)] = reason }
      }
      let description = EnsembleFolder.Description(
        members: files, recipe: recipe, seed: plan.seed, trajectories: cell.size - validation,
        validationTrajectories: validation, leftOut: leftOut.isEmpty ? nil : leftOut,
        digests: digests, evidence: evidence(cell))
      try WholeFile.write(
        try SealedJSON.bytes(description),
        to: target.appending("ensemble.json").string, force: true)
    }
  }

  // MARK: Addresses

  private func memberKey(_ work: Work) -> UnitKey {
    var parts = RecipeField.texts(of: plan.recipes[work.cell.recipe].recipe)
    parts["data"] = data.trainingIdentity(work.cell)
    parts["member"] = String(work.member)
    // What the others hold out decides, too.
    if plan.recipes[work.cell.recipe].recipe.isCrossFitted {
      parts["members"] = String(plan.members)
    }
    parts["seed"] = String(plan.seed)
    parts["version"] = "\(version), \(Self.format)"
    return UnitKey("member", parts)
  }

  private func judgementKey(_ work: Work) -> UnitKey {
    UnitKey(
      "judgement",
      [
        "member": memberKey(work).hash, "cut": "\(work.cut)", "test": data.testIdentity,
        "horizons": plan.horizons.map(String.init).joined(separator: ","),
        "samples": String(plan.relevanceSamples), "scale": data.scaleIdentity,
      ])
  }

  private func ensembleKey(_ work: Work) -> UnitKey {
    let members = members(of: work.cell).map {
      judgementKey(Work(cell: $0.cell, member: $0.member, cut: work.cut)).hash
    }
    return UnitKey("ensemble", ["members": members.joined(separator: " ")])
  }

  private var truthKey: UnitKey? {
    plan.plant.map {
      UnitKey(
        "truth",
        [
          "plant": $0, "test": data.testIdentity, "samples": String(plan.relevanceSamples),
          "version": "\(version), \(Self.format)",
        ])
    }
  }

  private func allKeys() -> [UnitKey] {
    var keys = plan.cells.flatMap { members(of: $0) }.map { memberKey($0) }
    for work in judgements {
      keys.append(judgementKey(work))
      if work.member == 0 { keys.append(ensembleKey(work)) }
    }
    if let truthKey { keys.append(truthKey) }
    return keys
  }

  // MARK: Results

  /// Samples of the test data over which Jacobians are taken (samples × inputs, physical units).
  func testPoints() throws -> Matrix { try data.points() }

  /// Everything that is there, cell by cell and cut by cut.
  public func results() -> StudyResults {
    let truth = truthKey.flatMap { store.value($0, as: TruthRecord.self, shape) }.map {
      PlantTruth(
        relevance: $0.relevance, physical: $0.physical, samples: $0.samples, samplesLeftOut: 0)
    }
    let groups = plan.cells.flatMap { cell in
      plan.recipes[cell.recipe].cuts.map { cut in
        let members = members(of: cell).map { work in
          StudyResults.Member(
            number: work.member, record: record(work),
            judgement: store.value(
              judgementKey(Work(cell: cell, member: work.member, cut: cut)), as: Judgement.self,
              shape))
        }
        return StudyResults.Group(
          cell: cell, cut: cut, members: members,
          ensemble: store.value(
            ensembleKey(Work(cell: cell, member: 0, cut: cut)), as: EnsembleJudgement.self, shape))
      }
    }
    return StudyResults(plan: plan, truth: truth, groups: groups)
  }
}
