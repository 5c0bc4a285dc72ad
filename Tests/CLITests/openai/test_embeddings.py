# SPDX-License-Identifier: Apache-2.0
"""The official client against a running server: embeddings."""
import unittest

import openai

from client import Client


class Embeddings(unittest.TestCase):
    def setUp(self):
        self.client = Client()

    def tearDown(self):
        self.client.close()

    def test_formats(self):
        # The client asks for base64 where it may choose.
        for options in ({}, {"encoding_format": "float"}, {"encoding_format": "base64"}):
            answer = self.client.embeddings.create(model="small", input=["a", "abc"], **options)
            self.assertEqual([item.index for item in answer.data], [0, 1])
            self.assertEqual(answer.usage.prompt_tokens, 7)
            if options.get("encoding_format") != "base64":
                self.assertEqual([item.embedding for item in answer.data], [[1, 0.5, -0.25], [3, 0.5, -0.25]])
            else:
                self.assertEqual(answer.data[0].embedding, "AACAPwAAAD8AAIC+")

    def test_one_text(self):
        self.assertEqual(len(self.client.embeddings.create(model="small", input="abc").data), 1)

    def test_errors(self):
        with self.assertRaises(openai.NotFoundError):
            self.client.embeddings.create(model="unknown", input="a")
        for text in ("", [], [1, 2]):
            with self.assertRaises(openai.BadRequestError) as caught:
                self.client.embeddings.create(model="small", input=text)
            self.assertEqual(caught.exception.param, "input")
