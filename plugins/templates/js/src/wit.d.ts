// The types of what is imported, as componentize-qjs offers it: `result` is returned or thrown, `none` is null.

declare module "wasi:config/store@0.2.0-rc.1" {
  export function get(key: string): string | null;
}

declare module "wasi:io/poll@0.2.0" {
  export class Pollable {
    block(): void;
    [Symbol.dispose](): void;
  }
}

declare module "wasi:io/streams@0.2.0" {
  export class InputStream {
    /** Throws `{ tag: "closed" }` at the end. */
    blockingRead(length: number): Uint8Array;
    [Symbol.dispose](): void;
  }
  export class OutputStream {
    blockingWriteAndFlush(bytes: Uint8Array): void;
    [Symbol.dispose](): void;
  }
}

declare module "wasi:http/types@0.2.0" {
  import type { Pollable } from "wasi:io/poll@0.2.0";
  import type { InputStream, OutputStream } from "wasi:io/streams@0.2.0";

  type Result<T> = { tag: "ok"; val: T } | { tag: "err"; val?: unknown };

  export class Fields {
    static fromList(entries: [string, Uint8Array][]): Fields;
    get(name: string): Uint8Array[];
    [Symbol.dispose](): void;
  }
  export class OutgoingRequest {
    constructor(headers: Fields);
    body(): OutgoingBody;
    setMethod(method: { tag: string }): void;
    setScheme(scheme: { tag: string } | null): void;
    setAuthority(authority: string | null): void;
    setPathWithQuery(path: string | null): void;
  }
  export class OutgoingBody {
    write(): OutputStream;
    static finish(body: OutgoingBody, trailers: Fields | null): void;
  }
  export class FutureIncomingResponse {
    subscribe(): Pollable;
    get(): { tag: "ok"; val: Result<IncomingResponse> } | null;
  }
  export class IncomingResponse {
    status(): number;
    headers(): Fields;
    consume(): IncomingBody;
  }
  export class IncomingBody {
    stream(): InputStream;
    [Symbol.dispose](): void;
  }
}

declare module "wasi:http/outgoing-handler@0.2.0" {
  import type { FutureIncomingResponse, OutgoingRequest } from "wasi:http/types@0.2.0";
  export function handle(request: OutgoingRequest, options: null): FutureIncomingResponse;
}

interface SymbolConstructor {
  readonly dispose: unique symbol;
}
