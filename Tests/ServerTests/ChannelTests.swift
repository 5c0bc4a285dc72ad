// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import HTTPTypes
import JSONCodec
import Testing

@testable import Server

@Suite("Channels")
struct ChannelTests {
  @Test("a text is cut between paragraphs, lines, sentences or words, whichever there is")
  func pieces() {
    #expect("short".pieces(max: 10) == ["short"])
    #expect("  \n ".pieces(max: 10) == [])
    #expect("one two three\n\nfour\nfive".pieces(max: 20) == ["one two three", "four\nfive"])
    #expect("one two\nthree four".pieces(max: 12) == ["one two", "three four"])
    #expect("One. Two! three four".pieces(max: 14) == ["One. Two!", "three four"])
    #expect("one two three".pieces(max: 9) == ["one two", "three"])
    #expect("abcdefghij".pieces(max: 4) == ["abcd", "efgh", "ij"])
    // No gap leaves very little before it, unless there is no other.
    #expect("a. bcdefghijkl mn".pieces(max: 16) == ["a. bcdefghijkl", "mn"])
    #expect("a bcdefghijklmnopqr".pieces(max: 12) == ["a", "bcdefghijklm", "nopqr"])
  }

  @Test("no character is cut, but for one that is longer than a text may be")
  func characters() {
    let family = "👩‍👩‍👧"
    #expect(String(repeating: family, count: 3).pieces(max: 10) == [family, family, family])
    #expect("ığüşöç".pieces(max: 2).joined() == "ığüşöç")
    let tower = "e" + String(repeating: "\u{301}", count: 9)
    let cut = tower.pieces(max: 4)
    #expect(cut.allSatisfy { $0.utf16.count <= 4 } && cut.joined().unicodeScalars.count == 10)
    #expect("😀😀".pieces(max: 1).isEmpty == false)
  }

  @Test("a signature of Twilio's package holds, whatever the order of the fields")
  func example() {
    var headers = HTTPFields()
    headers[HTTPField.Name("X-Twilio-Signature")!] = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    let webhook = Webhook(url: "https://mycompany.com/myapp.php?foo=1&bar=2", headers: headers, body: [])
    let fields = [
      ("CallSid", "CA1234567890ABCDE"), ("Caller", "+14158675309"), ("Digits", "1234"),
      ("From", "+14158675309"),
      ("To", "+18005551212"),
    ].map { (name: $0.0, value: $0.1) }
    #expect(TwilioSignature(token: "12345").holds(for: webhook, fields))
    #expect(TwilioSignature(token: "12345").holds(for: webhook, fields.reversed()))
    #expect(!TwilioSignature(token: "12346").holds(for: webhook, fields))
    #expect(!TwilioSignature(token: "12345").holds(for: webhook, Array(fields.dropLast())))
  }

  @Test("TwiML holds what XML can say")
  func twiML() {
    let channel = WhatsAppChannel(authToken: "t", accountSID: nil, number: nil, lateAnswer: .zero, apiURL: "")
    let reply = channel.reply(["<a> & \"b\"\r\n\u{1}\u{FFFE}ş"], to: JSONObject())
    #expect(
      String(decoding: reply ?? [], as: UTF8.self)
        == "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Message>&lt;a&gt; &amp; \"b\"&#13;\nş</Message></Response>"
    )
  }
}
