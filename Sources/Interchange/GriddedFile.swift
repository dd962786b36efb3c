import CNetCDF
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
    do {
      return try NetCDF.exclusively {
        var dataset = try Dataset(creating: ())
        let dimensionIDs = try dimensions.map {
          try dataset.defineDimension($0.name, $0.length)
        }
        let ids = try variables.map { variable in
          let id = try dataset.defineVariable(
            variable.name, NC_DOUBLE, variable.dimensions.map { dimensionIDs[$0] })
          for (key, value) in variable.texts.sorted(by: { $0.key < $1.key }) where !value.isEmpty {
            try dataset.setText(key, value, of: id)
          }
          try dataset.setFillValue(.nan, of: id)
          return id
        }
        try dataset.setText("Conventions", "CF-1.10", of: NC_GLOBAL)
        for (key, value) in attributes.sorted(by: { $0.key < $1.key }) where NetCDF.isLegal(key) {
          try dataset.setText(key, value, of: NC_GLOBAL)
        }
        try dataset.endDefinitions()
        for (variable, id) in zip(variables, ids) {
          try dataset.put(variable.values, into: id)
        }
        let image = try dataset.finish()
        return withExtendedLifetime(image) { Array(image.bytes) }
      }
    } catch {
      throw .cannotCreate(path: path, reason: "\(error)")
    }
  }
}
