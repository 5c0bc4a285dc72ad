// SPDX-License-Identifier: Apache-2.0
internal import CLuaHost

/// The interpreter that scripts run in.
public enum LuaRelease {
  /// Name and version, `Lua 5.4.6`.
  public static var name: String { String(cString: clh_lua_release()) }
}
