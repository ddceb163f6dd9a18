/** What the shim's own terminal, pipes and Ctrl-C do to the programs that it starts. */
import { assert, assertEquals, assertMatch } from "@std/assert";
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

/** Signalled while a program that takes six seconds runs. */
for (
  const [when, args] of Object.entries({
    "the new executable is tried": ["--from", "../slow", "--target", "tool"],
    "the installed one is asked for its version": ["--from", "../fast", "--target", "tool"],
  })
) {
  Deno.test({
    name: `Ctrl-C while ${when} ends it at once, and nothing has changed`,
    ignore,
    async fn() {
      await using it = new ToolFolder();
      Deno.mkdirSync(it.path("bin"));
      const slow = "#!/bin/sh\nsleep 6\necho tool 2.0.0\n";
      it.write("slow", slow, 0o755);
      it.write("fast", "#!/bin/sh\necho tool 2.0.0\n", 0o755);
      const old = args[1] === "../slow" ? "#!/bin/sh\necho tool 1.0.0\n" : slow;
      Deno.writeTextFileSync(it.path("bin", "tool"), old, { mode: 0o755 });
      const shim = new Deno.Command(await compiledShim(), {
        args: ["--install-dir", it.path("bin"), ...args],
        cwd: it.path("bin"),
        stdin: "null",
        stdout: "null",
        stderr: "piped",
        detached: true,
      }).spawn();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const pressed = Date.now();
      Deno.kill(shim.pid, "SIGINT");
      const { code, stderr } = await shim.output();
      const said = new TextDecoder().decode(stderr);
      assertEquals(code, 130, said);
      assert(Date.now() - pressed < 1000, `${Date.now() - pressed} ms`);
      assertEquals(Deno.readTextFileSync(it.path("bin", "tool")), old);
    },
  });
}

Deno.test({
  name:
    "A candidate is run once before the swap and once after it, and waited for once if it hangs",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    it.configure({ name: "tool", healthCheck: { args: ["--version"], timeoutMs: 1000 } });
    const log = it.path("runs");
    it.write("new", `#!/bin/sh\necho run >>${log}\necho tool 2.0.0\n`, 0o755);
    assertEquals((await it.run("--from", it.path("new"), "--target", "tool")).code, 0);
    assertEquals(Deno.readTextFileSync(log), "run\nrun\n");
    it.write("hangs", "#!/bin/sh\nsleep 20\n", 0o755);
    const started = Date.now();
    assertEquals((await it.run("--from", it.path("hangs"), "--target", "tool")).code, 8);
    assert(Date.now() - started < 1900, `${Date.now() - started} ms`);
  },
});

Deno.test({
  name: "On a terminal it is said what is being tried when that takes longer than a second",
  ignore: Deno.build.os !== "linux", // script(1) elsewhere takes other arguments
  async fn() {
    await using it = new ToolFolder();
    it.write("slow", "#!/bin/sh\nsleep 1.3\necho tool 2.0.0\n", 0o755);
    const shim = `${await compiledShim()} --install-dir ${it.folder}`;
    const command = `${shim} --from ${it.path("slow")} --target tool`;
    const { stdout } = await new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", command, "/dev/null"],
      env: { SHELL: "/bin/sh", TERM: "xterm" },
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stdout).trimEnd().split(/\r?\n/);
    assertEquals(said.length, 3, said.join("\n"));
    assertMatch(said[0]!, /^Trying .*\/tool \.\.\.$/);
    assertEquals(said.slice(1), [`Trying ${it.path("tool")} ...`, "Updated 1.0.0 -> 2.0.0"]);
  },
});
