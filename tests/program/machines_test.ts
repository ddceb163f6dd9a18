/** Machines, users and working folders of which not everything works. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { compiledShim } from "../support/shim.ts";
import { isRoot, type Machine, makeMachine, OTHER, put, runAs, USER } from "../support/users.ts";
import { runAs as runShim, served, SharedFolder } from "../support/shared_folder.ts";
import { tool } from "../support/world.ts";

/** Where root may have a user namespace of its own, which a container need not allow. */
const hasNamespaces = isRoot && succeeds("unshare", "--user", "--map-root-user", "true");

function succeeds(program: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "one foreign file that cannot be read is left and named, and stops no command of the user",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const bin = put(join(machine.folder, "bin"), [USER, USER], 0o755);
    const fresh = put(join(machine.folder, "fresh"), [USER, USER], 0o755, tool("tool 2.0.0"));
    put(join(bin, "tool"), [USER, USER], 0o755, tool("tool 1.0.0"));
    const secret = put(join(bin, "secret.previous"), [0, 0], 0o600, tool("root's"));
    put(join(bin, "other.previous"), [USER, USER], 0o755, tool("other 1.0.0"));
    const run = (...args: string[]) => runAs(USER, machine.shim, ["--install-dir", bin, ...args]);
    const repaired = await run("--repair");
    assertEquals(repaired.code, 0, repaired.stderr);
    assertMatch(repaired.stderr, /Left ".*secret\.previous" alone: it cannot be read/);
    assertEquals(Deno.readTextFileSync(join(bin, "other")), tool("other 1.0.0"));
    const from = ["--from", fresh, "--target", "tool"];
    for (const args of [from, ["--status"], ["--rollback"], ["--repair"], ["--uninstall"]]) {
      const { code, stderr } = await run(...args);
      assertEquals(code, 0, `${args}: ${stderr}`);
    }
    assertEquals(Deno.readTextFileSync(secret), tool("root's"));
  },
});

/** root's tool, whose group is another one: that is what a new file is to have, too. */
function ofOtherGroup(machine: Machine) {
  const bin = put(join(machine.folder, "bin"), [0, 0], 0o755);
  put(join(bin, "tool"), [0, OTHER], 0o755, tool("tool 1.0.0"));
  const fresh = put(join(machine.folder, "fresh"), [0, 0], 0o755, tool("tool 2.0.0"));
  return { bin, args: ["--install-dir", bin, "--from", fresh, "--target", "tool"] };
}

/** Ways in which even root may not give a file away, and how to get there. */
const REFUSALS: Record<string, { readonly via: string[]; readonly ignore: boolean }> = {
  "in a user namespace that does not know the owner": {
    via: ["unshare", "--user", "--map-root-user"],
    ignore: !hasNamespaces,
  },
  "without CAP_CHOWN, or on a server that refuses it": {
    via: ["setpriv", "--bounding-set", "-chown", "--inh-caps", "-chown"],
    ignore: !isRoot,
  },
};

for (const [where, { via, ignore }] of Object.entries(REFUSALS)) {
  Deno.test({
    name: `an owner that cannot be kept is a warning, and the update goes on: ${where}`,
    ignore,
    async fn() {
      using machine = await makeMachine();
      const { bin, args } = ofOtherGroup(machine);
      const [program, ...options] = via;
      const { code, stderr } = await runAs(0, program!, [...options, machine.shim, ...args]);
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /tool" will belong to you: its owner cannot be kept/);
      assertEquals(Deno.readTextFileSync(join(bin, "tool")), tool("tool 2.0.0"));
      assertEquals(Deno.statSync(join(bin, "tool")).gid, 0);
    },
  });
}

Deno.test({
  name: "where root may give files away, the new one has the owner of the old one",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const { bin, args } = ofOtherGroup(machine);
    const { code, stderr } = await runAs(0, machine.shim, args);
    assertEquals([code, Deno.statSync(join(bin, "tool")).gid], [0, OTHER], stderr);
  },
});

Deno.test({
  name: "a working folder whose name is no text stops nothing that does not lie in it",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using it = new SharedFolder();
    await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
    const script =
      `name=$(printf '\\377'); mkdir "$1/$name"; cd "$1/$name" && exec "$2" --config "$3"`;
    const args = [it.root, await compiledShim(), it.path("alpha.json")];
    const { code, stderr } = await runShim(["-c", script, "sh", ...args], "sh");
    assertEquals(code, 0, stderr);
    assertEquals(it.read("alpha"), tool("alpha 1.0.0"));
  },
});
