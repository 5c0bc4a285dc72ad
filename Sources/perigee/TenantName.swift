// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core

/// A tenant as the command line names it.
struct TenantName: ExpressibleByArgument {
  static let help = ArgumentHelp("Whose user that is, where there are tenants.", valueName: "tenant")

  let tenant: Tenant

  init?(argument: String) {
    guard let tenant = Tenant(argument) else { return nil }
    self.tenant = tenant
  }
}
