// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// What messengers send, as far as it is read.
extension OpenAPI {
  static let channelSchemas: JSON = [
    "WhatsAppMessage": [
      "type": "object", "required": ["MessageSid", "AccountSid", "From", "To"],
      "properties": [
        "MessageSid": string, "AccountSid": string, "From": string, "To": string, "Body": string,
        "ProfileName": string, "NumMedia": string,
      ],
      "additionalProperties": string,
      "example": [
        "MessageSid": "SM00000000000000000000000000000001",
        "AccountSid": "AC00000000000000000000000000000001", "From": "whatsapp:+905550000001",
        "To": "whatsapp:+14155238886", "Body": "show my to-dos",
      ],
    ],
    "TelegramUpdate": [
      "type": "object", "required": ["update_id"],
      "properties": ["update_id": integer, "message": ["type": "object"]],
      "example": [
        "update_id": 1,
        "message": ["from": ["id": 7], "chat": ["id": 7], "text": "show my to-dos"],
      ],
    ],
  ]
}
