import Dynamics
import Foundation

/// Trajectories in files: NetCDF-4 (`.nc`) or CSV (`.csv`).
public enum TrajectoryFile {
  /// - Parameters:
  ///   - path: ending in `.nc` or `.csv`.
  ///   - controls: for CSV, the columns that are controls; nil leaves it to the header.
  ///   - gaps: whether values of states may be missing (fill values in NetCDF; in CSV nothing, NA or NaN).
  /// - Throws: `FileProblem` with the place.
  public static func read(
    _ path: String, controls: [String]? = nil, gaps: Gaps = .refused
  ) throws(FileProblem) -> Trajectories {
    let bytes = try WholeFile.read(path)
    // By content, so that a wrong ending does no harm: HDF5 and classic NetCDF have signatures.
    let isNetCDF =
      bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) || bytes.starts(with: Array("CDF".utf8))
    let isNamedNetCDF = WholeFile.ending(path) == "nc"
    let data =
      isNetCDF || isNamedNetCDF
      ? try NetCDF.trajectories(bytes, path: path, gaps: gaps)
      : try CSV.trajectories(bytes, path: path, gaps: gaps)
    guard let controls else { return data }
    return try locating(path) { () throws(DataProblem) in try data.declaring(controls: controls) }
  }

  /// The bytes of a file for `path`, by its ending.
  /// - Throws: `FileProblem.cannotCreate` for another ending than `.nc` or `.csv`.
  public static func bytes(_ data: Trajectories, for path: String) throws(FileProblem) -> [UInt8] {
    try checkFormat(path)
    return isCSV(path) ? CSV.bytes(data) : try NetCDF.bytes(data, path: path)
  }

  /// - Throws: `FileProblem.cannotCreate` for an ending that is neither `.nc` nor `.csv`.
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
