import Foundation
import Subprocess
import SystemPackage

/// Why the batch system did not do what was asked.
public struct SchedulingProblem: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// A job, or a task of one, that waits or runs.
public struct QueuedTask: Equatable, Sendable {
  public var job: String
  /// Nil for a job without numbers.
  public var task: Int?
  /// Slurm's word: PENDING, RUNNING, COMPLETING, PREEMPTED, …
  public var state: String
  /// Why it waits, where it does.
  public var reason: String

  public var isRunning: Bool { state != "PENDING" && state != "REQUEUED" }
}

/// Slurm, by its commands (sbatch, squeue, scancel, scontrol), which are found on the path.
public struct Slurm: Sendable {
  public init() {}

  /// The arguments of sbatch for a job, one a word.
  package static func arguments(_ job: ArrayJob) -> [String] {
    var words = [
      "--parsable", "--requeue", "--open-mode=append", "--job-name=\(job.name)",
      "--chdir=\(job.folder)", "--output=\(job.log)", "--nodes=1", "--ntasks=1",
      "--cpus-per-task=\(job.resources.cores)",
    ]
    if let count = job.count {
      words.append("--array=0-\(count - 1)" + (job.atOnce.map { "%\($0)" } ?? ""))
    }
    if !job.after.isEmpty {
      words.append("--dependency=afterany:\(job.after.joined(separator: ":"))")
    }
    let wanted = job.resources
    let options = [
      ("partition", wanted.partition), ("account", wanted.account), ("qos", wanted.quality),
      ("constraint", wanted.constraint), ("mem", wanted.memory.map { "\($0)M" }),
      // Slurm counts in minutes, or writes out hours.
      (
        "time",
        wanted.time.map { time in
          [time / 3600, time / 60 % 60, time % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
            .joined(separator: ":")
        }
      ),
    ]
    words += options.compactMap { name, value in value.map { "--\(name)=\($0)" } }
    return words + [job.script] + job.command
  }

  /// - Returns: the number that Slurm gave the job.
  /// - Throws: `SchedulingProblem` with what sbatch says.
  public func submit(_ job: ArrayJob) async throws -> String {
    let output = try await Self.run("sbatch", Self.arguments(job))
    // On a federation the cluster's name follows the number.
    let number = output.split(whereSeparator: { $0 == ";" || $0.isWhitespace }).first ?? ""
    guard !number.isEmpty, number.allSatisfy(\.isNumber) else {
      throw SchedulingProblem("sbatch answered \"\(output)\" instead of the number of a job")
    }
    return String(number)
  }

  /// Those of some jobs that wait or run; what has ended is not listed.
  ///
  /// - Parameters:
  ///   - jobs: their numbers.
  ///   - user: whose they are.
  /// - Throws: `SchedulingProblem`.
  public func queued(_ jobs: Set<String>, user: UInt32) async throws -> [QueuedTask] {
    guard !jobs.isEmpty else { return [] }
    let output = try await Self.run(
      "squeue", ["--noheader", "--array", "--user=\(user)", "--format=%F|%K|%T|%r"])
    return Self.tasks(output).filter { jobs.contains($0.job) }
  }

  package static func tasks(_ output: String) -> [QueuedTask] {
    output.split(separator: "\n").compactMap { line in
      let words = line.split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard words.count == 4 else { return nil }
      return QueuedTask(job: words[0], task: Int(words[1]), state: words[2], reason: words[3])
    }
  }

  /// Ends jobs, those that wait and those that run; what has ended already is no error.
  /// - Throws: `SchedulingProblem`.
  public func cancel(_ jobs: [String]) async throws {
    guard !jobs.isEmpty else { return }
    _ = try await Self.run("scancel", ["--quiet"] + jobs)
  }

  /// How many tasks an array may have.
  /// - Throws: `SchedulingProblem`.
  public func largestArray() async throws -> Int {
    Self.largestArray(try await Self.run("scontrol", ["show", "config"])) ?? 1001
  }

  package static func largestArray(_ configuration: String) -> Int? {
    for line in configuration.split(separator: "\n") where line.hasPrefix("MaxArraySize") {
      return line.split(separator: "=").last.flatMap {
        Int($0.trimmingCharacters(in: .whitespaces))
      }
    }
    return nil
  }

  private static func run(_ command: String, _ arguments: [String]) async throws -> String {
    let result = try await starting(command) {
      try await Subprocess.run(
        .name(command), arguments: Arguments(arguments), output: .string(limit: 64 << 20),
        error: .string(limit: 1 << 20))
    }
    guard result.terminationStatus.isSuccess else {
      let said = result.standardError.trimmingCharacters(in: .whitespacesAndNewlines)
      throw SchedulingProblem("\(command): \(said.isEmpty ? "failed without a word" : said)")
    }
    return result.standardOutput
  }

  private static func starting<Result>(
    _ command: String, _ body: () async throws -> Result
  ) async throws -> Result {
    do {
      return try await body()
    } catch {
      throw SchedulingProblem(
        "\(command) cannot be started (\(error)); the engine \"slurm\" needs Slurm's commands on the path, "
          + "\"local\" needs none")
    }
  }
}
