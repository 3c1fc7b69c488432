// A real authorization server on a free port of loopback, whose access tokens are JWTs for the resource that was asked for. Prints
// `issuer=…`, and ends with its standard input.
//
// server.mjs SCOPES   SCOPES that a client may ask for, separated by spaces

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const scopes = process.argv[2];
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

function provider(issuer) {
  return new Provider(issuer, {
    jwks: { keys: [{ ...key, use: "sig", alg: "RS256", kid: "of-this-run" }] },
    scopes: ["openid", "offline_access", ...scopes.split(" ")],
    clients: [
      {
        // A program, which acts for itself.
        client_id: "helpdesk",
        client_secret: "secret-of-the-helpdesk",
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
      },
      {
        // A person's MCP client, which has no secret: PKCE.
        client_id: "inbox",
        token_endpoint_auth_method: "none",
        application_type: "native",
        grant_types: ["authorization_code"],
        response_types: ["code"],
        redirect_uris: ["http://127.0.0.1/callback"],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({ scope: scopes, audience: resource, accessTokenFormat: "jwt" }),
        useGrantedResource: () => true,
      },
    },
    pkce: { required: () => true },
    ttl: { AccessToken: 600, ClientCredentials: 600 },
  });
}

const server = createServer().listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on("request", provider(issuer).callback());
  console.log(`issuer=${issuer}`);
});
process.stdin.resume().on("end", () => process.exit());
