// A table of links that may have thousands of rows: only those on the screen are in the document.

import { el, setAttr, setText } from "./dom.js";

const SPARE = 8; // rows above and below the screen

// columns: [{id, label, num, room, value(row), make(td), fill(td, row)}]; `value` is what rows are
// sorted by, `room` the class of a column that narrow windows do without. `key(row)` tells which row
// is which from one update to the next.
export class LongTable {
  constructor({ caption, columns, key, sort, onsort }) {
    this.columns = columns;
    this.key = key;
    this.sort = sort; // {id, down}
    this.rows = [];
    this.nodes = new Map();
    this.heads = columns.map((column) => this.head(column, onsort));
    this.above = el("tr", { class: "space", "aria-hidden": "true" }, el("td"));
    this.below = this.above.cloneNode(true);
    this.body = el("tbody", {}, this.above, this.below);
    this.node = el("table", { class: "long" }, el("caption", { class: "unseen" }, caption),
      el("thead", {}, el("tr", { "aria-rowindex": "1" }, ...this.heads)), this.body);
    this.draw = this.draw.bind(this);
    this.soon = () => {
      if (!this.frame) this.frame = requestAnimationFrame(this.draw);
    };
    addEventListener("scroll", this.soon, { passive: true });
    addEventListener("resize", this.soon);
  }

  head(column, onsort) {
    const choose = () => {
      this.sort = { id: column.id, down: this.sort.id === column.id ? !this.sort.down : Boolean(column.num) };
      onsort(this.sort);
      this.update(this.rows);
    };
    return el("th", { scope: "col", class: [column.id, column.num && "num", column.room].filter(Boolean).join(" ") },
      el("button", { type: "button", class: "sort", onclick: choose }, column.label));
  }

  update(rows) {
    const { value } = this.columns.find((column) => column.id === this.sort.id) || this.columns[0];
    const turn = this.sort.down ? -1 : 1;
    this.rows = [...rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      const order = typeof x === "number" ? x - y : x.localeCompare(y, undefined, { numeric: true });
      return order ? order * turn : this.key(a).localeCompare(this.key(b), undefined, { numeric: true });
    });
    this.columns.forEach((column, i) => {
      const sorted = column.id === this.sort.id;
      setAttr(this.heads[i], "aria-sort", sorted ? (this.sort.down ? "descending" : "ascending") : "none");
    });
    setAttr(this.node, "aria-rowcount", this.rows.length + 1);
    this.draw();
  }

  rowFor(row) {
    const name = this.key(row);
    let node = this.nodes.get(name);
    if (!node) {
      node = el("tr", {}, ...this.columns.map((column, i) => el(i ? "td" : "th", {
        scope: i ? null : "row", class: [column.num && "num", column.room].filter(Boolean).join(" "),
      })));
      this.columns.forEach((column, i) => column.make && column.make(node.children[i]));
      this.nodes.set(name, node);
    }
    this.columns.forEach((column, i) => column.fill(node.children[i], row));
    return node;
  }

  // Rows are all as high as the first: style.css gives them their height.
  draw() {
    this.frame = 0;
    const height = this.height || 44;
    const top = this.body.getBoundingClientRect().top;
    const first = Math.max(0, Math.min(this.rows.length, Math.floor(-top / height) - SPARE));
    const last = Math.min(this.rows.length, first + Math.ceil(innerHeight / height) + 2 * SPARE);
    const shown = new Set();
    let before = this.above;
    this.above.firstChild.style.height = `${first * height}px`;
    this.below.firstChild.style.height = `${(this.rows.length - last) * height}px`;
    for (let i = first; i < last; i++) {
      const node = this.rowFor(this.rows[i]);
      setAttr(node, "aria-rowindex", i + 2);
      if (before.nextSibling !== node) before.after(node);
      before = node;
      shown.add(this.key(this.rows[i]));
    }
    for (const [name, node] of this.nodes) {
      if (shown.has(name)) continue;
      node.remove();
      this.nodes.delete(name);
    }
    if (!this.height && last > first) {
      this.height = before.getBoundingClientRect().height;
      if (this.height && this.height !== height) this.draw();
    }
  }

  close() {
    removeEventListener("scroll", this.soon);
    removeEventListener("resize", this.soon);
    cancelAnimationFrame(this.frame);
  }
}

export function textCell(text) {
  return (td, row) => setText(td, text(row));
}
