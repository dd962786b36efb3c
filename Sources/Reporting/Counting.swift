/// "1 member", "3 members", "2 trajectories"
public func counted(_ count: Int, _ noun: String) -> String {
  let plural = noun.hasSuffix("y") ? "\(noun.dropLast())ies" : "\(noun)s"
  return "\(count) \(count == 1 ? noun : plural)"
}
