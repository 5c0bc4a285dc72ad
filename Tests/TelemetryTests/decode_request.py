# SPDX-License-Identifier: Apache-2.0
"""Decodes an OTLP/JSON trace request strictly and prints each field that is set, one a line.

usage: decode_request.py FILE; needs opentelemetry-proto (PyPI). Texts and bytes are printed in hexadecimal,
doubles as their 64 bits.
"""
import base64
import json
import struct
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def with_base64_ids(value):
    """OTLP writes ids in hexadecimal where the mapping of Protocol Buffers has Base64."""
    if isinstance(value, list):
        return [with_base64_ids(element) for element in value]
    if not isinstance(value, dict):
        return value
    converted = {}
    for key, member in value.items():
        if key in IDS:
            raw = bytes.fromhex(member)
            if len(raw) != IDS[key] or member != member.lower():
                raise ValueError(f"{key} is {member}")
            converted[key] = base64.b64encode(raw).decode()
        else:
            converted[key] = with_base64_ids(member)
    return converted


def without_repeats(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key comes twice: {keys}")
    return dict(pairs)


def show(path, value):
    if hasattr(value, "ListFields"):
        fields = value.ListFields()
        if not fields:
            print(f"{path}={{}}")
        for field, member in fields:
            if getattr(field, "is_repeated", False):
                for index, element in enumerate(member):
                    show(f"{path}.{field.json_name}.{index}", element)
            else:
                show(f"{path}.{field.json_name}", member)
    elif isinstance(value, bytes):
        print(f"{path}={value.hex()}")
    elif isinstance(value, str):
        print(f"{path}={value.encode().hex()}")
    elif isinstance(value, float):
        print(f"{path}={struct.pack('>d', value).hex()}")
    else:
        print(f"{path}={str(value).lower()}")


with open(sys.argv[1], encoding="utf-8", errors="strict") as file:
    document = json.load(file, object_pairs_hook=without_repeats)
try:
    request = json_format.ParseDict(
        with_base64_ids(document), ExportTraceServiceRequest(), ignore_unknown_fields=False
    )
except json_format.ParseError as error:
    sys.exit(f"refused: {error}")
show("", request)
