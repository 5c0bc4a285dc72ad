---@meta

---The clock. A moment is a number: seconds since 1970 UTC, with milliseconds as its fraction.
---@class timelib
time = {}

---The present moment.
---@return number
function time.now() end

---Waits without holding anything up; the run leaves memory where that is for long.
---@async
---@param seconds number at most 31 days
function time.sleep(seconds) end

---Writes a moment: RFC 3339 in UTC, or as `os.date` would, in UTC.
---@param moment number as `time.now` gives it
---@param format? string `%Y-%m-%d`
---@return string
function time.format(moment, format) end

---Reads an RFC 3339 date, or date and time; UTC unless an offset is written.
---@param text string `2026-11-21T09:30:00Z`
---@return number
function time.parse(text) end
