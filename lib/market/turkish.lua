-- Turkish text. Its small letters are not ASCII's: I becomes ı, and İ becomes i. People also write without the dots,
-- or with letters that are made of two characters, so what is compared is compared folded.

local turkish = {}

local SMALL = {
  ["I"] = "ı", ["İ"] = "i", ["Ç"] = "ç", ["Ğ"] = "ğ", ["Ö"] = "ö", ["Ş"] = "ş", ["Ü"] = "ü",
  ["Â"] = "â", ["Î"] = "î", ["Û"] = "û",
}

local PLAIN = {
  ["ı"] = "i", ["ç"] = "c", ["ğ"] = "g", ["ö"] = "o", ["ş"] = "s", ["ü"] = "u", ["â"] = "a", ["î"] = "i", ["û"] = "u",
  ["’"] = "'",
  -- Marks that follow their letter: dot, circumflex, breve, diaeresis, cedilla.
  ["\u{307}"] = "", ["\u{302}"] = "", ["\u{306}"] = "", ["\u{308}"] = "", ["\u{327}"] = "",
}

---@param text string
---@return string lower in small letters
function turkish.lower(text)
  return (text:gsub(utf8.charpattern, SMALL):lower())
end

--- "SATILIK KIRMIZI ŞEMSİYE" and "satilik kirmizi semsiye" are the same folded.
---@param text string
---@return string folded in small letters, without dots and marks
function turkish.fold(text)
  return (turkish.lower(text):gsub(utf8.charpattern, PLAIN))
end

--- Whether a text has one of the phrases in it, from the beginning of a word on; a phrase that ends in a space is
--- a whole word.
---@param message string
---@param phrases string[] folded
---@return boolean
function turkish.mentions(message, phrases)
  local words = " " .. turkish.fold(message):gsub("[^%w]+", " ") .. " "
  for _, phrase in ipairs(phrases) do
    if words:find(" " .. phrase, 1, true) then return true end
  end
  return false
end

return turkish
