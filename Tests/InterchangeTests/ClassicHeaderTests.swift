import Foundation
import Interchange
import LinearAlgebra
import Testing

/// Classic NetCDF files, made here byte by byte after the format's grammar.
@Suite("Headers of classic NetCDF")
struct ClassicHeaderTests {
  private struct Writer {
    var bytes: [UInt8]
    let version: UInt8
    /// Where counts and lengths stand.
    var counts: [Int] = []

    init(version: UInt8) {
      bytes = Array("CDF".utf8) + [version]
      self.version = version
    }

    mutating func number(_ value: Int, bytes count: Int) {
      bytes += (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    mutating func count(_ value: Int) {
      counts.append(bytes.count)
      number(value, bytes: version == 5 ? 8 : 4)
    }
    mutating func text(_ text: String) {
      count(text.utf8.count)
      bytes += Array(text.utf8)
      while bytes.count % 4 != 0 { bytes.append(0) }
    }
    mutating func list(_ tag: Int, _ length: Int) {
      number(tag, bytes: 4)
      count(length)
    }
    mutating func attribute(_ name: String, _ value: String) {
      text(name)
      number(2, bytes: 4)
      text(value)
    }
  }

  /// Three times of a state and an input: header, then the numbers.
  private func file(version: UInt8) -> Writer {
    // Offsets are known once the header's length is, which does not depend on them.
    func made(_ begins: [Int]) -> Writer {
      var writer = Writer(version: version)
      writer.count(0)
      writer.list(10, 1)
      writer.text("time")
      writer.count(3)
      writer.list(12, 1)
      writer.attribute("Conventions", "CF-1.10")
      writer.list(11, 3)
      let roles = [("time", "units", "s"), ("x", "role", "state"), ("u", "role", "input")]
      for (index, role) in roles.enumerated() {
        writer.text(role.0)
        writer.count(1)
        writer.count(0)
        writer.list(12, 1)
        writer.attribute(role.1, role.2)
        writer.number(6, bytes: 4)
        writer.number(24, bytes: version == 5 ? 8 : 4)
        writer.number(begins[index], bytes: version == 1 ? 4 : 8)
      }
      return writer
    }
    let start = made([0, 0, 0]).bytes.count
    var writer = made([start, start + 24, start + 48])
    for value in [0.0, 1, 2, 5, 6, 8, -1, 1, -1] {
      writer.number(Int(bitPattern: UInt(value.bitPattern)), bytes: 8)
    }
    return writer
  }

  private func isSound(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { ClassicHeader.isSound(in: $0) }
  }

  @Test("Whole files are read", arguments: [1, 2, 5] as [UInt8])
  func whole(version: UInt8) throws {
    let bytes = file(version: version).bytes
    #expect(isSound(bytes))
    let data = try read(bytes, as: "nc")
    #expect(data.states.map(\.name) == ["x"] && data.controls.map(\.name) == ["u"])
    #expect(data.samples[0].column(0) == [5, 6, 8])
  }

  @Test("A count that the file has no room for is refused", arguments: [1, 2, 5] as [UInt8])
  func hugeCounts(version: UInt8) throws {
    let whole = file(version: version)
    // The first count is that of records; lengths of dimensions and numbers of them may be large.
    let lengthOfTime = 3
    for (index, place) in whole.counts.enumerated() where index != 0 && index != lengthOfTime {
      for byte in [0x0A, 0x7F, 0xFF] as [UInt8] {
        var changed = whole.bytes
        changed[place] = byte
        #expect(!isSound(changed), "count \(index), \(byte)")
        #expect(try problem { try read(changed, as: "nc") }.kind == .malformed)
      }
    }
  }

  @Test("Cut anywhere in its header, or with any damage, it is refused or read, never a crash")
  func damage() throws {
    let whole = file(version: 1)
    for count in 4..<(whole.bytes.count - 72) {
      #expect(!isSound(Array(whole.bytes.prefix(count))), "cut to \(count)")
    }
    for seed in 0..<400 as Range<UInt64> {
      _ = try? read(damaged(whole.bytes, seed: seed), as: "nc")
    }
  }
}
