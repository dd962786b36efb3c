import Foundation
import Interchange
import SystemPackage

/// Another process is at work where only one may be.
public struct StudyIsClaimed: Error, CustomStringConvertible {
  public let folder: String
  public let holder: String

  public init(folder: String, holder: String) {
    self.folder = folder
    self.holder = holder
  }

  public var description: String {
    "\(folder): another process is working on this study (\(holder)); wait for it or choose another folder"
  }
}

/// The right to decide about a study: to keep its plan, to write its report, to submit its jobs. Units of work need no
/// right.
///
/// A claim is a file that appears by link(2), which on every file system, NFS included, succeeds for one only. Its
/// holder touches it every few seconds. It is void when its holder was on this machine and is no more, or when it was
/// not touched for three minutes by the clock of the file system, against which a new file there is measured. Locks of
/// the system are not used: not every NFS keeps them.
public final class StudyClaim: Sendable {
  public static let name = "claim"
  /// How long a claim that nobody touches holds, in seconds.
  static let life = 180.0
  private static let pulse = 10.0

  private let path: String
  private let content: [UInt8]
  private let heart: Task<Void, Never>

  /// Who claims: enough to tell on the same machine whether that process is still there.
  struct Holder: Codable, Equatable {
    var host: String
    /// Of the machine since its last start, and of the container: numbers of processes mean something in one of each.
    var boot: String
    var space: String
    var process: Int32
    /// When that process began, in the machine's ticks.
    var started: String
    /// Random, so that no two claims are the same.
    var token: String

    static func mine() -> Holder {
      Holder(
        host: ProcessInfo.processInfo.hostName, boot: text("/proc/sys/kernel/random/boot_id"),
        space: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid"))
          ?? "", process: getpid(), started: start(of: getpid()) ?? "",
        token: String(UInt64.random(in: 0 ... .max), radix: 16))
    }

    private static func text(_ path: String) -> String {
      ((try? WholeFile.read(path)).map { String(decoding: $0, as: UTF8.self) } ?? "")
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Field 22 of /proc/PID/stat; the name before it may hold spaces and brackets.
    static func start(of process: Int32) -> String? {
      let line = text("/proc/\(process)/stat")
      guard let end = line.lastIndex(of: ")") else { return nil }
      let fields = line[line.index(after: end)...].split(separator: " ")
      // A process that has ended but was not waited for is none.
      return fields.count > 19 && fields[0] != "Z" ? String(fields[19]) : nil
    }

    /// Whether it is known to be gone.
    var isGone: Bool {
      let me = Self.mine()
      guard !boot.isEmpty, boot == me.boot, !space.isEmpty, space == me.space else { return false }
      return Self.start(of: process) != started
    }
  }

  /// - Parameter folder: of the study; it must be there.
  /// - Throws: `StudyIsClaimed`, `FileProblem.cannotCreate`.
  public init(_ folder: String) throws {
    path = FilePath(folder).appending(Self.name).string
    content = try SealedJSON.bytes(Holder.mine(), isCompact: true)
    let fresh = FilePath(folder).appending(
      ".\(Self.name).partial-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    ).string
    try WholeFile.write(content, to: fresh, force: true)
    defer { unlink(fresh) }
    var attempts = 0
    while link(fresh, path) != 0 {
      let reason = errno
      guard reason == EEXIST else {
        throw FileProblem.cannotCreate(path: path, reason: String(cString: strerror(reason)))
      }
      attempts += 1
      guard attempts < 20, Self.clearIfVoid(path, beside: fresh) else {
        throw StudyIsClaimed(folder: folder, holder: Self.holder(path))
      }
    }
    let (path, content) = (path, content)
    heart = Task.detached {
      while (try? await Task.sleep(for: .seconds(Self.pulse))) != nil {
        // A claim that has become another's is not touched.
        if (try? WholeFile.read(path)) == content { utimensat(AT_FDCWD, path, nil, 0) }
      }
    }
  }

  deinit {
    heart.cancel()
    if (try? WholeFile.read(path)) == content { unlink(path) }
  }

  private static func holder(_ path: String) -> String {
    guard let bytes = try? WholeFile.read(path),
      let holder = try? SealedJSON.value(Holder.self, from: bytes)
    else { return "its claim cannot be read" }
    return "process \(holder.process) on \(holder.host)"
  }

  /// Removes a claim whose holder is gone; true if it is worth trying again.
  private static func clearIfVoid(_ path: String, beside fresh: String) -> Bool {
    guard let bytes = try? WholeFile.read(path) else { return true }
    let isGone = (try? SealedJSON.value(Holder.self, from: bytes))?.isGone ?? false
    guard isGone || age(of: path, beside: fresh) > life else { return false }
    // By renaming it only one contender takes it away; and if it was the next holder's, that one gets it back.
    let aside = fresh + ".void"
    guard rename(path, aside) == 0 else { return true }
    defer { unlink(aside) }
    if (try? WholeFile.read(aside)) != bytes {
      _ = link(aside, path)
      return false
    }
    return true
  }

  /// Seconds since a file was touched, by the clock that has just dated another.
  private static func age(of path: String, beside fresh: String) -> Double {
    guard utimensat(AT_FDCWD, fresh, nil, 0) == 0 else { return 0 }
    func time(_ name: String) -> Double? {
      var status = stat()
      guard stat(name, &status) == 0 else { return nil }
      return Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9
    }
    guard let now = time(fresh), let then = time(path) else { return 0 }
    return now - then
  }
}
