import { createInterface } from "node:readline/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const calls = [
  ["get_customer", { email: "olivia.grant@example.com" }],
  ["lookup_order", { order_id: "ORD-9102" }],
  ["cancel_order", { order_id: "ORD-9102", reason: "changed my mind" }],
];

// node quick.mjs http://127.0.0.1:8080/mcp, or node quick.mjs switchboard mcp
function server([target, ...args]) {
  if (args.length > 0) return new StdioClientTransport({ command: target, args });
  const key = process.env.SWITCHBOARD_KEY;
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  return new StreamableHTTPClientTransport(new URL(target), { requestInit: { headers } });
}

// The host wants a person's yes: whoever sits here answers, never the model.
async function ask(request) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const said = await terminal.question(`${request.params.message} `);
  terminal.close();
  return said.trim().toLowerCase() === "yes" ? { action: "accept", content: { confirm: true } } : { action: "decline" };
}

const capabilities = { elicitation: {} };
const client = new Client({ name: "quick", version: "1" }, { capabilities, versionNegotiation: { mode: "auto" } });
client.setRequestHandler("elicitation/create", ask);
await client.connect(server(process.argv.slice(2)));
const { tools } = await client.listTools();
console.log(`${client.getNegotiatedProtocolVersion()}: ${tools.length} tools`);
for (const [name, given] of calls) {
  const _meta = { "switchboard/case": "olivia-1" };
  const result = await client.callTool({ name, arguments: given, _meta });
  console.log(`${name}: ${result._meta["switchboard/outcome"]}: ${JSON.stringify(result.structuredContent)}`);
}
await client.close();
