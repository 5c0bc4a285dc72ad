-- What an image is, and whether the market shows it.

local images = require("lib.market.images")

---@type table<string, perigee.Tool>
return {
  analyze_image = {
    description = "Bir fotoğrafın biçimini ve ne gösterdiğini söyler.",
    parameters = images.schema,
    effect = "read",
    access = { llm = true },
    run = function(_, args)
      local format = images.format(args.url)
      return { url = args.url, format = format, subject = format and images.seen(args) or images.subject(args) }
    end,
  },

  moderate_image = {
    description = "Bir fotoğrafın ilanda kullanılıp kullanılamayacağına karar verir.",
    parameters = images.schema,
    effect = "read",
    run = function(_, args)
      local refusal = images.refusal(args)
      return { url = args.url, allowed = refusal == nil, reason = refusal }
    end,
  },
}
