import Foundation

/// The global heaps of an HDF5 file, in which NetCDF-4 records which variables have which dimensions.
///
/// Other metadata carry checksums or are checked as they are read. The sizes in these heaps are not: a wrong one
/// leads libhdf5 out of memory or into an endless loop.
enum GlobalHeap {
  private static let signature: [UInt8] = Array("GCOL".utf8) + [1, 0, 0, 0]
  private static let headerSize = 16

  /// Whether the sizes of all heaps of the file add up.
  static func areSound(in file: UnsafeRawBufferPointer) -> Bool {
    guard file.count > headerSize, usesEightByteLengths(file) else { return true }
    var start = 0
    while let found = next(in: file, from: start) {
      guard isSound(UnsafeRawBufferPointer(rebasing: file[found...])) else { return false }
      start = found + 1
    }
    return true
  }

  /// As practically all files do; others are not looked at.
  private static func usesEightByteLengths(_ file: UnsafeRawBufferPointer) -> Bool {
    file[file[8] < 2 ? 14 : 10] == 8
  }

  private static func next(in file: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = file.baseAddress else { return nil }
    var position = start
    while position + headerSize <= file.count,
      let hit = memchr(base + position, Int32(signature[0]), file.count - position)
    {
      position = UnsafeRawPointer(hit) - base
      if file[position...].starts(with: signature) { return position }
      position += 1
    }
    return nil
  }

  /// A heap is a header with its size, then objects, each a header with its number and its size and
  /// then its bytes up to a multiple of eight; number 0 is the room that is left.
  private static func isSound(_ heap: UnsafeRawBufferPointer) -> Bool {
    guard heap.count >= headerSize, let end = size(at: 8, of: heap),
      (headerSize...heap.count).contains(end)
    else { return false }
    var position = headerSize
    while end - position >= headerSize {
      guard let size = size(at: position + 8, of: heap), size <= end - position else {
        return false
      }
      let isRest = heap[position] == 0 && heap[position + 1] == 0
      let (whole, room) = (headerSize + (size + 7) & ~7, end - position)
      guard isRest ? size == room : whole <= room else { return false }
      position += isRest ? size : whole
    }
    return true
  }

  private static func size(at position: Int, of heap: UnsafeRawBufferPointer) -> Int? {
    let number = heap.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    return Int(exactly: UInt64(littleEndian: number))
  }
}
