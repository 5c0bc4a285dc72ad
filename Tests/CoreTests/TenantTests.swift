// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

@Suite("Tenants")
struct TenantTests {
  private let acme = Tenant("acme")!

  @Test(
    "a name is 1 to 64 of the letters, digits and three marks that no other part of an id needs",
    arguments: [
      ("acme", true), ("A-c_m.3", true), ("..", true), (String(repeating: "x", count: 64), true), ("", false),
      (String(repeating: "x", count: 65), false), ("a/b", false), ("a b", false), (" a", false), ("é", false),
      ("a:b", false), ("a\u{0}", false), ("a\n", false), ("local", false), ("LOCAL", false), ("locals", true),
    ])
  func names(_ name: String, _ isOne: Bool) {
    #expect((Tenant(name) != nil) == isOne)
  }

  @Test("a name by itself is one of the tenant's own users, whatever it looks like")
  func named() {
    for (name, id) in [
      ("ann", "acme/ann"), ("acme/ann", "acme/ann"), ("globex/ann", "acme/globex/ann"), ("acme", "acme/acme"),
      ("acmes/ann", "acme/acmes/ann"), ("", "acme/"),
    ] {
      #expect(acme.id(named: name) == id)
    }
    #expect(Principal(id: "ann").id(named: "acme/ann") == "acme/ann")
  }

  @Test("the range of its ids holds what it says are its users, and nobody else")
  func range() {
    for (id, isIn) in [
      ("acme/ann", true), ("acme/", true), ("acme/\u{7F}", true), ("acme/globex/ann", true), ("acme", false),
      ("acme.", false), ("acme.x/ann", false), ("acme0", false), ("acme-x/ann", false), ("acmes/ann", false),
      ("Acme/ann", false), ("ann", false), ("globex/acme/ann", false), ("", false),
    ] {
      #expect(acme.holds(id) == isIn && acme.ids.contains(id) == isIn, "\(id)")
    }
  }

  @Test("who sees whose rows")
  func visibility() {
    let seen: [(Principal, [Bool])] = [
      // acme/ann, acme/bob, globex/ann, ann, the host's own
      (Principal(id: "acme/ann", tenant: acme), [true, false, false, false, false]),
      (Principal(id: "acme/ops", tenant: acme, roles: ["operator"]), [true, true, false, false, false]),
      (Principal(id: "acme/root", tenant: acme, roles: ["admin"]), [true, true, false, false, false]),
      (Principal(id: "ann"), [false, false, false, true, false]),
      (Principal(id: "ops", roles: ["operator"]), [true, true, true, true, true]),
      (.local, [true, true, true, true, true]),
    ]
    for (user, expected) in seen {
      let ids: [String?] = ["acme/ann", "acme/bob", "globex/ann", "ann", nil]
      #expect(ids.map(user.visibility.admits) == expected, "\(user.id)")
    }
  }

  @Test("a role opens no question of another tenant; the host's own people answer any")
  func questions() {
    let clerks = ["clerk", "operator", "admin"]
    let approval = Approval(
      id: "a", runID: "r", key: "k", userID: "acme/ann", agent: "x",
      question: Approval.Question(title: "?", roles: ["clerk"]), digest: 0,
      createdAt: Timestamp(milliseconds: 0))
    for (user, mayDecide) in [
      (Principal(id: "acme/bob", tenant: acme, roles: clerks), true),
      (Principal(id: "globex/bob", tenant: Tenant("globex"), roles: clerks), false),
      (Principal(id: "acme.x/bob", tenant: Tenant("acme.x"), roles: clerks), false),
      (Principal(id: "bob", roles: ["clerk"]), true),
    ] {
      #expect(
        approval.isVisible(to: user) == mayDecide && approval.mayDecide(user) == mayDecide, "\(user.id)")
    }
  }

  @Test("a run under way, and what it tells, is found by who sees it")
  func live() {
    let deadlines = DeadlineQueue(time: ManualTime())
    let runs = LiveRuns(deadlines: deadlines)
    runs.begin(
      "r",
      LiveRuns.Entry(
        userID: "acme/ann", cancellation: RunCancellation(), feed: nil, waits: RunWaits(deadlines: deadlines))
    )
    for (visibility, isFound) in [
      (.everyone, true), (.tenant(acme), true), (.user("acme/ann"), true), (.user("ann"), false),
      (.user("acme/bob"), false),
    ] as [(Visibility, Bool)] {
      #expect((runs.find("r", visibleTo: visibility) != nil) == isFound, "\(visibility)")
    }
    #expect(Tenant("acm").map { runs.find("r", visibleTo: .tenant($0)) == nil } == true)
  }

  @Test("a run that goes on after a crash is still its tenant's")
  func kept() throws {
    let user = Principal(id: "acme/ann", tenant: acme, name: "ann", roles: ["operator"])
    #expect(Principal(json: try user.json.value()) == user)
    #expect(Principal(json: try Principal(id: "ann").json.value()).tenant == nil)
  }

  @Test("no two scopes of small values have one text")
  func scopes() {
    let scopes: [KeyValueScope] = [
      .workspace(nil), .workspace(acme), .workspace(Tenant("globex")), .user("workspace"),
      .user("workspace:acme"),
      .user("acme"), .user("acme/ann"), .user("ann"), .session(userID: "acme/ann", sessionID: "s"),
      .session(userID: "ann", sessionID: "s"), .session(userID: "workspace", sessionID: "acme"),
    ]
    #expect(Set(scopes.map(\.text)).count == scopes.count)
  }
}
