/** The bench fails where a target is surely missed, and nowhere else. */
import { assertEquals } from "@std/assert";
import { inTurn, ratio, spread } from "../../.ci/bench_figures.ts";

Deno.test("the spread of a median is that of the ranks", () => {
  const values = Array.from({ length: 21 }, (_, at) => (at * 8) % 21); // 0 to 20, in disorder
  assertEquals(spread(values), { median: 10, low: 6, high: 14 });
  assertEquals(spread([3, 1, 2]), { median: 2, low: 0 + 1, high: 3 });
});

Deno.test("a target is missed only beyond the spread, however slow the machine is at times", () => {
  const theirs = Array.from({ length: 21 }, (_, at) => at % 3 === 0 ? 300 : 100);
  const times = (factor: number, noise: number) =>
    theirs.map((value, at) => value * (factor + noise * (at % 5 - 2)));
  assertEquals(ratio(times(1.5, 0), theirs, 1.2).met, false);
  assertEquals(ratio(times(1.25, 0), theirs, 1.2).met, false);
  assertEquals(ratio(times(1.25, 0.1), theirs, 1.2).met, true);
  assertEquals(ratio(times(1.1, 0), theirs, 1.2).met, true);
  assertEquals(ratio(times(1.5, 0.02), theirs, 1.2).text, "1.50 times, 1.48 to 1.52");
});

Deno.test("contestants take turns, and each is as often the first", async () => {
  const order: string[] = [];
  const contestant =
    (name: string) => (round: number) => (order.push(name), Promise.resolve(round));
  const values = await inTurn(3, [contestant("a"), contestant("b"), contestant("c")]);
  assertEquals(order.join(""), "abcbcacab");
  assertEquals(values, [[0, 1, 2], [0, 1, 2], [0, 1, 2]]);
});
