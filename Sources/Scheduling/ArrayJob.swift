/// What a task of a job is given by the cluster; nil where the cluster's own default holds.
public struct Resources: Equatable, Sendable {
  public var partition: String?
  public var account: String?
  /// Quality of service.
  public var quality: String?
  /// Features that a node must have.
  public var constraint: String?
  /// The limit of a task's wall time, in seconds.
  public var time: Int?
  /// In mebibytes, for each task.
  public var memory: Int?
  public var cores: Int

  public init(
    partition: String? = nil, account: String? = nil, quality: String? = nil,
    constraint: String? = nil, time: Int? = nil, memory: Int? = nil, cores: Int = 1
  ) {
    self.partition = partition
    self.account = account
    self.quality = quality
    self.constraint = constraint
    self.time = time
    self.memory = memory
    self.cores = cores
  }
}

/// A command that is run once, or once for each of several numbers, which it finds in its environment.
public struct ArrayJob: Equatable, Sendable {
  public var name: String
  /// The tasks are 0 to `count` − 1; nil for a job without numbers.
  public var count: Int?
  /// Tasks that may run at once; nil for all.
  public var atOnce: Int?
  public var resources: Resources
  /// Jobs that must have ended, however they did.
  public var after: [String]
  /// Where it runs.
  public var folder: String
  /// The name of the log in `folder`; `%a` is the task's number.
  public var log: String
  /// The script that starts `command`, in `folder`: its arguments are the command.
  public var script: String
  /// A program and its arguments, as they are.
  public var command: [String]

  public init(
    name: String, count: Int? = nil, atOnce: Int? = nil, resources: Resources,
    after: [String] = [], folder: String, log: String, script: String, command: [String]
  ) {
    self.name = name
    self.count = count
    self.atOnce = atOnce
    self.resources = resources
    self.after = after
    self.folder = folder
    self.log = log
    self.script = script
    self.command = command
  }

  /// The script: no name is ever part of it.
  public static let startingScript = "#!/bin/sh\nexec \"$@\"\n"
}
