// Lists the tools and makes every call of calls.json, with the TypeScript SDK; ends with 1 where something is not as it says.
//
// every_tool.mjs ERA ANSWER TARGET…   ERA 2025-11-25 or 2026-07-28; ANSWER yes, no or none (no handler for questions);
//                                     TARGET a URL, or a command to speak to. With KEY in the environment: what staff may do, over HTTP.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const [era, answer, ...target] = process.argv.slice(2);
const key = process.env.KEY;
const everyCall = JSON.parse(readFileSync(new URL("calls.json", import.meta.url)));
const calls = everyCall.filter((step) => !key || step.outcome.staff);
const asked = [];

function expected(value) {
  if (typeof value !== "object") return value;
  return value[[key ? "staff" : answer, "else"].find((name) => name in value)];
}

function answerTo(request) {
  asked.push(request.params.message);
  if (answer === "no") return { action: "decline" };
  const fields = Object.keys(request.params.requestedSchema?.properties ?? {});
  return { action: "accept", content: Object.fromEntries(fields.map((name) => [name, true])) };
}

function transport() {
  if (!target[0].startsWith("http")) return new StdioClientTransport({ command: target[0], args: target.slice(1) });
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  return new StreamableHTTPClientTransport(new URL(target[0]), { requestInit: { headers } });
}

async function call(client, step) {
  const before = asked.length;
  const _meta = step.case ? { "switchboard/case": step.case } : undefined;
  const result = await client.callTool({ name: step.tool, arguments: step.arguments, _meta });
  const outcome = result._meta["switchboard/outcome"];
  const told = `${step.tool} ${JSON.stringify(step.arguments)}: ${outcome} ${JSON.stringify(result.structuredContent)}`;
  assert.equal(outcome, expected(step.outcome), told);
  assert.equal(result.isError, !["ok", "replayed"].includes(outcome), told);
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent, told);
  assert.equal(asked.length - before, Number(expected(step.asks ?? false)), `${told} asked: ${asked.slice(before)}`);
  for (const [name, value] of Object.entries(step.has ?? {})) assert.equal(result.structuredContent[name], expected(value), told);
  return outcome;
}

// Asks for each prompt, with all of its arguments.
async function prompts(client) {
  const { prompts } = await client.listPrompts();
  for (const { name, arguments: wanted } of prompts) {
    const given = Object.fromEntries((wanted ?? []).map((argument) => [argument.name, "ORD-8842"]));
    const got = await client.getPrompt({ name, arguments: given });
    assert.ok(got.messages[0].content.text, name);
  }
  return prompts.length;
}

// Reads each resource, and each article about returns.
async function resources(client) {
  const { resources } = await client.listResources();
  const { resourceTemplates } = await client.listResourceTemplates();
  const uri = resourceTemplates[0].uriTemplate;
  const about = { ref: { type: "ref/resource", uri }, argument: { name: "article_id", value: "return an order" } };
  const { completion } = await client.complete(about);
  const articles = completion.values.map((article) => uri.replace("{article_id}", article));
  assert.ok(articles.includes("switchboard://articles/KB-101"), articles);
  const uris = [...new Set([...resources.map((resource) => resource.uri), ...articles])];
  for (const uri of uris) assert.ok((await client.readResource({ uri })).contents[0].text, uri);
  await assert.rejects(client.readResource({ uri: "switchboard://nothing" }), { code: -32602 });
  return uris.length;
}

// Subscribes to the conversation's transcript, makes a call, and hears that it has changed.
async function hearsOfChanges(client, uri) {
  const heard = new Promise((resolve, reject) => {
    client.setNotificationHandler("notifications/resources/updated", (told) => resolve(told.params.uri));
    setTimeout(() => reject(new Error("nothing was heard of the change")), 30_000).unref();
  });
  if (era === "2025-11-25") await client.subscribeResource({ uri });
  const subscription = era === "2025-11-25" ? null : await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] });
  await client.callTool({ name: "classify_inquiry", arguments: { text: "Hello!" } });
  assert.equal(await heard, uri);
  await (subscription ? subscription.close() : client.unsubscribeResource({ uri }));
}

const capabilities = answer === "none" ? {} : { elicitation: {} };
const mode = era === "2025-11-25" ? "legacy" : { pin: era };
const client = new Client({ name: "every_tool", version: "1" }, { capabilities, versionNegotiation: { mode } });
if (answer !== "none") client.setRequestHandler("elicitation/create", async (request) => answerTo(request));
await client.connect(transport());
assert.equal(client.getNegotiatedProtocolVersion(), era);
const listed = await client.listTools();
const names = listed.tools.map((tool) => tool.name);
assert.deepEqual(names, [...names].sort());
assert.deepEqual(names.filter((name) => !everyCall.some((step) => step.tool === name)), [], "calls.json has no call of these");
const outcomes = [];
for (const step of calls) outcomes.push(await call(client, step));
const offered = `${await prompts(client)} prompts, ${await resources(client)} resources`;
await hearsOfChanges(client, "switchboard://case/transcript");
await client.close();
const done = outcomes.filter((outcome) => ["ok", "replayed"].includes(outcome)).length;
console.log(`${names.length} tools, ${calls.length} calls: ${done} done, ${calls.length - done} refused as the rules say, ${asked.length} questions; ${offered}`);
