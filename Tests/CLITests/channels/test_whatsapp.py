# SPDX-License-Identifier: Apache-2.0
"""Webhooks signed by Twilio's own package: ORIGIN (where the server listens), PUBLIC_URL, AUTH_TOKEN."""
import os
import unittest
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

from twilio.request_validator import RequestValidator

ORIGIN = os.environ["ORIGIN"]
PUBLIC_URL = os.environ["PUBLIC_URL"]
TOKEN = os.environ["AUTH_TOKEN"]
PATH = "/v1/channels/whatsapp/echo"
FIELDS = {
    "SmsMessageSid": "SM1", "MessageSid": "SM1", "AccountSid": "AC1", "NumMedia": "0", "ProfileName": "Ayşe & Öykü",
    "WaId": "905550000001", "Body": " İyi günler + 100% <ığüşöç> 😀\r\n", "To": "whatsapp:+14155238886",
    "From": "whatsapp:+905550000001", "ButtonText": "", "z": "last", "A": "first",
}


def send(fields, signed=None, path=PATH, url=None, token=TOKEN):
    """Sends `fields` with the signature of `signed`, which are the same unless said otherwise."""
    signature = RequestValidator(token).compute_signature(url or PUBLIC_URL + path, signed or fields)
    request = urllib.request.Request(
        ORIGIN + path, data=urllib.parse.urlencode(fields).encode(),
        headers={"X-Twilio-Signature": signature})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


class Signatures(unittest.TestCase):
    def test_taken(self):
        status, kind, text = send(FIELDS)
        self.assertEqual((status, kind), (200, "text/xml"))
        messages = [message.text for message in ElementTree.fromstring(text.encode()).iter("Message")]
        self.assertEqual(messages, ["İyi günler + 100% <ığüşöç> 😀"])

    def test_query(self):
        status, _, _ = send({**FIELDS, "MessageSid": "SM2"}, path=PATH + "?place=b%20c&x=1")
        self.assertEqual(status, 200)

    def test_port(self):
        url = PUBLIC_URL.replace("https://", "").partition("/")[0]
        spelled = PUBLIC_URL.replace(url, url + ":443") + PATH
        self.assertEqual(send({**FIELDS, "MessageSid": "SM3"}, url=spelled)[0], 200)

    def test_refused(self):
        changed = {**FIELDS, "MessageSid": "SM4"}
        for refused in [
            send({**changed, "Body": "send money"}, signed=changed),
            send({**changed, "More": ""}, signed=changed),
            send({key: value for key, value in changed.items() if key != "z"}, signed=changed),
            send(changed, url=PUBLIC_URL + PATH + "/"),
            send(changed, url="http" + PUBLIC_URL[5:] + PATH),
            send(changed, token=TOKEN + "x"),
        ]:
            self.assertEqual(refused[0], 403, refused)
            self.assertNotIn(TOKEN, refused[2])
        # None of them counts as this message, which is taken.
        self.assertIn("<Message>", send(changed)[2])
