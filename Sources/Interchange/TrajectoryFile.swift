import Dynamics
import Foundation

/// Trajectories in files: NetCDF (`.nc`), tables as text, NumPy archives.
public enum TrajectoryFile {
  /// - Parameters:
  ///   - path: a NetCDF file, or any table as text.
  ///   - controls: the variables that are controls; nil leaves it to the file.
  ///   - gaps: whether values of states may be missing.
  /// - Throws: `FileProblem` with the place.
  public static func read(
    _ path: String, controls: [String]? = nil, gaps: Gaps = .refused
  ) throws(FileProblem) -> Trajectories {
    var settings = TableSettings()
    settings.inputs = controls
    return try read(path, settings: settings, gaps: gaps).data
  }

  /// Reads trajectories from a table in any supported form, with an account of what was found, assumed and done.
  ///
  /// - Parameters:
  ///   - path: a NetCDF file, a NumPy archive (.npz), or a table as text, recognised by its content.
  ///   - settings: what is known about it; the rest is found.
  ///   - gaps: whether values of states may be missing (fill values in NetCDF; in tables empty cells, or words such
  ///     as NaN or Bad). Controls hold their value where they are missing.
  ///   - toleratesUnevenness: whether rows that are not equally spaced are resampled, with a note.
  /// - Throws: `FileProblem` with the place and what to do.
  public static func read(
    _ path: String, settings: TableSettings, gaps: Gaps = .refused,
    toleratesUnevenness: Bool = false
  )
    throws(FileProblem) -> (data: Trajectories, report: TableReport)
  {
    if let problem = settings.problem { throw .malformed(path: path, place: "", reason: problem) }
    var stream = try ByteStream(path)
    try stream.fill()
    // By content, so that a wrong ending does no harm: HDF5 and classic NetCDF have signatures.
    let head = stream.unread
    let isNetCDF =
      head.starts(with: [0x89, 0x48, 0x44, 0x46]) || head.starts(with: Array("CDF".utf8))
    let preparation = TablePreparation(
      settings: settings, gaps: gaps, toleratesUnevenness: toleratesUnevenness)
    if isNetCDF || WholeFile.ending(path) == "nc" {
      let bytes = try stream.drain()
      return try NetCDFTable.read(bytes, path: path, settings: settings, gaps: gaps)
    }
    let table: RawTable
    if NumPyArchive.isOne(head, path) {
      table = try NumPyArchive.table(try stream.drain(), path: path, settings: settings)
    } else {
      table = try TableReader.read(&stream, settings: settings)
    }
    let outcome = try preparation.trajectories(table)
    return (outcome.data, outcome.report)
  }

  /// The bytes of a file for `path`, in the format of its extension.
  /// - Throws: `FileProblem.cannotCreate` for an extension other than `.nc` or `.csv`.
  public static func bytes(_ data: Trajectories, for path: String) throws(FileProblem) -> [UInt8] {
    try checkFormat(path)
    return isCSV(path) ? CSV.bytes(data) : try NetCDF.bytes(data, path: path)
  }

  /// Writes a file in the format of its extension; large data are not held more often than needed.
  /// - Throws: `FileProblem` as `bytes(_:for:)` and `WholeFile.write(_:to:force:)` do.
  public static func write(_ data: Trajectories, to path: String, force: Bool) throws(FileProblem) {
    try checkFormat(path)
    if isCSV(path) {
      try WholeFile.write(CSV.bytes(data), to: path, force: force)
    } else {
      let image = try NetCDF.image(data, path: path)
      try WholeFile.write(image.bytes, to: path, force: force)
      // The bytes are the image's.
      withExtendedLifetime(image) {}
    }
  }

  /// - Throws: `FileProblem.cannotCreate` for an extension other than `.nc` or `.csv`.
  public static func checkFormat(_ path: String) throws(FileProblem) {
    guard isCSV(path) || WholeFile.ending(path) == "nc" else {
      throw .cannotCreate(
        path: path, reason: "the ending tells the format and must be .nc (NetCDF) or .csv")
    }
  }

  private static func isCSV(_ path: String) -> Bool {
    WholeFile.ending(path) == "csv"
  }
}
