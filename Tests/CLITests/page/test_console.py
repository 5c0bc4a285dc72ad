# SPDX-License-Identifier: Apache-2.0
"""The page at /console in a real browser, against a server that wants to know who asks.

PERIGEE_OPERATOR, PERIGEE_ADMIN and PERIGEE_USER are tokens.
"""
import json
import os
import urllib.request

from browser import ORIGIN, BrowserTest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

OPERATOR = os.environ["PERIGEE_OPERATOR"]
USER = os.environ["PERIGEE_USER"]


def chat(agent, message):
    request = urllib.request.Request(
        f"{ORIGIN}/v1/agents/{agent}/chat", data=json.dumps({"message": message}).encode(),
        headers={"Content-Type": "application/json", "Authorization": "Bearer " + USER},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Console(BrowserTest):
    def enter(self, token, path="/console"):
        self.browser.get(ORIGIN + path)
        self.show(token)

    def show(self, token):
        self.until(lambda: self.all("#identity") and self.all("#identity")[0].is_displayed())
        self.all("#token")[0].send_keys(token, Keys.ENTER)

    def go(self, title):
        next(one for one in self.all("nav a") if one.text.startswith(title)).click()
        self.until(lambda: self.text(".view > h2") == title)

    def rows(self):
        return [one.text for one in self.all(".view tbody tr")]

    def press(self, text, inside=".view"):
        """Presses what says that, or is labelled so; what is shown may be made anew meanwhile."""
        def pressed():
            for one in self.all(f"{inside} button"):
                if text in (one.text, one.get_attribute("aria-label")):
                    one.click()
                    return True
            return False

        self.until(pressed)

    def choose(self, selector, text):
        """Chooses in a list, which may be drawn anew meanwhile."""
        self.until(lambda: Select(self.all(selector)[0]).select_by_visible_text(text) or True)

    def test_a_user_is_told_no(self):
        chat("quick", "hello")
        self.enter(USER, "/admin")
        self.until(lambda: self.text("#stranger h2") == "This page is for operators")
        self.assertIn("Dead letters are for operators and admins.", self.text("#stranger"))
        self.assertFalse(self.all("nav")[0].is_displayed())
        self.picture("console-stranger")
        self.all("#stranger button")[0].click()
        self.show(OPERATOR)
        self.until(lambda: self.text(".view > h2") == "Overview")
        self.assertFalse(self.all("#stranger"))
        # It stays in the tab.
        self.browser.refresh()
        self.until(lambda: self.text(".view > h2") == "Overview")

    def test_runs(self):
        run = chat("quick", "hello")["run_id"]
        waiting = chat("asking", "please")["run_id"]
        self.enter(OPERATOR)
        self.go("Runs")
        self.until(lambda: len(self.rows()) >= 2)
        self.until(lambda: self.all(f'[data-key="run {run}"]')[0].click() or True)
        self.until(lambda: self.text(".view > h2") == "Run")
        self.assertIn("completed", self.text(".facts"))
        self.assertIn("ann", self.text(".facts"))
        self.all(".span summary")[0].click()
        self.until(lambda: '"hello"' in self.text(".span"))
        self.assertIn("look", self.text(".span summary"))
        self.picture("console-run")
        self.browser.back()
        self.until(lambda: self.text(".view > h2") == "Runs")
        self.choose("#filter-agent", "asking")
        self.until(lambda: self.rows() and all("asking" in row for row in self.rows()))
        self.choose("#filter-status", "waiting")
        self.until(lambda: len(self.rows()) == 1)
        self.assertTrue(self.browser.current_url.endswith("#runs?agent=asking&status=waiting"))
        self.picture("console-runs")
        self.press(f"Cancel run {waiting}")
        self.until(lambda: self.text(".none") == "No run fits.")
        self.choose("#filter-status", "cancelled")
        self.until(lambda: len(self.rows()) == 1 and "cancelled" in self.rows()[0])
        self.press(f"Retry run {waiting}")
        self.until(lambda: self.text(".none") == "No run fits.")

    def test_approvals(self):
        chat("asking", "please")
        self.enter(OPERATOR, "/console#approvals")
        self.until(lambda: self.text(".approval h3") == "Sure?")
        self.assertIn("For ann", self.text(".approval"))
        self.until(lambda: self.text("nav .count") == "1")
        self.press("Approve")
        self.until(lambda: "is missing" in self.text(".approval"))
        self.browser.find_element(By.CSS_SELECTOR, '[data-name="why"]').send_keys("because")
        self.picture("console-approval")
        self.press("Approve")
        self.until(lambda: not self.all(".approval"))
        self.until(lambda: all(word in self.rows()[0] for word in ["Sure?", "approve", "olga"]))

    def test_jobs(self):
        chat("publishing", "go")
        self.enter(OPERATOR, "/console#jobs")
        self.until(lambda: len([row for row in self.rows() if "denied: no mailbox" in row]) == 2)
        self.picture("console-jobs")
        # The second time it goes well.
        self.press("Retry job mail")
        self.until(lambda: [row.split()[0] for row in self.rows()] == ["lost"])
        self.press("Discard job lost")
        self.press("Discard", "dialog.question")
        self.until(lambda: "No job has failed for good." in self.text(".view"))

    def test_the_rest(self):
        chat("quick", "hello")
        self.enter(OPERATOR)
        self.until(lambda: "Turns a minute" in self.text("#tiles") and "1 in all" in self.text("#tiles"))
        # A second look has rates.
        self.until(lambda: "–" not in self.all(".tile b")[2].text)
        self.assertEqual(len(self.all(".tile svg")), len(self.all(".tile")))
        self.picture("console")
        self.go("Agents")
        self.until(lambda: [row for row in self.rows() if row.startswith("quick") and "COMPLETED" in row])
        self.go("Versions")
        self.until(lambda: len(self.rows()) == 1 and "active" in self.rows()[0])
        # What somebody may not see is said.
        self.go("Audit trail")
        self.until(lambda: self.text(".denied") == "The audit trail is for admins.")
        self.assertEqual(self.text("#state"), "live")
        self.colours("dark")
        self.picture("console-denied-dark")

    def test_admin(self):
        chat("quick", "hello")
        self.enter(os.environ["PERIGEE_ADMIN"], "/console#audit")
        self.until(lambda: [row for row in self.rows() if "tool.called" in row])
        self.press("Verify")
        self.until(lambda: "entries are as they were written." in self.text(".bar [role=status]"))

    def test_narrow(self):
        chat("quick", "hello")
        self.browser.set_window_size(500, 800)
        self.enter(OPERATOR)
        for title in ["Overview", "Agents", "Runs", "Approvals", "Jobs", "Versions"]:
            self.go(title)
            self.picture("console-narrow-" + title.lower())
            # Tables scroll by themselves, the page does not.
            for place in ["document.documentElement", "document.getElementById('content')"]:
                width = self.browser.execute_script(f"return {place}.scrollWidth - {place}.clientWidth")
                self.assertLessEqual(width, 0, title)
