/// Words that are meant when something else was typed.
public enum Spelling {
  /// The nearest of some words, where one is near: at most two changes apart, or a third of the word's letters in long
  /// ones, or what was begun. An exchange of neighbours counts as one change.
  ///
  /// - Returns: the first of those equally near.
  public static func nearest(_ word: String, among words: [String]) -> String? {
    let most = max(2, word.count / 3)
    let begun = words.filter { $0.hasPrefix(word) && word.count >= 3 }
    if begun.count == 1 { return begun[0] }
    let near = words.map { ($0, min(distance(word, $0), cut(word, from: $0))) }
      .filter { $0.1 <= most && $0.1 < max($0.0.count, word.count) }
    return near.min { $0.1 < $1.1 }?.0
  }

  /// What of a word was begun, with a mistake: one more than that.
  private static func cut(_ word: String, from whole: String) -> Int {
    guard word.count >= 4, whole.count > word.count else { return whole.count }
    let lengths = (word.count - 1)...min(whole.count, word.count + 1)
    return 1 + (lengths.map { distance(word, String(whole.prefix($0))) }.min() ?? whole.count)
  }

  /// Insertions, deletions, replacements and exchanges of neighbours between two words (optimal string alignment).
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var before: [Int] = []
    var last = Array(0...b.count)
    for row in a.indices {
      var now = [row + 1]
      for column in b.indices {
        var best = min(
          last[column] + (a[row] == b[column] ? 0 : 1), last[column + 1] + 1, now[column] + 1)
        if row > 0, column > 0, a[row] == b[column - 1], a[row - 1] == b[column] {
          best = min(best, before[column - 1] + 1)
        }
        now.append(best)
      }
      (before, last) = (last, now)
    }
    return last[b.count]
  }
}
