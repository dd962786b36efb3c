import Foundation
import LinearAlgebra

/// Files that come with the package's tests.
public enum Fixture {
  /// The package's folder, found from where this file was compiled.
  public static let packageFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  public static func path(_ name: String) -> String {
    packageFolder.appendingPathComponent("Fixtures").appendingPathComponent(name).path
  }

  public static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  public static func json<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(try bytes(name)))
  }

  /// A fresh folder, removed by nobody but the system.
  public static func temporaryFolder() throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("filigree-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.path
  }
}

extension Matrix {
  /// The largest |a − b|, relative to the larger of `floor` and the largest |b|.
  public func deviation(from other: Matrix, floor: Double = 1e-300) -> Double {
    guard rows == other.rows, columns == other.columns else { return .infinity }
    let scale = other.elements.map(abs).max().map { max($0, floor) } ?? floor
    return (zip(elements, other.elements).map { abs($0 - $1) }.max() ?? 0) / scale
  }

  /// The largest relative error of an element: |a − b|/|b|, where b = 0 |a| itself.
  public func largestRelativeError(against other: Matrix) -> Double {
    guard rows == other.rows, columns == other.columns else { return .infinity }
    return zip(elements, other.elements).map { $1 == 0 ? abs($0) : abs($0 / $1 - 1) }.max() ?? 0
  }
}

/// |a − b| relative to |b|, or |a| where b is zero.
public func relativeError(_ a: [Double], _ b: [Double]) -> Double {
  Matrix(rows: 1, columns: a.count, elements: a)
    .largestRelativeError(against: Matrix(rows: 1, columns: b.count, elements: b))
}
