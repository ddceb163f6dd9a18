/** A picture of a few curves, both axes logarithmic: a straight line of slope 1 is linear growth. */

/** Time and memory for one amount of work. */
export interface Point {
  readonly at: number;
  readonly ms: number;
  readonly mib: number;
}

/** One curve of time and one of memory. */
export interface Panel {
  readonly title: string;
  readonly points: readonly Point[];
}

const WIDTH = 380, HEIGHT = 240, LEFT = 52, TOP = 34, RIGHT = 16, BOTTOM = 30;
/** What the vertical axis spans, in ms and MiB alike. */
const LOWEST = 10, HIGHEST = 100_000;

/** The SVG text; readable on light and dark pages. */
export function chart(panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / 2);
  const body = panels.map((panel, at) =>
    `<g transform="translate(${(at % 2) * WIDTH} ${Math.floor(at / 2) * HEIGHT})">${
      draw(panel)
    }</g>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * WIDTH} ${
    rows * HEIGHT + 24
  }" ` +
    `font-family="system-ui, sans-serif" font-size="11" fill="#777">\n` +
    `<title>Time and memory of updater-shim as the work grows</title>\n${body.join("\n")}\n` +
    `<text x="${LEFT}" y="${rows * HEIGHT + 12}"><tspan fill="#2a7de1">time (ms)</tspan>, ` +
    `<tspan fill="#d9730d">peak memory (MiB)</tspan>; both axes are logarithmic</text>\n</svg>\n`;
}

function draw({ title, points }: Panel): string {
  const [first, last] = [points[0]!.at, points.at(-1)!.at];
  const x = (at: number) => LEFT + share(at, first, last) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) =>
    HEIGHT - BOTTOM - share(value, LOWEST, HIGHEST) * (HEIGHT - TOP - BOTTOM);
  const lines: string[] = [`<text x="${LEFT}" y="18" font-weight="600">${title}</text>`];
  for (let value = LOWEST; value <= HIGHEST; value *= 10) {
    lines.push(
      `<path d="M${LEFT} ${y(value).toFixed(1)}H${WIDTH - RIGHT}" stroke="#8884" fill="none"/>`,
      `<text x="${LEFT - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${value}</text>`,
    );
  }
  for (const { at } of points) {
    lines.push(
      `<text x="${x(at).toFixed(1)}" y="${HEIGHT - 12}" text-anchor="middle">${at}</text>`,
    );
  }
  const curve = (color: string, value: (point: Point) => number) => {
    const places = points.map((point) => `${x(point.at).toFixed(1)} ${y(value(point)).toFixed(1)}`);
    lines.push(`<path d="M${places.join("L")}" stroke="${color}" stroke-width="2" fill="none"/>`);
    for (const place of places) {
      const [cx, cy] = place.split(" ");
      lines.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`);
    }
  };
  curve("#2a7de1", ({ ms }) => ms);
  curve("#d9730d", ({ mib }) => mib);
  return lines.join("\n");
}

/** Where a value lies between two others, by its logarithm: from 0 to 1. */
function share(value: number, from: number, to: number): number {
  return from === to ? 0.5 : Math.log(value / from) / Math.log(to / from);
}
