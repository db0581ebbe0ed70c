// Making nodes. Text is always a text node: nothing here reads markup out of a string.

const SVG = "http://www.w3.org/2000/svg";

function build(node, attrs, children) {
  for (const [name, value] of Object.entries(attrs)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

export function el(tag, attrs = {}, ...children) {
  return build(document.createElement(tag), attrs, children);
}

export function svg(tag, attrs = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attrs, children);
}

// Of a node that is filled again and again: the same text is not written twice.
export function setText(node, text) {
  const now = String(text);
  if (node.textContent !== now) node.textContent = now;
}

export function setAttr(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// A table of columns [name, is a number] and rows of strings and nodes.
export function table(caption, columns, rows, attrs = {}) {
  return el("table", attrs, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, ...columns.map(([name, number]) =>
      el("th", { scope: "col", class: number ? "num" : null }, name)))),
    el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell, i) => {
      const attrs = { class: columns[i][1] ? "num" : null };
      return i === 0 ? el("th", { scope: "row", ...attrs }, cell) : el("td", attrs, cell);
    })))));
}

// The same, but where the window is narrow each row is a list of its cells, with the columns' names.
// Boxes that are laid out otherwise are no cells to whoever listens, unless their roles say so.
export function stackedTable(caption, columns, rows) {
  const node = table(caption, columns, rows, { class: "stacked", role: "table" });
  for (const part of node.querySelectorAll("thead, tbody")) part.setAttribute("role", "rowgroup");
  for (const row of node.rows) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, i) => {
      cell.setAttribute("role", { col: "columnheader", row: "rowheader" }[cell.scope] || "cell");
      cell.dataset.of = columns[i][0];
    });
  }
  return node;
}

// What is wider than the window is scrolled by itself, with the keyboard too.
export function scroller(label, ...children) {
  return el("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": label },
    ...children);
}

export function heading(text, ...more) {
  return el("div", { class: "head" }, el("h1", {}, text), ...more);
}

export function note(kind, ...children) {
  return el("p", { class: `note ${kind}`, role: kind === "bad" ? "alert" : null }, ...children);
}
