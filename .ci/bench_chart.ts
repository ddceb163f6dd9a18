/** A picture of a few curves, both axes logarithmic: what grows in proportion is parallel to a dashed line. */

/** Time and memory for one amount of work. */
export interface Point {
  readonly at: number;
  readonly ms: number;
  readonly mib: number;
}

/** One curve of time and one of memory. */
export interface Panel {
  readonly title: string;
  /** Of what there are `at` in each point. */
  readonly unit: string;
  readonly points: readonly Point[];
}

const WIDTH = 400, HEIGHT = 250, LEFT = 58, TOP = 40, RIGHT = 62, BOTTOM = 50, HEAD = 34;
/** What the vertical axis spans, in ms and MiB alike. */
const LOWEST = 10, HIGHEST = 100_000;
/** Of middle brightness, for light and dark pages. */
const TEXT = "#7d8590", TIME = "#2f81f7", MEMORY = "#d9730d";

/** The SVG text; readable on light and dark pages. */
export function chart(panels: readonly Panel[]): string {
  const height = Math.ceil(panels.length / 2) * HEIGHT + HEAD;
  const body = panels.map((panel, at) => {
    const place = `${(at % 2) * WIDTH} ${Math.floor(at / 2) * HEIGHT + HEAD}`;
    return `<g transform="translate(${place})">\n${draw(panel)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * WIDTH} ${height}" ` +
    `font-family="system-ui, sans-serif" font-size="11" fill="${TEXT}">\n` +
    `<title>Time and memory of updater-shim as the work grows</title>\n` +
    `${legend()}\n${body.join("\n")}\n</svg>\n`;
}

function legend(): string {
  const key = (x: number, color: string, text: string, dashes = "") =>
    `<path d="M${x} 18h24" stroke="${color}" stroke-width="2" ${dashes}/>` +
    `<text x="${x + 30}" y="22">${text}</text>`;
  return [
    key(LEFT, TIME, "time, ms"),
    key(LEFT + 110, MEMORY, "peak memory, MiB"),
    key(LEFT + 270, TEXT, "ten times the time for ten times the work", 'stroke-dasharray="3 4"'),
  ].join("\n");
}

function draw({ title, unit, points }: Panel): string {
  const [first, last] = [points[0]!, points.at(-1)!];
  const x = (at: number) => LEFT + share(at, first.at, last.at) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) =>
    HEIGHT - BOTTOM - share(value, LOWEST, HIGHEST) * (HEIGHT - TOP - BOTTOM);
  const place = (at: number, value: number) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  const text = (words: string, [left, top]: [number, number], more = "") =>
    `<text x="${left.toFixed(1)}" y="${top.toFixed(1)}" ${more}>${words}</text>`;
  const lines = [text(title, [LEFT, 26], 'font-size="13" font-weight="600"')];
  for (let value = LOWEST; value <= HIGHEST; value *= 10) {
    const line = `M${place(first.at, value)}H${WIDTH - RIGHT}`;
    lines.push(
      `<path d="${line}" stroke="${TEXT}" stroke-opacity="0.25"/>`,
      text(value.toLocaleString("en"), [LEFT - 8, y(value) + 4], 'text-anchor="end"'),
    );
  }
  for (const { at } of points) {
    const label = at.toLocaleString("en");
    lines.push(text(label, [x(at), HEIGHT - BOTTOM + 18], 'text-anchor="middle"'));
  }
  const middle: [number, number] = [(LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 36];
  lines.push(text(unit, middle, 'text-anchor="middle"'));
  // From the last point back to where the time, in proportion, would leave the picture.
  const lowest = Math.max(first.at, last.at * LOWEST / last.ms);
  const proportional = [place(lowest, last.ms * lowest / last.at), place(last.at, last.ms)];
  lines.push(
    `<path d="M${proportional.join("L")}" stroke="${TEXT}" stroke-dasharray="3 4" fill="none"/>`,
  );
  const curve = (color: string, value: (point: Point) => number) => {
    const places = points.map((point) => place(point.at, value(point)));
    lines.push(`<path d="M${places.join("L")}" stroke="${color}" stroke-width="2" fill="none"/>`);
    for (const one of places) {
      const [cx, cy] = one.split(" ");
      lines.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`);
    }
  };
  curve(TIME, ({ ms }) => ms);
  curve(MEMORY, ({ mib }) => mib);
  const [atTime, atMemory] = apart(y(last.ms), y(last.mib));
  lines.push(
    text(duration(last.ms), [x(last.at) + 8, atTime + 4], `fill="${TIME}"`),
    text(`${last.mib.toFixed(0)} MiB`, [x(last.at) + 8, atMemory + 4], `fill="${MEMORY}"`),
  );
  return lines.join("\n");
}

/** Two heights at which words do not overlap. */
function apart(a: number, b: number): [number, number] {
  const missing = Math.max(0, 13 - Math.abs(a - b)) / 2;
  return a <= b ? [a - missing, b + missing] : [a + missing, b - missing];
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Where a value lies between two others, by its logarithm: from 0 to 1. */
function share(value: number, from: number, to: number): number {
  return from === to ? 0.5 : Math.log(value / from) / Math.log(to / from);
}
