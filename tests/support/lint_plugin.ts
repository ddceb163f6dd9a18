/**
 * Guards the order of the rooms (`rooms.ts`), and the seam: in `src/` only `system/deno_*.ts` (and in the other program, `pack/main.ts` and
 * `pack/deno_*.ts`) may cause effects through `Deno`, only `system/deno_programs.ts` starts programs, only `files/trusted_file.ts` opens
 * what is believed, and nothing in `src/` may import from `tests/`. Types and `Deno.errors` have no effect.
 */
import { inSource, whyNot } from "./rooms.ts";

/** Fields of `InstallDir` that are files. */
const BELIEVED = ["config", "journal", "receipt", "holder", "lock", "lastRun", "log", "waits"];

const plugin: Deno.lint.Plugin = {
  name: "seam",
  rules: {
    "rooms": {
      create(context) {
        const from = inSource(context.filename);
        if (!from) return {};
        const check = (node: Deno.lint.Node, specifier: string, typesOnly: boolean) => {
          if (!specifier.startsWith(".")) return;
          const { pathname } = new URL(specifier, `file:///${from}`);
          const message = whyNot(from, pathname.slice(1), typesOnly);
          if (message) context.report({ node, message });
        };
        return {
          ImportDeclaration(node: Deno.lint.ImportDeclaration) {
            const typesOnly = node.importKind === "type" ||
              node.specifiers.length > 0 &&
                node.specifiers.every((specifier) =>
                  specifier.type === "ImportSpecifier" && specifier.importKind === "type"
                );
            check(node, node.source.value, typesOnly);
          },
          ExportNamedDeclaration(node: Deno.lint.ExportNamedDeclaration) {
            if (node.source) check(node, node.source.value, node.exportKind === "type");
          },
          ExportAllDeclaration(node: Deno.lint.ExportAllDeclaration) {
            check(node, node.source.value, node.exportKind === "type");
          },
          ImportExpression(node: Deno.lint.ImportExpression) {
            if (node.source.type === "Literal") check(node, String(node.source.value), false);
          },
        };
      },
    },
    "no-direct-deno": {
      create(context) {
        const file = context.filename.replaceAll("\\", "/");
        const seam = /\/src\/(system\/deno_\w+|pack\/(main|deno_\w+))\.ts$/;
        if (!file.includes("/src/") || seam.test(file)) return {};
        return {
          "MemberExpression[object.name='Deno']"(node: Deno.lint.MemberExpression) {
            if (node.property.type === "Identifier" && node.property.name === "errors") return;
            context.report({
              node,
              message: "Only src/system/deno_system.ts calls Deno: take the System as an argument.",
            });
          },
        };
      },
    },
    "no-other-programs": {
      create(context) {
        const file = context.filename.replaceAll("\\", "/");
        if (!file.includes("/src/")) return {};
        const message =
          "Only src/system/deno_programs.ts starts programs, so that they can be confined.";
        return {
          "MemberExpression[object.name='Deno'][property.name=/^(Command|run|spawn.*)$/]"(
            node: Deno.lint.MemberExpression,
          ) {
            if (!file.endsWith("/src/system/deno_programs.ts")) context.report({ node, message });
          },
          ImportDeclaration(node: Deno.lint.ImportDeclaration) {
            if (/^(node:)?(child_process|worker_threads|cluster)$/.test(node.source.value)) {
              context.report({ node, message });
            }
          },
        };
      },
    },
    "no-untrusted-open": {
      create(context) {
        const file = context.filename.replaceAll("\\", "/");
        if (!file.includes("/src/") || file.endsWith("/src/files/trusted_file.ts")) return {};
        const opens = "CallExpression[callee.name=/^(openPatiently|readIfThere)$/]";
        const opensByMethod = "CallExpression[callee.property.name='openSync']";
        const check = (node: Deno.lint.CallExpression) => {
          const believed = node.arguments.some((argument) =>
            argument.type === "MemberExpression" && argument.property.type === "Identifier" &&
            BELIEVED.includes(argument.property.name)
          );
          if (!believed) return;
          const message =
            "Only src/files/trusted_file.ts opens the configuration and files of the state dir: others may have put something there.";
          context.report({ node, message });
        };
        return { [opens]: check, [opensByMethod]: check } as Deno.lint.LintVisitor;
      },
    },
    "no-test-code": {
      create(context) {
        if (!context.filename.replaceAll("\\", "/").includes("/src/")) return {};
        return {
          ImportDeclaration(node: Deno.lint.ImportDeclaration) {
            if (/\/(tests|\.ci)\//.test(node.source.value)) {
              context.report({ node, message: "src/ never imports test code." });
            }
          },
        };
      },
    },
  },
};
export default plugin;
