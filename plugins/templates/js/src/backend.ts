// A JSON backend below the setting `base_url`, over the HTTP that the host governs. The host adds credentials and the
// Idempotency-Key. What fails is thrown as an error of the contract; anything else that is thrown is a trap, and ends the call
// without a result.

import { get as setting } from "wasi:config/store@0.2.0-rc.1";
import { handle } from "wasi:http/outgoing-handler@0.2.0";
import { Fields, type IncomingResponse, OutgoingBody, OutgoingRequest } from "wasi:http/types@0.2.0";

/** An error of switchboard:common. */
export type Failure =
  | { tag: "invalid-input" | "not-found" | "not-eligible" | "conflict"; val: string }
  | { tag: "unavailable"; val: { reason: string; retryAfterSeconds: number | null } };

/**
 * What was read from, parents with their children. A call has an instance of its own, and the host ends all of it with the
 * call; until then the engine must not collect a body whose stream is still there.
 */
const kept: unknown[] = [];

/** What an imported function throws: its error is the payload. */
type Thrown = { payload?: { tag: string }; message?: string };

/** The most that one write, and one read, take at once. */
const WRITE_BYTES = 4096;
const READ_BYTES = 65536;

/** Reads something. */
export function get(path: string): any {
  return send("get", path);
}

/** Creates or does something. */
export function post(path: string, body: unknown): any {
  return send("post", path, encode(JSON.stringify(body)));
}

function send(method: string, path: string, body?: Uint8Array): any {
  const request = prepare(method, path, body);
  let status: number, retryAfter: number | null, text: string;
  try {
    const outgoing = request.body();
    const pending = handle(request, null);
    write(outgoing, body ?? new Uint8Array());
    const ready = pending.subscribe();
    kept.push(pending, ready);
    ready.block();
    const answer = pending.get()?.val;
    if (answer?.tag !== "ok") throw answer?.val;
    const response = answer.val;
    status = response.status();
    retryAfter = retryAfterOf(response);
    text = read(response);
  } catch (error) {
    throw unavailable(`no answer from the backend: ${describe(error)}`, null);
  }
  return meaning(status, retryAfter, text);
}

function prepare(method: string, path: string, body?: Uint8Array): OutgoingRequest {
  const url = /^(https?):\/\/([^/?#@ ]+)(\/[^?# ]*)?$/.exec(setting("base_url") ?? "");
  if (!url) throw unavailable("the plugin's setting base_url is no http(s) URL", null);
  const [, scheme, authority, prefix = ""] = url;
  const headers: [string, Uint8Array][] = [["accept", encode("application/json")]];
  if (body) {
    headers.push(["content-type", encode("application/json")], ["content-length", encode(String(body.length))]);
  }
  const request = new OutgoingRequest(Fields.fromList(headers));
  request.setMethod({ tag: method });
  request.setScheme({ tag: scheme === "https" ? "HTTPS" : "HTTP" });
  request.setAuthority(authority);
  request.setPathWithQuery(prefix.replace(/\/+$/, "") + path);
  return request;
}

function write(outgoing: OutgoingBody, bytes: Uint8Array): void {
  const stream = outgoing.write();
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
    stream.blockingWriteAndFlush(bytes.slice(at, at + WRITE_BYTES));
  }
  stream[Symbol.dispose]();
  OutgoingBody.finish(outgoing, null);
}

function read(response: IncomingResponse): string {
  const body = response.consume();
  const stream = body.stream();
  kept.push(response, body, stream);
  let text = "";
  try {
    for (;;) {
      for (const byte of stream.blockingRead(READ_BYTES)) text += String.fromCharCode(byte);
    }
  } catch (error) {
    if ((error as Thrown).payload?.tag !== "closed") throw error;
  }
  return decodeURIComponent(escape(text));
}

function retryAfterOf(response: IncomingResponse): number | null {
  const fields = response.headers();
  kept.push(fields);
  const [value] = fields.get("retry-after");
  const seconds = Number(value ? String.fromCharCode(...value) : NaN);
  return Number.isInteger(seconds) && seconds >= 0 ? seconds : null;
}

/** The answer where the backend agreed, else the contract's error. */
function meaning(status: number, retryAfter: number | null, text: string): any {
  const answer = parse(text);
  if (status >= 200 && status < 300 && answer !== undefined) return answer;
  const { code = "", message = "" } = answer?.error ?? {};
  const words = `HTTP ${status} ${code}: ${message}`;
  if (status === 404) throw failure("not-found", words);
  if (status === 422 && code === "not_eligible") throw failure("not-eligible", words);
  if (status === 409 || (status === 422 && code === "key_reuse")) throw failure("conflict", words);
  if (status === 400 || status === 422) throw failure("invalid-input", words);
  throw unavailable(words, retryAfter);
}

function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failure(tag: "invalid-input" | "not-found" | "not-eligible" | "conflict", val: string): Failure {
  return { tag, val };
}

function unavailable(reason: string, retryAfterSeconds: number | null): Failure {
  return { tag: "unavailable", val: { reason, retryAfterSeconds } };
}

function describe(error: unknown): string {
  const { payload, message } = error as Thrown;
  return payload ? JSON.stringify(payload) : (message ?? JSON.stringify(error));
}

/** UTF-8; QuickJS has no TextEncoder. */
function encode(text: string): Uint8Array {
  return Uint8Array.from(unescape(encodeURIComponent(text)), (character) => character.charCodeAt(0));
}
