// SPDX-License-Identifier: Apache-2.0
import Testing

/// The json library: RFC 8259 text to Lua values and back.
@Suite("json library")
struct CLibraryJSONTests {
  @Test(
    "text that the encoder would write comes back unchanged",
    arguments: [
      #"{"items":[],"properties":{}}"#, "[]", "{}", "[[],{},[{}]]", #"{"a":null,"b":[null,true,false]}"#,
      "-0.0",
      "9223372036854775807", "-9223372036854775808", "1.0", "0.1", "0.30000000000000004", #""""#,
      #""é😀\u0000\n""#,
      "1.7976931348623157e+308", "5.0", "1e+20",
    ])
  func roundTrip(text: String) {
    #expect(reencode(text).text == text)
  }

  @Test(
    "other spellings are read",
    arguments: [
      (" [ 1 , {\"a\" : [ ] } ]\n", #"[1,{"a":[]}]"#), (#"{"b":1,"a":2}"#, #"{"a":2,"b":1}"#),
      (#"{"a":1,"a":2}"#, #"{"a":2}"#), ("-0", "0"), ("1e2", "100.0"),
      ("9223372036854775808", "9.223372036854776e+18"),
      (#""\u00e9\ud83d\ude00\/\b""#, #""é😀/\b""#), ("0.000001", "1e-06"), ("12345678.250", "12345678.25"),
    ])
  func normalForm(text: String, normal: String) {
    let again = reencode(text).text
    // The exponent's form is the writer's choice.
    #expect(again == normal || again == "0.000001" && normal == "1e-06")
  }

  @Test(
    "malformed text is refused with its place",
    arguments: [
      ("", "unexpected end at byte 0"), ("[", "unexpected end at byte 1"),
      ("[1", "expected ',' or ']' at byte 2"),
      ("[1,]", "unexpected character at byte 3"), ("{", "expected a key in quotes at byte 1"),
      (#"{"a""#, "expected ':' at byte 4"), (#"{"a":1,}"#, "expected a key in quotes at byte 7"),
      (#"{"a":1"#, "expected ',' or '}' at byte 6"), ("01", "a number may not start with 0 at byte 0"),
      ("-", "expected a digit at byte 1"), ("1.", "expected a digit at byte 2"),
      ("1e", "expected a digit at byte 2"),
      ("+1", "unexpected character at byte 0"), ("tru", "unexpected word at byte 0"),
      ("NaN", "unexpected character"),
      ("1 2", "unexpected text after the value at byte 2"), (#""abc"#, "string without an end at byte 1"),
      ("\"\n\"", "control character in a string at byte 1"), (#""\x""#, "unknown escape at byte 2"),
      (#""\u12g4""#, "expected four hexadecimal digits at byte 5"), (#""\ud800""#, "lone surrogate"),
      (#""\udc00""#, "lone surrogate"), (#""\ud800\u0041""#, "lone surrogate"),
      ("1e999", "number out of range at byte 0"),
      (String(repeating: "[", count: 129), "nested deeper than 128 at byte 128"),
    ])
  func malformed(text: String, message: String) {
    let probe = reencode(text)
    #expect(!probe.succeeded)
    #expect(probe.text.contains("invalid JSON: " + message), "\(probe.text)")
  }

  @Test(
    "a string that is not UTF-8 is refused",
    arguments: [#"\xff"#, #"\xc0\x80"#, #"\xed\xa0\x80"#, #"\xe2\x82"#])
  func invalidUTF8(bytes: String) {
    let decoded = LibraryProbe(#"return json.decode("\"a\#(bytes)\"")"#)
    #expect(decoded.text.hasSuffix("invalid JSON: string is not UTF-8 at byte 1"))
    let encoded = LibraryProbe(#"return json.encode { a = { 1, "\#(bytes)" } }"#)
    #expect(encoded.text.hasSuffix("cannot encode a string that is not UTF-8 as JSON (at value.a[2])"))
  }

  @Test(
    "a value without a JSON form is refused with its path",
    arguments: [
      ("print", "a function as JSON (at value)"),
      ("{ a = { 1, { b = print } } }", "a function as JSON (at value.a[2].b)"),
      ("{ 1, 2, x = 3 }", "a table with mixed or sparse keys as JSON (at value)"),
      ("{ [1] = 1, [3] = 3, [9] = 9 }", "sparse"),
      ("{ [1.5] = 1 }", "sparse"), ("{ [true] = 1 }", "sparse"), ("json.array { x = 1 }", "mixed"),
      ("0 / 0", "a NaN"), ("-1 / 0", "an infinite number"), ("coroutine.create(print)", "a coroutine"),
      (#"{ ["\xff"] = 1 }"#, "a key that is not UTF-8"),
      ("(function() local t = {} t.t = t return t end)()", "a cycle"),
      (
        "(function() local m = {} m.__target = setmetatable({}, m) return m.__target end)()",
        "a cycle of proxies"
      ),
    ])
  func noJSONForm(value: String, message: String) {
    let probe = LibraryProbe("return json.encode(\(value))")
    #expect(!probe.succeeded)
    #expect(probe.text.contains("cannot encode"), "\(probe.text)")
    #expect(probe.text.contains(message), "\(probe.text)")
  }

  @Test(
    "values are written as their kind",
    arguments: [
      ("{}", "{}"), ("json.array()", "[]"), ("json.array {}", "[]"), ("{ json.null }", "[null]"),
      ("nil", "null"),
      ("{ 1.5, 2, 'x' }", #"[1.5,2,"x"]"#), ("{ z = 1, a = 2, m = 3 }", #"{"a":2,"m":3,"z":1}"#),
      ("10 / 2", "5.0"),
      ("json.array(setmetatable({}, { __target = json.array { 1 } }))", "[1]"),
      ("setmetatable({}, { __target = { b = { 1 }, a = json.array {} } })", #"{"a":[],"b":[1]}"#),
      ("setmetatable({ 1 }, { __index = print })", "[1]"),
    ])
  func forms(value: String, text: String) {
    #expect(LibraryProbe("return json.encode(\(value))").text == text)
  }

  @Test("the mark of an array cannot be reached or replaced")
  func arrayMark() {
    let probe = LibraryProbe(
      #"""
      local list = json.decode("[]")
      list[1] = "x"
      list[1] = nil
      return tostring(getmetatable(list)) .. tostring(pcall(setmetatable, list, {})) .. json.encode(list)
        .. tostring(pcall(json.array, setmetatable({}, {})))
      """#)
    #expect(probe.text == "falsefalse[]false")
  }

  @Test(
    "what is encoded is decoded to an equal value, and damaged text never gives an unencodable one",
    arguments: 1...3)
  func generatedValues(seed: Int) {
    let probe = LibraryProbe("math.randomseed(\(seed))\n" + generatedValuesScript)
    #expect(probe.succeeded, "seed \(seed): \(probe.text)")
  }

  @Test("a number is read as the nearest float", arguments: 1...3)
  func numbers(seed: Int) {
    let probe = LibraryProbe(
      "math.randomseed(\(seed))\n"
        + #"""
        for _ = 1, 10000 do
          local float = string.unpack("d", string.pack("i8", math.random(0)))
          if float - float == 0 then assert(json.decode(json.encode(float)) == float) end
          local whole = math.random(0, 10 ^ math.random(0, 12) // 1)
          local text = ("%d.%0" .. math.random(1, 18) .. "d"):format(whole, math.random(0, 999))
          assert(json.decode(text) == tonumber(text), text)
        end
        """#)
    #expect(probe.succeeded, "seed \(seed): \(probe.text)")
  }

  private func reencode(_ text: String) -> LibraryProbe {
    LibraryProbe("return json.encode(json.decode([==[\n\(text)]==]))")
  }
}

private let generatedValuesScript =
  #"""
  local R = math.random
  local letters = { "a", "é", "\"", "\\", "\0", "\n", "😀", "/", "\x7f", "zz", "~" }
  local function text()
    local parts = {}
    for i = 1, R(0, 20) do parts[i] = letters[R(#letters)] end
    return table.concat(parts)
  end
  local function value(depth)
    local kind = R(depth > 3 and 5 or 7)
    if kind == 1 then return text() end
    if kind == 2 then return R(0) end
    if kind == 3 then return ({ 0.0, -0.0, 1e300, R(), R() * 1e-10, R(1, 1000) / 8, R(0) * 1.0 })[R(7)] end
    if kind == 4 then return R(2) == 1 end
    if kind == 5 then return json.null end
    local made = {}
    for i = 1, R(0, 20) do made[kind == 6 and i or text()] = value(depth + 1) end
    return kind == 6 and json.array(made) or made
  end
  local function same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then
      return a == b and math.type(a) == math.type(b) and (a ~= 0 or 1 / a == 1 / b)
    end
    for key, element in pairs(a) do
      if not same(element, b[key]) then return false end
    end
    for key in pairs(b) do
      if a[key] == nil then return false end
    end
    return true
  end
  for _ = 1, 300 do
    local original = value(0)
    local encoded = json.encode(original)
    local decoded = json.decode(encoded)
    assert(same(original, decoded), encoded)
    assert(json.encode(decoded) == encoded, encoded)
    for _ = 1, 20 do
      local at = R(1, #encoded)
      local damaged = encoded:sub(1, at - 1) .. string.char(R(0, 255)) .. encoded:sub(at + 1)
      if R(3) == 1 then damaged = damaged:sub(1, R(0, #damaged)) end
      local accepted, other = pcall(json.decode, damaged)
      if accepted then json.encode(other) end
    end
  end
  """#
