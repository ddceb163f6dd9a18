/**
 * Windows program: a main tool that starts a program for its update and ends when its input does.
 *
 * Arguments: "helper" (as src/adopt.ts does it), "self" (its whole self-update: prints "code 0" and
 * ends with that) or "attached" (as most would write it); the program and its arguments but for
 * --parent-pid; for "helper" then "--" and arguments to start the tool again with. Prints "pid 1234".
 */
import { selfUpdate, startUpdate } from "../../../src/adopt.ts";

const [how, shim = "", ...args] = Deno.args;
if (how === "self") {
  const code = await selfUpdate({ shim, args });
  console.log(`code ${code}`);
  for await (const _ of Deno.stdin.readable);
  Deno.exit(code);
}
const end = args.indexOf("--");
const pid = how === "helper"
  ? await startUpdate({
    shim,
    args: end < 0 ? args : args.slice(0, end),
    ...(end >= 0 && { relaunch: args.slice(end + 1) }),
  })
  : startAttached([...args, "--parent-pid", String(Deno.pid)]);
console.log(`pid ${pid}`);
for await (const _ of Deno.stdin.readable);
Deno.exit(0);

function startAttached(args: string[]): number {
  const command = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
  const child = new Deno.Command(shim, command).spawn();
  child.unref();
  return child.pid;
}
