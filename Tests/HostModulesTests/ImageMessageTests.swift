// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
import Testing

@Suite("Images in llm.chat", .timeLimit(.minutes(5)))
struct ImageMessageTests {
  @Test("a user's message in parts reaches the model with its images, be it asked or given")
  func parts() async throws {
    let provider = try ScriptedProvider(.completion("A bicycle."))
    let text = try await TestWorkspace.answer(
      """
      return llm.chat{ messages = { { role = "user", content = {
        { type = "text", text = "What is" }, { type = "image_url", image_url = { url = "https://example.com/b.jpg" } },
        { type = "text", text = "this?" }, { type = "image_url", image_url = { url = "data:image/png;base64,AA==" } },
      } } } }.text
      """, provider: provider.baseURL)
    #expect(text == "A bicycle.")
    #expect(
      provider.requests.first?.json["messages"] == [
        [
          "role": "user",
          "content": [
            ["type": "image_url", "image_url": ["url": "https://example.com/b.jpg", "detail": "auto"]],
            ["type": "image_url", "image_url": ["url": "data:image/png;base64,AA==", "detail": "auto"]],
            ["type": "text", "text": "What is\nthis?"],
          ],
        ]
      ])
  }

  @Test(
    "what cannot be a part is said, with its place",
    arguments: [
      ("{ type = 'audio' }", "messages[1].content[1]: 'type' must be text or image_url"),
      ("{ type = 'text' }", "must have a 'text'"), ("{ type = 'image_url' }", "must have an 'image_url'"),
      ("{ type = 'image_url', image_url = { url = 'http://x/a' } }", "its url must be an https:// address"),
      ("{ type = 'image_url', image_url = { url = 'data:text/plain;base64,AA' } }", "its url must be"),
      (
        "{ type = 'image_url', image_url = { url = 'https://x', detail = 'best' } }",
        "must be auto, low or high"
      ),
    ])
  func wrong(part: String, message: String) async throws {
    let provider = try ScriptedProvider(.completion("x"))
    let text = try await TestWorkspace.answer(
      """
      local ok, e = pcall(llm.chat, { messages = { { role = "user", content = { \(part) } } } })
      return e.code .. " " .. e.message
      """, provider: provider.baseURL)
    #expect(text.hasPrefix("invalid_arguments") && text.contains(message), "\(text)")
    #expect(provider.requests.isEmpty)
  }
}
