/**
 * Guards the seam: in `src/` only `deno_system.ts` may cause effects through `Deno`, and nothing in
 * `src/` may import from `tests/`. Types and `Deno.errors` have no effect.
 */
const plugin: Deno.lint.Plugin = {
  name: "seam",
  rules: {
    "no-direct-deno": {
      create(context) {
        const file = context.filename.replaceAll("\\", "/");
        if (!file.includes("/src/") || file.endsWith("/src/deno_system.ts")) return {};
        return {
          "MemberExpression[object.name='Deno']"(node: Deno.lint.MemberExpression) {
            if (node.property.type === "Identifier" && node.property.name === "errors") return;
            context.report({
              node,
              message: "Only src/deno_system.ts calls Deno: take the System as an argument.",
            });
          },
        };
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
