// SPDX-License-Identifier: Apache-2.0

/// Keys of known providers: a prefix that nothing else has, and a body that is long enough.
enum APIKey {
  private struct Form: Sendable {
    let prefix: StaticString
    let body: ByteSet
    let bytesMin: Int
    /// Where every key has the same length: a longer run is something else.
    var isExact = false
    /// Whether a body without a digit is a name.
    var needsDigit = true
  }

  private static let hexadecimal = ByteSet("0123456789abcdef")
  private static let dashed = ByteSet.alphanumerics.union(ByteSet("-"))
  private static let capital = ByteSet.upper.union(.digits)

  /// Source: the providers' documentation and GitHub's secret scanning patterns, as of 2025.
  private static let forms: [Form] = [
    Form(prefix: "sk-ant-", body: .base64URL, bytesMin: 20),
    Form(prefix: "sk-proj-", body: .base64URL, bytesMin: 20),
    Form(prefix: "sk-svcacct-", body: .base64URL, bytesMin: 20),
    Form(prefix: "sk-admin-", body: .base64URL, bytesMin: 20),
    Form(prefix: "sk-or-v1-", body: .base64URL, bytesMin: 20),
    Form(prefix: "sk-", body: .alphanumerics, bytesMin: 20),
    Form(prefix: "pgk_", body: .base64URL, bytesMin: 16),
    Form(prefix: "ghp_", body: .alphanumerics, bytesMin: 36),
    Form(prefix: "gho_", body: .alphanumerics, bytesMin: 36),
    Form(prefix: "ghu_", body: .alphanumerics, bytesMin: 36),
    Form(prefix: "ghs_", body: .alphanumerics, bytesMin: 36),
    Form(prefix: "ghr_", body: .alphanumerics, bytesMin: 36),
    Form(prefix: "github_pat_", body: .identifier, bytesMin: 22),
    Form(prefix: "glpat-", body: .base64URL, bytesMin: 20),
    Form(prefix: "AKIA", body: capital, bytesMin: 16, isExact: true, needsDigit: false),
    Form(prefix: "ASIA", body: capital, bytesMin: 16, isExact: true, needsDigit: false),
    Form(prefix: "AIza", body: .base64URL, bytesMin: 35, isExact: true, needsDigit: false),
    Form(prefix: "xoxa-", body: dashed, bytesMin: 10),
    Form(prefix: "xoxb-", body: dashed, bytesMin: 10),
    Form(prefix: "xoxp-", body: dashed, bytesMin: 10),
    Form(prefix: "xoxr-", body: dashed, bytesMin: 10),
    Form(prefix: "xoxs-", body: dashed, bytesMin: 10),
    Form(prefix: "sk_live_", body: .alphanumerics, bytesMin: 16),
    Form(prefix: "rk_live_", body: .alphanumerics, bytesMin: 16),
    Form(prefix: "SK", body: hexadecimal, bytesMin: 32, isExact: true),
    Form(prefix: "npm_", body: .alphanumerics, bytesMin: 36),
    Form(prefix: "hf_", body: .alphanumerics, bytesMin: 30, needsDigit: false),
    Form(prefix: "dop_v1_", body: hexadecimal, bytesMin: 64),
    Form(prefix: "doo_v1_", body: hexadecimal, bytesMin: 64),
    Form(prefix: "dor_v1_", body: hexadecimal, bytesMin: 64),
  ]

  /// The first three bytes of every key, for the table of triggers.
  static var beginnings: [[UInt8]] {
    var beginnings = forms.map { form in form.prefix.withUTF8Buffer { Array($0.prefix(3)) } }
    beginnings.append(Array("SG.".utf8))
    // A body may begin with a letter where the prefix has two.
    beginnings += "abcdef".utf8.map { Array("SK".utf8) + [$0] }
    return beginnings
  }

  static func match(in reader: inout Reader, at start: Int) -> Match? {
    for form in forms where reader.hasExactly(form.prefix, at: start) {
      if let match = match(form, in: &reader, at: start) { return match }
    }
    return sendGrid(in: &reader, at: start)
  }

  private static func match(_ form: Form, in reader: inout Reader, at start: Int) -> Match? {
    let body = start + form.prefix.utf8CodeUnitCount
    // Long enough to tell a key; what is longer still goes on as its tail.
    let bytesMax = form.bytesMin + (form.isExact ? 1 : 128)
    let end = reader.run(of: form.body, from: body, bytesMax: bytesMax)
    guard form.isExact ? end - body == form.bytesMin : end - body >= form.bytesMin else { return nil }
    if form.needsDigit, !(body..<end).contains(where: { reader.past($0).isDigit }) { return nil }
    if end - body == bytesMax { return Match(start, end, tail: .bytes(form.body)) }
    return reader[end].isWord ? nil : Match(start, end)
  }

  /// SendGrid: two parts after the prefix. Source: SendGrid, 22 and 43 characters.
  private static func sendGrid(in reader: inout Reader, at start: Int) -> Match? {
    guard reader.hasExactly("SG.", at: start) else { return nil }
    let middle = reader.run(of: .base64URL, from: start + 3, bytesMax: 33)
    guard (16...32).contains(middle - start - 3), reader[middle] == UInt8(ascii: ".") else { return nil }
    let end = reader.run(of: .base64URL, from: middle + 1, bytesMax: 65)
    return (16...64).contains(end - middle - 1) ? Match(start, end) : nil
  }
}
