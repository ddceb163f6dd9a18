/** Credentials for private servers, by the compiled shim: who is told them, and who is not. */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { compiledShim, manifestFor, type Served } from "../support/shim.ts";
import { ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";

const SECRET = "s3cr3t-w0rd";
const FRESH: Served = { target: "tool", content: new TextEncoder().encode(tool("2.0.0")) };
const BASIC = `Basic ${btoa(`bob:${SECRET}`)}`;
const ignore = Deno.build.os === "windows";

/** A server that wants `authorization`, and notes what each request had. */
function privateServer(authorization: string, elsewhere?: string) {
  const seen: (string | null)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    seen.push(request.headers.get("authorization"));
    if (seen.at(-1) !== authorization) return new Response(null, { status: 401 });
    if (pathname === "/release.json") return Response.json(manifestFor([FRESH]));
    if (elsewhere) return Response.redirect(`${elsewhere}${pathname}`, 302);
    return new Response(FRESH.content.slice());
  });
  const host = `127.0.0.1:${server.addr.port}`;
  return {
    seen,
    host,
    url: `http://${host}/release.json`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test({
  name: "A private server is told the credentials of a file, and no word of them is shown or kept",
  ignore,
  async fn() {
    for (
      const [entry, header] of [
        [`login bob password ${SECRET}`, BASIC],
        [`\n  login bob\n  password ${SECRET}`, BASIC],
        [`header Bearer ${SECRET}`, `Bearer ${SECRET}`],
      ] as const
    ) {
      await using server = privateServer(header);
      await using it = new ToolFolder();
      it.configure({ manifest: server.url });
      const without = await it.run();
      assertEquals(without.code, 3);
      assertMatch(without.stderr, /HTTP 401\n.*--auth-file/);
      const path = it.write("netrc", `# ours\nmachine ${server.host} ${entry}\n`);
      const run = await it.run("--auth-file", path, "--json");
      assertEquals([run.code, await it.says()], [0, "tool 2.0.0"], run.stderr);
      const state = await new Deno.Command("grep", {
        args: ["-r", SECRET, it.path(".updater-shim")],
      }).output();
      assertEquals(state.code, 1, "nothing in the state dir");
      assertNotMatch(run.stdout + run.stderr, new RegExp(SECRET));
      // The configuration may name it, relative to itself.
      it.configure({ manifest: server.url, authFile: "netrc" });
      assertEquals((await it.run("--check")).code, 0);
    }
  },
});

Deno.test({
  name: "They can come by a file descriptor: a pipe, a file, or the standard input",
  ignore,
  async fn() {
    await using server = privateServer(BASIC);
    await using it = new ToolFolder();
    const shim = await compiledShim();
    const entry = `machine ${server.host} login bob password ${SECRET}`;
    const arguments_ = `--install-dir "${it.folder}" --manifest ${server.url} --check`;
    for (
      const script of [
        `"${shim}" ${arguments_} --auth-fd 3 3< <(echo "${entry}")`,
        `echo "${entry}" >"${it.folder}/entry" && "${shim}" ${arguments_} --auth-fd 3 3<"${it.folder}/entry"`,
        `echo "${entry}" | "${shim}" ${arguments_} --auth-fd=0`,
      ]
    ) {
      const { code, stderr } = await new Deno.Command("bash", { args: ["-c", script] }).output();
      assertEquals(code, 10, new TextDecoder().decode(stderr));
    }
    const closed = await it.run("--check", "--manifest", server.url, "--auth-fd", "77");
    assertEquals(closed.code, 2);
    assertMatch(
      closed.stderr,
      /Cannot read file descriptor 77: it is not open, or no pipe and no file/,
    );
  },
});

Deno.test({
  name: "A pipe that nobody writes to is waited for until Ctrl-C, and what is our own is not read",
  ignore: Deno.build.os !== "linux", // By /proc.
  async fn() {
    await using server = privateServer(BASIC);
    await using it = new ToolFolder();
    const shim = await compiledShim();
    for (const descriptor of ["0", "3"]) {
      const child = new Deno.Command("bash", {
        args: [
          "-c",
          'exec 3<&0; exec "$@"',
          ...["sh", shim, "--check", "--install-dir", it.folder, "--manifest", server.url],
          `--auth-fd=${descriptor}`,
        ],
        stdin: "piped",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      await untilCaught("SIGINT", child.pid);
      child.kill("SIGINT");
      const { code, stderr } = await outputWithin(child, 20_000);
      const text = new TextDecoder().decode(stderr);
      assertEquals(code, 130, text);
      assertMatch(text, /interrupted/);
      await child.stdin.close();
    }
    // Where the runtime has its own.
    for (const descriptor of ["9", "10", "11", "12"]) {
      const own = await it.run("--check", "--manifest", server.url, "--auth-fd", descriptor);
      assertEquals(own.code, 2, own.stderr);
      assertMatch(own.stderr, /it is not open/);
    }
    assertEquals(server.seen, []);
  },
});

/** Until the program has said what it does at that signal. */
async function untilCaught(signal: "SIGINT", pid: number): Promise<void> {
  const bit = 1n << BigInt({ SIGINT: 2 }[signal] - 1);
  for (;;) {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    if ((BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(status)?.[1] ?? 0}`) & bit) !== 0n) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Of a program that is ended if it does not end. */
async function outputWithin(child: Deno.ChildProcess, ms: number) {
  const timer = setTimeout(() => child.kill("SIGKILL"), ms);
  try {
    return await child.output();
  } finally {
    clearTimeout(timer);
  }
}

Deno.test({
  name: "Another host is never told them: not one that is not named, not by a redirect",
  ignore,
  async fn() {
    await using store = privateServer("nobody");
    await using server = privateServer(BASIC, `http://${store.host}`);
    await using it = new ToolFolder();
    // Even where the other host has credentials of its own: the first server chose the address.
    const path = it.write(
      "netrc",
      [server.host, store.host].map((host) => `machine ${host} login bob password ${SECRET}\n`)
        .join(""),
    );
    const run = await it.run("--manifest", server.url, "--auth-file", path);
    assertEquals(run.code, 3, run.stderr);
    assert(store.seen.length > 0);
    assertEquals(store.seen.filter((value) => value !== null), []);
    const other = it.write("other", `machine example.com login bob password ${SECRET}\n`);
    await it.run("--manifest", `http://${store.host}/release.json`, "--auth-file", other);
    assertEquals(store.seen.filter((value) => value !== null), []);
  },
});

Deno.test({
  name: "A file that others can read, or that is none, is refused; mistakes are named by the line",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    const manifest = ["--check", "--manifest", "https://127.0.0.1:1/m.json"];
    const open = it.write("open", "", 0o600);
    Deno.chmodSync(open, 0o644);
    const cases: [string, number, RegExp][] = [
      [open, 7, /Refusing the credentials in .*: other users can read it\n.*chmod 600/],
      ["/dev/null", 7, /it is no plain file/],
      [it.path("none"), 7, /none/],
      [it.write("default", `default login a password ${SECRET}`), 2, /not valid, line 1: /],
      [it.write("half", `\nmachine a.example login bob\n`), 2, /line 2: expected login and pass/],
      [it.write("twice", "machine a header x\nmachine A header y"), 2, /line 2: a is there twice/],
      [it.write("url", "machine https://a/ header x"), 2, /line 1: expected a host/],
      [it.write("smiley", "machine a header \u{1f600}"), 2, /line 1: /],
    ];
    for (const [path, code, message] of cases) {
      const run = await it.run(...manifest, "--auth-file", path);
      assertMatch(run.stderr, message);
      assertEquals(run.code, code, run.stderr);
      assertNotMatch(run.stderr, new RegExp(SECRET));
    }
  },
});
