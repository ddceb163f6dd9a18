/** What people and programs do to a folder of tools, and how it is told. */
import fc from "fast-check";

/** The two tools of the folder. */
export const TOOLS = ["alpha", "beta"] as const;
/** One of them. */
export type Tool = typeof TOOLS[number];

/** Names under which people put files: their own, and those of the tools. */
export const NAMES = [
  "notes",
  "notes.previous",
  "alpha",
  "alphax",
  "alphay",
  "beta",
  "betax",
  "alpha.previous",
  "alphax.new",
] as const;

/** What a release is like beside the one before it. */
export const KINDS = ["the same files", "a file more", "a file less", "one does not run"] as const;

/** One step of a history. Each can be done in every state, so that histories can be shortened. */
export type Step =
  | {
    readonly do: "update";
    readonly tool: Tool;
    readonly kind: typeof KINDS[number];
    readonly kill?: number;
  }
  | {
    readonly do: "rollback" | "uninstall" | "repair";
    readonly tool: Tool;
    readonly kill?: number;
  }
  | { readonly do: "from"; readonly tool: Tool; readonly kill?: number }
  | { readonly do: "status"; readonly tool: Tool }
  | { readonly do: "put" | "delete"; readonly name: typeof NAMES[number] }
  | { readonly do: "move" }
  | {
    readonly do: "copy";
    readonly tool: Tool;
    readonly then: "update" | "repair" | "uninstall";
    readonly stay: boolean;
  }
  | { readonly do: "spoil" | "mend"; readonly tool: Tool };

const tool = fc.constantFrom(...TOOLS);
/** Most steps are not killed; an update has about fifty changes of the disk. */
const kill = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 70 }) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("update" as const),
      tool,
      kind: fc.constantFrom(...KINDS),
      kill,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("rollback" as const, "uninstall" as const, "repair" as const),
      tool,
      kill,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("from" as const), tool, kill }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("status" as const), tool }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("put" as const, "delete" as const),
      // Often one that a later release may want, or that looks like an updater's own.
      name: fc.constantFrom(...NAMES, ...["alphay", "betax", "alpha.previous"] as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "move" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("copy" as const),
      tool,
      then: fc.constantFrom("update" as const, "repair" as const, "uninstall" as const),
      stay: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("spoil" as const, "mend" as const), tool }),
  },
) as fc.Arbitrary<Step>;

/** Histories of `length` steps in the middle, so that a failing one can be shortened. */
export function histories(length: number): fc.Arbitrary<Step[]> {
  return fc.array(step, { minLength: 1, maxLength: 2 * length - 1, size: "max" });
}

/** One line of a story. */
export function tell(step: Step): string {
  const killed = "kill" in step && step.kill !== undefined ? `, killed at change ${step.kill}` : "";
  switch (step.do) {
    case "update":
      return `${step.tool} is updated to a release with ${step.kind}${killed}`;
    case "put":
      return `somebody puts a file of his own at ${step.name}`;
    case "delete":
      return `somebody deletes ${step.name}`;
    case "move":
      return "the folder is renamed";
    case "copy":
      return `the folder is copied, and in the copy ${step.tool} gets --${step.then}${
        step.stay ? "; we go on in the copy" : ""
      }`;
    case "spoil":
      return `the configuration of ${step.tool} is cut off`;
    case "mend":
      return `the configuration of ${step.tool} is written again`;
    case "from":
      return `${step.tool} gets a local file by --from${killed}`;
    default:
      return `${step.tool} gets --${step.do}${killed}`;
  }
}
