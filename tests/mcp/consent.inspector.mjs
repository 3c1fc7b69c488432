// Is asked for the customer's consent, with the Inspector's connections (mcpdo): says no to one call and yes to another; ends with 1
// where something is not as it must be.
//
// consent.inspector.mjs ERA TARGET…   ERA 2025-11-25 or 2026-07-28; TARGET a URL, or a command to speak to

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

const [era, ...target] = process.argv.slice(2);
const transport = target[0].startsWith("http") ? "http" : "stdio";

function mcpdo(...options) {
  const { status, stdout, stderr } = spawnSync("mcpdo", ["--format", "json", ...options], { encoding: "utf8" });
  assert.ok([0, 5].includes(status), `exit ${status}: ${options.join(" ")}\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}

function call(tool, given) {
  const fields = Object.entries(given).map(([name, value]) => `${name}:=${value}`);
  return mcpdo("--connection", connection, "tools/call", tool, ...fields);
}

function answer(asked, ...said) {
  assert.match(asked.elicitationPending?.message ?? "", /yes or no/, JSON.stringify(asked));
  const answered = mcpdo("--connection", connection, "elicitation/respond", asked.elicitationPending.elicitationId, ...said);
  return answered._meta["switchboard/outcome"];
}

const negotiate = era === "2025-11-25" ? "legacy" : "modern";
const { name: connection } = mcpdo("connect", "--transport", transport, "--era", negotiate, "--", ...target);
try {
  call("get_customer", { email: "olivia.grant@example.com" });
  call("lookup_order", { order_id: "ORD-9102" });
  assert.equal(answer(call("update_customer_info", { phone: "+1 555 0100" }), "--decline"), "denied");
  assert.equal(answer(call("cancel_order", { order_id: "ORD-9102", reason: "changed my mind" }), "confirm:=true"), "ok");
  const order = call("lookup_order", { order_id: "ORD-9102" });
  assert.equal(order.structuredContent.status, "cancelled", JSON.stringify(order));
} finally {
  spawnSync("mcpdo", ["daemon", "stop"]);
}
console.log("asked twice: one no, one yes");
