/**
 * Every message of a failure that stands in the code, with its exit code: read from the syntax of
 * `src/`, so that no list has to be kept by hand. Needs `deno test` (`Deno.lint.runPlugin`).
 */
import { dirname, fromFileUrl, join } from "@std/path";
import { type ErrorKind, EXIT_CODES } from "../../src/base/errors.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
/** What is put into a message when it is made. */
const HOLE = "…";

/** One row of the page. */
export interface Message {
  /** Exit code; `warning` where the run goes on. */
  readonly code: string;
  readonly text: string;
}

type Node = Deno.lint.Node;
interface Call {
  readonly name: string;
  readonly args: readonly Node[];
}
interface Site {
  readonly kind: Node | undefined;
  readonly message: Node;
  /** The function that it stands in, whose callers say the rest. */
  readonly within: { readonly name: string; readonly params: readonly string[] } | undefined;
}

/** All messages of the shim, in the order of their codes. */
export function collectMessages(): Message[] {
  const found = new Map<string, Message>();
  const sources = filesBelow("src").filter((file) => !file.startsWith("src/pack/"))
    .map((file) => Deno.readTextFileSync(join(ROOT, file)));
  const calls = sources.flatMap((source) => read(source).calls);
  for (const source of sources) {
    for (const message of messagesOf(source, calls)) {
      found.set(`${message.code} ${message.text}`, message);
    }
  }
  const order = ({ code, text }: Message) => `${code.padStart(7, "0")} ${text}`;
  return [...found.values()].sort((a, b) => order(a) < order(b) ? -1 : 1);
}

/** Those of one source text; what it exports may also be called by others. */
export function messagesOf(source: string, everywhere: readonly Call[] = []): Message[] {
  const { sites, calls } = read(source);
  const exported = (name = "") =>
    new RegExp(`^export (async )?function ${name}\\b`, "m").test(source);
  return sites.flatMap((site) =>
    messagesAt(site, exported(site.within?.name) && everywhere.length > 0 ? everywhere : calls)
  );
}

function read(source: string): { sites: Site[]; calls: Call[] } {
  const sites: Site[] = [], calls: Call[] = [];
  const plugin: Deno.lint.Plugin = {
    name: "messages",
    rules: {
      collect: {
        create: () => ({
          NewExpression(node: Deno.lint.NewExpression) {
            if (node.callee.type !== "Identifier" || node.callee.name !== "UpdateError") return;
            const [kind, message] = node.arguments;
            if (kind && message) sites.push({ kind, message, within: functionOf(node) });
          },
          ObjectExpression(node: Deno.lint.ObjectExpression) {
            const event = valueOf(node, "event"), message = valueOf(node, "message");
            if (event?.type !== "Literal" || event.value !== "warning" || !message) return;
            sites.push({ kind: undefined, message, within: functionOf(node) });
          },
          CallExpression(node: Deno.lint.CallExpression) {
            if (node.callee.type !== "Identifier") return;
            calls.push({ name: node.callee.name, args: node.arguments });
          },
        }),
      },
    },
  };
  Deno.lint.runPlugin(plugin, "source.ts", source);
  return { sites, calls };
}

function messagesAt({ kind, message, within }: Site, calls: readonly Call[]): Message[] {
  const callers = within ? calls.filter(({ name }) => name === within.name) : [];
  const views = callers.length === 0
    ? [new Map<string, Node>()]
    : callers.map(({ args }) =>
      new Map(within!.params.flatMap((name, at): [string, Node][] => {
        const arg = args[at];
        return arg ? [[name, arg]] : [];
      }))
    );
  return views.flatMap((given) =>
    textsOf(message, given).map((text) => ({ code: codeOf(kind, given), text }))
  );
}

function codeOf(kind: Node | undefined, given: ReadonlyMap<string, Node>): string {
  if (!kind) return "warning";
  const [text] = textsOf(kind, given);
  const code = EXIT_CODES[text as ErrorKind];
  return code === undefined ? HOLE : String(code);
}

/** What a node can say: each branch of a condition is a text of its own. */
function textsOf(node: Node, given: ReadonlyMap<string, Node>): string[] {
  switch (node.type) {
    case "Literal":
      return [String(node.value)];
    case "TemplateLiteral":
      return node.quasis.reduce(
        (texts, { cooked }, at) => {
          const expression = node.expressions[at];
          const parts = expression ? textsOf(expression, given) : [""];
          return texts.flatMap((text) => parts.map((part) => text + cooked + part));
        },
        [""],
      );
    case "ConditionalExpression":
      return [...textsOf(node.consequent, given), ...textsOf(node.alternate, given)];
    case "Identifier": {
      const argument = given.get(node.name);
      // What a caller was given itself stays open.
      return argument ? textsOf(argument, new Map()) : [HOLE];
    }
    default:
      return [HOLE];
  }
}

function valueOf({ properties }: Deno.lint.ObjectExpression, name: string): Node | undefined {
  const found = properties.find((property) =>
    property.type === "Property" && property.key.type === "Identifier" && property.key.name === name
  );
  return found?.type === "Property" ? found.value as Node : undefined;
}

function functionOf(node: Node): Site["within"] {
  for (let at: Node | undefined = node; at; at = (at as { parent?: Node }).parent) {
    if (at.type === "FunctionDeclaration" && at.id) return named(at.id.name, at.params);
    if (
      at.type === "VariableDeclarator" && at.id.type === "Identifier" &&
      at.init?.type === "ArrowFunctionExpression"
    ) return named(at.id.name, at.init.params);
  }
  return undefined;
}

function named(name: string, params: readonly Deno.lint.Parameter[]): Site["within"] {
  return { name, params: params.map((param) => param.type === "Identifier" ? param.name : "") };
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? filesBelow(path) : name.endsWith(".ts") ? [path] : [];
  }).sort();
}
