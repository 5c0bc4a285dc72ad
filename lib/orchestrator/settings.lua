-- What a deployment of the orchestrator may want otherwise.

return {
  -- Who is told of each batch. An address of your own: its host stands in webhook_hosts.
  webhook_enabled = false,
  webhook_url = "https://hooks.example.com/batches",
  webhook_hosts = { "hooks.example.com" },

  -- How often a publication goes back to its writer, and who may let it through.
  rewrites_max = 2,
  reviewers = { "operator", "admin" },
  review_timeout = "48h",
  draft_words_min = 20,

  -- Documents of one batch, and how many are processed beside each other.
  batch_documents_max = 100,
  batch_parallel = 4,
}
