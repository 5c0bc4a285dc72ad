// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

extension Principal {
  /// All of it, for the store.
  public var json: RawJSON {
    var writer = JSONWriter(reservingCapacity: 64)
    writer.object {
      $0.member("id", id)
      if let tenant { $0.member("tenant", tenant.name) }
      $0.member("name", name)
      $0.member("roles", JSON.array(roles.map { .string($0) }))
      $0.member("claims", JSON.object(claims))
      if let address { $0.member("address", address) }
      if let keyID { $0.member("key_id", keyID) }
    }
    return writer.raw
  }

  /// Reads ``json``.
  public init(json: JSON) {
    self.init(
      id: json["id"]?.string ?? "", tenant: json["tenant"]?.string.flatMap(Tenant.init),
      name: json["name"]?.string,
      roles: (json["roles"]?.array ?? []).compactMap(\.string),
      claims: json["claims"]?.object ?? JSONObject(),
      address: json["address"]?.string)
    keyID = json["key_id"]?.string
  }
}
