// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A file that came with a message, as scripts and guardrails find parts in `ctx.input.parts`.
struct MediaPart {
  var name: String
  /// `image/jpeg`; empty = the messenger does not say.
  var type: String
  /// Where it is: a `url`, or what else the messenger hands it out by.
  var location: (key: String, value: String)

  var json: JSON {
    let place = JSON.string(location.value)
    var part = JSONObject()
    if type.hasPrefix("image/"), location.key == "url" {
      part.append("type", "image_url")
      part.append("image_url", ["url": place])
    } else {
      part.append("type", "file")
      part.append("file", .object(JSONObject([("filename", .string(name)), (location.key, place)])))
    }
    part.append("name", .string(name))
    part.append("content_type", .string(type))
    return .object(part)
  }

  /// The ending of names of files of a type; empty for one that is not known.
  static func ending(of type: String) -> String {
    endings[type.prefix { $0 != ";" }.lowercased()].map { ".\($0)" } ?? ""
  }

  private static let endings = [
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif",
    "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/aac": "aac", "audio/amr": "amr",
    "video/mp4": "mp4", "video/3gpp": "3gp", "application/pdf": "pdf", "application/json": "json",
    "text/plain": "txt", "text/csv": "csv", "text/vcard": "vcf", "text/x-vcard": "vcf",
  ]
}
