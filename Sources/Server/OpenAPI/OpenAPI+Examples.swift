// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension OpenAPI {
  /// By the name of their schema.
  static let examples: [String: JSON] = [
    "ChatReply": [
      "session_id": "shopping", "message_id": "0192f0c1-6a00-7000-8000-000000000002",
      "run_id": "0192f0c1-6a00-7000-8000-000000000001", "agent": "todo", "version": "sha256:4f0c",
      "response": "You have two things to do.", "data": .null, "using_stub": false, "finish_reason": "stop",
      "tool_calls": [
        [
          "id": "call_1", "name": "list_todos", "arguments": ["limit": 10], "result": ["todos": []],
          "error": .null, "duration_ms": 1.2,
        ]
      ],
      "usage": ["input_tokens": 412, "output_tokens": 38, "cost_usd": 0.0012],
      "timestamp": "2026-01-31T12:00:00.000Z",
    ],
    "Session": [
      "id": "shopping", "title": "New chat", "agent": "todo", "message_count": 2,
      "created_at": "2026-01-31T12:00:00.000Z", "updated_at": "2026-01-31T12:00:05.000Z",
    ],
    "Run": [
      "id": "0192f0c1-6a00-7000-8000-000000000001", "user_id": "local", "session_id": "shopping",
      "agent": "todo", "version": "sha256:4f0c", "status": "completed", "error": .null,
      "usage": ["input_tokens": 412, "output_tokens": 38, "cost_usd": 0.0012],
      "started_at": "2026-01-31T12:00:00.000Z", "finished_at": "2026-01-31T12:00:05.000Z",
    ],
    "ChatCompletionRequest": [
      "model": "todo", "messages": [["role": "user", "content": "show my to-dos"]],
    ],
    "ResponseRequest": ["model": "todo", "input": "show my to-dos"],
    "EmbeddingRequest": ["model": "text-embedding-3-small", "input": "show my to-dos"],
  ]
}
