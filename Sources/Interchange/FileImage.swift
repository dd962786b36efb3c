import Foundation

/// The bytes of the one HDF5 file that is open, which HDF5 holds in memory.
///
/// libnetcdf does not tell HDF5's number of its file; the caller holds the lock, so there is but one.
enum FileImage {
  private typealias List = @convention(c) (Int64, UInt32, Int, UnsafeMutablePointer<Int64>) -> Int
  private typealias Image = @convention(c) (Int64, UnsafeMutableRawPointer?, Int) -> Int

  private static func symbol(_ name: String) -> UnsafeMutableRawPointer? {
    dlsym(dlopen(nil, RTLD_LAZY), name)
  }
  private static let list = symbol("H5Fget_obj_ids").map { unsafeBitCast($0, to: List.self) }
  private static let image = symbol("H5Fget_file_image").map { unsafeBitCast($0, to: Image.self) }

  static var isAvailable: Bool { list != nil && image != nil }

  /// Nil where not exactly one file is open, or HDF5 refuses.
  static var bytes: [UInt8]? {
    guard let list, let image else { return nil }
    let (anyFile, files): (Int64, UInt32) = (0x1F, 0x01)
    var ids: [Int64] = [0, 0]
    guard list(anyFile, files, ids.count, &ids) == 1 else { return nil }
    let size = image(ids[0], nil, 0)
    guard size > 0 else { return nil }
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = max(0, image(ids[0], buffer.baseAddress, size))
    }
    return bytes.count == size ? bytes : nil
  }
}
