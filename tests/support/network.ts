/** What the network tests share: small bounds, a closed port, and what every failure must be like. */
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { denoSystem } from "../../src/system/deno_system.ts";
import { type ErrorKind, UpdateError } from "../../src/base/errors.ts";
import type { FetchOptions, Limits } from "../../src/transfer/retry.ts";

/** In every URL of these tests, as its password and its query. */
export const SECRET = "s3cr3t";

/** Bounds that a test can wait for. */
export const SMALL: Partial<Limits> = {
  connectMs: 300,
  idleMs: 300,
  totalMs: 10_000,
  tries: 3,
  pauseMs: 1,
  maxPauseMs: 50,
};

/** The real system with small bounds. */
export function fetchOptions(changed: Partial<Limits> = {}): FetchOptions {
  return {
    system: denoSystem,
    allowHttp: false,
    signal: new AbortController().signal,
    limits: { ...SMALL, ...changed },
  };
}

/** `http://host/path` with a secret at both places where URLs have them. */
export function withSecrets(url: string): string {
  return `${url.replace("://", `://bob:${SECRET}@`)}?token=${SECRET}`;
}

/** A failure of that kind, whose every word may be shown and which says what to do next. */
export async function failure(kind: ErrorKind, step: () => Promise<unknown>): Promise<UpdateError> {
  const error: UpdateError = await assertRejects(step, UpdateError);
  assertEquals(error.kind, kind, error.message);
  assert(error.hint, "it says what to do next");
  for (const text of [error.message, error.hint ?? "", error.url ?? ""]) {
    assertFalse(text.includes(SECRET), text);
    assertFalse(text.includes("bob"), text);
  }
  return error;
}

/** A port where nobody listens. */
export function closedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}
