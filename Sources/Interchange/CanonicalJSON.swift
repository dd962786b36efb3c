import Foundation

/// The only encoder of values as JSON in files: sorted keys, unescaped slashes, infinities and NaN as the texts
/// "inf", "-inf" and "nan", so that equal values are equal bytes.
public enum CanonicalJSON {
  /// - Parameters:
  ///   - value: what is encoded.
  ///   - isCompact: everything on one line.
  public static func bytes(_ value: some Encodable, isCompact: Bool = false) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !isCompact { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return Array(try encoder.encode(value))
  }

  public static func value<Value: Decodable>(
    _ type: Value.Type, from bytes: some Sequence<UInt8>
  ) throws -> Value {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try decoder.decode(type, from: Data(bytes))
  }
}

/// A JSON object whose last key is the digest of all bytes before it. Any changed, missing or added bit is noticed:
/// in the bytes before the digest by the digest, in those around it because they are always the same.
public enum SealedJSON {
  /// Why a file is refused.
  public enum Damage: Error { case isDamaged, isUnsealed }

  private static let opening = Array(",\n  \"digest\" : \"".utf8)
  private static let closing = Array("\"\n}\n".utf8)

  /// - Parameters:
  ///   - value: what becomes an object with at least one key.
  ///   - isCompact: everything but the digest on one line.
  public static func bytes(_ value: some Encodable, isCompact: Bool = false) throws -> [UInt8] {
    var head = try CanonicalJSON.bytes(value, isCompact: isCompact)
    while let last = head.last, last == UInt8(ascii: "}") || last == 0x0A || last == 0x20 {
      head.removeLast()
      if last == UInt8(ascii: "}") { break }
    }
    while head.last == 0x0A { head.removeLast() }
    return head + opening + Array(ContentDigest.hex(head).utf8) + closing
  }

  /// - Throws: `Damage.isDamaged`; `.isUnsealed` for JSON without a digest; what decoding throws.
  public static func value<Value: Decodable>(
    _ type: Value.Type, from bytes: [UInt8]
  ) throws -> Value {
    let tail = opening.count + ContentDigest.hexLength + closing.count
    let head = bytes.dropLast(tail)
    let expected = opening + Array(ContentDigest.hex(head).utf8) + closing
    guard bytes.count > tail, bytes.suffix(tail).elementsEqual(expected) else {
      throw hasSign(bytes) ? Damage.isDamaged : Damage.isUnsealed
    }
    return try CanonicalJSON.value(type, from: bytes)
  }

  /// Whether there is, or seems to have been, a digest: a key of that name, or the digits where they belong.
  private static func hasSign(_ bytes: [UInt8]) -> Bool {
    let digits = bytes.dropLast(closing.count).suffix(ContentDigest.hexLength)
    let isHex = { (byte: UInt8) in
      (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
    if digits.count == ContentDigest.hexLength && digits.allSatisfy(isHex) { return true }
    return String(decoding: bytes, as: UTF8.self).contains("\"digest\"")
  }
}
