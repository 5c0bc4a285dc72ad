// SPDX-License-Identifier: Apache-2.0

/// What reading a workspace's files refuses, at load as here.
enum DefinitionExplanations {
  static let unknownName = Explanation(
    "W207", .error, "unknown tool or agent", "Nothing of that name is in the workspace.",
    wrong: "return { prompt = \"p\", tools = { \"ad\" } }\n",
    right: "return { prompt = \"p\", tools = { \"add\" } }\n",
    path: "agents/notes.lua",
    beside: [
      "tools/notes.lua": "return { add = { description = \"Adds.\", run = function() end } }",
      "agents/other.lua": "return { prompt = \"p\", tools = { \"add\" } }",
    ], isIgnorable: false)
  static let duplicateName = Explanation(
    "W208", .error, "name that is taken",
    "Tool names are unique in a workspace, and names of evals in their file.",
    wrong: tools("run = function() end"),
    right: tools("run = function() end").replacing("add =", with: "keep ="),
    path: "tools/notes.lua",
    beside: [
      "tools/more.lua": "return { add = { description = \"Adds.\", run = function() end } }",
      "agents/other.lua": "return { prompt = \"p\", tools = { \"add\", \"keep\" } }",
    ], isIgnorable: false)

  static let all: [Explanation] =
    [
      Explanation(
        "W101", .error, "file that cannot be loaded",
        "It is not UTF-8, too large, not readable, or has a name that is not made of a-z, 0-9 and _. A file whose name begins with `_` is left alone.",
        wrong: "", right: "return {}\n", isIgnorable: false),
      Explanation(
        "W102", .error, "file that fails while it loads",
        "Only running it shows this, which `serve` does and `lint` does not: the file raised an error before it returned.",
        wrong: "", right: "return {}\n", isIgnorable: false),
      agent(
        "W201", "unknown field", "No such field is read; most often it is a slip.", wrong: "promt = \"p\"",
        right: "prompt = \"p\""),
      agent(
        "W202", "wrong type", "The field takes a value of another type.",
        wrong: "prompt = \"p\", history = \"all\"",
        right: "prompt = \"p\", history = 20"),
      agent(
        "W203", "value out of range", "The message says which values are taken.",
        wrong: "prompt = \"p\", temperature = 9",
        right: "prompt = \"p\", temperature = 0.9"),
      agent(
        "W204", "missing field", "An agent has a body, a tool a description and `run`.",
        wrong: "description = \"d\"",
        right: "description = \"d\", prompt = \"p\""),
      agent(
        "W205", "fields that contradict each other", "An agent has exactly one body.",
        wrong: "prompt = \"p\", run = function() return \"x\" end", right: "run = function() return \"x\" end"
      ),
      Explanation(
        "W206", .error, "invalid schema",
        "`parameters`, `output` and a step's `fields` are JSON Schema or its short form, within what models take.",
        wrong: tools("parameters = { title = \"sting\" }, run = function() end"),
        right: tools("parameters = { title = \"string\" }, run = function() end"), path: "tools/notes.lua",
        beside: user("add"), isIgnorable: false),
      unknownName, duplicateName,
      agent(
        "W209", "not available yet",
        "It belongs to the contract, and this version refuses it instead of leaving it out.",
        wrong: "prompt = \"p\", access = { memory = true }", right: "prompt = \"p\""),
      agent(
        "W212", "agent or tool that nobody can reach",
        "An empty list of roles lets nobody in, other agents' runs included. Leave `allow` out to let everybody in.",
        wrong: "prompt = \"p\", allow = { roles = {} }",
        right: "prompt = \"p\", allow = { roles = { \"staff\" } }"),
      Explanation(
        "C101", .error, "problem of perigee.yaml",
        "An unknown key, or a value that the key does not take. docs/configuration.md lists them all.",
        wrong: "", right: "", path: "perigee.yaml", isIgnorable: false),
    ]

  /// An agent that uses a tool, so that it is not told as unused.
  static func user(_ tool: String) -> [String: String] {
    ["agents/user.lua": "return { prompt = \"p\", tools = { \"\(tool)\" } }"]
  }

  private static func tools(_ fields: String) -> String {
    "return { add = { description = \"Adds.\", \(fields) } }\n"
  }

  private static func agent(
    _ code: String, _ title: String, _ reason: String, wrong: String, right: String
  ) -> Explanation {
    Explanation(
      code, .error, title, reason, wrong: "return { \(wrong) }\n", right: "return { \(right) }\n",
      path: "agents/notes.lua", isIgnorable: false)
  }
}
