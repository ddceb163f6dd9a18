/**
 * For a Deno that cannot compile here, such as the one of Windows: started with the shim's
 * permissions it confines itself to the first program, tries both, and prints what came of it.
 */
import { confinedTo } from "../../src/system/deno_programs.ts";

const [named, other, argument] = Deno.args as [string, string, string];
const outcome = async (step: () => unknown) => {
  try {
    return await step();
  } catch (error) {
    return (error as Error).message.replace(/^(Requires \w+ access).*/, "$1");
  }
};
const helper = confinedTo([named], `${named}.partial`, {
  ownGroup: true,
  killer: null,
  terminals: [false, false, false],
});
console.log(JSON.stringify({
  run: await outcome(() => helper.run(named, [argument], 20_000)),
  runOther: await outcome(() => helper.run(other, [argument], 20_000)),
  size: await outcome(async () => (await helper.digestAside(named))?.size),
  sizeOfOther: await outcome(async () => (await helper.digestAside(other))?.size ?? null),
  direct: await outcome(() => new Deno.Command(named, { args: [argument] }).outputSync().code),
  library: await outcome(() => Deno.dlopen("C:\\Windows\\System32\\kernel32.dll", {})),
}));
Deno.exit(0);
