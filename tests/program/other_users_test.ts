/** Whoever else can write to the folder, or waits for a chance on the same machine. */
import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { FileSystem } from "../../src/system/file_system.ts";
import type { Processes } from "../../src/system/processes.ts";
import { type Bed, makeBed, type Outcome, runProgram } from "../support/signed_release.ts";
import { tool } from "../support/world.ts";

const VERIFICATION = 4, FILESYSTEM = 7, HEALTH = 8;
/** As long as the real one. */
const EVIL = tool("6.6.6");
const unix = Deno.build.os !== "windows";

function names(bed: Bed): string[] {
  return [...Deno.readDirSync(bed.folder)].map(({ name }) => name).sort();
}

function isStaged(path: string): boolean {
  return /[\\/]staged[\\/]/.test(path);
}

function putInPlace(path: string): void {
  Deno.writeTextFileSync(`${path}.evil`, EVIL, { mode: 0o755 });
  Deno.renameSync(`${path}.evil`, path);
}

function assertNoticed(bed: Bed, outcome: Outcome): void {
  assertStringIncludes(outcome.stderr, "changed after it was verified");
  assertEquals([outcome.code, outcome.tool], [VERIFICATION, "tool 1.0.0"], outcome.stderr);
  assertEquals(names(bed), [".updater-shim", "tool"]);
}

Deno.test("a staged file that is exchanged after it was verified is noticed", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0" });
  const processes: Processes = {
    ...denoSystem.processes,
    async run(path, args, timeoutMs) {
      const result = await denoSystem.processes.run(path, args, timeoutMs);
      if (isStaged(path)) putInPlace(path);
      return result;
    },
  };
  assertNoticed(bed, await bed.update([], { processes }));
});

Deno.test("a staged file that is exchanged after the last look is noticed, and undone", async () => {
  await using bed = await makeBed();
  await bed.publish({ version: "2.0.0" });
  const fs: FileSystem = {
    ...denoSystem.fs,
    renameSync(from, to) {
      if (isStaged(from)) putInPlace(from);
      denoSystem.fs.renameSync(from, to);
    },
  };
  assertNoticed(bed, await bed.update([], { fs }));
});

Deno.test({
  name: "a process that exchanges staged files all the time never gets its own installed",
  ignore: !unix,
  async fn() {
    await using bed = await makeBed();
    await bed.publish({ version: "2.0.0" });
    const evil = join(bed.folder, "..", `${crypto.randomUUID()}-evil`);
    Deno.writeTextFileSync(evil, EVIL, { mode: 0o755 });
    const script =
      `cd "$1"; while :; do for f in .updater-shim/*/staged/*/tool; do [ -e "$f" ] && ln -f "$2" x && mv -f x "$f"; done; done`;
    const attacker = new Deno.Command("sh", {
      args: ["-c", script, "sh", bed.folder, evil],
      stderr: "null",
    }).spawn();
    try {
      let noticed = 0;
      for (let round = 0; round < 10; round++) {
        const { code, tool: says, stderr } = await bed.update(["--force"]);
        assertEquals(["tool 1.0.0", "tool 2.0.0"].includes(says), true, `${says}\n${stderr}`);
        if (code !== 0) noticed++;
      }
      assertNotEquals(noticed, 0);
    } finally {
      attacker.kill("SIGKILL");
      await attacker.status;
      Deno.removeSync(evil);
    }
  },
});

Deno.test({
  name: "a link under the staged file's name is not followed, even if the name was known",
  ignore: !unix,
  async fn() {
    await using bed = await makeBed();
    await bed.publish({ version: "2.0.0" });
    const victim = join(bed.folder, "victim");
    Deno.writeTextFileSync(victim, "precious");
    const fs: FileSystem = {
      ...denoSystem.fs,
      openSync(path, options) {
        if (options.createNew && isStaged(path)) Deno.symlinkSync(victim, path);
        return denoSystem.fs.openSync(path, options);
      },
    };
    const outcome = await bed.update([], { fs });
    assertEquals([outcome.code, outcome.tool], [FILESYSTEM, "tool 1.0.0"], outcome.stderr);
    assertEquals(Deno.readTextFileSync(victim), "precious");
  },
});

Deno.test("no two updates use the same names for their staged files", async () => {
  await using bed = await makeBed();
  const staged: string[] = [];
  const fs: FileSystem = {
    ...denoSystem.fs,
    openSync(path, options) {
      if (options.createNew && isStaged(path)) staged.push(path);
      return denoSystem.fs.openSync(path, options);
    },
  };
  for (const version of ["2.0.0", "3.0.0"]) {
    await bed.publish({ version });
    assertEquals((await bed.update([], { fs })).code, 0);
  }
  assertEquals(staged.length, 2);
  assertNotEquals(staged[0], staged[1]);
  for (const path of staged) assertMatch(path, /staged[\\/][0-9a-f]{16}[\\/]tool(\.exe)?$/);
});

Deno.test({
  name: "the state dir and what lies in it is nobody else's to read",
  ignore: !unix,
  async fn() {
    await using bed = await makeBed();
    await bed.publish({ version: "2.0.0" });
    assertEquals((await bed.update()).code, 0);
    const state = join(bed.folder, ".updater-shim");
    assertEquals(Deno.statSync(state).mode! & 0o777, 0o700);
    for (const { name } of Deno.readDirSync(state)) {
      assertEquals(Deno.statSync(join(state, name)).mode! & 0o022, 0, name);
    }
  },
});

/** How another user could have prepared a state dir, and what is said to it. */
const PREPARED: Record<string, [prepare: (state: string) => void, message: string]> = {
  "a link to another folder": [
    (state) => Deno.symlinkSync("..", state),
    "it is not a folder of its own",
  ],
  "a file": [(state) => Deno.writeTextFileSync(state, ""), "it is not a folder of its own"],
  "a folder that everybody can write to": [
    (state) => (Deno.mkdirSync(state), Deno.chmodSync(state, 0o1777)),
    "every user can write to it",
  ],
  ...(unix && Deno.uid() === 0 && {
    // Not the user's private one.
    "a folder that the group can write to": [
      (state: string) => (
        Deno.mkdirSync(state), Deno.chownSync(state, 0, 50), Deno.chmodSync(state, 0o770)
      ),
      "its group can write to it",
    ],
    "a folder of another user": [
      (
        state: string,
      ) => (Deno.mkdirSync(state, { mode: 0o700 }), Deno.chownSync(state, 65534, 65534)),
      "it belongs to another user",
    ],
  }),
};

for (const [what, [prepare, message]] of Object.entries(PREPARED)) {
  Deno.test({
    name: `a state dir that is ${what} is refused`,
    ignore: !unix,
    async fn() {
      await using bed = await makeBed();
      await bed.publish({ version: "2.0.0" });
      prepare(join(bed.folder, ".updater-shim"));
      const outcome = await bed.update();
      assertStringIncludes(outcome.stderr, message);
      assertEquals([outcome.code, outcome.tool], [FILESYSTEM, "tool 1.0.0"]);
      const { code } = await runProgram(bed.folder, ["--repair"]);
      assertEquals(code, FILESYSTEM);
    },
  });
}

Deno.test({
  name: "a folder that everybody can write to is refused before anything is staged in it",
  ignore: !unix,
  async fn() {
    await using bed = await makeBed();
    await bed.publish({ version: "2.0.0" });
    Deno.chmodSync(bed.folder, 0o777);
    const outcome = await bed.update();
    assertStringIncludes(outcome.stderr, "every user can write to it");
    assertEquals([outcome.code, outcome.tool], [FILESYSTEM, "tool 1.0.0"]);
    assertEquals(names(bed), ["tool"]);
  },
});

Deno.test({
  name: "no server, tool or file name can forge a line of the log or steer the terminal",
  ignore: !unix,
  async fn() {
    await using bed = await makeBed();
    const forged = "2026-11-21T00:00:00.000Z Updated 1.0.0 -> 9.9.9";
    const content = `#!/bin/sh\nprintf '\\033[2J\\r\\n${forged}\\n\\302\\233m' >&2; exit 1\n`;
    await bed.publish({ version: "2.0.0", content });
    const outcome = await bed.update(["--json"]);
    assertEquals([outcome.code, outcome.tool], [HEALTH, "tool 1.0.0"], outcome.stderr);
    const log = Deno.readTextFileSync(join(bed.folder, ".updater-shim", "updater-shim", "log.txt"));
    for (const text of [outcome.stderr, outcome.stdout, log]) {
      assertStringIncludes(text, "9.9.9");
      assertEquals(text.split("\n").filter((line) => line.startsWith(forged)), []);
      // deno-lint-ignore no-control-regex
      assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(text), false, JSON.stringify(text));
    }
    for (const line of outcome.stdout.trimEnd().split("\n")) JSON.parse(line);
    for (const line of log.trimEnd().split("\n")) assertMatch(line, /^20\d\d-\d\d-\d\dT[\d:.]+Z /);
  },
});
