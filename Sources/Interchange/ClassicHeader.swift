/// The header of a classic NetCDF file (CDF-1, 2 and 5), checked before libnetcdf reads it: libnetcdf allocates
/// what a header counts, and crashes where an allocation fails.
///
/// The grammar is the one of the NetCDF user's guide, appendix B: a magic number, the number of records, then
/// dimensions, global attributes and variables, each list with a tag and a count.
package struct ClassicHeader {
  /// Whether each count fits the size of the file, and every dimension, type and offset is possible.
  package static func isSound(in file: UnsafeRawBufferPointer) -> Bool {
    guard file.count >= 4, file.starts(with: Array("CDF".utf8)) else { return true }
    guard [1, 2, 5].contains(file[3]) else { return false }
    var header = ClassicHeader(file: file, version: file[3])
    return header.isSound()
  }

  private let file: UnsafeRawBufferPointer
  /// Bytes of counts and lengths, and of offsets.
  private let countSize: Int
  private let offsetSize: Int
  private var position = 4
  private var dimensionCount = 0

  private init(file: UnsafeRawBufferPointer, version: UInt8) {
    self.file = file
    countSize = version == 5 ? 8 : 4
    offsetSize = version == 1 ? 4 : 8
  }

  private enum Tag: Int {
    case dimension = 10
    case variable, attribute
  }

  private mutating func isSound() -> Bool {
    // The number of records may be all ones, which means "not known".
    guard skip(countSize), let dimensions = list(.dimension) else { return false }
    for _ in 0..<dimensions { guard name(), number(countSize) != nil else { return false } }
    dimensionCount = dimensions
    guard attributes(), let variables = list(.variable) else { return false }
    for _ in 0..<variables { guard variable() else { return false } }
    return true
  }

  private mutating func variable() -> Bool {
    guard name(), let rank = count(), rank <= 1024 else { return false }
    for _ in 0..<rank {
      guard let dimension = number(countSize), dimension < dimensionCount else { return false }
    }
    guard attributes(), type() != nil, skip(countSize), let begin = number(offsetSize) else {
      return false
    }
    return begin <= file.count
  }

  private mutating func attributes() -> Bool {
    guard let attributes = list(.attribute) else { return false }
    for _ in 0..<attributes {
      guard name(), let size = type(), let values = number(countSize),
        values <= (file.count - position) / size, skip((values * size + 3) & ~3)
      else { return false }
    }
    return true
  }

  /// The length of a list; nothing where there is a zero for its tag.
  private mutating func list(_ tag: Tag) -> Int? {
    guard let found = number(4), let count = count() else { return nil }
    return found == tag.rawValue || found == 0 && count == 0 ? count : nil
  }

  /// Of things that take at least four bytes each.
  private mutating func count() -> Int? {
    guard let count = number(countSize), count <= (file.count - position) / 4 else { return nil }
    return count
  }

  private mutating func name() -> Bool {
    guard let length = number(countSize), length <= file.count - position else { return false }
    return skip((length + 3) & ~3)
  }

  /// Bytes of a value of the type that stands here.
  private mutating func type() -> Int? {
    guard let type = number(4) else { return nil }
    return switch type {
    case 1, 2, 7: 1
    case 3, 8: 2
    case 4, 5, 9: 4
    case 6, 10, 11: 8
    default: nil
    }
  }

  private mutating func skip(_ count: Int) -> Bool {
    guard count <= file.count - position else { return false }
    position += count
    return true
  }

  /// An unsigned number, the most significant byte first.
  private mutating func number(_ size: Int) -> Int? {
    guard size <= file.count - position else { return nil }
    let value = file[position..<(position + size)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    position += size
    return Int(exactly: value)
  }
}
