-- Four times a day: takes out what has come in, has it analysed, and hands the analyses to workers, who bring them to
-- their place and try again where that fails.

local settings = require("lib.orchestrator.settings")

local function publish(document, analysis)
  return queue.publish(
    "upload_analysis",
    { document_id = document.id, topic = analysis.topic, summary = analysis.summary },
    { key = "document-" .. document.id }
  )
end

---@type perigee.Agent
return {
  description = "Analyses all documents that wait.",
  allow = { roles = settings.reviewers },
  access = { queue = true, http = settings.webhook_hosts },
  schedules = { { cron = "0 */6 * * *", zone = "UTC", message = "Analyse what has come in." } },

  steps = {
    extract = { tool = "waiting_documents", retry = { attempts = 3, backoff = "1s" } },
    process = {
      agent = "orchestrator.analyst",
      needs = { "extract" },
      for_each = function(_, results) return results.extract.documents end,
      limit = settings.batch_parallel,
      input = function(_, _, document) return document.body end,
      retry = { attempts = 3, backoff = "1s" },
      -- A document that cannot be analysed waits for the next batch.
      on_error = "continue",
    },
    upload = {
      needs = { "process" },
      run = function(_, results)
        local jobs = json.array({})
        for i, document in ipairs(results.extract.documents) do
          local analysis = results.process[i]
          if analysis ~= json.null then jobs[#jobs + 1] = publish(document, analysis) end
        end
        return { waiting = #results.extract.documents, jobs = jobs }
      end,
    },
    notify = {
      webhook = settings.webhook_url,
      needs = { "upload" },
      when = function() return settings.webhook_enabled end,
      input = function(_, results) return { documents = #results.upload.jobs } end,
      retry = { attempts = 5, backoff = "2s" },
      on_error = "continue",
    },
    report = {
      needs = { "notify" },
      run = function(_, results)
        return ("%d of %d documents analysed."):format(#results.upload.jobs, results.upload.waiting)
      end,
    },
  },
}
