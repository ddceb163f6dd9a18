/**
 * Windows program: starts another one and tells its process id ("pid 1234"), which from outside of
 * Windows nobody can know. What it prints comes through; its input ends with this one's.
 *
 * Arguments: "attached", or "detached" for a program that is to outlive this one (which then exits
 * at the end of its input without waiting); the program and its arguments. `{pid}` in an argument
 * becomes this program's own process id.
 */
const [how, program = "", ...given] = Deno.args;
const args = given.map((argument) => argument.replace("{pid}", String(Deno.pid)));
const detached = how === "detached";
const child = new Deno.Command(program, {
  args,
  detached,
  stdin: detached ? "null" : "piped",
  stdout: "inherit",
  stderr: "inherit",
}).spawn();
console.log(`pid ${child.pid}`);
if (!detached) void Deno.stdin.readable.pipeTo(child.stdin).catch(() => {});
else for await (const _ of Deno.stdin.readable);
Deno.exit(detached ? 0 : (await child.status).code);
