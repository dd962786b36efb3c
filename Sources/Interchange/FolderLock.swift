import Foundation
import SystemPackage

/// A folder that one process uses at a time: created if it is missing, held by a lock on a file in it, which the
/// system releases when the process ends, however it ends.
public final class FolderLock: Sendable {
  public let folder: String
  private let descriptor: Int32

  static let name = "lock"

  /// - Throws: `FileProblem.busy` while another process holds it, `.cannotCreate`.
  public init(_ folder: String) throws(FileProblem) {
    self.folder = folder
    descriptor = try Self.acquire(folder, FilePath(folder).appending(Self.name).string)
  }

  deinit { close(descriptor) }

  private static func acquire(_ folder: String, _ file: String) throws(FileProblem) -> Int32 {
    while true {
      guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
        throw .cannotCreate(path: folder, reason: systemError())
      }
      let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        if errno == ENOENT { continue }  // removed by a process that ended just now
        throw .cannotCreate(path: file, reason: systemError())
      }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let reason = errno
        close(descriptor)
        if reason == EWOULDBLOCK { throw .busy(path: folder) }
        throw .cannotCreate(path: file, reason: systemError(reason))
      }
      // Another process may have ended and removed the file between opening and locking.
      var mine = stat()
      var there = stat()
      if fstat(descriptor, &mine) == 0 && stat(file, &there) == 0 && mine.st_ino == there.st_ino {
        return descriptor
      }
      close(descriptor)
    }
  }
}
