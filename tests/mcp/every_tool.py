"""Lists the tools and makes every call of calls.json, with the Python SDK; ends with 1 where something is not as it says.

every_tool.py ERA ANSWER TARGET…   ERA 2025-11-25 or 2026-07-28; ANSWER yes, no or none (no handler for questions);
                                   TARGET a URL, or a command to speak to. With KEY in the environment: what staff may do, over HTTP.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import anyio
import httpx2
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters
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


async def prompts(client):
    """Asks for each prompt, with all of its arguments."""
    listed = (await client.list_prompts()).prompts
    for prompt in listed:
        given = {argument.name: "ORD-8842" for argument in prompt.arguments or []}
        got = await client.get_prompt(prompt.name, given)
        check(got.messages and got.messages[0].content.text, prompt.name, got)
    return len(listed)


async def resources(client):
    """Reads each resource, and each article about returns."""
    listed = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resource_templates
    template = templates[0].uri_template
    about = types.ResourceTemplateReference(type="ref/resource", uri=template)
    found = await client.complete(about, {"name": "article_id", "value": "return an order"})
    articles = [template.replace("{article_id}", article) for article in found.completion.values]
    check("switchboard://articles/KB-101" in articles, articles)
    uris = {resource.uri for resource in listed} | set(articles)
    for uri in uris:
        got = await client.read_resource(uri)
        check(got.contents[0].text, uri, got)
    try:
        check(False, "read what is not there:", await client.read_resource("switchboard://nothing"))
    except MCPError as error:
        check(error.code == types.INVALID_PARAMS, error)
    return len(uris)


async def hears_of_changes(client, uri):
    """Subscribes to the conversation's transcript, makes a call, and hears that it has changed."""
    if ERA == "2025-11-25":
        await client.session.subscribe_resource(uri)
        await client.call_tool("classify_inquiry", {"text": "Hello!"})
        with anyio.fail_after(30):
            await heard.wait()
        await client.session.unsubscribe_resource(uri)
        return
    async with client.listen(tools_list_changed=True, resource_subscriptions=[uri]) as subscription:
        await client.call_tool("classify_inquiry", {"text": "Hello!"})
        with anyio.fail_after(30):
            event = await anext(aiter(subscription))
        check(event.uri == uri, event)


async def on_message(message):
    if isinstance(message, types.ResourceUpdatedNotification):
        heard.set()


async def main():
    global heard
    heard = anyio.Event()
    handler = None if ANSWER == "none" else answer
    mode = "legacy" if ERA == "2025-11-25" else ERA
    callbacks = {"elicitation_callback": handler, "message_handler": on_message}
    async with Client(target(), mode=mode, read_timeout_seconds=60, **callbacks) as client:
        check(client.protocol_version == ERA, "the revision is", client.protocol_version)
        listed = await client.list_tools()
        names = [tool.name for tool in listed.tools]
        check(names == sorted(names), "the order of", names)
        untried = set(names) - {step["tool"] for step in EVERY_CALL}
        check(not untried, "calls.json has no call of", untried)
        check(ERA == "2025-11-25" or listed.cache_scope == "private", "cache_scope", listed.cache_scope)
        outcomes = [await call(client, step) for step in CALLS]
        offered = f"{await prompts(client)} prompts, {await resources(client)} resources"
        await hears_of_changes(client, "switchboard://case/transcript")
    done = sum(outcome in ("ok", "replayed") for outcome in outcomes)
    print(f"{len(names)} tools, {len(CALLS)} calls: {done} done, {len(CALLS) - done} refused as the rules say, {len(asked)} questions; {offered}")


asyncio.run(main())
