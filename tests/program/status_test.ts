import { assertEquals } from "@std/assert";
import { describeStatus, type Status } from "../../src/commands/status.ts";

Deno.test("No name on the disk can forge a line of --status or steer the terminal", () => {
  const status: Status = {
    event: "status",
    installDir: "/tools\nlock        free",
    name: "tool\x1b[2J",
    version: "1.0.0",
    files: [{ path: "/tools/to\nol", state: "installed" }],
    rollback: null,
    lastRun: { outcome: { event: "updated\nforged" }, finished: "\u202e1" },
    interrupted: null,
    leftovers: ["/tools/.tool\r\n.previous"],
    lockedBy: null,
  };
  const text = describeStatus(status);
  assertEquals(text.trimEnd().split("\n").length, 9);
  // deno-lint-ignore no-control-regex -- they are what must not be there.
  assertEquals(/[\x00-\x09\x0b-\x1f\u202e]/.test(text), false, text);
});
