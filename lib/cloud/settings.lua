-- What a deployment of the support desk may want otherwise. Amounts are whole cents.

return {
  shop = "Harbour Tea",
  -- Above it a person has to agree to a refund.
  approve_above_cents = 10000,
  -- Above it the stand-in for the payment service refuses: the job becomes a dead letter.
  payment_limit_cents = 50000,
  -- Answers of a session that can still be rated.
  answers_kept = 50,
}
