# SPDX-License-Identifier: Apache-2.0
"""A real browser, and what tests of pages look at in it.

PERIGEE_ORIGIN is the server. With PAGE_SCREENSHOTS a folder gets pictures to look at.
"""
import os
import shutil
import unittest

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

ORIGIN = os.environ["PERIGEE_ORIGIN"]


def make_browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.add_argument("--headless=new")
    options.add_argument("--window-size=1200,800")
    options.add_argument("--disable-dev-shm-usage")
    if os.geteuid() == 0:
        # The browser's own sandbox does not work for root.
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


class BrowserTest(unittest.TestCase):
    def setUp(self):
        self.browser = make_browser()
        self.addCleanup(self.browser.quit)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """What the last of its kind shows; empty when it is not to be seen."""
        found = self.all(selector)
        return found[-1].text if found else ""

    def until(self, holds):
        # An element may go while it is looked at.
        wait = WebDriverWait(
            self.browser, 60, poll_frequency=0.02, ignored_exceptions=[StaleElementReferenceException]
        )
        try:
            wait.until(lambda _: holds())
        except TimeoutException:
            self.picture("timeout")
            self.fail("waited in vain; the page shows:\n" + self.text("body"))

    def picture(self, name):
        folder = os.environ.get("PAGE_SCREENSHOTS")
        if folder:
            self.browser.save_screenshot(os.path.join(folder, name + ".png"))

    def colours(self, scheme):
        self.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
