/** Another user who attacks while the shim works, and what he could have prepared. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { exchange } from "../support/exchanger.ts";
import {
  isRoot,
  type Machine,
  makeMachine,
  OTHER,
  put,
  runAs,
  STAFF,
  USER,
} from "../support/users.ts";
import { tool } from "../support/world.ts";

const FILESYSTEM = 7, HUNG = 124;
const ROUNDS = 20;
const linux = Deno.build.os === "linux";
const ID = "updater-shim";

/** What the victim owns, and what the attacker would run as he. */
interface Place {
  readonly bin: string;
  readonly state: string;
  readonly home: string;
  readonly evil: string;
  /** The ids of those who ran the attacker's script. */
  victims(): string[];
  readonly fresh: string;
}

/** A folder of the victim's that a group of the attacker's can write to. */
function makePlace({ folder }: Machine, victim: number, group: number, mode: number): Place {
  const base = put(join(folder, crypto.randomUUID()), [0, 0], 0o755);
  const bin = put(join(base, "bin"), [victim, group], mode);
  put(join(bin, "tool"), [victim, victim], 0o755, tool("1.0.0"));
  const told = put(join(base, "told"), [0, 0], 0o666, "");
  const script = `#!/bin/sh\nid -u >>"${told}"\necho "tool 6.6.6"\n`;
  const state = join(bin, ".updater-shim");
  return {
    bin,
    state,
    home: join(state, ID),
    evil: put(join(base, "evil"), [OTHER, OTHER], 0o755, script),
    victims: () => Deno.readTextFileSync(told).split("\n").filter((id) => id !== ""),
    fresh: put(join(base, "fresh"), [0, 0], 0o755, tool("2.0.0")),
  };
}

/** A shell of the attacker's that does the same thing for ever. */
function attack(script: string, ...args: string[]): AsyncDisposable {
  const child = new Deno.Command("sh", {
    args: ["-c", `while :; do ${script}; done`, "sh", ...args],
    uid: OTHER,
    gid: OTHER,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      // With what it has started: that would still write while the folder is removed.
      Deno.kill(-child.pid, "SIGKILL");
      await child.status;
    },
  };
}

Deno.test({
  name: "nobody who can write to root's folder gets his own program run or installed by root",
  ignore: !isRoot || !linux,
  async fn() {
    using machine = await makeMachine();
    const place = makePlace(machine, 0, OTHER, 0o775);
    const { bin, evil, fresh } = place;
    // All names that he can see; of what is in a folder of root's he sees none.
    const script =
      `for f in $(find "$1" -mindepth 1 ! -path "$1/.x*" -type f 2>/dev/null); do cp -p "$2" "$1/.x" && mv -f "$1/.x" "$f"; done`;
    await using _attacker = attack(script, bin, evil);
    for (let round = 0; round < ROUNDS; round++) {
      await runAs(0, machine.shim, ["--install-dir", bin, "--from", fresh, "--target", "tool"]);
      // Else there would be nothing to install for root, who does not replace another user's file.
      put(join(bin, ".fresh"), [0, 0], 0o755, tool("1.0.0"));
      Deno.renameSync(join(bin, ".fresh"), join(bin, "tool"));
    }
    assertEquals(place.victims(), []);
  },
});

Deno.test({
  name: "no program that takes a target's name while it is looked at is run by root",
  ignore: !isRoot || !linux,
  async fn() {
    using machine = await makeMachine();
    const place = makePlace(machine, 0, OTHER, 0o775);
    const { bin, evil, fresh } = place;
    const forged = join(bin, ".forged");
    Deno.renameSync(evil, forged);
    await using attacker = await exchange(join(bin, "tool"), forged);
    for (let round = 0; round < ROUNDS; round++) {
      for (const command of [["--from", fresh, "--target", "tool"], ["--rollback"], ["--repair"]]) {
        await runAs(0, machine.shim, ["--install-dir", bin, ...command]);
      }
    }
    assert(attacker.count() > ROUNDS);
    assertEquals(place.victims(), []);
  },
});

/** Makes a state dir of the attacker's that leads elsewhere. */
function forge(path: string, victim: string): void {
  const mine: [number, number] = [OTHER, OTHER];
  put(path, mine, 0o755);
  const home = put(join(path, ID), mine, 0o755);
  for (const name of ["trash", "broken"]) Deno.symlinkSync(victim, join(path, name));
  for (const name of ["partial", "staged", "rollback"]) Deno.symlinkSync(victim, join(home, name));
  for (const name of ["log.txt", "last-run.json", "waits.json"]) {
    Deno.symlinkSync(join(victim, "precious"), join(home, name));
  }
  for (const name of ["lock", "holder.json"]) {
    Deno.symlinkSync(join(victim, "precious"), join(path, name));
  }
  put(join(home, "receipt.json"), mine, 0o644, forgedReceipt());
  put(join(home, "journal"), mine, 0o644, "forged");
}

function forgedReceipt(): string {
  return JSON.stringify({ format: 1, files: [{ name: "../victim/precious" }] });
}

/** What the shim makes below its state dir. */
const OWN_NAME =
  /^\.?([0-9a-f]{16}|tool|journal|receipt\.json|last-run\.json|log\.txt|holder\.json)(\.new)?$/;

Deno.test({
  name: "a state dir that is exchanged while root works leads to no file of root's that was there",
  ignore: !isRoot || !linux,
  async fn() {
    using machine = await makeMachine();
    const { bin, state, fresh } = makePlace(machine, 0, OTHER, 0o775);
    const victim = put(join(bin, "..", "victim"), [0, 0], 0o700);
    const names = ["precious", "passwd", "0123456789abcdef.conf"];
    for (const name of names) put(join(victim, name), [0, 0], 0o600, name);
    const shim = (...args: string[]) => runAs(0, machine.shim, ["--install-dir", bin, ...args]);
    assertEquals((await shim("--from", fresh, "--target", "tool")).code, 0);
    const forged = join(bin, ".forged");
    forge(forged, victim);
    await using attacker = await exchange(state, forged);
    for (let round = 0; round < ROUNDS; round++) {
      for (const command of [["--from", fresh, "--target", "tool"], ["--repair"], ["--rollback"]]) {
        assert((await shim(...command)).code !== HUNG);
      }
      for (const name of names) {
        const path = join(victim, name);
        const { uid, gid, mode } = Deno.lstatSync(path);
        assertEquals([uid, gid, mode! & 0o777], [0, 0, 0o600], path);
        assertEquals(Deno.readTextFileSync(path), name);
      }
      // What can still be made there in the right microseconds (SECURITY.md): the shim's own names.
      for (const { name } of Deno.readDirSync(victim)) {
        if (!names.includes(name)) assertMatch(name, OWN_NAME, `round ${round}`);
      }
    }
    assert(attacker.count() > ROUNDS);
  },
});

Deno.test({
  name:
    "a file of root's keeps owner and mode, whatever links are put under the names of an update",
  ignore: !isRoot || !linux,
  async fn() {
    using machine = await makeMachine();
    const place = makePlace(machine, 0, OTHER, 0o775);
    const { bin, fresh } = place;
    // The owner that root would give a new file to, were the old one believed.
    put(join(bin, "tool"), [OTHER, OTHER], 0o755, tool("1.0.0"));
    const secret = put(join(bin, "..", "secret"), [0, 0], 0o600, "secret");
    const script =
      `for f in $(find "$1" -mindepth 1 ! -path "$1/.x*" 2>/dev/null); do ln -sfn "$2" "$1/.x" && mv -fT "$1/.x" "$f"; done`;
    await using _attacker = attack(script, bin, secret);
    for (let round = 0; round < ROUNDS; round++) {
      await runAs(0, machine.shim, ["--install-dir", bin, "--from", fresh, "--target", "tool"]);
      const { uid, gid, mode } = Deno.lstatSync(secret);
      assertEquals([uid, gid, mode! & 0o777], [0, 0, 0o600], `round ${round}`);
    }
    assertEquals(Deno.readTextFileSync(secret), "secret");
  },
});

/** Commands that change something, and whether they need a manifest. */
const CHANGING = ["--from", "--repair", "--rollback", "--uninstall", "--manifest"];

Deno.test({
  name: "every command that changes something refuses a folder that others can write to",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    for (const above of [false, true]) {
      const { bin, fresh, state } = makePlace(machine, USER, USER, 0o755);
      const open = above ? join(bin, "..") : bin;
      Deno.chmodSync(open, 0o777);
      const run = (...args: string[]) => runAs(USER, machine.shim, ["--install-dir", bin, ...args]);
      for (const command of CHANGING) {
        const args = command.split(" ");
        if (command === "--from") args.push(fresh, "--target", "tool");
        if (command === "--manifest") args.push("/nowhere/release.json");
        const { code, stderr } = await run(...args);
        assertEquals(code, FILESYSTEM, `${command}: ${stderr}`);
        assertStringIncludes(stderr, `every user can write to it (owner ${above ? 0 : USER}`);
        assertStringIncludes(stderr, `chmod go-w`);
      }
      assertEquals([...Deno.readDirSync(bin)].map(({ name }) => name), ["tool"], state);
      const { code, stdout, stderr } = await run("--status");
      assertEquals(code, 0, stderr);
      assertStringIncludes(stdout + stderr, "every user can write to it");
    }
  },
});

Deno.test({
  name: "--status tells what stops every update: a state dir or a lock that is not to be used",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const cases: [what: string, told: RegExp, make: (state: string) => void][] = [
      ["another user's folder", /the state dir ".*": it belongs to another user/, (state) => {
        put(state, [OTHER, OTHER], 0o755);
      }],
      ["a file", /the state dir ".*": it is not a folder of its own/, (state) => {
        put(state, [USER, USER], 0o600, "x");
      }],
      ["with a folder as its lock", /the lock ".*": it is a folder/, (state) => {
        put(state, [USER, USER], 0o700);
        put(join(state, "lock"), [USER, USER], 0o700);
      }],
    ];
    for (const [what, told, make] of cases) {
      const { bin, state } = makePlace(machine, USER, USER, 0o755);
      make(state);
      const { code, stdout, stderr } = await runAs(USER, machine.shim, [
        ...["--install-dir", bin, "--status"],
      ]);
      assertEquals(code, 0, `${what}: ${stderr}`);
      assertMatch(stderr, told);
      assertMatch(stderr, /and remove it/);
      assertStringIncludes(stdout, "not installed by updater-shim");
    }
  },
});

Deno.test({
  name: "what only looks goes by no state dir that is somebody's link, and says so",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const place = makePlace(machine, 0, STAFF, 0o2775);
    const other = makePlace(machine, 0, 0, 0o755);
    const shim = (...args: string[]) => runAs(0, machine.shim, args);
    const from = ["--from", place.fresh, "--target", "tool", "--force"];
    assertEquals((await shim("--install-dir", other.bin, ...from)).code, 0);
    Deno.symlinkSync(other.state, place.state);
    for (const command of [["--check", "--manifest", "/nowhere"], ["--uninstall", "--dry-run"]]) {
      const { stdout, stderr } = await shim("--install-dir", place.bin, ...command);
      assertStringIncludes(stderr, `Refusing the state dir "${place.state}": it is not a folder`);
      assertEquals(/Would remove (?!nothing)/.test(stdout + stderr), false, stderr);
    }
  },
});

/** What is put where a file of ours belongs. */
const SPECIAL: Record<string, (path: string, machine: Machine) => void> = {
  "a FIFO": (path) => {
    assertEquals(new Deno.Command("mkfifo", { args: [path] }).outputSync().code, 0);
    Deno.chownSync(path, USER, USER);
  },
  "a link": (path, { folder }) => {
    const precious = put(join(folder, "precious"), [USER, USER], 0o600, "precious");
    Deno.symlinkSync(precious, path);
  },
  "another user's file": (path) => void put(path, [OTHER, OTHER], 0o644, "{}"),
};

/** Where: relative to the install dir. `config` and the rest in the state dir. */
const FILES = ["updater-shim.json", ".updater-shim/lock", ".updater-shim/holder.json"].concat(
  ["journal", "receipt.json", "last-run.json", "log.txt"].map((name) =>
    `.updater-shim/${ID}/${name}`
  ),
);

for (const [what, make] of Object.entries(SPECIAL)) {
  Deno.test({
    name: `${what} where a file of the shim's belongs is an error, and never waited for`,
    ignore: !isRoot,
    async fn() {
      using machine = await makeMachine();
      const { folder, shim } = machine;
      for (const file of FILES) {
        const { bin, state, home, fresh } = makePlace(machine, USER, USER, 0o755);
        for (const path of [state, home]) put(path, [USER, USER], 0o700);
        make(join(bin, file), machine);
        const run = (...args: string[]) =>
          runAs(USER, shim, ["--install-dir", bin, ...args], { timeoutMs: 10_000 });
        const { code, stderr } = await run("--from", fresh, "--target", "tool");
        assertEquals(code, FILESYSTEM, `${file}: ${stderr}`);
        for (const fact of [join(bin, file), "(owner ", "mode "]) {
          assertStringIncludes(stderr, fact);
        }
        for (const command of [["--status"], ["--check", "--manifest", "/nowhere"]]) {
          const { code, stderr } = await run(...command);
          assert(code !== HUNG && code !== 1, `${file}: ${command}: ${stderr}`);
        }
        if (what === "a link") {
          assertEquals(Deno.readTextFileSync(join(folder, "precious")), "precious", file);
        }
      }
    },
  });
}

Deno.test({
  name:
    "a link in the place of a folder of the state dir is an error, and nothing behind it is touched",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    for (const name of ["trash", "broken", ID, "partial", "staged", "rollback"]) {
      const { bin, state, home, fresh } = makePlace(machine, USER, USER, 0o755);
      put(state, [USER, USER], 0o700);
      if (name !== ID) put(home, [USER, USER], 0o700);
      const behind = put(join(bin, "..", "behind"), [USER, USER], 0o700);
      put(join(behind, "precious"), [USER, USER], 0o600, "precious");
      const inState = ["trash", "broken", ID].includes(name);
      Deno.symlinkSync(behind, join(inState ? state : home, name));
      const args = ["--install-dir", bin, "--from", fresh, "--target", "tool"];
      const { code, stderr } = await runAs(USER, machine.shim, args);
      assertEquals(code, FILESYSTEM, `${name}: ${stderr}`);
      assertStringIncludes(stderr, join(inState ? state : home, name));
      assertEquals([...Deno.readDirSync(behind)].map(({ name }) => name), ["precious"], name);
    }
  },
});

Deno.test({
  name: "a state dir of root's that a user may not read is told by what only looks",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const { bin, state, fresh } = makePlace(machine, 0, 0, 0o755);
    const from = ["--install-dir", bin, "--from", fresh, "--target", "tool"];
    assertEquals((await runAs(0, machine.shim, from)).code, 0);
    const release = put(join(bin, "..", "release.json"), [0, 0], 0o644, manifest());
    const looking = [["--status"], ["--check"], ["--dry-run"]];
    for (const command of looking) {
      const args = ["--install-dir", bin, ...command];
      if (command[0] !== "--status") args.push("--manifest", release);
      const { code, stdout, stderr } = await runAs(USER, machine.shim, args);
      assertEquals([0, 10].includes(code), true, `${command}: ${code} ${stdout}${stderr}`);
      assertStringIncludes(stdout + stderr, state, `${command}`);
    }
  },
});

/** A release without any file that has to be fetched for these. */
function manifest(): string {
  const file = { target: "tool", url: "tool", size: 1, sha256: "0".repeat(64) };
  return JSON.stringify({
    ...{ schema: 1, name: "tool", version: "3.0.0" },
    platforms: { [Deno.build.target]: { files: [file] } },
  });
}

/** Folders that people have, and that have to go on working: owner, group, mode; as whom. */
const FOLDERS: Record<string, [uid: number, gid: number, mode: number, as: [number, number]]> = {
  "~/.local/bin with umask 002 and a group of one's own": [USER, USER, 0o775, [USER, USER]],
  "/usr/local/bin of root:staff 2775, as root": [0, STAFF, 0o2775, [0, 0]],
  "/usr/local/bin of root:staff 2775, as one of staff": [0, STAFF, 0o2775, [USER, STAFF]],
  "a user's own folder of an admin group (macOS)": [USER, 80, 0o775, [USER, 20]],
  "/opt/tool of root": [0, 0, 0o755, [0, 0]],
  "a container where all is root's, also its group's": [0, 0, 0o775, [0, 0]],
  "a bind mount of another uid, as root": [OTHER, OTHER, 0o755, [0, 0]],
};

for (const [what, [uid, gid, mode, [we, group]]] of Object.entries(FOLDERS)) {
  Deno.test({
    name: `a folder that people have keeps working: ${what}`,
    ignore: !isRoot,
    async fn() {
      using machine = await makeMachine();
      const base = put(join(machine.folder, "base"), [0, 0], 0o755);
      const bin = put(join(base, "bin"), [uid, gid], mode);
      // As the umask of its owner makes it.
      const own = we === 0 ? uid : we;
      put(join(bin, "tool"), [own, gid], gid === own ? 0o775 : 0o755, tool("1.0.0"));
      put(join(bin, "updater-shim.json"), [own, gid], gid === own ? 0o664 : 0o644, "{}");
      put(join(bin, "other-tool"), [own, gid], 0o755, tool("5.0.0"));
      const umask = gid === own ? "002" : "022";
      const run = (...args: string[]) => {
        const command = `umask ${umask}; exec "$0" "$@"`;
        const all = ["-c", command, machine.shim, "--install-dir", bin, ...args];
        return runAs(we, "sh", all, { gid: group });
      };
      const fresh = put(join(base, "fresh"), [0, 0], 0o755, tool("2.0.0"));
      const steps: [string[], string][] = [
        [["--from", fresh, "--target", "tool"], "2.0.0"],
        [["--repair"], "2.0.0"],
        [["--rollback"], "1.0.0"],
        [["--status"], "1.0.0"],
      ];
      for (const [args, version] of steps) {
        const { code, stdout, stderr } = await run(...args);
        assertEquals(code, 0, `${args}: ${stdout}${stderr}`);
        assertStringIncludes(Deno.readTextFileSync(join(bin, "tool")), version, `${args}`);
      }
      assertEquals(Deno.statSync(join(bin, "tool")).uid, own);
      assertEquals((await run("--uninstall")).code, 0);
    },
  });
}
