-- What can be said of an image: by a model that sees, or else by its address and its caption.

local settings = require("lib.market.settings")
local turkish = require("lib.market.turkish")

local images = {}

local FORMATS = { jpg = "jpeg", jpeg = "jpeg", png = "png", webp = "webp" }

--- The parameters of the tools that take one image.
images.schema = {
  url = { type = "string", minLength = 9, maxLength = 2000, description = "https:// ile başlayan adres" },
  caption = { type = "string", maxLength = 300, optional = true, description = "kullanıcının fotoğraf için yazdığı" },
}

local function is_image(value)
  return type(value) == "table" and type(value.url) == "string"
    and (value.caption == nil or type(value.caption) == "string")
end

--- Whether a caller sent a list of images, and not too many.
---@param value any
---@return boolean
function images.is_list(value)
  if type(value) ~= "table" or #value > settings.images_max then return false end
  for key, image in pairs(value) do
    if math.type(key) ~= "integer" or not is_image(image) then return false end
  end
  return true
end

---@param url string
---@return string? format of a picture that the market takes
function images.format(url)
  if url:sub(1, 8) ~= "https://" then return nil end
  return FORMATS[turkish.lower(url:match("^[^?#]*"):match("%.(%a+)$") or "")]
end

--- Gives what its caption, or else its file's name, says.
---@param image { url: string, caption: string? }
---@return string subject
function images.subject(image)
  if image.caption then return image.caption end
  return ((image.url:match("([^/]+)%.%a+$") or ""):gsub("[%-_]+", " "))
end

local LOOK = "Bu fotoğraf satılık bir şeyi gösteriyor. Ne olduğunu ve durumunu en çok on kelimeyle, Türkçe yaz."

--- Has a model look at it.
---@param image { url: string, caption: string? }
---@return string? subject, unless there is no model, or none that sees
function images.seen(image)
  local ok, answer = pcall(llm.chat, { max_tokens = 60, messages = { { role = "user", content = {
    { type = "text", text = LOOK },
    { type = "image_url", image_url = { url = image.url, detail = "low" } },
  } } } })
  if ok and answer.finish_reason == "stop" and answer.text ~= "" then return text.truncate(answer.text, 300) end
end

---@param image { url: string, caption: string? }
---@return string? why it is refused
function images.refusal(image)
  if not images.format(image.url) then return "yalnızca https adresli jpg, png ve webp fotoğraflar kabul edilir" end
  local said = (image.caption or "") .. " " .. image.url
  if turkish.mentions(said, settings.forbidden_words) then return "içeriği kurallara uygun değil" end
end

return images
