/** What the system's errors become: a code, the path, and what to do next. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { UpdateError } from "../../src/base/errors.ts";
import type { ShimEvent } from "../../src/base/events.ts";
import { filesystemError } from "../../src/files/fs_errors.ts";
import { fail } from "../../src/output/failure.ts";
import { checkHealth } from "../../src/transaction/health.ts";
import { makeWorld } from "../support/world.ts";

/** Errors of Windows that Deno throws without a code, and a word of the hint that each needs. */
const UNKNOWN_TO_DENO = {
  53: "network drive",
  225: "virus scanner",
  234: "shorter path",
  395: "cloud",
  433: "drive is gone",
  740: "administrator",
  1006: "changed from outside",
  1260: "policy",
  1392: "chkdsk",
  9999: "run again",
} as const;

function windowsError(number: number | string, call: string): Error {
  return new Error(`Der Vorgang ist fehlgeschlagen. (os error ${number}): ${call}`);
}

Deno.test("An error of Windows that the runtime has no code for is 7, with a hint of its own", () => {
  for (const [number, word] of Object.entries(UNKNOWN_TO_DENO)) {
    const thrown = windowsError(number, "open 'C:\\x'");
    const error = filesystemError(thrown, "read", "C:\\x") as UpdateError;
    assertEquals([error.exitCode, error.path], [7, "C:\\x"]);
    assertStringIncludes(error.hint ?? "", word, number);
  }
});

Deno.test("An error that no step expected is told with the path that it is about", () => {
  const outcome = (error: unknown) => {
    const events: ShimEvent[] = [];
    const code = fail(error, (event) => events.push(event));
    const event = events[0];
    return event?.event === "error" ? { ...event, returned: code } : undefined;
  };
  const held = outcome(windowsError(1006, "readfile 'C:\\tool\\.updater-shim\\receipt.json'"));
  assertEquals([held?.returned, held?.path], [7, "C:\\tool\\.updater-shim\\receipt.json"]);
  assertStringIncludes(held!.message, 'Cannot readfile "C:\\tool\\.updater-shim\\receipt.json": ');
  const renamed = outcome(windowsError(433, "rename 'D:\\a' -> 'D:\\b'"));
  assertEquals(renamed?.path, "D:\\a");
  const nowhere = outcome(windowsError(433, "something else"));
  assertEquals([nowhere?.returned, nowhere?.path], [7, undefined]);
  assertEquals(outcome(new Error("x is undefined"))?.returned, 1);
});

Deno.test("A network path is refused with what to do, and is no fault of the shim's own", () => {
  const refused = new Deno.errors.NotCapable(
    'Requires all access to "\\\\server\\share\\new.exe", run again with the --allow-all flag',
  );
  const events: ShimEvent[] = [];
  assertEquals(fail(refused, (event) => events.push(event)), 7);
  const { message, hint } = events[0] as Extract<ShimEvent, { event: "error" }>;
  assertStringIncludes(message, '"\\\\server\\share\\new.exe": it is a network path');
  assertStringIncludes(hint ?? "", "drive letter");
  assert(!message.includes("--allow-all"));
});

Deno.test("A program that the machine forbids is a refusal, not a new version that is not well", async () => {
  for (const [number, code] of [[225, 7], [740, 7], [1260, 7], [193, 8]] as const) {
    await using world = makeWorld({ os: "windows" });
    const processes = {
      ...world.system.processes,
      run: () => Promise.reject(windowsError(number, "spawn 'C:\\tool.exe'")),
    };
    const session = { ...world, system: { ...world.system, processes } };
    const check = { args: ["--version"], timeoutMs: 1000 };
    const error = await checkHealth(session, "C:\\tool.exe", check).catch((error) => error);
    assertEquals(error.exitCode, code, String(number));
    assertStringIncludes(error.hint, "The old version stays");
    assert(!error.hint.includes("noexec"));
  }
});
