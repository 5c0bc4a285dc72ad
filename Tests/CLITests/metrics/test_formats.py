# SPDX-License-Identifier: Apache-2.0
"""What /metrics answers, read by the parsers of Prometheus' own client: METRICS_URL, TRACES (ids, by commas)."""
import os
import unittest
import urllib.request

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

URL = os.environ["METRICS_URL"]
TRACES = set(os.environ["TRACES"].split(","))
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
# As Prometheus 3 asks.
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
MEASURED = {"perigee_turn_seconds", "response_time_seconds", "perigee_model_request_seconds"}


def fetch(accept=None):
    headers = {} if accept is None else {"Accept": accept}
    with urllib.request.urlopen(urllib.request.Request(URL, headers=headers)) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def samples(families):
    """By name and labels, a counter's `le` as a number: the formats spell it differently."""
    return {
        (sample.name, tuple((k, float(v) if k == "le" else v) for k, v in sorted(sample.labels.items())))
        for family in families
        for sample in family.samples
    }


class Formats(unittest.TestCase):
    def test_openmetrics(self):
        for accept in ["application/openmetrics-text; version=1.0.0", PROMETHEUS]:
            kind, text = fetch(accept)
            self.assertEqual(kind, OPEN)
            self.assertTrue(text.endswith("\n# EOF\n"))
            families = list(openmetrics_parser.text_string_to_metric_families(text))
            self.assertTrue(all(family.documentation for family in families), families)
            found = [
                (family.name, sample.exemplar)
                for family in families
                for sample in family.samples
                if sample.exemplar is not None
            ]
            self.assertEqual({name for name, _ in found}, MEASURED)
            self.assertEqual({exemplar.labels["trace_id"] for _, exemplar in found}, TRACES)
            self.assertTrue(all(float(exemplar.timestamp) > 1.7e9 for _, exemplar in found))

    def test_text(self):
        for accept in [None, "*/*", "text/plain", "application/openmetrics-text;q=0.1, text/plain;q=0.5"]:
            kind, text = fetch(accept)
            self.assertEqual(kind, TEXT)
            self.assertNotIn("# {", text)
            self.assertNotIn("# EOF", text)
            classic = samples(parser.text_string_to_metric_families(text))
        _, text = fetch(OPEN)
        both = samples(openmetrics_parser.text_string_to_metric_families(text))
        # Requests for /metrics are counted, too.
        own = {"perigee_http_requests_total", "perigee_http_request_seconds"}
        self.assertEqual(*({s for s in each if not s[0].startswith(tuple(own))} for each in (classic, both)))


if __name__ == "__main__":
    unittest.main()
