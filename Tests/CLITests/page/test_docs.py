# SPDX-License-Identifier: Apache-2.0
"""The page at /docs in a real browser, against a running server whose auth.mode is PERIGEE_AUTH."""
import json
import os
import urllib.request

from browser import ORIGIN, BrowserTest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

SHOWN = ".operation:not([hidden])"


class Docs(BrowserTest):
    def setUp(self):
        super().setUp()
        self.browser.get(ORIGIN + "/docs")
        self.until(lambda: self.all(".operation"))
        with urllib.request.urlopen(ORIGIN + "/openapi.json") as answer:
            self.api = json.load(answer)

    def look_for(self, words):
        box = self.browser.find_element(By.ID, "filter")
        box.clear()
        box.send_keys(words)

    def open(self, name):
        self.browser.find_element(By.CSS_SELECTOR, f"#{name} > summary").click()
        self.until(lambda: self.all(f"#{name} .curl"))

    def test_everything_is_there(self):
        self.picture("docs")
        operations = [one for item in self.api["paths"].values() for method, one in item.items() if method != "parameters"]
        self.assertEqual(sorted(one.get_attribute("id") for one in self.all(".operation")),
                         sorted(one["operationId"] for one in operations))
        self.assertEqual([one.text.lower() for one in self.all("nav a")],
                         [tag["name"].lower() for tag in self.api["tags"]])
        # Each can be opened, and none is more than it says.
        self.browser.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
        self.until(lambda: len(self.all(".curl")) == len(operations))
        self.browser.execute_script("for (const one of document.querySelectorAll('.answer')) one.open = true")
        answers = sum(len(one["responses"]) for one in operations)
        self.until(lambda: len(self.all(".answer .inside")) == answers)
        self.assertNotIn("undefined", self.text("#operations"))
        self.assertNotIn("[object", self.text("#operations"))
        self.assertEqual(self.browser.get_log("browser"), [])

    def test_an_operation(self):
        self.open("chat")
        shown = self.text("#chat")
        for words in ["Idempotency-Key", "What the user says.", "required", "session_id", "499"]:
            self.assertIn(words, shown)
        curl = self.text("#chat .curl")
        self.assertIn(f"curl -X POST '{ORIGIN}/v1/agents/todo/chat'", curl)
        self.assertIn('"message":"show my to-dos"', curl)
        self.assertEqual("Bearer $TOKEN" in curl, os.environ["PERIGEE_AUTH"] == "any")
        # An answer and what it is made of.
        self.browser.find_element(By.CSS_SELECTOR, "#chat .answer > summary").click()
        self.until(lambda: "finish_reason" in self.text("#chat"))
        self.picture("docs-chat")
        self.colours("dark")
        self.picture("docs-chat-dark")
        self.open("live")
        self.assertNotIn("Bearer", self.text("#live .curl"))
        self.assertEqual(self.browser.get_log("browser"), [])

    def test_filter(self):
        self.look_for("dead retry")
        self.until(lambda: [one.get_attribute("id") for one in self.all(SHOWN)] == ["retryDeadLetter"])
        self.assertEqual([one.text.lower() for one in self.all("nav a") if one.is_displayed()], ["dead letters"])
        self.picture("docs-filter")
        self.look_for("no such thing")
        self.until(lambda: self.all("#none")[0].is_displayed() and not self.all(SHOWN))
        self.browser.find_element(By.ID, "filter").send_keys(Keys.ESCAPE)
        self.until(lambda: len(self.all(SHOWN)) == len(self.all(".operation")))

    def test_keyboard(self):
        body = self.browser.find_element(By.TAG_NAME, "body")
        body.send_keys("/")
        self.until(lambda: self.browser.switch_to.active_element.get_attribute("id") == "filter")
        self.browser.switch_to.active_element.send_keys("getRunTrace")
        self.until(lambda: len(self.all(SHOWN)) == 1)
        # Over the link of its group.
        for _ in range(10):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            if self.browser.switch_to.active_element.tag_name == "summary":
                break
        self.browser.switch_to.active_element.send_keys(Keys.ENTER)
        self.until(lambda: "/v1/runs/" in self.text("#getRunTrace .curl"))

    def test_link_and_narrow(self):
        self.browser.set_window_size(500, 800)
        self.browser.get(ORIGIN + "/docs#createChatCompletion")
        self.browser.refresh()
        self.until(lambda: self.all("#createChatCompletion .curl"))
        self.picture("docs-narrow")
        width = self.browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
        self.assertLessEqual(width, 0)
        # There and back.
        self.browser.find_element(By.CSS_SELECTOR, "header a").click()
        self.until(lambda: self.all("#message"))
        self.assertEqual(self.all("header a")[0].get_attribute("href"), ORIGIN + "/docs")
