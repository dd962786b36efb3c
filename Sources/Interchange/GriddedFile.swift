import Dynamics

/// Numbers on named dimensions, to be written as NetCDF-4: results that are not trajectories.
public struct GriddedFile: Sendable {
  public struct GridVariable: Sendable {
    public var name: String
    /// Numbers of its dimensions, the slowest first.
    public var dimensions: [Int]
    /// In the order of the dimensions, the last running fastest; NaN where there is none.
    public var values: [Double]
    /// Attributes such as units and long_name.
    public var texts: [String: String]

    public init(
      _ name: String, dimensions: [Int], values: [Double], texts: [String: String] = [:]
    ) {
      self.name = name
      self.dimensions = dimensions
      self.values = values
      self.texts = texts
    }
  }

  public var dimensions: [(name: String, length: Int)]
  public var variables: [GridVariable] = []
  public var attributes: [String: String] = [:]

  public init(dimensions: [(name: String, length: Int)]) { self.dimensions = dimensions }

  /// Names under which variables can lie in a file: their own where NetCDF allows it and they are not
  /// `taken`, otherwise x1, x2, ….
  public static func names(of variables: [Variable]) -> [String] { NetCDF.fileNames(variables) }

  /// - Throws: `FileProblem.cannotCreate` for what NetCDF cannot hold.
  public func bytes(path: String) throws(FileProblem) -> [UInt8] {
    try NetCDF.bytes(self, path: path)
  }
}
