-- What an image is, and whether the market shows it: by its address and caption, for nobody looks at it.

local images = require("lib.market.images")

---@type table<string, perigee.Tool>
return {
  analyze_image = {
    description = "Bir fotoğrafın biçimini ve adından ya da notundan ne gösterdiğini söyler. İçine bakmaz.",
    parameters = images.schema,
    effect = "read",
    run = function(_, args)
      return { url = args.url, format = images.format(args.url), subject = images.subject(args) }
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
