import Foundation
import Interchange
import TestSupport
import Testing

/// Tables that would fill memory, or mislead a program that shows them.
@Suite("Hostile tables")
struct HostileTableTests {
  private func words(_ bytes: some Collection<UInt8>, named name: String) throws -> String {
    let path = try temporaryFile(bytes, named: name)
    return try problem { try TrajectoryFile.read(path) }.words
  }

  @Test("A line of 100 MB is refused once 16 MB of it are read")
  func longLine() throws {
    let line = Data("time,x,u\n0,1,2\n".utf8) + Data(repeating: 0x31, count: 100_000_000)
    #expect(try words(line, named: "long.csv").contains("a line has more than 16 MB"))
  }

  @Test("A million columns are refused", arguments: [",", ";", "\t"])
  func manyColumns(separator: String) throws {
    let header = (0..<1_000_000).map { "c\($0)" }.joined(separator: separator)
    let row = [String](repeating: "1", count: 1_000_000).joined(separator: separator)
    let found = try words("\(header)\n\(row)\n\(row)\n".utf8, named: "wide.csv")
    #expect(found.contains("a table of trajectories has at most 10000"), "\(found)")
  }

  @Test("NUL bytes are refused, in the first bytes and later")
  func nulBytes() throws {
    let rows = (0..<40_000).map { "\($0),\($0 % 7),\($0 % 3)\n" }.joined()
    let table = Array(("time,x,u\n" + rows).utf8)
    for place in [30, table.count - 4] {
      var bytes = table
      bytes[place] = 0
      let found = try words(bytes, named: "nul.csv")
      #expect(found.contains("NUL") || found.contains("is not a number"), "\(found)")
      #expect(!found.unicodeScalars.contains("\0"))
    }
  }

  @Test("Formulas in names stay text, and are no formulas in what is written for spreadsheets")
  func formulas() throws {
    let rows = (0..<30).map { "\($0),\(sin(Double($0))),\($0 / 7 % 3)\n" }.joined()
    let path = try temporaryFile(
      ("time,\"=HYPERLINK(\"\"x\"\")\",@SUM(1)\n" + rows).utf8, named: "formula.csv")
    let data = try TrajectoryFile.read(path, settings: TableSettings()).data
    #expect(data.variables.map(\.name) == ["=HYPERLINK(\"x\")", "@SUM(1)"])
  }

  @Test("Archives that announce or unpack too much are refused", arguments: [true, false])
  func bombs(isHonest: Bool) throws {
    // 400 MB of zeros as bytes: stored, they would be 3.2 GB of numbers.
    let count = isHonest ? 400_000_000 : 40
    let announced = isHonest ? count : 4_000_000_000
    let found = try words(
      archive(zeros: count, announced: UInt32(announced)), named: "bomb.npz")
    #expect(found.contains("the archive announces more than it can hold"), "\(found)")
  }

  @Test("A NetCDF file of few bytes does not hold a billion samples")
  func emptyDimensions() throws {
    var file = GriddedFile(dimensions: [("time", 1_000_000_000)])
    file.variables = [
      .init("time", dimensions: [0], values: []), .init("x", dimensions: [0], values: []),
    ]
    let bytes = try file.bytes(path: "a.nc")
    #expect(try words(bytes, named: "huge.nc").contains("cannot lie in"))
  }

  /// A zip archive with one member of zeros, deflated as runs of the longest length, written after the format's
  /// grammar. Checksums are not looked at.
  private func archive(zeros count: Int, announced: UInt32) -> [UInt8] {
    func bytes(_ value: Int, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    // About a thousandth, as the best compression has it.
    let packed = [UInt8](repeating: 0xB5, count: count / 1000 + 40)
    let name = Array("x.npy".utf8)
    let sizes = bytes(packed.count, 4) + bytes(Int(announced), 4)
    let common = bytes(20, 2) + bytes(0, 2) + bytes(8, 2) + bytes(0, 4) + bytes(0, 4) + sizes
    let local =
      bytes(0x0403_4B50, 4) + common + bytes(name.count, 2) + bytes(0, 2) + name + packed
    let entry =
      bytes(0x0201_4B50, 4) + bytes(20, 2) + common + bytes(name.count, 2) + bytes(0, 12)
      + bytes(0, 4) + name
    return local + entry + bytes(0x0605_4B50, 4) + bytes(0, 4) + bytes(1, 2) + bytes(1, 2)
      + bytes(entry.count, 4) + bytes(local.count, 4) + bytes(0, 2)
  }
}
