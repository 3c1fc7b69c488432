"""Lists the tools and makes every call of calls.json, with the Python SDK; ends with 1 where something is not as it says.

every_tool.py ERA ANSWER TARGET…   ERA 2025-11-25 or 2026-07-28; ANSWER yes, no or none (no handler for questions);
                                   TARGET a URL, or a command to speak to. With KEY in the environment: what staff may do, over HTTP.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx2
import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

ERA, ANSWER, *TARGET = sys.argv[1:]
KEY = os.environ.get("KEY")
EVERY_CALL = json.loads((Path(__file__).parent / "calls.json").read_text())
CALLS = [step for step in EVERY_CALL if not KEY or "staff" in step["outcome"]]
asked = []


def check(holds, *told):
    if not holds:
        print("NOT AS EXPECTED:", *told, file=sys.stderr, flush=True)
        os._exit(1)  # without the SDK's groups of exceptions around it


def expected(value):
    if not isinstance(value, dict):
        return value
    return next(value[key] for key in ["staff" if KEY else ANSWER, "else"] if key in value)


async def answer(_context, question):
    asked.append(question.message)
    if ANSWER == "no":
        return types.ElicitResult(action="decline")
    fields = question.requested_schema.get("properties", {})
    return types.ElicitResult(action="accept", content={name: True for name in fields})


def target():
    if not TARGET[0].startswith("http"):
        return StdioServerParameters(command=TARGET[0], args=TARGET[1:])
    if KEY:
        client = httpx2.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=60)
        return streamable_http_client(TARGET[0], http_client=client)
    return TARGET[0]


async def call(client, step):
    before = len(asked)
    meta = {"switchboard/case": step["case"]} if "case" in step else None
    result = await client.call_tool(step["tool"], step["arguments"], meta=meta)
    outcome = result.meta["switchboard/outcome"]
    told = f"{step['tool']} {step['arguments']}: {outcome} {result.structured_content}"
    check(outcome == expected(step["outcome"]), told)
    check(result.is_error == (outcome not in ("ok", "replayed")), told, "is_error", result.is_error)
    check(json.loads(result.content[0].text) == result.structured_content, told, result.content)
    for name, value in step.get("has", {}).items():
        check(result.structured_content[name] == expected(value), told)
    check(len(asked) - before == expected(step.get("asks", False)), told, "asked:", asked[before:])
    return outcome


async def main():
    handler = None if ANSWER == "none" else answer
    mode = "legacy" if ERA == "2025-11-25" else ERA
    async with Client(target(), mode=mode, elicitation_callback=handler, read_timeout_seconds=60) as client:
        check(client.protocol_version == ERA, "the revision is", client.protocol_version)
        listed = await client.list_tools()
        names = [tool.name for tool in listed.tools]
        check(names == sorted(names), "the order of", names)
        untried = set(names) - {step["tool"] for step in EVERY_CALL}
        check(not untried, "calls.json has no call of", untried)
        check(ERA == "2025-11-25" or listed.cache_scope == "private", "cache_scope", listed.cache_scope)
        outcomes = [await call(client, step) for step in CALLS]
    done = sum(outcome in ("ok", "replayed") for outcome in outcomes)
    print(f"{len(names)} tools, {len(CALLS)} calls: {done} done, {len(CALLS) - done} refused as the rules say, {len(asked)} questions")


asyncio.run(main())
