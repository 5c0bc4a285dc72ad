# SPDX-License-Identifier: Apache-2.0
"""The page at / in a real browser, against a running `perigee dev`.

PERIGEE_ORIGIN is the server, PERIGEE_WORKSPACE the folder that it watches, and PERIGEE_PROVIDER the provider, which
holds the end of its answer until it is asked for /go.
"""
import json
import os
import pathlib
import urllib.request

from browser import ORIGIN, BrowserTest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

AGENT = pathlib.Path(os.environ["PERIGEE_WORKSPACE"], "agents", "todo.lua")


class Page(BrowserTest):
    def setUp(self):
        super().setUp()
        self.browser.get(ORIGIN)
        self.until(lambda: self.text("#state") == "live" and self.all("nav button"))

    def say(self, message):
        self.browser.find_element(By.ID, "message").send_keys(message, Keys.ENTER)

    def assert_filled(self):
        """The message box is at the bottom of the window, and all of the page is in it."""
        left = "return innerHeight - document.querySelector('form').getBoundingClientRect().bottom"
        self.assertEqual(self.browser.execute_script(left), 0)

    def test_conversation_and_edits(self):
        self.picture("start")
        self.assertEqual(self.text("nav button[aria-current] strong"), "todo")
        self.assert_filled()
        self.say("show my to-dos")
        # The text is there as it comes, and the call before it.
        self.until(lambda: self.text(".reply") == "You have two things")
        self.assertTrue(self.all("#stop")[0].is_displayed())
        self.assertIn("list_todos", self.text("details summary"))
        self.assertEqual(self.text(".mine"), "show my to-dos")
        self.picture("streaming")
        urllib.request.urlopen(os.environ["PERIGEE_PROVIDER"] + "/go").close()
        self.until(lambda: self.text(".reply") == "You have two things to do.")
        self.until(lambda: not self.all("#stop")[0].is_displayed())
        self.assertIn("tokens in", self.text(".note"))
        self.assertEqual(self.browser.switch_to.active_element.get_attribute("id"), "message")

        version = self.text("#version")
        good = AGENT.read_text()
        self.assertFalse(self.all("#problems")[0].is_displayed())
        AGENT.write_text(good.replace("  temperature =", "  temprature ="))
        self.until(lambda: "temprature" in self.text("#problems"))
        self.assertEqual(self.text("#state"), "not loaded")
        problem = self.text("#problem-list pre")
        self.assertIn("agents/todo.lua:", problem)
        self.assertIn("did you mean 'temperature'?", problem)
        self.assertEqual(self.text("#version"), version)
        self.assert_filled()
        self.picture("problem")
        self.colours("dark")
        self.picture("problem-dark")
        # What was in force still answers.
        self.say("and again")
        self.until(lambda: len(self.all(".reply")) == 2 and self.text(".reply") == "You have two things to do.")

        AGENT.write_text(good.replace("temperature = 0.7", "temperature = 0.6"))
        self.until(lambda: self.text("#state") == "live" and not self.all("#problems")[0].is_displayed())
        self.until(lambda: self.text("#version") != version)
        self.until(lambda: "is in force" in self.text(".note"))
        self.picture("mended-dark")
        # Nothing that the page's own policy forbids, and no error of its script.
        self.assertEqual(self.browser.get_log("browser"), [])

    def test_failure_and_new_conversation(self):
        self.assertEqual(self.text("#empty b"), "todo")
        next(button for button in self.all("nav button") if "unlucky" in button.text).click()
        self.until(lambda: self.text("#empty b") == "unlucky")
        self.say("write this")
        self.until(lambda: self.text(".reply.failed") != "")
        self.picture("failed")
        self.all("#fresh")[0].click()
        self.until(lambda: not self.all(".mine") and not self.all(".reply"))
        self.assertTrue(self.all("#empty")[0].is_displayed())
        self.colours("light")
        light = self.browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        self.colours("dark")
        dark = self.browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        self.assertNotEqual(light, dark)

    def test_reload(self):
        self.say("show my to-dos")
        self.until(lambda: self.text(".reply") == "You have two things")
        # The run goes on without the page, which shows its end.
        self.browser.refresh()
        self.until(lambda: self.text(".mine") == "show my to-dos" and self.all("#stop")[0].is_displayed())
        urllib.request.urlopen(os.environ["PERIGEE_PROVIDER"] + "/go").close()
        self.until(lambda: self.text(".reply") == "You have two things to do.")
        self.until(lambda: not self.all("#stop")[0].is_displayed())
        self.assertEqual(len(self.all(".mine")), 1)

    def test_thumbs(self):
        self.say("show my to-dos")
        self.until(lambda: self.all(".thumbs button"))
        good, bad = self.all(".thumbs button")
        self.assertEqual([one.get_attribute("aria-label") for one in (good, bad)], ["Good answer", "Bad answer"])
        pressed = lambda: [one.get_attribute("aria-pressed") for one in (good, bad)]
        self.assertEqual(pressed(), ["false", "false"])
        # By the keyboard alone: the buttons stand before the message box.
        self.browser.switch_to.active_element.send_keys(Keys.SHIFT + Keys.TAB)
        self.assertEqual(self.browser.switch_to.active_element, bad)
        bad.send_keys(Keys.ENTER)
        self.until(lambda: pressed() == ["false", "true"])
        self.picture("thumbs")
        self.assertEqual(self.scores(), [-1])
        good.send_keys(Keys.SPACE)
        self.until(lambda: pressed() == ["true", "false"])
        self.assertEqual(self.scores(), [1])
        self.assertEqual(self.browser.get_log("browser"), [])

    def scores(self):
        """Of all feedback that the server has."""
        with urllib.request.urlopen(ORIGIN + "/v1/feedback") as answer:
            return [one["score"] for one in json.load(answer)["data"]]

    def test_narrow(self):
        self.browser.set_window_size(500, 800)
        self.say("show my to-dos")
        self.until(lambda: self.text(".reply") == "You have two things to do.")
        self.picture("narrow")
        width = self.browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
        self.assertLessEqual(width, 0)


class Identity(Page):
    """On a server that wants to know who asks."""

    def setUp(self):
        BrowserTest.setUp(self)
        self.browser.get(ORIGIN)

    def show(self, token):
        self.until(lambda: self.all("#identity")[0].is_displayed())
        self.all("#token")[0].send_keys(token, Keys.ENTER)

    def test_token(self):
        self.until(lambda: self.text("#identity-title") == "Who are you?")
        self.picture("identity")
        self.show("nonsense")
        self.until(lambda: self.text("#refusal") != "")
        self.show(os.environ["PERIGEE_TOKEN"])
        self.until(lambda: self.text("#state") == "live" and self.all("nav button"))
        self.say("hello")
        self.until(lambda: self.text(".reply") == "hello ann")
        # It stays in the tab.
        self.browser.refresh()
        self.until(lambda: self.text("#state") == "live" and self.all("nav button"))
        self.assertFalse([one for one in self.all("#identity") if one.is_displayed()])
