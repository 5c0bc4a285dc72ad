---@meta

---What prompts and answers need.
---@class textlib
text = {}

---Fills in `{name}`; `{{` stands for a brace. A name without a value raises.
---@param template string `Dear {name}`
---@param values table<string, any> by name; numbers and booleans are written as text
---@return string
function text.template(template, values) end

---Puts `[email]`, `[card]`, `[iban]` or `[phone]` in place of what looks like one. A text of more than 128 KB raises `limit`.
---@param text string UTF-8, at most 128 KB
---@return string
function text.redact(text) end

---Cuts a text to so many characters, the ending included.
---@param text string UTF-8
---@param max integer characters
---@param ending? string `…` unless said
---@return string
function text.truncate(text, max, ending) end
