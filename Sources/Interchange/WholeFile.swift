import CFileSystem
import Foundation
import SystemPackage

/// Reading and writing files as wholes: a reader never sees half of one.
public enum WholeFile {
  /// - Throws: `FileProblem` for a file that is missing, a folder, or cannot be read.
  public static func read(_ path: String) throws(FileProblem) -> [UInt8] {
    var bytes: [UInt8] = []
    try read(path, size: { bytes.reserveCapacity($0) }, { bytes += $0 })
    return bytes
  }

  /// Reads a file piece by piece.
  ///
  /// - Parameters:
  ///   - path: of a file or a pipe.
  ///   - size: told before the first piece, as far as it is known.
  ///   - body: gets at most a mebibyte at a time.
  /// - Throws: as `read`.
  public static func read(
    _ path: String, size: (Int) -> Void = { _ in }, _ body: (ArraySlice<UInt8>) -> Void
  ) throws(FileProblem) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .missing(path: path) }
      throw .unreadable(path: path, reason: systemError())
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw .unreadable(path: path, reason: "it is a folder, a file is needed")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemError()) }
    defer { close(descriptor) }
    size(Int(status.st_size))
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return }
      if count < 0 {
        if errno == EINTR { continue }
        throw .unreadable(path: path, reason: systemError())
      }
      body(chunk[..<count])
    }
  }

  /// Writes beside the target and renames into place.
  ///
  /// - Parameters:
  ///   - bytes: all of the file.
  ///   - path: of the target.
  ///   - force: whether to replace an existing file.
  /// - Throws: `FileProblem.exists`, `.cannotCreate`, or `.writeFailed` (for example on a full disk);
  ///   whatever was there before is then untouched.
  public static func write(_ bytes: some Collection<UInt8>, to path: String, force: Bool)
    throws(FileProblem)
  {
    try checkWritable(path, force: force)
    let path = try target(path)
    let temporary = partialName(path)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: systemError()) }
    // What lies in one piece is not copied.
    let written = bytes.withContiguousStorageIfAvailable {
      writeAll(descriptor, UnsafeRawBufferPointer($0))
    }
    var failure = written ?? Array(bytes).withUnsafeBytes { writeAll(descriptor, $0) }
    if fsync(descriptor) != 0 && errno != EINVAL { failure = failure ?? systemError() }
    if close(descriptor) != 0 { failure = failure ?? systemError() }
    if failure == nil {
      if force {
        if rename(temporary, path) != 0 { failure = systemError() }
      } else if link(temporary, path) == 0 {
        unlink(temporary)
      } else if errno == EEXIST {
        unlink(temporary)
        throw .exists(path: path)
      } else if rename(temporary, path) != 0 {  // a file system without hard links
        failure = systemError()
      }
    }
    if let failure {
      unlink(temporary)
      throw .writeFailed(path: path, reason: failure)
    }
  }

  /// Checks that a file may be created at `path`; to be called before long work.
  public static func checkWritable(_ path: String, force: Bool) throws(FileProblem) {
    guard !path.hasSuffix("/") else {
      throw .cannotCreate(path: path, reason: "a file is to be made, but the name ends in a slash")
    }
    let path = try target(path)
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFDIR else {
        throw .cannotCreate(path: path, reason: "there is a folder of that name")
      }
      // Renaming would put a file in the place of the device or pipe itself.
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw .cannotCreate(path: path, reason: "it is a device or a pipe, not a file")
      }
      if !force { throw .exists(path: path) }
    }
    try checkParent(path)
  }

  /// The extension of a file's name in lower case, without the dot, which decides the format.
  public static func ending(_ path: String) -> String {
    FilePath(path).lastComponent?.extension?.lowercased() ?? ""
  }

  /// Where writing to `path` leads: the end of a symbolic link, so that the link stays one.
  static func target(_ path: String) throws(FileProblem) -> String {
    guard !path.isEmpty else { throw .cannotCreate(path: "\"\"", reason: "the name is empty") }
    let name = FilePath(path).string
    var status = stat()
    guard lstat(name, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return name }
    guard let end = realpath(name, nil) else {
      throw .cannotCreate(path: path, reason: "it is a symbolic link that leads nowhere")
    }
    defer { free(end) }
    return String(cString: end)
  }

  static func checkParent(_ path: String) throws(FileProblem) {
    let parent = parentFolder(path)
    var status = stat()
    guard stat(parent, &status) == 0 else {
      throw .cannotCreate(path: path, reason: "folder \(parent): \(systemError())")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw .cannotCreate(path: path, reason: "\(parent) is not a folder")
    }
    guard access(parent, W_OK | X_OK) == 0 else {
      throw .cannotCreate(path: path, reason: "folder \(parent): \(systemError())")
    }
  }

  static func parentFolder(_ path: String) -> String {
    let parent = FilePath(path).removingLastComponent().string
    return parent.isEmpty ? "." : parent
  }

  /// A hidden name beside `path` that no other process uses.
  static func partialName(_ path: String) -> String {
    // A name has at most 255 bytes, however few characters these are. The random part is for what a
    // killed process of the same number left behind.
    let name = (FilePath(path).lastComponent?.string ?? "").utf8.prefix(200)
    let suffix = "\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
    return FilePath(parentFolder(path))
      .appending(".\(String(decoding: name, as: UTF8.self)).partial-\(suffix)").string
  }

  /// Whether two names lead to the same existing file or folder.
  public static func areSame(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_ino == second.st_ino
      && first.st_dev == second.st_dev
  }

  /// Whether a file is, or would be, directly in a folder.
  public static func lies(_ path: String, in folder: String) -> Bool {
    let parent = FilePath(path).removingLastComponent()
    return areSame(parent.isEmpty ? "." : parent.string, folder)
  }

  /// Removes half-written files that killed processes left in a folder and its subfolders. To be called only by the
  /// holder of the folder's lock.
  public static func removeLeftovers(in folder: String) {
    let entries = FileManager.default.enumerator(atPath: folder)
    while let entry = entries?.nextObject() as? String {
      let name = FilePath(entry).lastComponent?.string ?? ""
      if name.hasPrefix(".") && name.contains(".partial-") {
        unlink(FilePath(folder).appending(entry).string)
      }
    }
  }

  /// The reason of failure, or nil.
  private static func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> String? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = Glibc.write(descriptor, part.baseAddress, part.count)
      if count < 0 {
        if errno == EINTR { continue }
        return systemError()
      }
      rest = rest.dropFirst(count)
    }
    return nil
  }
}

/// A folder that appears whole or not at all: filled beside its target, then renamed into place. Nothing is on disk
/// before the first file is written, so killed work leaves nothing.
public struct OutputFolder: ~Copyable {
  public let path: String
  private let staging: String
  private let force: Bool
  private var isStaged = false
  /// Folders above the target that were made for it, the innermost first.
  private let madeParents: [String]

  /// - Throws: `FileProblem` if the target exists without `force`, may not be replaced, or its place cannot be
  ///   written.
  public init(_ path: String, force: Bool) throws(FileProblem) {
    // This also takes off the slash with which shells complete folder names.
    let target = try WholeFile.target(path)
    let parent = WholeFile.parentFolder(target)
    var missing: [String] = []
    var above = parent
    while access(above, F_OK) != 0, above != WholeFile.parentFolder(above) {
      missing.append(above)
      above = WholeFile.parentFolder(above)
    }
    if access(parent, F_OK) != 0 {
      do {
        try FileManager.default.createDirectory(
          atPath: parent, withIntermediateDirectories: true)
      } catch {
        throw .cannotCreate(path: target, reason: "folder \(parent): \(systemError())")
      }
    }
    try Self.check(target, force: force)
    self.init(target: target, force: force, madeParents: missing)
  }

  private init(target: String, force: Bool, madeParents: [String]) {
    self.madeParents = madeParents
    path = target
    self.force = force
    staging = WholeFile.partialName(target)
  }

  deinit {
    if isStaged { try? FileManager.default.removeItem(atPath: staging) }
    // What was refused leaves nothing; folders with something in them stay.
    for folder in madeParents where rmdir(folder) != 0 { break }
  }

  private static func check(_ path: String, force: Bool) throws(FileProblem) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard force else { throw .exists(path: path) }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw .cannotCreate(path: path, reason: "a folder is to be made, but there is a file")
      }
      let foreign = foreignEntries(path)
      guard foreign.isEmpty else { throw .foreignFolder(path: path, entries: foreign) }
    }
    try WholeFile.checkParent(path)
  }

  /// Entries of a folder that its manifest does not name.
  private static func foreignEntries(_ path: String) -> [String] {
    struct Listing: Decodable { var files: [String] }
    let manifest = FilePath(path).appending("manifest.json").string
    let listing = (try? WholeFile.read(manifest)).flatMap {
      try? JSONDecoder().decode(Listing.self, from: Data($0))
    }
    let ours = Set((listing?.files ?? []) + (listing == nil ? [] : ["manifest.json"]))
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return entries.filter { !ours.contains($0) }.sorted()
  }

  public mutating func write(_ bytes: some Collection<UInt8>, named name: String)
    throws(FileProblem)
  {
    if !isStaged {
      guard mkdir(staging, 0o777) == 0 else {
        throw .cannotCreate(path: path, reason: systemError())
      }
      isStaged = true
    }
    let file = FilePath(staging).appending(name).string
    do {
      try WholeFile.write(bytes, to: file, force: false)
    } catch .writeFailed(_, let reason) {
      throw .writeFailed(
        path: FilePath(path).appending(name).string, reason: reason)
    }
  }

  /// Makes the folder appear under its name, replacing an earlier one.
  public mutating func commit() throws(FileProblem) {
    try Self.check(path, force: force)
    if access(path, F_OK) != 0 {
      guard rename(staging, path) == 0 else {
        throw .writeFailed(path: path, reason: systemError())
      }
    } else {
      // Exchanging the two names is one step: at no moment is there no folder.
      guard filigree_exchange(staging, path) == 0 else {
        throw .writeFailed(path: path, reason: systemError())
      }
      try? FileManager.default.removeItem(atPath: staging)
    }
    isStaged = false
  }
}
