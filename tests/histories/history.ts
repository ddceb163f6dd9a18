/**
 * Lives a history and says after each step which content every file of the folder may have. What
 * the shim did not install never changes; a tool's set is the old one or the new one.
 */
import { type Step, tell, type Tool, TOOLS } from "./steps.ts";
import { type Contents, type Ended, type ReleaseSet, World } from "./world.ts";

const SHAPES: Record<Tool, { readonly always: readonly string[]; readonly sometimes: string }> = {
  alpha: { always: ["alpha", "alphax"], sometimes: "alphay" },
  beta: { always: ["beta"], sometimes: "betax" },
};

/** What a run that was killed may have left half done. */
interface Interrupted {
  /** Undefined: no such file. */
  readonly old: ReadonlyMap<string, string | undefined>;
  readonly new: ReadonlyMap<string, string | undefined>;
  readonly whenNew: Omit<ToolState, "interrupted">;
}

/** What is known of a tool. */
interface ToolState {
  /** By the receipt: every name that is the tool's, with what it should hold. Null: not installed. */
  readonly installed: ReleaseSet | null;
  /** What `--rollback` brings back, or null. */
  readonly rollback: ReleaseSet | null;
  /** Names that somebody changed since the tool was whole: for these only little can be said. */
  readonly touched: ReadonlySet<string>;
  readonly interrupted: Interrupted | null;
}

const NOTHING: ToolState = {
  installed: null,
  rollback: null,
  touched: new Set(),
  interrupted: null,
};

/** Throws with the whole story at the first file that has what it may not have. */
export async function live(steps: readonly Step[], shim?: World["shim"]): Promise<void> {
  using world = new World(shim);
  const history = new History(world);
  for (const step of steps) await history.take(step);
}

class History {
  readonly #story: string[] = [];
  readonly #tools = new Map<Tool, ToolState>(TOOLS.map((tool) => [tool, NOTHING]));
  readonly #spoilt = new Set<Tool>();
  #count = 0;

  constructor(readonly world: World) {
    for (const tool of TOOLS) world.configure(tool);
  }

  async take(step: Step): Promise<void> {
    const { world } = this;
    this.#count++;
    this.#story.push(tell(step));
    switch (step.do) {
      case "put": {
        const text = `somebody's own, ${this.#count}\n`;
        world.write(step.name, text.trim(), new TextEncoder().encode(text), 0o640);
        return this.#touch(step.name);
      }
      case "delete":
        if (world.contents().has(step.name)) Deno.removeSync(world.path(step.name));
        return this.#touch(step.name);
      case "move":
        return world.move();
      case "spoil":
        Deno.writeTextFileSync(world.path(`${step.tool}.json`), '{"name": "al');
        return void this.#spoilt.add(step.tool);
      case "mend":
        world.configure(step.tool);
        return void this.#spoilt.delete(step.tool);
      case "status": {
        const before = world.image();
        await this.#run(step.tool, ["--status"]);
        return this.#expect(world.image() === before, "--status changed something");
      }
      case "copy":
        return await this.#liveInCopy(step);
      default:
        return await this.#work(step);
    }
  }

  /** A copy never acts on the original. */
  async #liveInCopy({ tool, then, stay }: Step & { do: "copy" }): Promise<void> {
    const { world } = this;
    const original = world.folder, before = world.image(), tools = new Map(this.#tools);
    const spoilt = new Set(this.#spoilt);
    world.folder = world.copy();
    await this.#work(
      then === "update" ? { do: then, tool, kind: "the same files" } : { do: then, tool },
    );
    this.#expect(world.image(original) === before, "the command in the copy changed the original");
    const leave = stay ? original : world.folder;
    if (!stay) {
      world.folder = original;
      tools.forEach((state, name) => this.#tools.set(name, state));
      this.#spoilt.clear();
      spoilt.forEach((name) => this.#spoilt.add(name));
    }
    Deno.removeSync(leave, { recursive: true });
  }

  #touch(name: string): void {
    for (const [tool, state] of this.#tools) {
      const names = [...state.installed?.keys() ?? [], ...state.interrupted?.old.keys() ?? []];
      if (!names.some((known) => name === known || name.startsWith(`${known}.`))) continue;
      this.#tools.set(tool, { ...state, touched: new Set([...state.touched, name]) });
    }
  }

  /** A command that recovers first, and then changes one tool. */
  async #work(
    step: Extract<Step, { do: "update" | "rollback" | "uninstall" | "repair" | "from" }>,
  ) {
    const { world } = this;
    const interrupted = [...this.#tools.values()].some(({ interrupted }) => interrupted);
    // So that it is known what a step begins with; and any tool's shim mends any other's update.
    if (interrupted && step.do !== "repair") {
      const other = TOOLS.find((tool) => tool !== step.tool)!;
      this.#story.push(`(${other}'s shim mends the folder first)`);
      await this.#work({ do: "repair", tool: other });
    }
    if (step.do !== "uninstall" && !world.contents().has(`${step.tool}.json`)) {
      // A removal that was killed took it along.
      this.#story.push(`(the configuration of ${step.tool} is written again)`);
      world.configure(step.tool);
      this.#spoilt.delete(step.tool);
    }
    const before = world.contents();
    const state = this.#tools.get(step.tool)!;
    const wanted = this.#wanted(step, before);
    const ended = await this.#run(step.tool, wanted.args, step.kill);
    const after = world.contents();
    this.#checkChanges(step.tool, before, after, wanted, ended);
    if (ended.killed) return this.#remember(step.tool, state, before, wanted);
    const recovered = this.#settle(after, step.tool, wanted);
    this.#checkOutcome(step, before, after, wanted, ended, recovered);
  }

  /** What the step is to make of the tool, where nothing is in the way. */
  #wanted(step: Parameters<History["take"]>[0] & { tool: Tool }, before: Contents): Wanted {
    const { world } = this;
    const { tool } = step;
    const state = this.#tools.get(tool)!;
    const version = `1.${this.#count}.0`;
    switch (step.do) {
      case "update": {
        const names = targetsOf(tool, step.kind);
        const fails = step.kind === "one does not run";
        const files = new Map(names.map((name, index) => [
          name,
          { says: `${name} ${version}`, code: fails && index === names.length - 1 ? 3 : 0 },
        ]));
        const set = world.publish(tool, version, files);
        // What a release has no longer stays, and stays known.
        const installed = new Map([...state.installed ?? [], ...set]);
        const rollback = new Map(
          [...set.keys()].filter((name) => before.has(name))
            .map((name) => [name, before.get(name)!]),
        );
        return {
          args: [],
          set,
          gone: [],
          then: { ...NOTHING, installed, rollback: rollback.size > 0 ? rollback : null },
          // Something that does not tell its version is there, and nobody knows what it is.
          mayRefuse: state.installed === null && names.some((name) => before.has(name)) ||
            names.some((name) => isSomebodys(before, name)),
          mustRefuse: fails || this.#spoilt.has(tool) ||
            (state.installed !== null && !state.interrupted &&
              names.some((name) =>
                (!state.installed!.has(name) && before.has(name)) || isSomebodys(before, name)
              )),
        };
      }
      case "from": {
        // Another executable than the one that tells the tool's version.
        const name = SHAPES[tool].always.at(-1)!;
        const set = world.publish(
          `${tool}-local`,
          version,
          new Map([[name, { says: `${name} ${version}` }]]),
        );
        const installed = new Map([...state.installed ?? [], ...set]);
        const rollback = before.has(name) ? new Map([[name, before.get(name)!]]) : null;
        const args = ["--from", world.released(`${tool}-local`, name), "--target", name];
        return {
          args,
          set,
          gone: [],
          then: { ...NOTHING, installed, rollback },
          mustRefuse: this.#spoilt.has(tool) ||
            (state.installed !== null && !state.interrupted &&
              (isSomebodys(before, name) || !state.installed.has(name) && before.has(name))),
          mayRefuse: isSomebodys(before, name),
        };
      }
      case "rollback": {
        const set = state.rollback ?? new Map();
        const rollback = new Map([...set.keys()].map((name) => [name, before.get(name) ?? "none"]));
        const installed = new Map([...state.installed ?? [], ...set]);
        return {
          args: ["--rollback"],
          set,
          gone: [],
          then: { ...NOTHING, installed, rollback },
          mustRefuse: set.size === 0 && !state.interrupted,
          // What somebody put there need be no program.
          mayRefuse: state.interrupted !== null ||
            [...set.values()].some((label) => label.startsWith("somebody's")),
        };
      }
      case "uninstall": {
        const names = new Map([...state.installed ?? [], ...state.interrupted?.new ?? []]);
        const gone = [...names].filter(([name, label]) => {
          const is = before.get(name);
          return is !== undefined && (is === label || is === state.interrupted?.old.get(name));
        }).map(([name]) => name);
        return {
          args: ["--uninstall", "--yes"],
          set: new Map(),
          gone: names.size > 0 ? [...gone, `${tool}.json`] : [],
          then: NOTHING,
          mustRefuse: false,
        };
      }
      default:
        return { args: ["--repair"], set: new Map(), gone: [], then: state, mustRefuse: false };
    }
  }

  /** Whatever changed must be a change that the step, or the recovery of a killed one, may make. */
  #checkChanges(tool: Tool, before: Contents, after: Contents, wanted: Wanted, ended: Ended): void {
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const [was, is] = [before.get(name), after.get(name)];
      if (was === is) continue;
      if (name.startsWith(".")) {
        // Hidden names are ours: they may be there only while something is interrupted.
        this.#expect(ended.killed || is === undefined, `"${name}" was left`);
        continue;
      }
      this.#expect(
        this.#may(tool, name, before, is, wanted, ended).includes(is),
        `"${name}" was "${was}" and is "${is}"`,
      );
    }
  }

  /** The contents that `name` may have after the run, besides what it had. */
  #may(
    tool: Tool,
    name: string,
    before: Contents,
    is: string | undefined,
    { set, gone, args }: Wanted,
    { killed }: Ended,
  ): (string | undefined)[] {
    const may: (string | undefined)[] = [];
    const was = before.get(name);
    if (set.has(name)) may.push(set.get(name));
    if (gone.includes(name)) may.push(undefined);
    const own = this.#tools.get(tool)!;
    // Put back from the rollback copy, where that is what should be there.
    if (was === undefined && own.installed?.has(name)) may.push(own.installed.get(name));
    // A repair goes back as a set, where something is missing, but over nothing of somebody's.
    const isMissing = [...own.installed?.keys() ?? []].some((name) => !before.has(name));
    if (args[0] === "--repair" && isMissing && !was?.startsWith("somebody's")) {
      may.push(own.rollback?.get(name));
    }
    const target = name.replace(/\.previous$/, "");
    if (target !== name && killed && was === undefined) {
      may.push(before.get(target));
    }
    for (const { interrupted } of this.#tools.values()) {
      if (!interrupted) continue;
      if (interrupted.old.has(name)) may.push(interrupted.old.get(name), interrupted.new.get(name));
      // Its own second name of that file: it made it, and so may remove it or make it again.
      const isOwn = (label: string | undefined) =>
        label !== undefined &&
        (label.startsWith(`${target} `) || label === interrupted.old.get(target));
      if (target !== name && interrupted.old.has(target)) {
        if (isOwn(was)) may.push(undefined);
        if (killed && was === undefined && isOwn(is)) may.push(is);
      }
    }
    return may;
  }

  #remember(tool: Tool, state: ToolState, before: Contents, { set, gone, then }: Wanted): void {
    const names = [...set.keys(), ...gone];
    if (names.length === 0) return;
    const old = new Map(state.interrupted?.old ?? names.map((name) => [name, before.get(name)]));
    for (const name of names) if (!old.has(name)) old.set(name, before.get(name));
    const fresh = new Map(names.map((name) => [name, set.get(name)]));
    // Killed again before it was recovered: more than two outcomes. Rare; then each file for itself.
    // And a removal that was killed is gone on with by the next one, file by file: it is no set.
    const touched = state.interrupted || gone.length > 0
      ? new Set([...state.touched, ...names])
      : state.touched;
    this.#tools.set(tool, {
      ...state,
      touched,
      interrupted: { old, new: fresh, whenNew: then },
    });
  }

  /** After a run to the end nothing is interrupted any more: each set is the old or the new one. */
  #settle(after: Contents, own: Tool, wanted: Wanted): boolean {
    let certain = true;
    for (const [tool, state] of this.#tools) {
      const { interrupted, touched } = state;
      if (!interrupted) continue;
      const names = [...interrupted.new.keys()];
      const has = (set: ReadonlyMap<string, string | undefined>) =>
        names.every((name) => after.get(name) === set.get(name));
      const isNew = has(interrupted.new);
      if (tool === own && wanted.set.size + wanted.gone.length > 0) {
        // Its own step came on top: what that made is looked at below.
        certain = false;
        this.#tools.set(tool, {
          ...(isNew ? interrupted.whenNew : state),
          touched: new Set([...touched, ...names]),
          interrupted: null,
        });
        continue;
      }
      if (!names.some((name) => touched.has(name))) {
        this.#expect(isNew || has(interrupted.old), `${tool} is a mix of two sets`);
      }
      this.#tools.set(tool, {
        ...(isNew ? { ...interrupted.whenNew } : state),
        touched: names.some((name) => touched.has(name))
          ? new Set([...touched, ...names])
          : touched,
        interrupted: null,
      });
    }
    return certain;
  }

  #checkOutcome(
    step: { do: string; tool: Tool },
    before: Contents,
    after: Contents,
    wanted: Wanted,
    ended: Ended,
    certain: boolean,
  ): void {
    const { set, gone, then, mustRefuse, mayRefuse } = wanted;
    const state = this.#tools.get(step.tool)!;
    const untouched = state.touched.size === 0 && certain;
    const done = [...set].every(([name, label]) => after.get(name) === label) &&
      // A removal that was killed may have come to its end: then the configuration is a new one.
      gone.every((name) => !after.has(name) || (name.endsWith(".json") && state.touched.size > 0));
    if (ended.code === 0) {
      if (step.do === "repair") return this.#goneBack(step.tool, before, after);
      this.#expect(!(mustRefuse && certain), "what must be refused was done");
      this.#expect(done || !certain, `the code is 0, but the files are not those of the step`);
      this.#keepsReplaced(before, after);
      if (step.do === "uninstall") this.#spoilt.delete(step.tool);
      // What an older release had, and somebody changed since, is as uncertain as before.
      const touched = [...state.touched].filter((name) =>
        !set.has(name) && then.installed?.has(name)
      );
      this.#tools.set(step.tool, { ...then, touched: new Set(touched) });
      if (step.do === "uninstall") this.world.configure(step.tool);
      return;
    }
    if (!certain) return;
    if (set.size > 0) {
      this.#expect(
        [...set].every(([name]) => after.get(name) === before.get(name)),
        `the code is ${ended.code}, but files were replaced`,
      );
    }
    this.#expect(
      mustRefuse || mayRefuse || !untouched || step.do === "repair" || this.#isBlocked(),
      `code ${ended.code} where nothing is in the way`,
    );
    this.#expect([2, 4, 7, 8, 9].includes(ended.code), `an unexpected code ${ended.code}`);
  }

  /** What a repair went back from is no version that one could go forward to again. */
  #goneBack(tool: Tool, before: Contents, after: Contents): void {
    const state = this.#tools.get(tool)!;
    const back = [...state.rollback ?? []];
    const isBack = back.every(([name, label]) => after.get(name) === label) &&
      back.some(([name, label]) => before.get(name) !== label);
    if (!isBack) return;
    const installed = new Map([...state.installed ?? [], ...back]);
    this.#tools.set(tool, { ...state, installed, rollback: null });
  }

  /** Another tool's set that people changed while it was interrupted can keep a folder waiting. */
  #isBlocked(): boolean {
    return [...this.#tools.values()].some(({ touched }) => touched.size > 0);
  }

  /** A file of somebody's that an update replaced is still there: as the rollback copy. */
  #keepsReplaced(before: Contents, after: Contents): void {
    for (const [name, label] of before) {
      if (!label.startsWith("somebody's") || after.get(name) === label) continue;
      this.#expect(this.world.holdsSomewhere(label), `"${label}" is nowhere any more`);
    }
  }

  async #run(tool: Tool, args: readonly string[], kill?: number): Promise<Ended> {
    const ended = await this.world.run(this.world.folder, tool, args, kill);
    const said = ended.said.trim().split("\n").filter((line) => line !== "");
    this.#story.push(
      `   -> ${ended.killed ? "killed" : `code ${ended.code}`}: ${said.slice(-2).join(" | ")}`,
    );
    return ended;
  }

  #expect(ok: boolean, what: string): void {
    if (ok) return;
    const now = [...this.world.contents()].map(([name, label]) => `   ${name}: ${label}`);
    throw new Error(
      [`${what}. The story:`, ...this.#story, "The folder:", ...now.toSorted()].join("\n"),
    );
  }
}

/** What a step is to do. */
interface Wanted {
  readonly args: readonly string[];
  /** Labels that its files get. */
  readonly set: ReleaseSet;
  /** Names that it removes. */
  readonly gone: readonly string[];
  /** What is known of the tool afterwards. */
  readonly then: ToolState;
  /** It must end with a code other than 0, and change nothing. */
  readonly mustRefuse: boolean;
  /** It depends on what the recovery finds whether there is something to do. */
  readonly mayRefuse?: boolean;
}

/** A text that is no program, and so tells no version. */
function isSomebodys(before: Contents, name: string): boolean {
  return before.get(name)?.startsWith("somebody's") === true;
}

function targetsOf(tool: Tool, kind: string): string[] {
  const { always, sometimes } = SHAPES[tool];
  if (kind === "a file more") return [...always, sometimes];
  if (kind === "a file less") return always.slice(0, 1);
  return [...always];
}
