import Crypto
import Foundation

/// SHA-256 of content, which shows that what is read back is what was written.
public enum ContentDigest {
  static let hexLength = 64
  static let rawLength = 32

  /// In small hexadecimal digits.
  public static func hex(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: raw(bytes).flatMap(digits), as: UTF8.self)
  }

  static func raw(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    Array(SHA256.hash(data: bytes as? [UInt8] ?? Array(bytes)))
  }

  private static func digits(_ byte: UInt8) -> [UInt8] {
    [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x57 + $0 }
  }

  // MARK: Binary files

  /// The bytes followed by their digest.
  static func sealed(_ bytes: [UInt8]) -> [UInt8] { bytes + raw(bytes) }

  /// The content that was sealed; nil if it, or its digest, has changed.
  static func unsealed(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count >= rawLength else { return nil }
    let content = Array(bytes.dropLast(rawLength))
    return raw(content) == Array(bytes.suffix(rawLength)) ? content : nil
  }
}
