import { assertEquals } from "@std/assert";
import { ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";
import { describeStatus, type Status } from "../../src/commands/status.ts";

Deno.test("No name on the disk can forge a line of --status or steer the terminal", () => {
  const status: Status = {
    receipt: "valid",
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
  assertEquals(text.trimEnd().split("\n").length, 8);
  // deno-lint-ignore no-control-regex -- they are what must not be there.
  assertEquals(/[\x00-\x09\x0b-\x1f\u202e]/.test(text), false, text);
});

Deno.test("A last run's outcome that is damaged, or too large, is none", async () => {
  await using it = new ToolFolder();
  const args = ["--from", it.write("new", tool("2.0.0"), 0o755), "--target", "tool"];
  assertEquals((await it.run(...args)).code, 0);
  for (const text of ["{", "x".repeat(70_000)]) {
    it.write(".updater-shim/updater-shim/last-run.json", text, 0o600);
    const { code, stdout, stderr } = await it.run("--status", "--json");
    assertEquals([code, JSON.parse(stdout || "{}").lastRun], [0, null], stderr);
  }
});

Deno.test("A shim that was killed does not hold the lock, whoever has its process id now", async () => {
  await using it = new ToolFolder();
  await it.run(
    "--from",
    it.write("new", "#!/bin/sh\necho tool 2.0.0\n", 0o755),
    "--target",
    "tool",
  );
  const lockedBy = async (pid: number, since: string) => {
    it.write(
      ".updater-shim/holder.json",
      JSON.stringify({ pid, since, tool: "x", command: "update" }),
    );
    return JSON.parse((await it.run("--status", "--json")).stdout).lockedBy?.pid;
  };
  const now = new Date().toISOString();
  assertEquals(await lockedBy(Deno.pid, now), Deno.pid, "that one runs, and did then");
  assertEquals(await lockedBy(4_194_000, now), undefined, "there is no such process");
  // This test began long after: its process id was used again.
  assertEquals(await lockedBy(Deno.pid, "2020-01-01T00:00:00Z"), undefined);
});
