# SPDX-License-Identifier: Apache-2.0
"""What a description cannot say, so that schemathesis cannot know it."""

import itertools
import json
import re

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

# Why a request that keeps to every schema is refused all the same. A refusal for any other reason is a finding.
RULES = [
    # What stands in one place of a conversation depends on what stands in others.
    r"has no message of the user's", r"ends with an empty message", r"answers no call '", r"no result of it follows",
    # Names differ, and a choice is one of the tools beside it.
    r"has the name of another tool", r"wants a tool, and there are no tools", r"is none of the tools",
    # What agents can do depends on their scripts.
    r"cannot be kept: a script answers here", r"is no text, and text is all that this model takes",
    # The choices are those of the question.
    r"the decision must be ",
    # A run has had as many events as it has had.
    r"^Last-Event-ID must be the id of an event",
    # Keys are remembered, and agents may say no.
    r"the Idempotency-Key came with another request before", r"there is no paper",
]
RULE = re.compile("|".join(RULES))


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in (400, 422):
        return True
    document = json.loads(response.content)
    detail = document.get("detail") or document.get("error", {}).get("message", "")
    return not RULE.search(detail)


@schemathesis.hook
def map_body(context, body):
    """A message of the user's stands last, so that more conversations than few are answered."""
    name = context.operation.definition.raw.get("operationId")
    field = {"createChatCompletion": "messages", "createResponse": "input"}.get(name)
    if isinstance(body, dict) and isinstance(body.get(field), list) and body[field]:
        return {**body, field: [*body[field], {"role": "user", "content": "go on"}]}
    return body


numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """The key of the example is made up for one request, and tried with many."""
    headers = case.headers or {}
    if headers.get("Idempotency-Key") == "order-4711" and (number := next(numbers)) % 8:
        headers["Idempotency-Key"] += f"-{number}"
