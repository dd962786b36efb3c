import Foundation
import Interchange
import Scheduling
import Synchronization
import SystemPackage

/// Carries out a study on a cluster: chains of array jobs, each followed by one that looks what is missing.
///
/// What is done is what is there; what is under way is what the queue says. Nothing else is kept, so a lost node, a
/// cancelled job or a task that was preempted only leaves units missing, which the next round submits.
public struct SlurmEngine: Sendable {
  let run: StudyRun
  private let slurm = Slurm()
  private let program: String
  private let rounds: RoundFolder
  /// The job that this process is, if it is one.
  private let own = ProcessInfo.processInfo.environment["SLURM_JOB_ID"]

  /// Units of which nothing is known are tried on a few first if there are more than this.
  static let fewestForPilot = 100
  /// Tasks of an array, so that no folder of logs has ten thousand entries.
  static let mostParts = 1000

  /// - Parameters:
  ///   - run: the study.
  ///   - program: the whole path of filigree-study, which the jobs start.
  public init(_ run: StudyRun, program: String) {
    self.run = run
    self.program = program
    rounds = RoundFolder(run.folder)
  }

  public enum Step: Sendable {
    /// Every unit is there.
    case finished
    /// The last round has jobs in the queue.
    case queued(Round, [QueuedTask])
    case submitted(Round)
    /// The last rounds brought nothing.
    case givenUp(missing: Int)
  }

  public var lastRound: Round? { rounds.rounds.last }

  /// Jobs of the last round that wait or run, this process's own not counted.
  /// - Throws: `SchedulingProblem`.
  public func queued() async throws -> [QueuedTask] {
    guard let last = lastRound else { return [] }
    return try await slurm.queued(Set(last.jobs), user: last.user).filter { $0.job != own }
  }

  /// Looks what is missing and submits it, unless the queue holds jobs of the last round. To be called by the holder of
  /// the study's claim.
  ///
  /// - Parameters:
  ///   - isAsked: whether somebody asks for it, so that earlier failures do not count.
  ///   - keepPlan: copies the plan into a round's folder.
  /// - Throws: `SchedulingProblem`, `FileProblem`.
  public func advance(isAsked: Bool, keepPlan: (String) throws -> Void) async throws -> Step {
    let last = lastRound
    let queued = try await queued()
    if let last, !queued.isEmpty { return .queued(last, queued) }
    let missing = missing()
    let count = missing.reduce(0) { $0 + $1.numbers.count }
    guard count > 0 else { return .finished }
    let isIdle = !isAsked && last.map { $0.missing == count } ?? false
    let idle = isIdle ? (last?.idle ?? 0) + 1 : 0
    guard idle < run.plan.cluster.attempts else { return .givenUp(missing: count) }
    return .submitted(try await submit(missing, count, idle, keepPlan))
  }

  private typealias Missing = (stage: StudyRun.Stage, numbers: [Int])

  private func missing() -> [Missing] {
    var inventory = StudyRun.Inventory(run)
    var first = 0
    return StudyRun.Stage.allCases.map { stage in
      let units = run.units(stage)
      defer { first += units.count }
      return (
        stage, units.indices.filter { !inventory.isDone(units[$0]) }.map { first + $0 }
      )
    }
  }

  // MARK: Submitting

  private func submit(
    _ missing: [Missing], _ count: Int, _ idle: Int, _ keepPlan: (String) throws -> Void
  ) async throws -> Round {
    // Asked before anything is written: there may be no Slurm.
    let most = min(Self.mostParts, max(1, try await slurm.largestArray() - 1))
    let all = run.allUnits
    let pace = Pace(run, rounds.times())
    let isPilot = pace.isUnknown && count > Self.fewestForPilot
    var round = Round(
      number: try rounds.make(), user: getuid(), missing: count, idle: idle, isPilot: isPilot)
    try keepPlan(rounds.path(round.number).string)
    let script = rounds.jobs.appending("start").string
    try WholeFile.write(Array(ArrayJob.startingScript.utf8), to: script, force: true)
    try rounds.save(round)
    do {
      for (stage, numbers) in missing {
        let chosen = isPilot ? numbers.filter { isPilotUnit(all[$0]) } : numbers
        guard !chosen.isEmpty else { continue }
        let parts = parts(chosen, all, pace, most)
        try rounds.save(parts, round.number, stage)
        let job = try await slurm.submit(
          job(
            stage.rawValue, round, count: parts.count,
            ["part", run.folder, "\(round.number)", stage.rawValue]))
        round.stages.append(
          .init(stage: stage.rawValue, job: job, parts: parts.count, units: chosen.count))
        try rounds.save(round)
      }
      round.follow = try await slurm.submit(
        job("follow", round, count: nil, ["follow", run.folder]))
      try rounds.save(round)
    } catch {
      // Half a chain would end without anybody noticing.
      try? await slurm.cancel(round.jobs)
      if round.jobs.isEmpty { rounds.remove(round.number) }
      throw error
    }
    return round
  }

  /// One member of each ensemble.
  private func isPilotUnit(_ unit: StudyUnit) -> Bool {
    switch unit.kind {
    case .truth: true
    case .member, .fit: unit.member == 0
    case .judgement:
      unit.member == 0 && !run.plan.recipes[unit.cell.recipe].recipe.isCrossFitted
    default: false
    }
  }

  /// The longest units first, those of an ensemble together, since they share their data.
  private func parts(_ numbers: [Int], _ all: [StudyUnit], _ pace: Pace, _ most: Int) -> [[Int]] {
    let timed = numbers.map { (number: $0, seconds: pace.seconds(all[$0])) }
    let order = timed.enumerated().sorted {
      let (a, b) = ($0.element.seconds, $1.element.seconds)
      return a != b ? a > b : $0.offset < $1.offset
    }.map(\.element)
    return Parts.ranges(
      seconds: order.map(\.seconds), wanted: run.plan.cluster.chunk, most: most
    ).map { order[$0].map(\.number) }
  }

  private func job(_ name: String, _ round: Round, count: Int?, _ command: [String]) -> ArrayJob {
    let settings = run.plan.cluster
    var resources = settings.resources
    if count == nil { resources.cores = 1 }
    let log =
      count == nil
      ? "jobs/\(RoundFolder.name(round.number))/\(name).log"
      : RoundFolder.log(round.number, name, "%a")
    return ArrayJob(
      name: "filigree-\(name)", count: count, atOnce: count == nil ? nil : settings.atOnce,
      resources: resources,
      after: count == nil ? round.stages.map(\.job) : round.stages.last.map { [$0.job] } ?? [],
      folder: run.folder, log: log, script: rounds.jobs.appending("start").string,
      command: [program] + command)
  }

  // MARK: In a job

  /// Makes the units of a part.
  ///
  /// - Parameters:
  ///   - round: its number.
  ///   - stage: its name.
  ///   - part: its number.
  ///   - say: called with a line for the log.
  /// - Throws: `FileProblem`, `CancellationError` when the job is to end: what is finished is kept.
  public func make(
    round: Int, stage: String, part: Int, say: @escaping @Sendable (String) -> Void
  ) async throws -> PartSummary {
    let parts = try rounds.parts(round, stage)
    guard parts.indices.contains(part) else {
      throw FileProblem.malformed(
        path: rounds.path(round).appending("\(stage).txt").string, place: "",
        reason: "there is no part \(part)")
    }
    let summary = Mutex(PartSummary(host: ProcessInfo.processInfo.hostName))
    let all = run.allUnits
    let run = run
    try await run.make(parts[part]) { number, name, made in
      summary.withLock { $0.note(number, name, made, Pace.key(run, all[number])) }
      say(PartSummary.line(number, name, made))
    }
    let found = summary.withLock { $0 }
    try WholeFile.write(
      try SealedJSON.bytes(found), to: rounds.summaryPath(round, stage, part), force: true)
    return found
  }

  // MARK: Looking

  /// A part of the last round.
  public struct PartState: Sendable {
    public enum State: String, CaseIterable, Sendable {
      case done, failed, running, waiting
      /// Neither in the queue nor ended in order.
      case lost
    }
    public var stage: String
    public var part: Int
    public var state: State
    public var units: [Int]
    /// Why it failed, or waits.
    public var reason: String
    /// In the study's folder.
    public var log: String
  }

  /// The parts of the last round, by files and queue.
  /// - Throws: `SchedulingProblem`, `FileProblem`.
  public func parts() async throws -> [PartState] {
    guard let last = lastRound else { return [] }
    let queued = Dictionary(
      try await slurm.queued(Set(last.jobs), user: last.user).map {
        ("\($0.job) \($0.task ?? -1)", $0)
      }, uniquingKeysWith: { a, _ in a })
    return try last.stages.flatMap { stage in
      try rounds.parts(last.number, stage.stage).enumerated().map { part, units in
        var state = PartState(
          stage: stage.stage, part: part, state: .lost, units: units, reason: "",
          log: RoundFolder.log(last.number, stage.stage, "\(part)"))
        if let task = queued["\(stage.job) \(part)"] {
          state.state = task.isRunning ? .running : .waiting
          state.reason = task.isRunning ? "" : task.reason
        } else if let summary = rounds.summary(last.number, stage.stage, part) {
          state.state = summary.isWhole ? .done : .failed
          state.reason = summary.reason
        }
        return state
      }
    }
  }

  /// How many of the last round's parts have ended in order, and how many there are; cheap.
  public func progress() -> (done: Int, all: Int) {
    guard let last = lastRound else { return (0, 0) }
    let done = last.stages.reduce(0) { sum, stage in
      let folder = rounds.path(last.number).appending(stage.stage).string
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return sum + names.count { $0.hasSuffix(".json") && !$0.hasPrefix(".") }
    }
    return (done, last.stages.reduce(0) { $0 + $1.parts })
  }

  /// The ensembles that units belong to, by the units' numbers.
  public func ensembles() -> [String] { run.allUnits.map { run.plan.name($0.cell) } }

  /// Ends all jobs of the study.
  /// - Returns: how many tasks waited or ran.
  /// - Throws: `SchedulingProblem`.
  public func cancel() async throws -> Int {
    var count = 0
    for round in rounds.rounds.reversed() {
      let queued = try await slurm.queued(Set(round.jobs), user: round.user)
      guard !queued.isEmpty else { continue }
      count += queued.count
      // First the one that would submit what the others leave.
      try await slurm.cancel(([round.follow].compactMap { $0 }) + round.stages.map(\.job))
    }
    return count
  }
}

extension PartSummary {
  public var isWhole: Bool { failures.isEmpty && waits == 0 }

  var reason: String {
    if let first = failures.first { return "\(first.name): \(first.reason)" }
    return waits > 0 ? "\(waits) units wait for others that are missing" : ""
  }

  mutating func note(
    _ number: Int, _ name: String, _ made: Result<StudyRun.Made, any Error>, _ key: String
  ) {
    switch made {
    case .success(.made(let seconds)):
      self.made += 1
      times[key, default: Time(units: 0, seconds: 0)].units += 1
      times[key, default: Time(units: 0, seconds: 0)].seconds += seconds
    case .success(.there): there += 1
    case .success(.waits): waits += 1
    case .failure(let error):
      failures.append(Failure(unit: number, name: name, reason: "\(error)"))
    }
  }

  /// A line for the log.
  public static func line(
    _ number: Int, _ name: String, _ made: Result<StudyRun.Made, any Error>
  ) -> String {
    switch made {
    case .success(.made(let seconds)): "\(number) \(name): made in \(Float(seconds)) s"
    case .success(.there): "\(number) \(name): was there"
    case .success(.waits): "\(number) \(name): waits for units that are missing"
    case .failure(let error): "\(number) \(name): failed: \(error)"
    }
  }
}

/// How long units take: as measured for their kind and ensemble, else for their kind by the amount of training, else
/// by a rough guess.
struct Pace {
  private let run: StudyRun
  private let times: [String: PartSummary.Time]
  /// Seconds for each unit of training of a kind.
  private var perWeight: [StudyUnit.Kind: Double] = [:]

  init(_ run: StudyRun, _ times: [String: PartSummary.Time]) {
    self.run = run
    self.times = times
    var sums: [StudyUnit.Kind: (seconds: Double, weight: Double)] = [:]
    for unit in Set(run.allUnits.map { StudyUnit(kind: $0.kind, cell: $0.cell) }) {
      guard let time = times[Self.key(run, unit)] else { continue }
      sums[unit.kind, default: (0, 0)].seconds += time.seconds
      sums[unit.kind, default: (0, 0)].weight += Double(time.units) * run.weight(unit.cell)
    }
    for (kind, sum) in sums where sum.weight > 0 { perWeight[kind] = sum.seconds / sum.weight }
  }

  /// Nothing was measured.
  var isUnknown: Bool { times.isEmpty }

  static func key(_ run: StudyRun, _ unit: StudyUnit) -> String {
    "\(unit.kind.rawValue): \(run.plan.name(unit.cell))"
  }

  func seconds(_ unit: StudyUnit) -> Double {
    if let time = times[Self.key(run, unit)], time.units > 0 {
      return time.seconds / Double(time.units)
    }
    if let rate = perWeight[unit.kind] { return rate * run.weight(unit.cell) }
    switch unit.kind {
    // Some 20 µs for a batch of 128 rows, of trajectories of 5000.
    case .member, .fit, .refit: return 8e-4 * run.weight(unit.cell)
    case .decision: return 8e-5 * run.weight(unit.cell) * Double(run.plan.members)
    case .truth, .joining, .judgement: return 1
    case .forecast: return 0.5 * Double(run.plan.members)
    }
  }
}
