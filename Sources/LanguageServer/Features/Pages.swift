// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Lint

// What is said of things, as Markdown.

extension HostAPI.Function {
  /// `http.get(url: string, opts?: perigee.HttpOptions): perigee.HttpResponse`
  var signature: String {
    "\(path)(\(parameters.map(\.signature).joined(separator: ", ")))\(returns.map { ": \($0.text)" } ?? "")"
  }

  /// What it does, needs and takes; nil when nothing is known but the signature.
  var markdown: String? {
    var parts: [String] = []
    if !summary.isEmpty { parts.append(summary) }
    if let capability { parts.append("Needs `access = { \(capability.text) }`.") }
    let described = parameters.filter { !$0.summary.isEmpty }
    if !described.isEmpty {
      parts.append(described.map { "- `\($0.name)`: \($0.summary)" }.joined(separator: "\n"))
    }
    if let example { parts.append("```lua\n\(example)\n```") }
    return parts.isEmpty ? nil : parts.joined(separator: "\n\n")
  }
}

/// What is said of a tool.
struct ToolPage {
  let signature: String
  let markdown: String

  init(_ tool: Project.Tool, in project: Project) {
    let file = project.reading(tool.file)
    let definition = file?.value?[tool.name]
    let parameters = file?.parameters(ofTool: tool.name) ?? []
    signature = "\(tool.name)(\(parameters.map(\.signature).joined(separator: ", ")))"
    var parts = [definition?["description"]?.string, "`\(tool.file)`"].compactMap { $0 }
    if !parameters.isEmpty {
      let lines = parameters.map { parameter in
        "- `\(parameter.signature)`\(parameter.summary.isEmpty ? "" : ": \(parameter.summary)")"
      }
      parts.append(lines.joined(separator: "\n"))
    }
    markdown = parts.joined(separator: "\n\n")
  }
}

extension Project {
  func description(ofAgent path: String) -> String? { reading(path)?.value?["description"]?.string }
}

extension Explanation {
  /// What a finding means, for whoever looks at it.
  var note: String { "**\(code)** \(title): \(reason)" }
}
