/** The shim at a real pseudo-terminal, made by script(1). */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { compiledShim, releaseRoutes, serve, type Served } from "../support/shim.ts";
import { ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";

const file: Served = {
  target: "tool",
  content: new TextEncoder().encode(tool("2.0.0") + "#".repeat(3_000_000)),
};

/** What the terminal shows when somebody types `keys` after `after` appeared, and the exit code. */
async function atTerminal(
  it: ToolFolder,
  args: readonly string[],
  { env = {}, keys, columns = 80 }: {
    env?: Record<string, string>;
    keys?: string;
    columns?: number;
  } = {},
): Promise<{ code: number; shown: string }> {
  const command = [await compiledShim(), "--install-dir", it.folder, ...args]
    .map((word) => `'${word}'`).join(" ");
  const child = new Deno.Command("script", {
    args: ["-qec", `stty cols ${columns}; exec ${command}`, "/dev/null"],
    env: { TERM: "xterm", ...env },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  let shown = "";
  const writer = child.stdin.getWriter();
  const decoder = new TextDecoder();
  let typed = false;
  for await (const part of child.stdout) {
    shown += decoder.decode(part, { stream: true });
    if (keys !== undefined && !typed && shown.includes("[y/N]")) {
      typed = true;
      await writer.write(new TextEncoder().encode(keys));
    }
  }
  await writer.close().catch(() => {});
  return { code: (await child.status).code, shown };
}

Deno.test("A dumb terminal gets lines, another one a bar that keeps to its width", async () => {
  await using server = serve(releaseRoutes([file]));
  for (const [TERM, columns] of [["xterm", 80], ["xterm", 40], ["dumb", 80]] as const) {
    await using it = new ToolFolder();
    it.configure({ manifest: `${server.url}/release.json` });
    const { code, shown } = await atTerminal(it, [], { env: { TERM }, columns });
    assertEquals([code, await it.says()], [0, "tool 2.0.0"], shown);
    const bars = shown.split(/[\r\n]+/).filter((line) => /\d %/.test(line));
    assert(bars.length > 0, shown);
    if (TERM === "dumb") {
      assertEquals(bars.filter((line) => !/^Downloading: \d+ % of [\d.]+ MB$/.test(line)), []);
      assertNotMatch(shown.replaceAll("\r\n", "\n"), /\r/);
    } else {
      assertEquals(bars.filter((line) => line.trimEnd().length >= columns), []);
      assertMatch(bars.at(-1)!, /100 % {2}3 MB of 3 MB/);
    }
  }
});

Deno.test("No colour is used, with NO_COLOR or without", async () => {
  await using server = serve(releaseRoutes([file]));
  for (const env of [{}, { NO_COLOR: "1" }, { FORCE_COLOR: "1" }]) {
    await using it = new ToolFolder();
    it.configure({ manifest: `${server.url}/release.json` });
    const { shown } = await atTerminal(it, ["--check"], { env });
    assertEquals(shown.includes("\u001b"), false, shown);
  }
});

Deno.test("--uninstall asks at a terminal, and removes nothing without a yes", async () => {
  await using server = serve(releaseRoutes([file]));
  await using it = new ToolFolder();
  it.configure({ name: "mytool", manifest: `${server.url}/release.json` });
  it.configure({ manifest: `${server.url}/release.json` });
  assertEquals((await it.run()).code, 0);
  const before = it.snapshot();
  for (const keys of ["n\n", "\n", "maybe\n", "\u0003", "\u0004"]) {
    const { code, shown } = await atTerminal(it, ["--uninstall"], { keys });
    assertMatch(shown, /This will be removed:\r\n {2}.*\/tool\r\n[^]*Remove it\? \[y\/N\]/);
    assertEquals([code, it.snapshot()], [130, before], shown);
  }
  const { code, shown } = await atTerminal(it, ["--uninstall"], { keys: "y\n" });
  assertEquals(code, 0, shown);
  Deno.mkdirSync(it.folder, { recursive: true });
  assertEquals(it.snapshot(), []);
});

Deno.test("--uninstall --yes asks nobody", async () => {
  await using server = serve(releaseRoutes([file]));
  await using it = new ToolFolder();
  it.configure({ manifest: `${server.url}/release.json` });
  assertEquals((await it.run()).code, 0);
  const { code, shown } = await atTerminal(it, ["--uninstall", "--yes"]);
  assertEquals([code, shown.includes("[y/N]")], [0, false], shown);
  Deno.mkdirSync(it.folder, { recursive: true });
});

Deno.test("The manual page has no fault that groff finds, and names every option", async () => {
  const shim = await compiledShim();
  const { stdout: page } = await new Deno.Command(shim, { args: ["--man"] }).output();
  const child = new Deno.Command("groff", {
    args: ["-man", "-Tutf8", "-ww"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(page);
  await writer.close();
  const { stdout, stderr } = await child.output();
  assertEquals(new TextDecoder().decode(stderr), "");
  // deno-lint-ignore no-control-regex -- groff's way to make text bold
  const text = new TextDecoder().decode(stdout).replace(/\u001b\[[\d;]*m|.\u0008/g, "");
  for (const option of ["--download-only", "--max-age AGE", "-h, --help", "EXIT STATUS"]) {
    assert(text.includes(option), `${option} in ${text}`);
  }
});
