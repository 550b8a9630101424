// The line the page is drawn with: five parallel grooves along one path, and the ten figures made of it.
//
// A strand is the same path stroked several times, ever narrower, in ink and ground by turns. Figures
// stand in a box of 100 × 160; the centre line keeps 18 from its edges, half of the strand's width.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 36;
const BOX = { width: 100, height: 160, space: 8, group: 30 };

// `e` lengthens the open ends: gaps run a little further than grooves, or hairlines of ink would close them.
const FIGURES = [
  () => "M50 18 A31 31 0 0 1 81 49 V111 A31 31 0 0 1 19 111 V49 A31 31 0 0 1 50 18 Z",
  (e) => `M${-e} 18 H40 V${160 + e}`,
  (e) => `M19 ${60 + e} V49 A31 31 0 0 1 81 49 A31 31 0 0 1 50 80 A31 31 0 0 0 19 111 V142 H${99 + e}`,
  (e) => `M19 ${60 + e} V49 A31 31 0 0 1 81 49 A31 31 0 0 1 50 80 H${38 - e} M${38 - e} 80 H50 A31 31 0 0 1 81 111 A31 31 0 0 1 19 111 V${100 - e}`,
  (e) => `M19 ${-e} V76 A31 31 0 0 0 50 107 H${100 + e} M76 ${50 - e} V${160 + e}`,
  (e) => `M${92 + e} 18 H19 V80 H50 A31 31 0 0 1 81 111 A31 31 0 0 1 19 111 V${100 - e}`,
  (e) => `M81 ${60 + e} V49 A31 31 0 0 0 19 49 V111 A31 31 0 1 0 50 80 A31 31 0 0 0 19 111`,
  (e) => `M${-e} 18 H81 V49 C81 92 46 92 46 ${160 + e}`,
  () => "M50 18 A31 31 0 1 1 50 80 A31 31 0 1 1 50 18 Z M50 80 A31 31 0 1 1 50 142 A31 31 0 1 1 50 80 Z",
  (e) => `M19 ${100 - e} V111 A31 31 0 0 0 81 111 V49 A31 31 0 1 0 50 80 A31 31 0 0 0 81 49`,
];
const WIDTHS = { 1: 58 };

export function svg(name, attributes = {}) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** The paths of one strand; `path(e)` gives the centre line with its open ends lengthened by e. */
function strand(path, width = WIDTH, grooves = 5) {
  const unit = width / (2 * grooves - 1);
  const paths = Array.from({ length: grooves }, (_, depth) => {
    const isGap = depth % 2 === 1;
    const share = 2 * (grooves - depth) - 1;
    return svg("path", { d: path(isGap ? 1 : 0), class: isGap ? "gap" : "groove", "stroke-width": share * unit });
  });
  return [...paths, svg("path", { d: path(0), class: "beat", "stroke-width": unit, pathLength: 100 })];
}

/** Draw the strands that the document asks for by `data-strand`. */
export function drawStrands(root) {
  for (const group of root.querySelectorAll("[data-strand]")) {
    const { strand: path, width = WIDTH, grooves = 5 } = group.dataset;
    group.replaceChildren(...strand(() => path, Number(width), Number(grooves)));
  }
}

/** Draw a whole number into `place`; drawing the same one again does nothing. */
export function drawNumber(place, number) {
  const figures = String(number);
  if (place.dataset.number === figures) return;
  place.dataset.number = figures;
  let x = 0;
  const groups = [...figures].map((figure, index) => {
    const left = figures.length - index;
    if (index > 0) x += left % 3 === 0 ? BOX.group : BOX.space;
    const group = svg("g", { transform: `translate(${x} 0)` });
    group.append(...strand(FIGURES[Number(figure)]));
    x += WIDTHS[figure] ?? BOX.width;
    return group;
  });
  const picture = svg("svg", { viewBox: `0 0 ${x} ${BOX.height}`, preserveAspectRatio: "xMinYMid meet", focusable: "false" });
  picture.append(...groups);
  place.replaceChildren(picture);
}
