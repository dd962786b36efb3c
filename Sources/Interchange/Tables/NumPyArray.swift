import Foundation

extension NumPyArchive {
  /// One .npy: a magic, a header as a Python dictionary, numbers; nil for an array of something else.
  /// - Parameters:
  ///   - others: how many numbers were read of the same file.
  ///   - fileBytes: the size of that file.
  static func array(
    _ bytes: ArraySlice<UInt8>, _ name: String, _ path: String, besides others: Int,
    of fileBytes: Int
  ) throws(FileProblem) -> ArrayContent? {
    func malformed(_ reason: String) -> FileProblem {
      .malformed(path: path, place: "array \(Words.shown(name))", reason: reason)
    }
    let start = bytes.startIndex
    guard bytes.count >= 10, bytes.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) else {
      return nil
    }
    let isLong = bytes[start + 6] > 1
    guard !isLong || bytes.count >= 12 else { throw malformed("it is cut off") }
    let length =
      isLong
      ? Int(bytes[start + 8]) | Int(bytes[start + 9]) << 8 | Int(bytes[start + 10]) << 16 | Int(
        bytes[start + 11]) << 24
      : Int(bytes[start + 8]) | Int(bytes[start + 9]) << 8
    let headerStart = start + (isLong ? 12 : 10)
    guard length < 1 << 20, headerStart + length <= bytes.endIndex else {
      throw malformed("it is cut off")
    }
    let header = String(decoding: bytes[headerStart..<(headerStart + length)], as: UTF8.self)
    guard
      let type = value(of: "descr", in: header)?.trimmingCharacters(
        in: CharacterSet(charactersIn: "'\" ")),
      let shapeText = value(of: "shape", in: header)
    else { return nil }
    let isFortran = value(of: "fortran_order", in: header)?.contains("True") ?? false
    let shape = shapeText.split { !$0.isNumber }.map { Int($0) ?? -1 }
    guard shape.count <= 4, shape.allSatisfy({ $0 >= 0 }) else {
      throw malformed("its shape \(Words.shown(shapeText)) is none")
    }
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw malformed("its shape is too large") }
      count = product
    }
    guard let element = Element(type) else { return nil }
    let data = bytes[(headerStart + length)...]
    guard count.multipliedReportingOverflow(by: element.size).overflow == false,
      count * element.size <= data.count
    else {
      throw malformed("it has \(count) elements by its header, but \(data.count) bytes")
    }
    // A byte of an array of bytes becomes a number of eight.
    guard Expansion.isPlausible(values: others + count, from: 8 * fileBytes) else {
      throw malformed("it holds more numbers (\(Words.grouped(count))) than the file can")
    }
    var content = ArrayContent(name: name, shape: shape, values: [])
    (content.values, content.start) = element.values(data, count)
    content.isDuration = element.isDuration
    if isFortran && shape.count > 1 { content.values = transposed(content.values, shape) }
    return content
  }

  private static func value(of key: String, in header: String) -> String? {
    guard let place = header.range(of: "'\(key)':") else { return nil }
    let rest = header[place.upperBound...].drop { $0 == " " }
    if rest.first == "(" { return rest.firstIndex(of: ")").map { String(rest[...$0]) } }
    return String(rest.prefix { $0 != "," && $0 != "}" })
  }

  private static func transposed(_ values: [Double], _ shape: [Int]) -> [Double] {
    var result = values
    var strides: [Int] = []
    var stride = 1
    for extent in shape {
      strides.append(stride)
      stride *= extent
    }
    for index in values.indices {
      var rest = index
      var offset = 0
      for axis in shape.indices.reversed() {
        offset += rest % shape[axis] * strides[axis]
        rest /= shape[axis]
      }
      result[index] = values[offset]
    }
    return result
  }

  /// A kind of number in a file.
  private struct Element {
    var kind: Character
    var size: Int
    var isBig: Bool
    /// Nanoseconds of a unit of datetime64 and timedelta64.
    var unit: Int64 = 1

    var isDuration: Bool { kind == "m" }

    init?(_ type: String) {
      guard let order = type.first, "<>|=".contains(order), let kind = type.dropFirst().first,
        "fiubmM".contains(kind)
      else { return nil }
      let digits = type.dropFirst(2).prefix { $0.isNumber }
      guard let size = Int(digits), [1, 2, 4, 8].contains(size), kind != "f" || size >= 2 else {
        return nil
      }
      (self.kind, self.size, isBig) = (kind, size, order == ">")
      if kind == "m" || kind == "M" {
        let word = type.dropFirst(2 + digits.count).trimmingCharacters(
          in: CharacterSet(charactersIn: "[]"))
        let units: [String: Int64] = [
          "ns": 1, "us": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
          "h": 3_600_000_000_000,
          "D": 86_400_000_000_000,
        ]
        guard let found = units[word], size == 8 else { return nil }
        unit = found
      }
    }

    func values(_ data: ArraySlice<UInt8>, _ count: Int) -> ([Double], Int64?) {
      data.withUnsafeBytes { raw in
        func load<T: FixedWidthInteger>(_ index: Int, _: T.Type) -> T {
          let value = raw.loadUnaligned(fromByteOffset: index * size, as: T.self)
          return isBig ? T(bigEndian: value) : T(littleEndian: value)
        }
        if kind == "M" || kind == "m" {
          let first = kind == "M" && count > 0 ? load(0, Int64.self) : 0
          let scale = Double(unit) * 1e-9
          let values = (0..<count).map { index -> Double in
            let value = load(index, Int64.self)
            return value == .min ? .nan : Double(value &- first) * scale
          }
          let (start, overflow) = first.multipliedReportingOverflow(by: unit)
          return (values, kind == "M" && !overflow ? start : nil)
        }
        let values = (0..<count).map { index -> Double in
          switch (kind, size) {
          case ("f", 8): Double(bitPattern: load(index, UInt64.self))
          case ("f", 4): Double(Float(bitPattern: load(index, UInt32.self)))
          case ("f", _): Self.half(load(index, UInt16.self))
          case ("i", 8): Double(load(index, Int64.self))
          case ("i", 4): Double(load(index, Int32.self))
          case ("i", 2): Double(load(index, Int16.self))
          case ("i", _): Double(load(index, Int8.self))
          case ("u", 8): Double(load(index, UInt64.self))
          case ("u", 4): Double(load(index, UInt32.self))
          case ("u", 2): Double(load(index, UInt16.self))
          default: Double(load(index, UInt8.self))
          }
        }
        return (values, nil)
      }
    }

    private static func half(_ bits: UInt16) -> Double {
      let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
      let sign = bits >> 15 == 1 ? -1.0 : 1.0
      switch exponent {
      case 0: return sign * fraction * 0x1p-24
      case 31: return fraction == 0 ? sign * .infinity : .nan
      default:
        return sign * (1 + fraction / 1024)
          * Double(sign: .plus, exponent: exponent - 15, significand: 1)
      }
    }
  }
}
