// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension ReplyAssembly {
  /// Reads a whole `response` and returns the text in it.
  func read(response: JSON) -> String {
    var piece = ""
    for (index, item) in (response["output"]?.array ?? []).enumerated() {
      switch item["type"]?.string {
      case "message":
        for part in item["content"]?.array ?? [] {
          if part["type"] == "refusal" { refusal += part["refusal"]?.string ?? "" }
          piece += part["text"]?.string ?? ""
        }
      case "function_call", "custom_tool_call": read(item: item, at: position(ofItem: item, index: index))
      default: break
      }
    }
    text += piece
    end(response)
    return piece
  }

  /// Adds one event of a stream and returns the text in it.
  func read(responseEvent event: JSON) -> String {
    let index = event["output_index"]?.integer.flatMap { Int(exactly: $0) }
    switch event["type"]?.string {
    case "response.output_text.delta":
      let piece = event["delta"]?.string ?? ""
      text += piece
      return piece
    case "response.refusal.delta": refusal += event["delta"]?.string ?? ""
    case "response.output_item.added", "response.output_item.done":
      guard let item = event["item"] else { break }
      if event["type"] == "response.output_item.done" { items.append(item) }
      guard ["function_call", "custom_tool_call"].contains(item["type"]?.string) else { break }
      read(item: item, at: position(ofItem: item, index: index))
    case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
      extendCall(at: position(of: index, id: ""), id: nil, name: nil, arguments: event["delta"]?.string ?? "")
    case "response.completed", "response.incomplete":
      isDone = true
      guard let response = event["response"] else { break }
      // Some servers tell nothing before the end.
      if isEmpty { return read(response: response) }
      end(response)
    default: break
    }
    return ""
  }

  private func position(ofItem item: JSON, index: Int?) -> Int {
    position(of: index, id: item["call_id"]?.string ?? "")
  }

  /// Takes an item as it stands: at its end it is whole, and repeats what came in pieces.
  private func read(item: JSON, at index: Int) {
    let whole = (item["arguments"] ?? item["input"])?.string
    extendCall(
      at: index, id: item["call_id"]?.string, name: item["name"]?.string,
      whole: (whole ?? "").isEmpty ? nil : whole)
  }

  private func end(_ response: JSON) {
    // Some servers repeat the items at the end, some do not.
    if let output = response["output"]?.array, !output.isEmpty { items = output }
    items = Self.returnable(items)
    switch (response["status"]?.string, response["incomplete_details"]?["reason"]?.string) {
    case ("incomplete", "content_filter"): ending = .contentFilter
    case ("incomplete", _): ending = .length
    default: ending = .stop
    }
    let usage = response["usage"]
    count(inputTokens: usage?["input_tokens"]?.double, outputTokens: usage?["output_tokens"]?.double)
  }

  /// The items as they may go back; none where nothing was thought, or not in a form that can be read again.
  ///
  /// Their identifiers would be looked up among what the provider keeps, which is nothing.
  private static func returnable(_ items: [JSON]) -> [JSON] {
    let thoughts = items.filter { $0["type"] == "reasoning" }
    guard !thoughts.isEmpty,
      thoughts.allSatisfy({ $0["encrypted_content"]?.string?.isEmpty == false })
    else { return [] }
    return items.map { item in
      .object(JSONObject((item.object?.members ?? []).filter { !["id", "status"].contains($0.key) }))
    }
  }
}
