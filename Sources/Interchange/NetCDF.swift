import CNetCDF
import Dynamics
import Foundation
import LinearAlgebra
import Synchronization

/// Trajectories as NetCDF-4 in CF style; see `Documentation/formats.md`.
///
/// Files are built and read in memory: libnetcdf loses write errors on a full disk, and takes some file names for
/// addresses of servers. The library is not thread-safe, so one lock protects it.
enum NetCDF {
  private static let lock = Mutex(())

  /// HDF5's switch for printing its error stack. It applies to one thread only, and libnetcdf turns it off only for
  /// the thread that comes first; on others every missing attribute that is asked for would appear on standard
  /// error.
  private typealias SetPrinting = @convention(c) (Int64, OpaquePointer?, OpaquePointer?) -> Int32
  private static let setPrinting = dlsym(dlopen(nil, RTLD_LAZY), "H5Eset_auto2")
    .map { unsafeBitCast($0, to: SetPrinting.self) }

  static func exclusively<Result>(_ body: () throws -> Result) throws -> Result {
    try lock.withLock { _ in
      _ = setPrinting?(0, nil, nil)
      return try body()
    }
  }

  private static let reservedNames: Set<String> = ["time", "trajectory", "length"]

  // MARK: Writing

  static func bytes(_ data: Trajectories, path: String) throws(FileProblem) -> [UInt8] {
    let image = try image(data, path: path)
    return withExtendedLifetime(image) { Array(image.bytes) }
  }

  static func image(_ data: Trajectories, path: String) throws(FileProblem) -> FileImage {
    do {
      return try exclusively { try encode(data) }
    } catch {
      throw .cannotCreate(path: path, reason: "\(error)")
    }
  }

  private static func encode(_ data: Trajectories) throws -> FileImage {
    var dataset = try Dataset(creating: ())
    let length = data.samples.map(\.rows).max() ?? 0
    let trajectory = try dataset.defineDimension("trajectory", data.samples.count)
    let time = try dataset.defineDimension("time", length)

    let timeID = try dataset.defineVariable("time", NC_DOUBLE, [time])
    try dataset.setText("units", "s", of: timeID)
    try dataset.setText("long_name", "time since the start of the trajectory", of: timeID)
    try dataset.setText("axis", "T", of: timeID)

    let ids = try zip(data.variables, fileNames(data.variables)).map { variable, name in
      let id = try dataset.defineVariable(name, NC_DOUBLE, [trajectory, time])
      if name != variable.name { try dataset.setText("name", variable.name, of: id) }
      if !variable.unit.isEmpty { try dataset.setText("units", variable.unit, of: id) }
      if !variable.longName.isEmpty { try dataset.setText("long_name", variable.longName, of: id) }
      try dataset.setText("role", variable.role.rawValue, of: id)
      // Other programs then count the lengths among the coordinates, not the variables.
      try dataset.setText("coordinates", "length", of: id)
      try dataset.setFillValue(.nan, of: id)
      return id
    }
    let lengthID = try dataset.defineVariable("length", NC_INT64, [trajectory])
    try dataset.setText("long_name", "number of samples of the trajectory", of: lengthID)
    try dataset.setText("Conventions", "CF-1.10", of: NC_GLOBAL)
    for (key, value) in data.attributes.sorted(by: { $0.key < $1.key }) where isLegal(key) {
      try dataset.setText(key, value, of: NC_GLOBAL)
    }
    try dataset.endDefinitions()

    try dataset.put((0..<length).map { Double($0) * data.timeStep }, into: timeID)
    try dataset.put(data.samples.map { Double($0.rows) }, into: lengthID)
    for (column, id) in ids.enumerated() {
      var values = [Double](repeating: .nan, count: data.samples.count * length)
      for (index, matrix) in data.samples.enumerated() {
        for sample in 0..<matrix.rows { values[index * length + sample] = matrix[sample, column] }
      }
      try dataset.put(values, into: id)
    }
    return try dataset.finish()
  }

  /// Names as NetCDF allows them: a variable's own where it can, otherwise x1…, u1… or y1… by role,
  /// skipping what is taken.
  static func fileNames(_ variables: [Variable]) -> [String] {
    var taken = reservedNames
    for variable in variables where isLegal(variable.name) { taken.insert(variable.name) }
    var counters: [Role: Int] = [:]
    return variables.map { variable in
      if isLegal(variable.name) && !reservedNames.contains(variable.name) { return variable.name }
      let letter = [.state: "x", .control: "u", .observable: "y"][variable.role] ?? "x"
      var candidate = ""
      repeat {
        counters[variable.role, default: 0] += 1
        candidate = "\(letter)\(counters[variable.role, default: 0])"
      } while taken.contains(candidate)
      taken.insert(candidate)
      return candidate
    }
  }

  /// The rules of the NetCDF user's guide, strictly: no slash, no control characters, a letter, digit,
  /// underscore or non-ASCII character first, no space at the end, at most 256 bytes, and in Unicode's
  /// composed form, to which the library would change it.
  static func isLegal(_ name: String) -> Bool {
    guard let first = name.unicodeScalars.first, let last = name.unicodeScalars.last,
      name.utf8.count <= 256
    else { return false }
    let startsWell =
      !first.isASCII || first == "_" || CharacterSet.alphanumerics.contains(first)
    let isClean = name.unicodeScalars.allSatisfy {
      $0.value >= 0x20 && $0.value != 0x7F && $0 != "/"
    }
    let composed = name.precomposedStringWithCanonicalMapping
    return startsWell && isClean && last != " "
      && composed.unicodeScalars.elementsEqual(name.unicodeScalars)
  }

  // MARK: Reading

  static func trajectories(
    _ bytes: [UInt8], path: String, gaps: Gaps
  ) throws(FileProblem) -> Trajectories {
    do {
      return try exclusively { try decode(bytes, path: path, gaps: gaps) }
    } catch let problem as FileProblem {
      throw problem
    } catch let problem as DataProblem {
      throw .badData(path: path, problem: problem)
    } catch {
      throw .malformed(path: path, place: "", reason: "\(error)")
    }
  }

  private static func decode(_ bytes: [UInt8], path: String, gaps: Gaps) throws -> Trajectories {
    try bytes.withUnsafeBytes { buffer in
      guard ClassicHeader.isSound(in: buffer), GlobalHeap.areSound(in: buffer) else {
        throw FileProblem.malformed(path: path, place: "", reason: "the NetCDF file is damaged")
      }
      let dataset: Dataset
      do {
        dataset = try Dataset(reading: buffer)
      } catch {
        throw FileProblem.malformed(
          path: path, place: "", reason: "not a NetCDF file, or cut off (\(error))")
      }
      return try decode(dataset, path: path, gaps: gaps, byteCount: buffer.count)
    }
  }

  private static func decode(
    _ dataset: borrowing Dataset, path: String, gaps: Gaps, byteCount: Int
  ) throws -> Trajectories {
    func malformed(_ place: String, _ reason: String) -> FileProblem {
      .malformed(path: path, place: place, reason: reason)
    }
    let all = try dataset.variables()
    let carriers = all.filter { $0.role != nil }.sorted {
      ($0.position ?? .infinity, $0.id) < ($1.position ?? .infinity, $1.id)
    }
    guard let shape = carriers.first?.dimensions else {
      throw malformed(
        "", "no variable has an attribute \"role\" (\"state\", \"input\" or \"observable\")")
    }
    guard let timeVariable = all.first(where: { $0.name == "time" }),
      let length = shape.last?.length, timeVariable.dimensions.map(\.name) == [shape.last?.name]
    else {
      throw malformed(
        "variable time", "it is missing, or its dimension is not the last one of the variables")
    }
    for variable in carriers where variable.dimensions != shape || !(1...2).contains(shape.count) {
      throw malformed(
        "variable \(variable.name)",
        "its dimensions are "
          + "(\(variable.dimensions.map(\.name).joined(separator: ", "))); (trajectory, time) is needed"
      )
    }
    let count = shape.count == 2 ? shape[0].length : 1
    let (each, overflow) = count.multipliedReportingOverflow(by: max(1, length))
    let (values, isMore) = each.multipliedReportingOverflow(by: carriers.count)
    guard !overflow, !isMore, Expansion.isPlausible(values: values, from: byteCount) else {
      throw malformed(
        "", "\(count) trajectories of \(length) samples cannot lie in \(byteCount) bytes")
    }
    guard let unit = SampleTimes.seconds(unit: timeVariable.unit) else {
      throw malformed(
        "variable time", "its units \"\(timeVariable.unit ?? "")\" are none of s, min, h, d")
    }
    let times = try dataset.values(timeVariable).map { $0 * unit }
    let step = try timeStep(times, path: path)
    let lengths =
      try all.first {
        $0.name == "length" && $0.dimensions.map(\.name) == shape.dropLast().map(\.name)
      }
      .map { try dataset.values($0) } ?? Array(repeating: Double(length), count: count)
    for (index, value) in lengths.enumerated() where !(0...Double(length)).contains(value) {
      throw malformed("variable length, trajectory \(index)", "\(value) is not in 0...\(length)")
    }
    var samples = lengths.map { Matrix(rows: Int($0), columns: carriers.count) }
    for (column, variable) in carriers.enumerated() {
      let values = try dataset.values(variable)
      for trajectory in samples.indices {
        for sample in 0..<samples[trajectory].rows {
          samples[trajectory][sample, column] = values[trajectory * length + sample]
        }
      }
    }
    let variables = try carriers.map { carrier in
      guard let role = carrier.role.flatMap(Role.init(rawValue:)) else {
        throw malformed(
          "variable \(carrier.name)",
          "its role \"\(carrier.role ?? "")\" is none of state, input, observable")
      }
      return Variable(
        carrier.trueName ?? carrier.name, unit: carrier.unit ?? "",
        longName: carrier.longName ?? "", role: role)
    }
    return try Trajectories(
      variables: variables, timeStep: step, samples: samples,
      attributes: try dataset.globalTexts(except: ["Conventions", "_NCProperties"]), gaps: gaps)
  }

  private static func timeStep(_ times: [Double], path: String) throws -> Double {
    guard times.count > 1 else { throw DataProblem.tooShort }
    let step = times[1] - times[0]
    for index in times.indices.dropFirst() {
      let difference = times[index] - times[index - 1]
      guard SampleTimes.areEven(step: step, difference: difference, at: times[index]) else {
        throw FileProblem.malformed(
          path: path, place: "variable time, sample \(index)",
          reason: SampleTimes.complaint(step: step, difference: difference))
      }
    }
    return step
  }
}

/// A whole file in memory that libnetcdf has handed over. Nothing changes it, so that threads may share it.
final class FileImage: @unchecked Sendable {
  private let held: NC_memio

  fileprivate init(_ held: NC_memio) { self.held = held }
  deinit { free(held.memory) }

  /// Only as long as the image lives.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: held.memory, count: held.size)
  }
}

/// What libnetcdf says of a failed call.
struct NetCDFError: Error, CustomStringConvertible {
  let code: Int32
  var variable: String?
  var description: String {
    (variable.map { "variable \($0): " } ?? "") + String(cString: nc_strerror(code))
  }
}

private func check(_ code: Int32) throws {
  if code != NC_NOERR { throw NetCDFError(code: code) }
}

/// An open data set; closed with its owner. The caller holds the lock.
struct Dataset: ~Copyable {
  struct Dimension: Equatable {
    var name: String
    var length: Int
  }

  struct FileVariable {
    var id: Int32
    var name: String
    var dimensions: [Dimension]
    var role: String?
    var trueName: String?
    var unit: String?
    var longName: String?
    var position: Double?
  }

  private let id: Int32
  private var isOpen = true

  /// A file that libnetcdf holds in memory.
  ///
  /// What `nc_create_mem` makes forgets in which order variables were defined (netcdf-c issue 3334), so that other
  /// programs list them by name. An empty file that keeps the order is opened and filled instead.
  init(creating: Void) throws {
    let empty = EmptyFile.bytes
    guard let memory = malloc(empty.count) else { throw NetCDFError(code: NC_ENOMEM) }
    memory.copyMemory(from: empty, byteCount: empty.count)
    // The library frees or returns the memory.
    var held = NC_memio(size: empty.count, memory: memory, flags: 0)
    var id: Int32 = 0
    try check(nc_open_memio("filigree", NC_WRITE, &held, &id))
    let status = nc_redef(id)
    if status != NC_NOERR {
      nc_abort(id)
      throw NetCDFError(code: status)
    }
    self.id = id
  }

  /// - Parameter buffer: must outlive the data set. Only read, though C's type does not say so.
  init(reading buffer: UnsafeRawBufferPointer) throws {
    guard let base = buffer.baseAddress, buffer.count > 0 else {
      throw NetCDFError(code: NC_ENOTNC)
    }
    var id: Int32 = 0
    try check(
      nc_open_mem(
        "filigree", NC_NOWRITE, buffer.count, UnsafeMutableRawPointer(mutating: base), &id))
    self.id = id
  }

  deinit { if isOpen { nc_abort(id) } }

  func defineDimension(_ name: String, _ length: Int) throws -> Int32 {
    var result: Int32 = 0
    // A length of zero would mean "unlimited".
    try check(nc_def_dim(id, name, max(1, length), &result))
    return result
  }

  func defineVariable(_ name: String, _ type: Int32, _ dimensions: [Int32]) throws -> Int32 {
    var result: Int32 = 0
    try check(nc_def_var(id, name, type, Int32(dimensions.count), dimensions, &result))
    return result
  }

  func setText(_ key: String, _ value: String, of variable: Int32) throws {
    try check(nc_put_att_text(id, variable, key, value.utf8.count, value))
  }

  func setFillValue(_ value: Double, of variable: Int32) throws {
    var value = value
    try check(nc_def_var_fill(id, variable, NC_FILL, &value))
  }

  func endDefinitions() throws { try check(nc_enddef(id)) }

  func put(_ values: [Double], into variable: Int32) throws {
    if !values.isEmpty { try check(nc_put_var_double(id, variable, values)) }
  }

  /// Closes the file and returns what it is.
  mutating func finish() throws -> FileImage {
    isOpen = false
    var held = NC_memio()
    try check(nc_close_memio(id, &held))
    return FileImage(held)
  }

  func variables() throws -> [FileVariable] {
    var count: Int32 = 0
    try check(nc_inq_nvars(id, &count))
    return try (0..<count).map { variable in
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      var dimensionCount: Int32 = 0
      try check(nc_inq_varname(id, variable, &name))
      try check(nc_inq_varndims(id, variable, &dimensionCount))
      var dimensions = [Int32](repeating: 0, count: Int(dimensionCount))
      try check(nc_inq_vardimid(id, variable, &dimensions))
      return FileVariable(
        id: variable, name: text(name), dimensions: try dimensions.map { try dimension($0) },
        role: try attribute("role", of: variable), trueName: try attribute("name", of: variable),
        unit: try attribute("units", of: variable),
        longName: try attribute("long_name", of: variable),
        position: number("position", of: variable))
    }
  }

  private func dimension(_ number: Int32) throws -> Dimension {
    var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
    var length = 0
    try check(nc_inq_dim(id, number, &name, &length))
    return Dimension(name: text(name), length: length)
  }

  private func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A text attribute; nil where there is none of that name and type.
  func attribute(_ key: String, of variable: Int32) throws -> String? {
    var type: nc_type = 0
    var length = 0
    guard nc_inq_att(id, variable, key, &type, &length) == NC_NOERR else { return nil }
    if type == NC_STRING, length == 1 {
      var pointer: UnsafeMutablePointer<CChar>?
      try check(nc_get_att_string(id, variable, key, &pointer))
      defer { nc_free_string(1, &pointer) }
      return pointer.map { String(cString: $0) }
    }
    guard type == NC_CHAR else { return nil }
    var characters = [CChar](repeating: 0, count: length + 1)
    try check(nc_get_att_text(id, variable, key, &characters))
    return text(characters)
  }

  private func number(_ key: String, of variable: Int32) -> Double? {
    var value = 0.0
    var length = 0
    guard nc_inq_attlen(id, variable, key, &length) == NC_NOERR, length == 1,
      nc_get_att_double(id, variable, key, &value) == NC_NOERR
    else { return nil }
    return value
  }

  /// A variable's numbers as `Double`: fill values become NaN, CF packing is undone.
  func values(_ variable: FileVariable) throws -> [Double] {
    let count = variable.dimensions.reduce(1) { $0 * $1.length }
    var values = [Double](repeating: 0, count: count)
    if count > 0 {
      let status = nc_get_var_double(id, variable.id, &values)
      if status != NC_NOERR { throw NetCDFError(code: status, variable: variable.name) }
    }
    let fill = number("_FillValue", of: variable.id) ?? NC_FILL_DOUBLE
    let scale = number("scale_factor", of: variable.id) ?? 1
    let offset = number("add_offset", of: variable.id) ?? 0
    for index in values.indices {
      values[index] =
        values[index] == fill
        ? .nan : scale == 1 && offset == 0 ? values[index] : values[index] * scale + offset
    }
    return values
  }

  func globalTexts(except names: Set<String>) throws -> [String: String] {
    var count: Int32 = 0
    try check(nc_inq_natts(id, &count))
    var result: [String: String] = [:]
    for index in 0..<count {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      try check(nc_inq_attname(id, NC_GLOBAL, index, &name))
      let key = text(name)
      if !names.contains(key), let value = try attribute(key, of: NC_GLOBAL) { result[key] = value }
    }
    return result
  }
}

/// An HDF5 file without content whose root group keeps the order in which links are made; libhdf5 wrote it, with
/// `H5Pset_link_creation_order` and the format of release 1.8.
private enum EmptyFile {
  /// A superblock (version 2), the header of the root group, and free space in it up to its checksum.
  static let bytes: [UInt8] =
    superblock + groupHeader + [UInt8](repeating: 0, count: 126) + checksum

  private static let undefined = [UInt8](repeating: 0xFF, count: 8)
  private static let superblock: [UInt8] =
    [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 2, 8, 8, 0]
    + [UInt8](repeating: 0, count: 8) + undefined
    + [0xEF, 0, 0, 0, 0, 0, 0, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 0x94, 0x33, 0x45, 0x0F]
  private static let groupHeader: [UInt8] =
    [0x4F, 0x48, 0x44, 0x52, 2, 0x0C, 0xB4]
    // Links: tracked and indexed by creation, none there.
    + [2, 0x22, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0, count: 8) + undefined + undefined
    + undefined
    // A group's constants, and nothing.
    + [0x0A, 2, 0, 1, 0, 0, 0, 0, 0, 0x7E, 0, 0, 0, 0]
  private static let checksum: [UInt8] = [0x63, 0x28, 0xAC, 0x1C]
}
