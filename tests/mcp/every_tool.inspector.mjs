// Lists the tools and makes every call of calls.json, with the Inspector's command line, one process for each call; ends with 1
// where something is not as it says.
//
// every_tool.inspector.mjs ERA TARGET…   ERA 2025-11-25 or 2026-07-28; TARGET a URL, or a command to speak to

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const [era, ...target] = process.argv.slice(2);
const calls = JSON.parse(readFileSync(new URL("calls.json", import.meta.url)));
const refused = 5; // how the Inspector exits on a result with isError

function inspect(...options) {
  const transport = target[0].startsWith("http") ? "http" : "stdio";
  const negotiate = era === "2025-11-25" ? "legacy" : "modern";
  const how = ["--cli", ...target, "--transport", transport, "--protocol-era", negotiate];
  const { status, stdout, stderr } = spawnSync("mcp-inspector", [...how, ...options], { encoding: "utf8" });
  assert.ok(status === 0 || status === refused, `exit ${status}: ${options.join(" ")}\n${stdout}${stderr}`);
  return { status, stderr, answer: JSON.parse(stdout) };
}

const expected = (value) => (typeof value === "object" ? value.else : value);
const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function call(step) {
  const given = Object.entries(step.arguments).map(([name, value]) => `${name}=${text(value)}`);
  const pairs = given.flatMap((pair) => ["--tool-arg", pair]);
  // Each process has a session of its own, so that what belongs together is said by name.
  const named = ["--tool-metadata", `switchboard/case=${step.case ?? "sarah"}`];
  const { status, answer } = inspect("--method", "tools/call", "--tool-name", step.tool, ...pairs, ...named);
  const outcome = answer._meta["switchboard/outcome"];
  const told = `${step.tool} ${JSON.stringify(step.arguments)}: ${JSON.stringify(answer)}`;
  assert.equal(outcome, expected(step.outcome), told);
  assert.equal(status, ["ok", "replayed"].includes(outcome) ? 0 : refused, told);
  for (const [name, value] of Object.entries(step.has ?? {})) assert.equal(answer.structuredContent[name], expected(value), told);
  return outcome;
}

const listed = inspect("--method", "tools/list", "--strict");
const names = listed.answer.tools.map((tool) => tool.name);
assert.deepEqual(names.filter((name) => !calls.some((step) => step.tool === name)), [], "calls.json has no call of these");
const outcomes = calls.map(call);
const done = outcomes.filter((outcome) => ["ok", "replayed"].includes(outcome)).length;
console.log(`${names.length} tools, ${calls.length} calls: ${done} done, ${calls.length - done} refused as the rules say`);
