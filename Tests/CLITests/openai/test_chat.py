# SPDX-License-Identifier: Apache-2.0
"""The official client against a running server: chat completions and models."""
import asyncio
import json
import unittest

import openai
import pydantic

from client import AsyncClient, Client

CITY = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


class Person(pydantic.BaseModel):
    name: str


class Event(pydantic.BaseModel):
    title: str
    people: list[Person]


class GetWeather(pydantic.BaseModel):
    city: str


def says(text):
    return [{"role": "user", "content": text}]


class Chat(unittest.TestCase):
    def setUp(self):
        self.client = Client()

    def tearDown(self):
        self.client.close()

    def test_models(self):
        names = [model.id for model in self.client.models.list()]
        self.assertEqual(names, sorted(names))
        self.assertIn("plain", names)
        self.assertEqual(self.client.models.retrieve("plain").owned_by, "perigee")

    def test_plain(self):
        answer = self.client.chat.completions.create(model="plain", messages=says("hello"))
        self.assertEqual(answer.choices[0].message.content, "You said: hello")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
        self.assertGreater(answer.usage.prompt_tokens, 0)
        self.assertTrue(answer._request_id)

    def test_conversation(self):
        messages = [
            {"role": "developer", "content": "Count."},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            *says("roles, please"),
        ]
        answer = self.client.chat.completions.create(model="plain", messages=messages)
        self.assertEqual(answer.choices[0].message.content, "system system user assistant user")

    def test_script(self):
        answer = self.client.chat.completions.create(model="script", messages=says("hello"))
        self.assertEqual(answer.choices[0].message.content, "script: hello")

    def test_stream(self):
        stream = self.client.chat.completions.create(
            model="plain", messages=says("hello"), stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        texts = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
        self.assertEqual("".join(texts), "You said: hello")
        self.assertGreater(len(chunks), 3)
        self.assertEqual(chunks[-2].choices[0].finish_reason, "stop")
        self.assertEqual(chunks[-1].choices, [])
        self.assertGreater(chunks[-1].usage.total_tokens, 0)

    def test_stream_helper(self):
        with self.client.chat.completions.stream(model="plain", messages=says("hello")) as stream:
            kinds = {event.type for event in stream}
            final = stream.get_final_completion()
        self.assertIn("content.delta", kinds)
        self.assertEqual(final.choices[0].message.content, "You said: hello")

    def test_tools(self):
        messages = says("weather")
        first = self.client.chat.completions.create(model="worker", messages=messages, tools=[CITY])
        message = first.choices[0].message
        self.assertEqual(first.choices[0].finish_reason, "tool_calls")
        self.assertEqual([call.function.name for call in message.tool_calls], ["get_weather"])
        self.assertEqual(json.loads(message.tool_calls[0].function.arguments), {"city": "Izmir"})
        messages += [message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}]
        second = self.client.chat.completions.create(model="worker", messages=messages, tools=[CITY])
        # The provider repeats what it was told: the agent's own tool has not been forgotten.
        self.assertEqual(second.choices[0].message.content, "told: stamped, sunny")

    def test_tools_streamed(self):
        with self.client.chat.completions.stream(
            model="worker", messages=says("weather"), tools=[openai.pydantic_function_tool(GetWeather, name="get_weather")]
        ) as stream:
            final = stream.get_final_completion()
        self.assertEqual(final.choices[0].finish_reason, "tool_calls")
        self.assertEqual(final.choices[0].message.tool_calls[0].function.parsed_arguments, GetWeather(city="Izmir"))

    def test_parse(self):
        answer = self.client.chat.completions.parse(model="plain", messages=says("fair"), response_format=Event)
        self.assertEqual(answer.choices[0].message.parsed, Event(title="Fair", people=[Person(name="Ann")]))
        with self.client.chat.completions.stream(model="plain", messages=says("fair"), response_format=Event) as stream:
            final = stream.get_final_completion()
        self.assertEqual(final.choices[0].message.parsed.people[0].name, "Ann")

    def test_json_object(self):
        answer = self.client.chat.completions.create(
            model="plain", messages=says("fair"), response_format={"type": "json_object"}
        )
        self.assertEqual(json.loads(answer.choices[0].message.content)["title"], "Fair")

    def test_errors(self):
        def ask(model="plain", text="hello", **more):
            return self.client.chat.completions.create(model=model, messages=says(text), **more)

        with self.assertRaises(openai.NotFoundError) as caught:
            ask(model="gpt-4o")
        self.assertEqual((caught.exception.code, caught.exception.param), ("model_not_found", "model"))
        with self.assertRaises(openai.BadRequestError) as caught:
            ask(n=2)
        self.assertEqual((caught.exception.type, caught.exception.param), ("invalid_request_error", "n"))
        with self.assertRaises(openai.BadRequestError) as caught:
            ask(model="worker", tools=[{"type": "function", "function": {"name": "stamp"}}])
        self.assertEqual(caught.exception.param, "tools")
        with self.assertRaises(openai.RateLimitError) as caught:
            self.client.with_options(max_retries=0).chat.completions.create(model="limited", messages=says("x"))
        self.assertTrue(caught.exception.response.headers["retry-after"])
        with self.assertRaises(openai.UnprocessableEntityError):
            ask(model="choosy")
        for options in ({}, {"stream": True}):
            with self.assertRaises(openai.InternalServerError) as caught:
                ask(text="fail", **options)
            # What a run has done may not be done again unasked.
            self.assertEqual(caught.exception.response.request.headers["x-stainless-retry-count"], "0")

    def test_failure_in_stream(self):
        texts = []
        with self.assertRaises(openai.APIError) as caught:
            for chunk in self.client.chat.completions.create(model="worker", messages=says("break"), stream=True):
                texts.append(chunk.choices[0].delta.content or "")
        self.assertEqual("".join(texts), "Well")
        self.assertNotIsInstance(caught.exception, openai.APIStatusError)


class AsyncChat(unittest.IsolatedAsyncioTestCase):
    async def test_beside_each_other(self):
        async with AsyncClient() as client:
            answers = await asyncio.gather(
                *(client.chat.completions.create(model="plain", messages=says(str(i))) for i in range(8))
            )
            self.assertEqual(
                [answer.choices[0].message.content for answer in answers], [f"You said: {i}" for i in range(8)]
            )

    async def test_stream(self):
        async with AsyncClient() as client:
            stream = await client.chat.completions.create(model="plain", messages=says("hello"), stream=True)
            texts = [c.choices[0].delta.content or "" async for c in stream]
            self.assertEqual("".join(texts), "You said: hello")

    async def test_error(self):
        async with AsyncClient() as client:
            with self.assertRaises(openai.NotFoundError):
                await client.chat.completions.create(model="nobody", messages=says("x"), stream=True)
