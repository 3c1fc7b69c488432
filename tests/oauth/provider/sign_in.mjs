// Somebody signs in from an MCP client: the TypeScript SDK finds the authorization server by itself, and gets a token with a code and
// PKCE; the pages in between are answered here as a person would in a browser. Then it lists and calls tools. Ends with 1 where
// something is not as it should be.
//
// sign_in.mjs URL PERSON   URL of the MCP endpoint

import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";

const [url, person] = process.argv.slice(2);

/** What the SDK asks of an application: here, all in memory. */
class Application {
  redirectUrl = "http://127.0.0.1/callback";
  clientMetadata = { redirect_uris: [this.redirectUrl], client_name: "stories" };
  clientInformation = () => ({ client_id: "inbox" });
  tokens = () => this.kept;
  saveTokens = (tokens) => void (this.kept = tokens);
  saveCodeVerifier = (verifier) => void (this.verifier = verifier);
  codeVerifier = () => this.verifier;
  saveDiscoveryState = (state) => void (this.discovered = state);
  discoveryState = () => this.discovered;
  redirectToAuthorization = (page) => void (this.page = page);
}

/** A browser, as far as signing in needs one: it keeps cookies, follows redirects, and fills in forms. */
async function browse(page) {
  const cookies = new Map();
  const forms = [{ prompt: "login", login: person, password: "any" }, { prompt: "consent" }];
  let at = page;
  let form;
  for (let steps = 0; steps < 20; steps += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = form && new URLSearchParams(form);
    const answer = await fetch(at, { method: form ? "POST" : "GET", body, headers: { cookie }, redirect: "manual" });
    for (const set of answer.headers.getSetCookie()) {
      const [name, value] = set.split(";")[0].split("=");
      cookies.set(name, value);
    }
    const text = await answer.text();
    form = undefined;
    if (answer.status === 200) {
      // A page that asks for something: who it is, then whether the client may.
      form = forms.shift();
      assert(form, `the authorization server asks once more: ${text}`);
      continue;
    }
    assert([302, 303].includes(answer.status), `${answer.status} ${text}`);
    at = new URL(answer.headers.get("location"), at);
    if (at.pathname === "/callback") return at.searchParams;
  }
  throw new Error("the authorization server never sends anybody back");
}

const application = new Application();
const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: application });
const client = () => new Client({ name: "stories", version: "1" });

const refused = transport();
await assert.rejects(client().connect(refused), UnauthorizedError);
assert.equal(application.page.searchParams.get("resource"), url);
assert.equal(application.page.searchParams.get("code_challenge_method"), "S256");
const scope = application.page.searchParams.get("scope");
await refused.finishAuth(await browse(application.page));

const signedIn = client();
await signedIn.connect(transport());
const { tools } = await signedIn.listTools();
const found = await signedIn.callTool({ name: "get_customer", arguments: { email: "sarah@example.com" } });
assert.equal(found.structuredContent.id, "C-1001");
await signedIn.close();
console.log(`${person} signed in with the scope ${scope}: ${tools.length} tools`);
