# SPDX-License-Identifier: Apache-2.0
"""The list of conversations and the forms of approvals on the page at /, in a real browser."""
import json
import urllib.error
import urllib.request

from browser import ORIGIN, BrowserTest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def ask(method, path, body=None):
    request = urllib.request.Request(
        ORIGIN + path, method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def chat(agent, message, session):
    return ask("POST", f"/v1/agents/{agent}/chat", {"message": message, "session_id": session})


class Conversations(BrowserTest):
    def begin(self, path="/"):
        self.browser.get(ORIGIN + path)
        self.until(lambda: self.text("#state") == "live" and self.all("#agents button"))

    def titles(self):
        return [one.text for one in self.all("#sessions strong")]

    def link(self, title):
        return next(one for one in self.all("#sessions a") if title == one.get_attribute("title"))

    def press(self, label):
        """Pressed with the keyboard, as who does not see the page does."""
        self.browser.find_element(By.CSS_SELECTOR, f'[aria-label="{label}"]').send_keys(Keys.ENTER)

    def focused(self):
        return self.browser.switch_to.active_element

    def say(self, message):
        self.browser.find_element(By.ID, "message").send_keys(message, Keys.ENTER)

    def place(self):
        return self.browser.current_url.removeprefix(ORIGIN)

    def test_open_reload_and_back(self):
        for number in range(31):
            chat("echo", f"hello {number}", f"s:{number}")
        self.begin()
        self.until(lambda: len(self.titles()) == 30)
        self.assertEqual(self.titles()[0], "Chat: hello 30")
        self.all("#more")[0].click()
        self.until(lambda: len(self.titles()) == 31 and not self.all("#more")[0].is_displayed())
        self.assertEqual(self.focused().get_attribute("title"), "Chat: hello 0")
        self.link("Chat: hello 7").click()
        self.until(lambda: self.text(".reply") == "you said hello 7")
        self.assertEqual(self.place(), "/#s%3A7")
        self.assertEqual(self.text(".mine"), "hello 7")
        self.assertIn("look", self.text("details summary"))
        self.assertIsNone(self.all("details")[0].get_attribute("open"))
        self.assertEqual(self.text("#sessions [aria-current] strong"), "Chat: hello 7")
        self.assertEqual(self.text("#agents [aria-current] strong"), "echo")
        self.picture("conversation")

        self.browser.refresh()
        self.until(lambda: self.text(".reply") == "you said hello 7")
        self.link("Chat: hello 8").click()
        self.until(lambda: self.text(".reply") == "you said hello 8")
        self.browser.back()
        self.until(lambda: self.text(".reply") == "you said hello 7")
        self.assertEqual(len(self.all(".reply")), 1)
        self.say("more")
        self.until(lambda: self.text(".reply") == "you said more")
        self.until(lambda: self.titles()[0] == "Chat: hello 7")
        self.assertEqual(ask("GET", "/v1/sessions/s:7")["message_count"], 4)

        self.all("#fresh")[0].click()
        self.until(lambda: not self.all(".mine") and self.all("#empty")[0].is_displayed())
        self.assertEqual(self.place(), "/")
        self.assertEqual(self.focused().get_attribute("id"), "message")
        self.say("something new")
        self.until(lambda: self.text(".reply") == "you said something new")
        self.until(lambda: self.titles()[0] == "Chat: something new")
        self.assertTrue(self.place().startswith("/#"))
        # Nothing that the page's own policy forbids, and no error of its script.
        self.assertEqual(self.browser.get_log("browser"), [])

    def test_rename_and_delete(self):
        for name in ["one", "two", "three"]:
            chat("echo", name, name)
        self.begin("/#one")
        self.until(lambda: len(self.titles()) == 3)
        self.press("Rename Chat: one")
        self.assertEqual(self.focused().get_attribute("aria-label"), "Title of the conversation")
        self.focused().send_keys("Groceries", Keys.ENTER)
        self.until(lambda: self.titles()[0] == "Groceries")
        self.assertEqual(self.focused().get_attribute("title"), "Groceries")
        self.assertEqual(ask("GET", "/v1/sessions/one")["title"], "Groceries")
        self.press("Rename Groceries")
        self.focused().send_keys("Something else", Keys.ESCAPE)
        self.until(lambda: self.titles()[0] == "Groceries")

        self.press("Delete Chat: two")
        self.until(lambda: self.text("dialog.question h2") == "Delete “Chat: two” with its messages and runs?")
        self.picture("delete")
        self.assertEqual(self.focused().text, "Cancel")
        self.focused().send_keys(Keys.ENTER)
        self.until(lambda: not self.all("dialog.question"))
        self.assertEqual(ask("GET", "/v1/sessions/two")["title"], "Chat: two")
        self.press("Delete Chat: two")
        self.focused().send_keys(Keys.TAB, Keys.ENTER)
        self.until(lambda: self.titles() == ["Groceries", "Chat: three"])
        with self.assertRaises(urllib.error.HTTPError) as missing:
            ask("GET", "/v1/sessions/two")
        self.assertEqual(missing.exception.code, 404)
        self.assertEqual(self.focused().get_attribute("title"), "Chat: three")
        # The one that is shown.
        self.assertEqual(self.text(".reply"), "you said one")
        self.press("Delete Groceries")
        self.focused().send_keys(Keys.TAB, Keys.ENTER)
        self.until(lambda: self.titles() == ["Chat: three"] and not self.all(".mine"))
        self.assertEqual(self.place(), "/")
        self.assertTrue(self.all("#empty")[0].is_displayed())

    def test_drawer(self):
        chat("echo", "hello", "s")
        self.browser.set_window_size(500, 800)
        self.begin()
        self.until(lambda: self.all("#sessions a"))
        self.assertFalse(self.all("#sessions a")[0].is_displayed())
        self.all("#drawer")[0].click()
        self.until(lambda: self.all("#sessions a")[0].is_displayed())
        self.assertEqual(self.all("#drawer")[0].get_attribute("aria-expanded"), "true")
        self.picture("drawer")
        self.focused().send_keys(Keys.ESCAPE)
        self.until(lambda: not self.all("#sessions a")[0].is_displayed())
        self.assertEqual(self.focused().get_attribute("id"), "drawer")
        self.focused().send_keys(Keys.ENTER)
        self.all("#sessions a")[0].click()
        self.until(lambda: self.text(".reply") == "you said hello" and not self.all("#sessions a")[0].is_displayed())
        self.assertEqual(self.all("#drawer")[0].get_attribute("aria-expanded"), "false")
        width = self.browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
        self.assertLessEqual(width, 0)

    def field(self, name):
        return self.browser.find_element(By.CSS_SELECTOR, f'.approval [data-name="{name}"]')

    def fault(self, name):
        ids = self.field(name).get_attribute("aria-describedby").split()
        return self.browser.find_element(By.ID, ids[-1]).text

    def choose(self, text):
        next(one for one in self.all(".approval .choices button") if one.text == text).click()

    def test_form(self):
        self.begin()
        next(one for one in self.all("#agents button") if "refund" in one.text).click()
        self.say("please")
        self.until(lambda: self.text(".approval h3") == "Refund?")
        # Who waits for a person may say something else meanwhile.
        self.until(lambda: self.all("#send")[0].is_displayed())
        self.assertIn("the lens", self.text(".approval pre"))
        self.assertEqual([one.text for one in self.all(".approval .choices button")], ["Approve", "Reject"])
        self.assertEqual(self.field("amount").get_attribute("aria-required"), "true")
        self.assertTrue(self.field("notify").is_selected())
        self.field("amount").send_keys("much")
        self.choose("Approve")
        self.until(lambda: self.fault("amount") == "expected number, got string")
        self.assertEqual(self.fault("reason"), "is missing")
        self.assertEqual(self.field("reason").get_attribute("aria-invalid"), "true")
        self.assertEqual(self.focused(), self.field("amount"))
        self.picture("form-refused")
        self.assertEqual([one["status"] for one in ask("GET", "/v1/approvals")["data"]], ["pending"])

        # It is still asked who comes back.
        self.browser.refresh()
        self.until(lambda: self.text(".approval h3") == "Refund?")
        self.field("amount").send_keys("999")
        self.choose("Approve")
        self.until(lambda: self.fault("amount") == "must be at most 250")
        self.field("amount").clear()
        self.field("amount").send_keys("20")
        self.field("reason").send_keys("late")
        self.field("notify").click()
        self.field("comment").send_keys("as agreed")
        self.choose("Approve")
        self.until(lambda: self.text(".reply") == "refunded 20 because late, false: as agreed")
        self.assertFalse(self.all(".approval"))
        decision = ask("GET", "/v1/approvals")["data"][0]["decision"]
        self.assertEqual(decision["values"], {"amount": 20, "reason": "late", "notify": False})

        self.say("again")
        self.until(lambda: self.all(".approval"))
        self.field("comment").send_keys("too late")
        self.choose("Reject")
        self.until(lambda: self.text(".reply") == "not refunded: too late")

    def test_calls(self):
        self.begin()
        next(one for one in self.all("#agents button") if "desk" in one.text).click()
        self.say("look")
        self.until(lambda: self.text(".approval h3") == "Go on?" and len(self.all(".call")) == 1)
        self.choose("Approve")
        self.until(lambda: self.text(".reply") == "went on")
        self.assertEqual(len(self.all(".call")), 1)

    def test_step(self):
        self.begin()
        next(one for one in self.all("#agents button") if "listing" in one.text).click()
        self.say("chair")
        self.until(lambda: self.text(".approval h3") == "Publish?")
        # What was asked is still asked when something else was said meanwhile.
        self.until(lambda: self.text(".note") == "The run waits for the answer.")
        chat("echo", "something else", self.place().removeprefix("/#"))
        self.browser.refresh()
        self.until(lambda: self.text(".reply") == "you said something else" and self.all(".approval"))
        self.choose("Approve")
        self.until(lambda: self.fault("price") == "is missing")
        self.field("price").send_keys("5")
        self.choose("Approve")
        self.until(lambda: self.text(".reply") == "published for 5")
