import Foundation
import SystemPackage

/// Numbers of a model that are stored in files beside it.
///
/// A location is a file name relative to the model's folder. A location outside that folder, be it by "..", an
/// absolute path or a link, is refused: a model from somebody else cannot read other files.
struct ExternalData {
  /// Of the model.
  let path: String

  func bytes(of tensor: Filigree_Onnx_TensorProto, expected: Int, _ place: String)
    throws(GraphProblem) -> Data
  {
    func problem(_ reason: String) -> GraphProblem { GraphProblem(place: place, reason: reason) }
    let entries = Dictionary(tensor.externalData.map { ($0.key, $0.value) }) { first, _ in first }
    guard let location = entries["location"], !location.isEmpty else {
      throw problem("its numbers lie in another file, and none is named")
    }
    guard !path.isEmpty else {
      throw problem("its numbers lie in another file, \"\(location)\", which is not at hand")
    }
    func number(_ key: String, _ usual: Int) throws(GraphProblem) -> Int {
      guard let text = entries[key] else { return usual }
      guard let value = Int(text), value >= 0 else { throw problem("its \(key) is \"\(text)\"") }
      return value
    }
    let offset = try number("offset", 0)
    let length = try number("length", expected)
    guard length == expected else {
      throw problem("it holds \(length) bytes in \"\(location)\" where \(expected) are needed")
    }
    let file = try inside(location, place)
    guard let handle = FileHandle(forReadingAtPath: file) else {
      throw problem(
        "its numbers lie in \"\(location)\", which is not beside the model; keep both in one folder"
      )
    }
    defer { try? handle.close() }
    do {
      let size = try handle.seekToEnd()
      guard UInt64(offset) <= size, UInt64(length) <= size - UInt64(offset) else {
        throw problem("\"\(location)\" ends before its numbers do")
      }
      try handle.seek(toOffset: UInt64(offset))
      return try handle.read(upToCount: length) ?? Data()
    } catch let known as GraphProblem {
      throw known
    } catch {
      throw problem("\"\(location)\" cannot be read")
    }
  }

  /// The whole path of a file in the model's folder.
  private func inside(_ location: String, _ place: String) throws(GraphProblem) -> String {
    let wanted = FilePath(location)
    let refusal = GraphProblem(
      place: place,
      reason: "its numbers lie in \"\(location)\", outside the model's folder; that is not read")
    guard wanted.isRelative, !wanted.components.contains(where: { $0.kind != .regular }) else {
      throw refusal
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().resolvingSymlinksInPath()
    let file = folder.appendingPathComponent(location)
    let resolved = file.resolvingSymlinksInPath()
    guard resolved.pathComponents.starts(with: folder.pathComponents) else { throw refusal }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: resolved.path, isDirectory: &isFolder) {
      let kind = try? FileManager.default.attributesOfItem(atPath: resolved.path)[.type]
      // A pipe or a device would never end.
      guard kind as? FileAttributeType == .typeRegular else { throw refusal }
    }
    return resolved.path
  }
}
