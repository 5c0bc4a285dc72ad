# SPDX-License-Identifier: Apache-2.0
"""The official client against a running server: responses."""
import json
import unittest

import openai
import pydantic

from client import AsyncClient, Client

CITY = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Person(pydantic.BaseModel):
    name: str


class Event(pydantic.BaseModel):
    title: str
    people: list[Person]


FAIR = Event(title="Fair", people=[Person(name="Ann")])


class Responses(unittest.TestCase):
    def setUp(self):
        self.client = Client()

    def tearDown(self):
        self.client.close()

    def test_plain(self):
        response = self.client.responses.create(model="plain", input="hello", metadata={"a": "b"})
        self.assertEqual(response.output_text, "You said: hello")
        self.assertEqual((response.status, response.metadata), ("completed", {"a": "b"}))
        self.assertGreater(response.usage.total_tokens, 0)
        self.assertIsNone(response.error)

    def test_conversation(self):
        first = self.client.responses.create(model="plain", input="one", instructions="Count.")
        items = [
            {"role": "user", "content": "one"},
            *first.output,
            {"role": "user", "content": [{"type": "input_text", "text": "roles, please"}]},
        ]
        second = self.client.responses.create(model="plain", input=items, instructions="Count.")
        self.assertEqual(second.output_text, "system system user assistant user")

    def test_tools(self):
        items = [{"role": "user", "content": "weather"}]
        first = self.client.responses.create(model="worker", input=items, tools=[CITY])
        call = first.output[0]
        self.assertEqual((call.type, call.name, json.loads(call.arguments)), ("function_call", "get_weather", {"city": "Izmir"}))
        items += first.output
        items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
        second = self.client.responses.create(model="worker", input=items, tools=[CITY])
        self.assertEqual(second.output_text, "told: stamped, sunny")

    def test_stream(self):
        events = list(self.client.responses.create(model="plain", input="hello", stream=True))
        kinds = [event.type for event in events]
        self.assertEqual(
            [kind for kind, before in zip(kinds, [None, *kinds]) if kind != before],
            [
                "response.created",
                "response.in_progress",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.completed",
            ],
        )
        self.assertEqual([event.sequence_number for event in events], list(range(len(events))))
        texts = [event.delta for event in events if event.type == "response.output_text.delta"]
        self.assertEqual("".join(texts), "You said: hello")
        self.assertEqual(events[-1].response.output_text, "You said: hello")
        self.assertEqual(events[0].response.id, events[-1].response.id)

    def test_stream_helper(self):
        with self.client.responses.stream(model="worker", input="weather", tools=[CITY]) as stream:
            kinds = {event.type for event in stream}
            final = stream.get_final_response()
        self.assertIn("response.function_call_arguments.done", kinds)
        self.assertEqual(json.loads(final.output[0].arguments), {"city": "Izmir"})

    def test_parse(self):
        parsed = self.client.responses.parse(model="plain", input="fair", text_format=Event)
        self.assertEqual(parsed.output_parsed, FAIR)
        with self.client.responses.stream(model="plain", input="fair", text_format=Event) as stream:
            stream.until_done()
            self.assertEqual(stream.get_final_response().output_parsed, FAIR)

    def test_errors(self):
        with self.assertRaises(openai.NotFoundError):
            self.client.responses.create(model="gpt-4o", input="x")
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.responses.create(model="plain", input="x", previous_response_id="resp_1")
        self.assertEqual(caught.exception.param, "previous_response_id")
        with self.assertRaises(openai.InternalServerError):
            self.client.responses.create(model="plain", input="fail")
        with self.assertRaises(openai.NotFoundError):
            self.client.responses.retrieve("resp_1")

    def test_failure_in_stream(self):
        last = list(self.client.responses.create(model="worker", input="break", stream=True))[-1]
        self.assertEqual((last.type, last.response.status), ("response.failed", "failed"))
        self.assertEqual(last.response.error.code, "server_error")


class AsyncResponses(unittest.IsolatedAsyncioTestCase):
    async def test_plain(self):
        async with AsyncClient() as client:
            response = await client.responses.create(model="plain", input="hello")
            self.assertEqual(response.output_text, "You said: hello")
