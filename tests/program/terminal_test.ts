/** What the shim's own terminal, pipes and Ctrl-C do to the programs that it starts. */
import { assert, assertEquals } from "@std/assert";
import { compiledShim } from "../support/shim.ts";
import { eventsOf, ToolFolder } from "../support/tool_folder.ts";

/** Windows has tests of its own, in tests/windows. */
const ignore = Deno.build.os === "windows";

Deno.test({
  name: "Ctrl-C during the check after the swap does not undo a good update",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    it.write("new", "#!/bin/sh\nsleep 0.7\necho tool 2.0.0\n", 0o755);
    const args = ["--from", it.path("new"), "--target", "tool", "--json"];
    const shim = new Deno.Command(await compiledShim(), {
      args: ["--install-dir", it.folder, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      detached: true, // a process group, as a terminal would give it
    }).spawn();
    let seen = "";
    for await (const text of shim.stdout.pipeThrough(new TextDecoderStream())) {
      const before = seen;
      seen += text;
      if (before.includes('"swapped"') || !seen.includes('"swapped"')) continue;
      await new Promise((resolve) => setTimeout(resolve, 200)); // the check has begun by then
      // What Ctrl-C does: every process of the group gets the signal.
      await new Deno.Command("/bin/sh", { args: ["-c", `kill -INT -${shim.pid}`] }).output();
    }
    assertEquals([(await shim.status).code, await it.says()], [0, "tool 2.0.0"], seen);
  },
});

Deno.test({
  name: "A tool that is started again does not have the pipes of the shim",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    const script = '#!/bin/sh\n[ "$1" = stay ] && { echo noise; echo noise >&2; sleep 20; }\n' +
      "echo tool 2.0.0\n";
    it.write("new", script, 0o755);
    const started = Date.now();
    const result = await it.run(
      ...["--from", it.path("new"), "--target", "tool", "--json"],
      ...["--relaunch", "--", "stay"],
    );
    assertEquals(result.code, 0, result.stderr);
    assertEquals(eventsOf(result).at(-1)?.event, "relaunched");
    assert(!result.stderr.includes("noise"));
    assert(Date.now() - started < 19_000, "the pipe ended with the shim, not with the tool");
  },
});
