// SPDX-License-Identifier: Apache-2.0
import Guardrails
import Testing

@Suite("personal data")
struct PersonalTests {
  @Test("an e-mail address is found", arguments: PersonalSamples.emails)
  func findsEmail(source: String) { Marked(source).expect(.email) }

  @Test("what is no e-mail address is left alone", arguments: PersonalSamples.noEmails)
  func passesEmail(source: String) { Marked(source).expect(.email) }

  @Test("a phone number is found", arguments: PersonalSamples.phones)
  func findsPhone(source: String) { Marked(source).expect(.phone) }

  @Test("what is no phone number is left alone", arguments: PersonalSamples.noPhones)
  func passesPhone(source: String) { Marked(source).expect(.phone) }

  @Test("an IBAN is found", arguments: PersonalSamples.ibans)
  func findsIBAN(source: String) { Marked(source).expect(.iban) }

  @Test("what is no IBAN is left alone", arguments: PersonalSamples.noIBANs)
  func passesIBAN(source: String) { Marked(source).expect(.iban) }

  @Test("a card is found", arguments: PersonalSamples.cards)
  func findsCard(source: String) { Marked(source).expect(.card) }

  @Test("what is no card is left alone", arguments: PersonalSamples.noCards)
  func passesCard(source: String) { Marked(source).expect(.card) }

  @Test("an identity number is found", arguments: PersonalSamples.nationalIDs)
  func findsNationalID(source: String) { Marked(source).expect(.nationalID) }

  @Test("what is no identity number is left alone", arguments: PersonalSamples.noNationalIDs)
  func passesNationalID(source: String) { Marked(source).expect(.nationalID) }

  @Test("an IP address is found", arguments: PersonalSamples.addresses)
  func findsAddress(source: String) { Marked(source).expect(.ipAddress) }

  @Test("what is no IP address is left alone", arguments: PersonalSamples.noAddresses)
  func passesAddress(source: String) { Marked(source).expect(.ipAddress) }
}
