# SPDX-License-Identifier: Apache-2.0
"""The client as its documentation says: OPENAI_BASE_URL is the server, and the key is any."""
import openai


def Client():
    return openai.OpenAI(api_key="any", timeout=120)


def AsyncClient():
    return openai.AsyncOpenAI(api_key="any", timeout=120)
