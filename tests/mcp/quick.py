import asyncio
import os
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

CALLS = [
    ("get_customer", {"email": "olivia.grant@example.com"}),
    ("lookup_order", {"order_id": "ORD-9102"}),
    ("cancel_order", {"order_id": "ORD-9102", "reason": "changed my mind"}),
]


def server():
    """python quick.py http://127.0.0.1:8080/mcp, or python quick.py switchboard mcp"""
    if len(sys.argv) > 2:
        return StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    key = os.environ.get("SWITCHBOARD_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return streamable_http_client(sys.argv[1], http_client=httpx2.AsyncClient(headers=headers, timeout=60))


async def ask(_context, question):
    """The host wants a person's yes: whoever sits here answers, never the model."""
    if input(f"{question.message} ").strip().lower() == "yes":
        return ElicitResult(action="accept", content={"confirm": True})
    return ElicitResult(action="decline")


async def main():
    async with Client(server(), elicitation_callback=ask) as client:
        tools = (await client.list_tools()).tools
        print(f"{client.protocol_version}: {len(tools)} tools")
        for tool, arguments in CALLS:
            conversation = {"switchboard/case": "olivia-1"}
            result = await client.call_tool(tool, arguments, meta=conversation)
            print(f"{tool}: {result.meta['switchboard/outcome']}: {result.structured_content}")


asyncio.run(main())
